"""Pages that show what an act will do, ask why, and then do it: one for every act on a plan, a phase or a wave."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, ClassVar
from urllib.parse import urlencode

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import OperationalError
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone

from migration.admin.columns import ReadOnlyAdmin
from rollout.admin.overview import buttons_of, overview_of
from rollout.admin.overview import state_badge as state_badge  # where its users know it from
from rollout.admin.selecting import is_of_many, select_from_list
from rollout.errors import ActNotPossible, DatabaseBusy, RolloutError
from rollout.forms import ActForm
from rollout.models import Event, Stateful
from rollout.roles import APPROVE as APPROVE  # where its users know both from
from rollout.roles import OPERATE as OPERATE
from slots.admin.columns import is_pk, list_address
from slots.admin.links import Related

TIMELINE = 200  # events shown on one page
AT_ONCE = 100  # rows that the page of an act without a selection takes
NOT_THERE = "NOT_FOUND: None of these rows is there any more. Choose others in the list."
REFUSED = "Refused now ({code}): {text}"
ONLY_SO_MANY = f"Only the first {AT_ONCE} of the chosen rows are taken; choose the others afterwards."


@dataclass(frozen=True, slots=True)
class Act:
    """Describe one act: `effect` says in sentences what it would do to a row, `run` does it and says what it did.

    `run` takes the row, by, at, reason, and what else `form` asks; `states` are those in which the page of a row offers it, and
    `leads_in` those in which it is the next step; `offers` says whether it would do anything to a row in such a state. `check`
    takes the row, by and at, and raises what `run` would be refused with now beside the state; `looks_ahead` says that it is
    cheap enough to be asked on the row's page too. A grave one asks to type the row's name.
    """

    name: str
    label: str
    permission: str
    states: frozenset[str]
    effect: Callable[[Any], Sequence[str]]
    run: Callable[..., str]
    is_grave: bool = False
    form: type[ActForm] = ActForm
    leads_in: frozenset[str] = frozenset()
    offers: Callable[[Any], bool] = lambda _row: True
    check: Callable[..., object] = lambda _row, **_who: None
    looks_ahead: bool = False

    def require_state(self, row: Any) -> None:
        """Refuse a row whose state does not allow the act: the one rule of the button, the preview and the act.

        Raises:
            ActNotPossible: it does not.
        """
        if row.state not in self.states:
            raise ActNotPossible(str(row), row.state_label, self.label)

    def refusal(self, row: Any, *, by: str, at: datetime) -> RolloutError | None:
        """Return what the act would be refused with now; nothing is changed."""
        try:
            self.require_state(row)
            self.check(row, by=by, at=at)
        except RolloutError as refused:
            return refused
        return None

    def preview(self, row: Any, *, by: str, at: datetime) -> Sequence[str]:
        """Return in sentences what the act would do, or why it would be refused."""
        refused = self.refusal(row, by=by, at=at)
        if refused is not None:
            return [REFUSED.format(code=refused.code, text=refused)]
        try:
            return self.effect(row)
        except RolloutError as unknown:
            return [REFUSED.format(code=unknown.code, text=unknown)]

    def carry_out(self, row: Any, **said: Any) -> str:
        """Do it, and return what was done; `said` are by, at, reason and what else the form asked.

        Raises:
            RolloutError: it is refused.
        """
        self.require_state(row)
        return self.run(row, **said)


class JoinedFilter(admin.RelatedFieldListFilter):
    """Offer the rows that a list can be filtered by, with what their names are made of in the same query."""

    joined: ClassVar[Mapping[str, str]] = {"phase": "plan", "wave": "phase"}

    def field_choices(self, field: Any, request: HttpRequest, model_admin: Any) -> Any:
        """Return key and name of each row."""
        rows = field.related_model._default_manager.select_related(self.joined[field.name])
        return [(row.pk, str(row)) for row in rows]


class RolloutAdmin(ReadOnlyAdmin):
    """Say what an action refuses as a sentence where rows are added, changed or deleted through a form."""

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Add or change a row; what is refused is undone, and said on the page that asked."""
        try:
            return super().changeform_view(request, *args, **kwargs)
        except RolloutError as refused:
            return self._refuse(request, refused, request.get_full_path())

    def delete_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Delete a row; what is refused is undone, and said in the list."""
        try:
            return super().delete_view(request, *args, **kwargs)
        except RolloutError as refused:
            return self._refuse(request, refused, self._address_of_list())

    def changelist_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Show the list and act on what is chosen there; what is refused is said in the list."""
        try:
            return super().changelist_view(request, *args, **kwargs)
        except RolloutError as refused:
            return self._refuse(request, refused, self._address_of_list())

    def related_links(self, request: HttpRequest, row: Any) -> list[Related]:
        """Lead to what happened to the row too."""
        found = super().related_links(request, row)
        if isinstance(row, Stateful) and self._may_see(request, Event):
            found.append(Related("Events", list_address(Event, subject__exact=row.SUBJECT, subject_pk=row.pk)))
        return found

    def _refuse(self, request: HttpRequest, refused: RolloutError, address: str) -> HttpResponse:
        messages.error(request, f"{refused.code}: {refused}")
        return HttpResponseRedirect(address)

    def _address_of_list(self) -> str:
        return reverse(f"admin:rollout_{self.opts.model_name}_changelist")


class ActsAdmin(RolloutAdmin):
    """Show rows that have a state, offer the acts on them, and keep their timeline in view."""

    acts: ClassVar[Sequence[Act]] = ()
    change_form_template = "admin/rollout/change_form.html"

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Offer the acts on the chosen rows to who may do them."""
        allowed = [act for act in self.acts if request.user.has_perm(act.permission)]
        return super().get_actions(request) | {act.name: (_ask_first(act), act.name, f"{act.label}…") for act in allowed}

    def get_urls(self) -> list[URLPattern]:
        """Add the page of the acts."""
        view = self.admin_site.admin_view(self.act_view)
        return [path("act/<slug:name>/", view, name=f"rollout_{self.opts.model_name}_act"), *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show the row with the acts that its state and the visitor's rights allow, and its timeline."""
        row = self.get_object(request, object_id)
        context = dict(extra_context or {})
        if isinstance(row, Stateful) and self.has_view_permission(request, row):
            state: str = getattr(row, "state")  # noqa: B009  # each subclass has its own states
            offered = [
                act for act in self.acts if state in act.states and act.offers(row) and request.user.has_perm(act.permission)
            ]
            timeline = list(Event.objects.about(row.SUBJECT, row.pk).order_by("-pk")[:TIMELINE])
            context["acts"] = [(act, self.act_url(act, [row.pk])) for act in offered]
            context["timeline"] = timeline
            context |= self.more_context(row)
            context["overview"] = overview_of(row, timeline, at=timezone.now(), keeps=context.get("keeps"))
            context["buttons"] = buttons_of(
                row, context["acts"], is_paused=context["overview"].is_paused, barred=self._barred(request, row, offered)
            )
        return super().change_view(request, object_id, form_url, context)

    def _barred(self, request: HttpRequest, row: Any, offered: Sequence[Act]) -> set[str]:
        """Return the next steps that the visitor would be refused now: another one is the button that stands out."""
        said: dict[str, Any] = {"by": request.user.get_username(), "at": timezone.now()}
        return {act.name for act in offered if act.looks_ahead and row.state in act.leads_in and act.refusal(row, **said)}

    def more_context(self, row: Any) -> dict[str, Any]:
        """Return what else the row's page shows."""
        return {}

    def act_url(self, act: Act, pks: Sequence[int]) -> str:
        """Return the address of an act's page."""
        address = reverse(f"admin:rollout_{self.opts.model_name}_act", args=[act.name])
        return f"{address}?{urlencode({'ids': ','.join(map(str, pks))})}"

    def act_view(self, request: HttpRequest, name: str) -> HttpResponse:
        """Show the effect and ask why; on POST act on each row, and say what happened or why not."""
        act = next((act for act in self.acts if act.name == name), None)
        if act is None:
            raise Http404
        if not request.user.has_perm(act.permission):
            raise PermissionDenied
        pks = [int(part) for part in request.GET.get("ids", "").split(",") if is_pk(part)]
        rows = list(self.get_queryset(request).filter(pk__in=pks[:AT_ONCE]).order_by("pk"))
        if not rows:
            messages.error(request, NOT_THERE)
            return HttpResponseRedirect(self._address_of_list())
        if len(pks) > AT_ONCE and request.method != "POST":
            messages.warning(request, ONLY_SO_MANY)
        form = act.form(
            request.POST or None,
            rows=rows,
            initial={"versions": {row.pk: row.version for row in rows}},
            typed=name_to_type(rows) if act.is_grave else "",
        )
        if request.method == "POST" and form.is_valid():
            self._run(request, act, rows, form)
            return HttpResponseRedirect(self._address_of(rows))
        by, at = request.user.get_username(), timezone.now()
        context = {
            **self.admin_site.each_context(request),
            "title": f"{act.label}: {', '.join(map(str, rows[:3]))}{' …' if len(rows) > 3 else ''}",
            "opts": self.opts,
            "act": act,
            "rows": [(row, act.preview(row, by=by, at=at)) for row in rows],
            "form": form,
            "back": self._address_of(rows),
        }
        return TemplateResponse(request, "admin/rollout/act.html", context)

    def _run(self, request: HttpRequest, act: Act, rows: Sequence[Any], form: ActForm) -> None:
        at: datetime = timezone.now()
        more = form.more()
        for row in rows:
            row.version = form.cleaned_data["versions"].get(row.pk, 0)  # what the page showed, not what there is now
            try:
                with answering():
                    said = act.carry_out(row, by=request.user.get_username(), at=at, reason=form.cleaned_data["reason"], **more)
            except RolloutError as refused:
                messages.error(request, refusal(row, refused))
            else:
                messages.success(request, f"{row} {said}" if said.startswith("is ") else f"{row}: {said}")

    def _address_of(self, rows: Sequence[Any]) -> str:
        if len(rows) == 1:
            return reverse(f"admin:rollout_{self.opts.model_name}_change", args=[rows[0].pk])
        return self._address_of_list()


@contextmanager
def answering() -> Iterator[None]:
    """Turn what a database says that is too busy to write into a refusal, so that whoever acts is told and not shown a fault."""
    try:
        yield
    except OperationalError as busy:
        raise DatabaseBusy(str(busy)) from busy


def _ask_first(act: Act) -> Callable[..., HttpResponse]:
    """Return the list action that leads to the act's page: that of a selection where several rows are chosen."""

    def ask(model_admin: ActsAdmin, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse:
        if is_of_many(model_admin.model, act.name, request):
            return select_from_list(model_admin, request, queryset, act.name)
        pks = list(queryset.order_by("pk").values_list("pk", flat=True)[: AT_ONCE + 1])  # one more, so that the page says so
        return HttpResponseRedirect(model_admin.act_url(act, pks))

    return partial(ask)


def name_to_type(rows: Sequence[Any]) -> str:
    """Return what somebody types before a grave act: the row's name, or of several how many they are."""
    if len(rows) != 1:
        return str(len(rows)) if rows else ""
    row = rows[0]
    named = next((getattr(row, each) for each in ("name", "person", "policy") if getattr(row, each, None)), row)
    return str(getattr(named, "name", named)).strip()


def refusal(row: Any, refused: RolloutError) -> str:
    """Return why an act was refused, with the state that the row is in now."""
    row.refresh_from_db()
    now = "" if row.state_label in str(refused) else f" {row} is {row.state_label}."
    return f"{refused.code}: {refused}{now}"
