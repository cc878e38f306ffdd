"""The administration speaks UTC, whatever `TIME_ZONE` the site's own pages are in; a script adds the viewer's time to it."""

from collections.abc import Callable
from datetime import UTC
from typing import Final

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

PREFIX: Final = "/admin/"


def utc_administration(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Return the middleware that shows and reads instants as UTC on every page below `PREFIX`."""

    def middleware(request: HttpRequest) -> HttpResponse:
        if not request.path_info.startswith(PREFIX):
            return get_response(request)
        with timezone.override(UTC):
            return get_response(request)

    return middleware
