"""The page of a request: made once, so that every component on it shares one query, and recorded when the request is over."""

from datetime import datetime
from typing import Any, Final

from django.conf import settings
from django.utils.module_loading import import_string

from slots.actions.serving import PersonPage
from slots.actions.waiting import await_end_of_request
from slots.schema import PersonKey

_ATTRIBUTE: Final = "_slots_page"


def page_of_request(request: Any, *, at: datetime) -> PersonPage:
    """Return the request's page, for the person whom `SLOTS_PERSON_RESOLVER` sees in its user."""
    page: PersonPage | None = getattr(request, _ATTRIBUTE, None)
    if page is None:
        page = PersonPage(person_of_request(request), at=at)
        setattr(request, _ATTRIBUTE, page)
        await_end_of_request(page)
    return page


def person_of_request(request: Any) -> PersonKey | None:
    """Return whom a request is from, None for a stranger."""
    user = getattr(request, "user", None)
    resolver = getattr(settings, "SLOTS_PERSON_RESOLVER", None)
    found: PersonKey | None = import_string(resolver)(user) if resolver and user is not None else None
    return found
