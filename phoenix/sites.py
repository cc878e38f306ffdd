"""The administration as one site: its name, and what every page of it shows around its content."""

from functools import partial
from typing import Any

from django.contrib.admin import AdminSite
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.urls import URLPattern, URLResolver, path, reverse
from django.utils import timezone

from phoenix.home import home_of
from phoenix.navigation import ways_of
from phoenix.saved_filters import forget_view, save_view, saved_for
from rollout.actions.holds import is_frozen
from rollout.roles import OPERATE
from rollout.switch import is_killed


class PhoenixAdminSite(AdminSite):
    """Add the ways by task, and whether everything is stopped, to every page."""

    site_header = "Phoenix"
    site_title = "Phoenix"
    index_title = "Home"
    enable_nav_sidebar = False  # ours stands in templates/admin/base_site.html, without a script

    def get_urls(self) -> list[URLPattern | URLResolver]:
        """Add what saved filters are sent to."""
        save, forget = (self.admin_view(partial(view, self)) for view in (save_view, forget_view))
        return [
            path("filters/save/", save, name="save_filter"),
            path("filters/<int:pk>/forget/", forget, name="forget_filter"),
            *super().get_urls(),
        ]

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        """Return what every page shows: the navigation of this person, and whether everything is stopped; two queries.

        Lists show saved filters too, by a third.
        """
        context = super().each_context(request)
        if not self.has_permission(request):
            return context
        return context | {
            "ways": ways_of(request.user, request.path),
            "home_url": reverse("admin:index", current_app=self.name),
            "is_killed": is_killed(),
            "is_frozen": is_frozen(),
            "may_stop": request.user.has_perm(OPERATE),
            **saved_for(request),
        }

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        """Show what needs somebody now, what runs, how it does, and what comes next."""
        return super().index(request, home_of(request.user, at=timezone.now()) | (extra_context or {}))
