"""The door of slots to the queue: a message that a component's pages are to be composed ahead.

A message carries a primary key. What it asks for is found in the rows, so a job that runs twice finds its work done; one that is
lost costs the first page of each stack the time to compose it. So does a project without a queue, as it may be: django-rq
reads its settings when it is imported, and is imported only where a queue is named and known.
"""

import logging
from typing import Any, Final

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from slots.actions.composing import compose_component
from slots.models import Component, Layer, SlotConfiguration

logger = logging.getLogger(__name__)
RETRY: Final = (10, 60)  # seconds


def compose_pages(*, component_pk: int, **_later: Any) -> int:
    """Compose the distinct stacks of a component that are missing, and return how many; `_later` is what other releases carry."""
    component = Component.objects.filter(pk=component_pk).first()
    return 0 if component is None else compose_component(component, at=timezone.now())


def compose_later(component: Component) -> None:
    """Ask for it once the present transaction is committed; a queue that is away costs nothing but time."""
    transaction.on_commit(lambda: _enqueue(component.pk))


def compose_above(configuration: SlotConfiguration) -> None:
    """Ask for it where others lie on a configuration; a person's own was composed when it was written."""
    if configuration.layer in (Layer.DEFAULT, Layer.SITE, Layer.SEGMENT):
        compose_later(configuration.component)


def queue_name() -> str | None:
    """Return the queue that messages go to: `SLOTS_QUEUE`, else `QUEUE_NAME`; None where `RQ_QUEUES` does not know it."""
    name = getattr(settings, "SLOTS_QUEUE", None) or getattr(settings, "QUEUE_NAME", None)
    return name if name in getattr(settings, "RQ_QUEUES", {}) else None


def _enqueue(component_pk: int) -> None:
    name = queue_name()
    if name is None:
        logger.info("No queue is configured (SLOTS_QUEUE): the pages of component %s compose themselves.", component_pk)
        return
    from django_rq import get_queue  # noqa: PLC0415  # needs RQ_QUEUES when it is imported
    from redis.exceptions import RedisError  # noqa: PLC0415  # comes with django-rq
    from rq import Retry  # noqa: PLC0415  # comes with django-rq

    try:
        queue = get_queue(name)
        queue.enqueue(compose_pages, kwargs={"component_pk": component_pk}, retry=Retry(max=len(RETRY), interval=list(RETRY)))
    except RedisError as error:
        logger.warning(
            "The queue is away (%s): the pages of component %s compose themselves.", type(error).__name__, component_pk
        )
