"""Tasks of phases: operators add them, change them, and say that they are done."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html

from migration.admin.columns import GOOD, badge, link
from rollout.actions.contents import EDITED_IN
from rollout.actions.tasks import add_task, complete_task, reopen_task, set_due
from rollout.admin.acts import RolloutAdmin
from rollout.admin.editing import EditedAdmin
from rollout.forms import EditForm, ReasonForm
from rollout.models import Task


@admin.register(Task)
class TaskAdmin(EditedAdmin, RolloutAdmin):
    """Show what is to be done, by when, and who did it."""

    form = EditForm
    permission = "rollout.change_task"
    list_display = ("text", "phase_link", "due_at", "is_required", "shown_state", "done_by")
    list_filter = ("is_required", ("done_at", admin.EmptyFieldListFilter), "phase__plan")
    search_fields = ("text", "phase__name", "phase__plan__name")
    list_select_related = ("phase__plan",)
    asked = ("phase", "text", "due_at", "is_required")
    fields = ("phase", "text", "due_at", "is_required", "shown_state", "done_by", "done_at", "note")
    readonly_fields = ("shown_state",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Bring phase and plan in the same query."""
        rows: QuerySet[Any] = super().get_queryset(request).select_related("phase__plan").order_by("phase", "position")
        return rows

    def get_urls(self) -> list[URLPattern]:
        """Add the page on which somebody says that a task is done."""
        view = self.admin_site.admin_view(self.mark_view)
        return [path("<int:pk>/mark/", view, name="rollout_task_mark"), *super().get_urls()]

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Let operators add tasks."""
        return request.user.has_perm("rollout.add_task")

    def editable(self, row: Task) -> Sequence[str]:
        """Return what may be changed: all of it as long as it is to be done and its plan is not over."""
        is_open = row.done_at is None and row.phase.plan.state in EDITED_IN
        return ("text", "due_at", "is_required") if is_open else ()

    def save_model(self, request: HttpRequest, obj: Task, form: "ModelForm[Task]", change: bool) -> None:
        """Add the task behind the phase's others, or change it, in the visitor's name."""
        if change:
            self.save_changes(request, obj, form)
            return
        said = {name: form.cleaned_data[name] for name in ("due_at", "is_required")}
        made = add_task(obj.phase, obj.text, by=request.user.get_username(), at=timezone.now(), **said)
        obj.__dict__.update(made.__dict__)

    def change_apart(self, row: Task, changed: Mapping[str, Any], said: dict[str, Any]) -> list[str]:
        """Set by when it is due."""
        if "due_at" in changed:
            set_due(row, changed["due_at"], **said)
        return [name for name in changed if name == "due_at"]

    def mark_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Say what marking the task does, and ask why; on POST note that it is done, or not done after all."""
        if not request.user.has_perm(self.permission):
            raise PermissionDenied
        task = get_object_or_404(self.get_queryset(request), pk=pk)
        form = ReasonForm(request.POST or None)
        back = reverse("admin:rollout_task_change", args=[pk])
        if request.method == "POST" and form.is_valid():
            turn = reopen_task if request.POST.get("to") == "open" else complete_task
            changed = turn(task, by=request.user.get_username(), at=timezone.now(), reason=form.cleaned_data["reason"])
            state = "done" if task.done_at else "not done"
            messages.success(request, f"“{task}” is {state}{'' if changed else ' already'}.")
            return HttpResponseRedirect(back)
        context = {
            **self.admin_site.each_context(request),
            "title": f"{'Not done after all' if task.done_at else 'Done'}: {task}",
            "opts": self.opts,
            "task": task,
            "form": form,
            "back": back,
        }
        return TemplateResponse(request, "admin/rollout/task.html", context)

    @admin.display(description="phase", ordering="phase")
    def phase_link(self, task: Task) -> str:
        """Return a link to the phase."""
        return link(task.phase)

    @admin.display(description="state", ordering="done_at")
    def shown_state(self, task: Task) -> str:
        """Return whether it is done, with the way to the page that marks it."""
        word = badge("done", GOOD) if task.done_at else badge("to do")
        label = "Not done after all…" if task.done_at else "Done…"
        return format_html('{} <a href="{}">{}</a>', word, reverse("admin:rollout_task_mark", args=[task.pk]), label)
