"""The door to the queue: messages that wake a worker up to translate or validate a chunk.

A message carries primary keys. The rows are the truth: a job that runs twice finds its work done, and one that is lost is made
up for by whoever translates or validates next.
"""

from collections.abc import Callable, Iterable
from typing import Any, Final

from django.conf import settings
from django.utils import timezone
from django_rq import get_queue
from rq import Retry

from migration.actions import in_chunks, translate_customizations, validate_customizations

CHUNK: Final = 200
RETRY_AFTER_SECONDS: Final = (10, 60, 300)


def translate_chunk(*, customizations: list[int], by: str, reason: str = "translate", **_later: Any) -> dict[str, Any]:
    """Translate one chunk; `_later` takes what messages of other releases carry."""
    return translate_customizations(customizations, at=timezone.now(), by=by, reason=reason).as_json()


def validate_chunk(*, customizations: list[int], by: str, reason: str = "validate", **_later: Any) -> dict[str, Any]:
    """Validate one chunk."""
    return validate_customizations(customizations, at=timezone.now(), by=by, reason=reason).as_json()


def enqueue(job: Callable[..., Any], primary_keys: Iterable[int], *, by: str, reason: str) -> int:
    """Put a job for each chunk into the queue when the transaction commits; return how many."""
    queue = get_queue(settings.QUEUE_NAME)
    count = 0
    for chunk in in_chunks(primary_keys, CHUNK):
        arguments = {"customizations": chunk, "by": by, "reason": reason}
        queue.enqueue(job, kwargs=arguments, retry=Retry(max=len(RETRY_AFTER_SECONDS), interval=list(RETRY_AFTER_SECONDS)))
        count += 1
    return count
