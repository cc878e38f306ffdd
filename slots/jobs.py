"""The door of slots to the queue: a message that a component's pages are to be composed ahead.

A message carries a primary key. What it asks for is found in the rows, so a job that runs twice finds its work done; one that is
lost costs the first page of each stack the time to compose it.
"""

import logging
from typing import Any, Final

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django_rq import get_queue
from redis.exceptions import RedisError
from rq import Retry

from slots.actions.composing import compose_component
from slots.models import Component

logger = logging.getLogger(__name__)
RETRY: Final = (10, 60)  # seconds


def compose_pages(*, component_pk: int, **_later: Any) -> int:
    """Compose the distinct stacks of a component that are missing, and return how many; `_later` is what other releases carry."""
    component = Component.objects.filter(pk=component_pk).first()
    return 0 if component is None else compose_component(component, at=timezone.now())


def compose_later(component: Component) -> None:
    """Ask for it once the present transaction is committed; a queue that is away costs nothing but time."""
    transaction.on_commit(lambda: _enqueue(component.pk))


def _enqueue(component_pk: int) -> None:
    try:
        queue = get_queue(settings.QUEUE_NAME)
        queue.enqueue(compose_pages, kwargs={"component_pk": component_pk}, retry=Retry(max=len(RETRY), interval=list(RETRY)))
    except RedisError as error:
        logger.warning(
            "The queue is away (%s): the pages of component %s compose themselves.", type(error).__name__, component_pk
        )
