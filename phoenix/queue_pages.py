"""Mount django-rq's pages for those who may touch the queue.

django-rq lets every staff user in, and its pages delete jobs; two of them are open to whoever has an API token. Here each
view, without exception, asks for one permission first.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseBase
from django.urls import URLPattern
from django_rq.urls import urlpatterns

PERMISSION = "django_rq.admin"


def queue_patterns() -> list[URLPattern]:
    """Return django-rq's URL patterns, every view behind the admin's log-in and `PERMISSION`."""
    return [URLPattern(pattern.pattern, guarded(pattern.callback), pattern.default_args, pattern.name) for pattern in urlpatterns]


def guarded(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Return `view` behind the admin's log-in and `PERMISSION`; who lacks it gets 403."""

    @wraps(view)
    def check(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not request.user.has_perm(PERMISSION):
            raise PermissionDenied
        return view(request, *args, **kwargs)

    return admin.site.admin_view(check)
