"""Hold what pages found until their request is over, and store it then: in no transaction of the page, after its response."""

import logging
from typing import Any

from asgiref.local import Local
from django.core.signals import request_finished
from django.db import DatabaseError, connections
from django.dispatch import receiver

from slots.actions.serving import PersonPage

logger = logging.getLogger(__name__)
_waiting = Local()


def await_end_of_request(page: PersonPage) -> None:
    """Store what the page will have found when the request that it belongs to is over."""
    pages: list[PersonPage] = getattr(_waiting, "pages", [])
    pages.append(page)
    _waiting.pages = pages


@receiver(request_finished, dispatch_uid="slots.record_issues")
def record_waiting(**_kwargs: Any) -> int:
    """Store the issues of the pages of this request; return how many there were.

    A database that does not take them costs the row, never the page: the log has the issue already.
    """
    pages: list[PersonPage] = getattr(_waiting, "pages", [])
    _waiting.pages = []
    recorded = 0
    for page in pages:
        if page.found:
            try:
                recorded += page.record()
            except DatabaseError:
                logger.exception("Issues of a page could not be stored")
            _close_obsolete()
    return recorded


def _close_obsolete() -> None:
    """Close what Django, whose own handler came first, would have closed after the request."""
    for connection in connections.all(initialized_only=True):
        if not connection.in_atomic_block:
            connection.close_if_unusable_or_obsolete()
