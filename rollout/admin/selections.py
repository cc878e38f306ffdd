"""Selections: what an act on many would do, the act itself, and what came of it."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone

from migration.admin.columns import BAD, GOOD, NEUTRAL, WARNING, ReadOnlyAdmin, badge
from rollout.actions.bulk import BY_NAME, MODELS, bulk_act
from rollout.actions.criteria import Criteria, rows_meant
from rollout.actions.selection_parts import open_parts, parts_that_failed
from rollout.actions.selection_rows import done_so_far, rows_listed
from rollout.actions.selections import begin_selection, freeze_selection
from rollout.admin.acts import OPERATE, answering
from rollout.admin.selecting import page_of
from rollout.errors import RolloutError
from rollout.forms import ConfirmForm
from rollout.jobs import carry_out, wake_selection
from rollout.models import ACCIDENT, Selection, Subject, Wave
from rollout.states import STUCK

ROWS = 100  # on one page of the list
FEW = 10  # parts that failed
AT_ONCE = {Subject.ENROLMENT: 1, Subject.WAVE: 10, Subject.PHASE: 10}  # parts that a request does itself
LISTS = {"taken": "Acted on", "left": "Left out", "changed": "Not acted on"}


@admin.register(Selection)
class SelectionAdmin(ReadOnlyAdmin):
    """Show acts on many rows; each has a page with its preview, its progress and its result."""

    list_display = ("made_at", "act_label", "subject", "taken", "standing", "applied", "shown_changes", "criteria", "made_by")
    list_filter = ("subject", "act", "made_at")
    search_fields = ("made_by",)

    @admin.display(description="act", ordering="act")
    def act_label(self, row: Selection) -> str:
        """Return the act as its button says it."""
        act = BY_NAME.get((row.subject, row.act))
        return act.label if act else row.act

    @admin.display(description="state")
    def standing(self, row: Selection) -> str:
        """Say how far it is."""
        if row.begun_at is None:
            return badge("previewed", NEUTRAL)
        return badge("done", GOOD) if row.finished_at else badge("at work", WARNING)

    @admin.display(description="not acted on")
    def shown_changes(self, row: Selection) -> str:
        """Say how many rows were not acted on, those that an accident ended apart."""
        kinds = ((row.refused, "changed or refused"), (row.given_up, "given up"))
        said = ", ".join(f"{count:,} {word}" for count, word in kinds if count)
        return badge(said, BAD) if said else "0"

    def get_urls(self) -> list[URLPattern]:
        """Add what the buttons of other pages send to, and the part of the page that keeps itself fresh."""
        guard = self.admin_site.admin_view
        return [
            path("failed/<int:wave>/", guard(self.failed_view), name="rollout_selection_failed"),
            path("<int:pk>/work/", guard(self.work_view), name="rollout_selection_work"),
            *super().get_urls(),
        ]

    def failed_view(self, request: HttpRequest, wave: int) -> HttpResponse:
        """Select the failed people of a wave for another try; the page of the selection asks before anything happens."""
        if not request.user.has_perm(OPERATE):
            raise PermissionDenied
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        row = get_object_or_404(Wave.objects.select_related("phase"), pk=wave)
        rows = rows_meant(Subject.ENROLMENT, Criteria(wave=row.pk, states=sorted(STUCK)))
        by = request.user.get_username()
        return page_of(freeze_selection(rows, "retry", criteria=f"failed people of {row}", by=by, at=timezone.now()))

    def work_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Return the part alone that says how far the act is."""
        if not (request.user.has_perm(OPERATE) or self.has_view_permission(request)):
            raise PermissionDenied
        context = _work(get_object_or_404(Selection, pk=pk))
        answer = TemplateResponse(request, "admin/rollout/_work.html", context)
        answer["Cache-Control"] = "no-store"
        return answer

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show whom the act is about and why not the others; confirmed, do it to these and show what came of each."""
        row = self.get_object(request, object_id)
        if not isinstance(row, Selection):
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)  # type: ignore[attr-defined,no-any-return]  # Django's own
        may_act = request.user.has_perm(OPERATE)
        if not (may_act or self.has_view_permission(request, row)):
            raise PermissionDenied
        typed = str(row.taken) if bulk_act(row.subject, row.act).is_grave else ""
        form = ConfirmForm(request.POST or None, initial={"digest": row.digest}, typed=typed)
        if request.method == "POST":
            if not may_act:
                raise PermissionDenied
            if form.is_valid() and self._apply(request, row, form):
                return HttpResponseRedirect(request.path)
        return TemplateResponse(request, "admin/rollout/selection.html", self._context(request, row, form, may_act))

    def _apply(self, request: HttpRequest, row: Selection, form: ConfirmForm) -> bool:
        """Do what was confirmed: what is small now, what is large through the queue; False where it is refused."""
        said = {"by": request.user.get_username(), "at": timezone.now(), "reason": form.cleaned_data["reason"]}
        try:
            with answering():
                begin_selection(row, digest=form.cleaned_data["digest"], **said)
                if open_parts(row).count() > AT_ONCE[Subject(row.subject)]:
                    wake_selection(row.pk)
                    messages.info(request, f"{row.taken:,} rows are left to the workers.")
                    return True
                carry_out(row)
        except RolloutError as refused:
            messages.error(request, f"{refused.code}: {refused}")
            return False
        if row.finished_at is None:
            left = row.taken - done_so_far(row)
            messages.info(
                request, f"{left:,} rows are left to the workers: some hold them already, or they wait for another try."
            )
            return True
        messages.success(request, f"{bulk_act(row.subject, row.act).label}: {row.applied:,} of {row.taken:,} done.")
        return True

    def _context(self, request: HttpRequest, row: Selection, form: ConfirmForm, may_act: bool) -> dict[str, Any]:
        act = bulk_act(row.subject, row.act)
        counts = {"taken": row.taken, "left": row.left_out, "changed": row.explained}
        wanted = request.GET.get("list", "")
        which = wanted if counts.get(wanted) else next((name for name in ("changed", "taken", "left") if counts[name]), "taken")
        labels = LISTS if row.begun_at else LISTS | {"taken": "Will be acted on"}
        page = Paginator(range(counts[which]), ROWS).get_page(request.GET.get("p"))
        return {
            **self.admin_site.each_context(request),
            **_work(row),
            "title": f"{act.label}: {row.taken:,} of {row.looked_at:,}",
            "opts": self.opts,
            "act": act,
            "to": Wave.objects.select_related("phase").filter(pk=row.options.get("to", 0)).first() if row.options else None,
            "accident": ACCIDENT,
            "lists": [(name, label, counts[name], name == which) for name, label in labels.items() if counts[name]],
            "which": which,
            "page": page,
            "rows": rows_listed(row, which, (page.number - 1) * ROWS, ROWS),
            "row_view": f"admin:rollout_{MODELS[row.subject]._meta.model_name}_change",
            "noun": {"enrolment": "people"}.get(row.subject, f"{row.subject}s"),
            "form": form,
            "may_act": may_act and row.begun_at is None,
            "back": reverse(f"admin:rollout_{MODELS[row.subject]._meta.model_name}_changelist"),
        }


def _work(row: Selection) -> dict[str, Any]:
    """Return how far an act is."""
    done = done_so_far(row)
    return {
        "at": timezone.now(),
        "selection": row,
        "done": done,
        "percent": 100 * done // row.taken if row.taken else 100,
        "failed_parts": parts_that_failed(row)[:FEW] if row.begun_at and not row.finished_at else (),
    }
