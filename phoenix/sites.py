"""The administration as one site: its name, and what every page of it shows around its content."""

from typing import Any

from django.contrib.admin import AdminSite
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone

from phoenix.home import home_of
from phoenix.navigation import ways_of
from rollout.actions.holds import is_frozen
from rollout.switch import is_killed

OPERATE = "rollout.operate_rollout"


class PhoenixAdminSite(AdminSite):
    """Add the ways by task, and whether everything is stopped, to every page."""

    site_header = "Phoenix"
    site_title = "Phoenix"
    index_title = "Home"
    enable_nav_sidebar = False  # ours stands in templates/admin/base_site.html, without a script

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        """Return what every page shows: the navigation of this person, and whether everything is stopped; two queries."""
        context = super().each_context(request)
        if not self.has_permission(request):
            return context
        return context | {
            "ways": ways_of(request.user, request.path),
            "home_url": reverse("admin:index", current_app=self.name),
            "is_killed": is_killed(),
            "is_frozen": is_frozen(),
            "may_stop": request.user.has_perm(OPERATE),
        }

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        """Show what needs somebody now, what runs, how it does, and what comes next."""
        return super().index(request, home_of(request.user, at=timezone.now()) | (extra_context or {}))
