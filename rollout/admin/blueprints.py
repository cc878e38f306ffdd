"""Plans from templates and as templates: the page on which one is made, with a preview, and the file of one that is there."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone

from rollout.actions.blueprints import blueprint_of, create_from_template
from rollout.blueprints import Layout, written
from rollout.errors import RolloutError
from rollout.forms import TemplateForm
from rollout.models import Plan

WRITE = "rollout.add_plan"


class TemplatePages:
    """Add both to the admin of plans."""

    admin_site: Any
    opts: Any

    def get_urls(self) -> list[URLPattern]:
        """Add the pages."""
        guard = self.admin_site.admin_view
        more: list[URLPattern] = super().get_urls()  # type: ignore[misc]  # the admin it is mixed into
        return [
            path("new/", guard(self.new_view), name="rollout_plan_new"),
            path("<int:pk>/export.toml", guard(self.export_view), name="rollout_plan_export"),
            *more,
        ]

    def new_view(self, request: HttpRequest) -> HttpResponse:
        """Ask for template, name, start and zone; show what would be made; make it once that was seen."""
        if not request.user.has_perm(WRITE):
            raise PermissionDenied
        form = TemplateForm(request.POST or None, initial={"starts_on": timezone.now().date()})
        layout = form.cleaned_data["layout"] if form.is_valid() else None
        if layout is not None and "make" in request.POST:
            try:
                plan = create_from_template(
                    form.cleaned_data["name"],
                    template=layout.blueprint,
                    starts_on=layout.starts_on,
                    time_zone=layout.zone,
                    by=request.user.get_username(),
                    at=timezone.now(),
                )
            except RolloutError as refused:
                messages.error(request, f"{refused.code}: {refused}")
            else:
                messages.success(request, f"{plan} is made as a draft.")
                return HttpResponseRedirect(reverse("admin:rollout_plan_change", args=[plan.pk]))
        context = {
            **self.admin_site.each_context(request),
            "title": "New plan from a template",
            "opts": self.opts,
            "form": form,
            "layout": layout,
            "phases": _phases(layout) if layout else [],
        }
        return TemplateResponse(request, "admin/rollout/new_plan.html", context)

    def export_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Return the plan as a template, to be kept or edited."""
        if not request.user.has_perm("rollout.view_plan"):
            raise PermissionDenied
        blueprint = blueprint_of(get_object_or_404(Plan, pk=pk))
        response = HttpResponse(written(blueprint), content_type="application/toml; charset=utf-8")
        response["Content-Disposition"] = f'attachment; filename="{blueprint.name}.toml"'
        return response


def _phases(layout: Layout) -> list[dict[str, Any]]:
    """Return what the preview says of each phase."""
    shared = layout.blueprint
    return [
        {
            "name": each.entry.name,
            "starts_at": each.starts_at,
            "share": each.entry.share,
            "share_of": each.entry.share_of,
            "waves": each.waves,
            "tasks": each.tasks,
            "notices": [*shared.notices, *each.entry.notices],
            "windows": each.entry.windows or shared.windows,
            "policies": each.entry.policies,
            "signoffs": each.entry.signoffs,
        }
        for each in layout.phases
    ]
