"""The rollout's one door to the queue: messages that wake a worker up, and the jobs that they start.

Row state is the queue of record. A message only says that a wave may have work; losing it, getting it twice, or running it on
another version of the code changes nothing but the time.
"""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from itertools import starmap
from typing import Any, Final

import structlog
from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django_rq import get_queue
from redis.exceptions import RedisError
from rq import Retry
from rq.exceptions import DuplicateJobError

from rollout.actions.alerts import send_due_alerts
from rollout.actions.chunks import process_chunk
from rollout.actions.messages import send_due_notices
from rollout.actions.selection_parts import QUIET, apply_part, left_alone
from rollout.errors import PeopleNotMigrated
from rollout.models import Rehearsal, Selection, Wave
from rollout.rehearsal.runs import play_rehearsal
from rollout.renders import write_renders

log = structlog.get_logger(__name__)
RETRY: Final = (10, 30, 60)  # seconds
FORGOTTEN: Final = timedelta(minutes=15)
GIVEN_UP: Final = timedelta(days=1)
PATIENCE: Final = 540.0  # seconds for a rehearsal, below the queue's own limit for a job
A_TURN: Final = timedelta(minutes=2)  # after which a job hands a selection on to the next one


def work_wave(*, wave_pk: int, size: int | None = None, **kwargs: Any) -> int:
    """Move one chunk of a wave's people, wake up for the next while somebody is queued, and return how many were switched.

    Without a size the chunk has the wave's.

    Raises:
        PeopleNotMigrated: something unforeseen happened to some of them; their rows say what, the log has the tracebacks.
    """
    report = process_chunk(Wave.objects.get(pk=wave_pk), clock=timezone.now, size=size)
    write_renders(at=timezone.now(), is_last=True)  # the process of a job ends with it
    if report.claimed and report.remaining:
        wake_wave(wave_pk, size=size)
    if report.accidents:
        raise PeopleNotMigrated(report.accidents)
    return report.switched


def tell_people(**kwargs: Any) -> int:
    """Send the messages that are due, wake up again while there are more, and return to how many people of waves."""
    send_due_alerts(at=timezone.now())
    report = send_due_notices(at=timezone.now())
    if report.remaining and not report.away:
        wake_messages()
    return report.sent


def rehearse(*, rehearsal_pk: int, **kwargs: Any) -> bool:
    """Play a rehearsal that was asked for, and say whether all went well.

    Raises:
        RehearsalBroken, RehearsalTooSlow: there is no report; the row says why.
    """
    row = Rehearsal.objects.select_related("plan").get(pk=rehearsal_pk)
    return play_rehearsal(row, clock=timezone.now, patience=PATIENCE)


def apply_selection(*, selection_pk: int, **kwargs: Any) -> int:
    """Act on the rows of a selection that was begun, hand it on after a while, and return how many parts are done."""
    selection = Selection.objects.get(pk=selection_pk)
    parts = carry_out(selection, until=timezone.now() + A_TURN)
    if parts and not selection.finished_at:
        wake_selection(selection_pk)
    return parts


def carry_out(selection: Selection, *, until: datetime | None = None) -> int:
    """Act on one part of a selection after the other, at least one, wake whom that queued, and return how many parts are done."""
    done = 0
    while (waves := apply_part(selection, at=timezone.now())) is not None:
        wake_waves(sorted(waves))
        done += 1
        if until is not None and timezone.now() >= until:
            break
    return done


def wake_selection(selection_pk: int, *, key: str = "") -> None:
    """Ask for a worker that goes on with a selection once the present transaction is committed; `key` makes equal asks one."""
    job_id = f"selection-{selection_pk}-{key}" if key else None
    transaction.on_commit(lambda: _enqueue(apply_selection, {"selection_pk": selection_pk}, job_id))


def wake_forgotten_selections(*, at: datetime) -> int:
    """Ask for a worker for each selection that is left alone: its message was lost, or its worker died; now and then."""
    for pk in (found := list(left_alone(at=at).values_list("pk", flat=True))):
        wake_selection(pk, key=f"{at.timestamp() // QUIET.total_seconds():.0f}")
    return len(found)


def wake_rehearsal(rehearsal_pk: int, *, key: str = "") -> None:
    """Ask for a worker that plays a rehearsal once the present transaction is committed; asked twice it is played once."""
    transaction.on_commit(lambda: _enqueue(rehearse, {"rehearsal_pk": rehearsal_pk}, f"rehearsal-{rehearsal_pk}-{key}"))


def wake_forgotten_rehearsals(*, at: datetime) -> int:
    """Ask again for rehearsals that nobody has played: their message was lost, or their worker died; once an hour each."""
    waiting = Rehearsal.objects.filter(finished_at__isnull=True, asked_at__lt=at - FORGOTTEN, asked_at__gt=at - GIVEN_UP)
    for pk in (found := list(waiting.order_by("pk").values_list("pk", flat=True))):
        wake_rehearsal(pk, key=f"{at:%Y%m%d%H}")
    return len(found)


def wake_messages(*, key: str = "") -> None:
    """Ask for a worker that sends messages once the present transaction is committed; `key` makes equal wake-ups one."""
    transaction.on_commit(lambda: _enqueue(tell_people, {}, f"messages-{key}" if key else None))


def wake_wave(wave_pk: int, *, size: int | None = None, key: str = "") -> None:
    """Ask for a worker once the present transaction is committed; `key` makes equal wake-ups one.

    A queue that is away costs nothing but time: the reconciler asks again.
    """
    wake_waves([wave_pk], size=size, key=key)


def wake_waves(wave_pks: Iterable[int], *, size: int | None = None, key: str = "") -> None:
    """Ask for a worker for each wave once the present transaction is committed, until the queue turns out to be away.

    A server that does not answer costs one timeout then, not one for each wave.
    """
    sizes = {} if size is None else {"size": size}
    messages = [(work_wave, {"wave_pk": pk} | sizes, f"wave-{pk}-{key}" if key else None) for pk in wave_pks]
    transaction.on_commit(lambda: all(starmap(_enqueue, messages)))


def _enqueue(job: Callable[..., int], given: dict[str, int], job_id: str | None) -> bool:
    """Send one message, and say whether the queue is there."""
    try:
        get_queue(settings.QUEUE_NAME).enqueue_call(
            job,
            kwargs=given,
            retry=Retry(max=len(RETRY), interval=list(RETRY)),
            job_id=job_id,
            unique=job_id is not None,
        )
    except DuplicateJobError:
        log.info("is_being_woken", job=job.__name__, **given)
    except RedisError as error:
        log.warning("queue_down", job=job.__name__, **given, error=type(error).__name__)
        return False
    return True
