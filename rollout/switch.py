"""Say which system a person is on, and the one switch that takes everybody back.

`SystemResolver` is what slots asks, through `SLOTS_SYSTEM_RESOLVER`: its query joins the request's one query, its choice is pure.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import transaction

from migration.actions.legacy import LegacyRenderer
from migration.models import Person
from rollout.errors import ReasonMissing
from rollout.models import SLOTS_FLAG, Event, Flag, Subject, ensure_flag, standing_query
from rollout.waves import Standing, System
from slots.schema import OtherSystem, PersonKey, StandingRow


class SystemResolver:
    """Choose between slots and the legacy system by the person's standing."""

    is_query_fixed = True  # but for tenant and id it is the same for everybody, so slots builds it once

    def standing_query(self, person: PersonKey) -> Any:
        """Return the row that decides, as a queryset of five text columns."""
        return standing_query(person)

    def choose(self, person: PersonKey, rows: Sequence[StandingRow]) -> OtherSystem | None:
        """Return the legacy renderer, or None where slots render for the person."""
        standing = Standing.from_row(rows[0] if rows else None)
        return None if standing.decide().system == System.SLOTS else LegacyRenderer(person)

    def knows(self, person: PersonKey) -> bool:
        """Say whether there is such a person at all, wherever they are."""
        return Person.objects.named(person).exists()


def is_killed() -> bool:
    """Say whether the kill switch is on; it is on where the flag's row is missing."""
    everyone = Flag.objects.filter(name=SLOTS_FLAG).values_list("everyone", flat=True)
    return next(iter(everyone), False) is False


def engage_kill_switch(*, by: str, at: datetime, reason: str) -> bool:
    """Show everybody the legacy system from the next request on, and say whether that changed anything.

    One write; no window, hold or queue stands before it.

    Raises:
        ReasonMissing: nobody said why.
    """
    return _set(everyone=False, kind="kill_switch_engaged", act="The kill switch", by=by, at=at, reason=reason)


def release_kill_switch(*, by: str, at: datetime, reason: str) -> bool:
    """Let everybody's own standing decide again, and say whether that changed anything.

    Raises:
        ReasonMissing: nobody said why.
    """
    return _set(everyone=None, kind="kill_switch_released", act="Releasing the kill switch", by=by, at=at, reason=reason)


def _set(*, everyone: bool | None, kind: str, act: str, by: str, at: datetime, reason: str) -> bool:
    if not reason.strip():
        raise ReasonMissing(act)
    with transaction.atomic():
        flag = ensure_flag()
        others = Flag.objects.filter(pk=flag.pk)
        others = others.exclude(everyone=False) if everyone is False else others.filter(everyone=False)
        changed = others.update(everyone=everyone, modified=at)
        if changed:
            Event.objects.create(subject=Subject.FLAG, subject_pk=flag.pk, kind=kind, by=by, reason=reason, at=at)
    return bool(changed)
