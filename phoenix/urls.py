"""Addresses of the site: admin, queue pages, health, sign-in, and the sample shop where it is switched on."""

from django.conf import settings
from django.contrib import admin
from django.contrib.auth.views import LoginView, LogoutView
from django.urls import URLPattern, URLResolver, include, path
from django.views.generic import RedirectView

from phoenix.api import description
from phoenix.health import healthz
from phoenix.queue_pages import queue_patterns
from rollout.api import api as rollout_api
from slots.api import api

urlpatterns: list[URLPattern | URLResolver] = [
    path("healthz", healthz, name="healthz"),
    path("admin/queue/", include((queue_patterns(), "django_rq"))),
    path("admin/", admin.site.urls),
    path("api/openapi.json", description, name="openapi"),
    path("api/rollout/", rollout_api.urls),
    path("api/", api.urls),
    path("messages/", include("rollout.urls")),
    path("login/", LoginView.as_view(), name="login"),
    path("logout/", LogoutView.as_view(), name="logout"),
    path("", include("phoenix.demo.urls"))
    if settings.PHOENIX_DEMO
    else path("", RedirectView.as_view(pattern_name="admin:index"), name="home"),
]
