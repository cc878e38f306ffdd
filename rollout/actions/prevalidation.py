"""Prove the members of a wave before it starts, so that its start finds the work done and its trouble known.

Customizations are translated and validated as at the start; nobody's place in the wave changes. What is done is seen from the
customizations' own states, so the next call goes on where the last one stopped.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet

from migration.actions.proofs import Unproven, proofs_of
from migration.engine.translate import ENGINE_VERSION
from migration.models import Customization, Finding, Person
from migration.states import CustomizationState
from rollout.actions.proofs import translate_people, validate_people
from rollout.errors import MoveRefused
from rollout.models import Enrolment, Event, Wave
from rollout.states import PersonState, WaveState

BATCH: Final = 100
A_ROUND: Final = 200  # people whom the reconciler proves in one round
AHEAD: Final = frozenset({WaveState.LOCKED, WaveState.ANNOUNCED})
MEMBERS: Final = (PersonState.ENROLLED, PersonState.NOTIFIED)
OPEN: Final = (CustomizationState.IMPORTED, CustomizationState.TRANSLATED)
BLOCKED: Final = (CustomizationState.NEEDS_REVIEW, CustomizationState.REJECTED)


@dataclass(frozen=True, slots=True)
class Readiness:
    """Say how many members of a wave are proven, blocked, or not looked at yet; `causes` counts the blocked by code.

    Somebody with several causes is counted under each.
    """

    members: int
    proven: int
    blocked: int
    open: int
    causes: tuple[tuple[str, int], ...]

    def as_json(self) -> dict[str, object]:
        """Return the JSON object of `rollout prevalidate`."""
        return {
            "members": self.members,
            "proven": self.proven,
            "blocked": self.blocked,
            "open": self.open,
            "causes": dict(self.causes),
        }


def prevalidate_wave(
    wave: Wave,
    *,
    by: str,
    at: datetime,
    reason: str = "",
    limit: int | None = None,
    progress: Callable[[int], object] = lambda count: None,
) -> Readiness:
    """Translate and validate what the members' proofs lack, for up to `limit` people, and say how ready the wave is.

    Who asked for it and why is kept in the record.

    Raises:
        MoveRefused: the wave is neither locked nor announced.
    """
    if wave.state not in AHEAD:
        raise MoveRefused(str(wave), wave.state_label, "proven ahead of its start")
    record_proving([wave], by=by, at=at, reason=reason)
    prove_ahead(wave, by=by, at=at, limit=limit, progress=progress)
    return readiness_of(wave)


def prove_ahead(
    wave: Wave,
    *,
    by: str,
    at: datetime,
    limit: int | None = None,
    only_new: bool = False,
    progress: Callable[[int], object] = lambda count: None,
) -> int:
    """Translate and validate what the members' proofs lack, for up to `limit` people; return for how many.

    `only_new` leaves those out whose proof is of another engine or version, whom it takes a look at every member to find.
    """
    open_rows = new_members(wave) if only_new else open_members(wave)
    done, last = 0, 0
    while limit is None or done < limit:
        size = BATCH if limit is None else min(BATCH, limit - done)
        rows = list(open_rows.filter(pk__gt=last).order_by("pk").values_list("pk", "person_id")[:size])
        if not rows:
            break
        people = list(Person.objects.filter(pk__in=[person for _, person in rows]).order_by("pk"))
        translate_people(people, by=by, at=at)
        validate_people(people, by=by, at=at)
        done, last = done + len(rows), rows[-1][0]
        progress(len(rows))
    return done


def prevalidate_person(row: Enrolment, *, by: str, at: datetime, reason: str = "") -> Unproven | None:
    """Translate and validate what a member's proofs lack; return what is in the way of a proof, None where nothing is.

    Who asked for it and why is kept in the record.

    Raises:
        MoveRefused: they have begun, or their wave is neither locked nor announced.
    """
    require_ahead(row)
    record_proving([row], by=by, at=at, reason=reason)
    translate_people([row.person], by=by, at=at)
    validate_people([row.person], by=by, at=at)
    found = proofs_of([row.person])[row.person_id]
    return found if isinstance(found, Unproven) else None


def require_ahead(row: Enrolment) -> None:
    """Refuse to prove somebody ahead who has begun, or whose wave is neither locked nor announced.

    Raises:
        MoveRefused: so it is.
    """
    for subject, is_ahead in ((row, row.state in MEMBERS), (row.wave, row.wave.state in AHEAD)):
        if not is_ahead:
            raise MoveRefused(str(subject), subject.state_label, "proven ahead")


def record_proving(rows: Sequence[Enrolment | Wave], *, by: str, at: datetime, reason: str) -> None:
    """Keep who asked to prove waves or people ahead, and why; one statement."""
    said = {"kind": "proven_ahead", "by": by, "at": at, "reason": reason}
    Event.objects.bulk_create(Event(subject=row.SUBJECT, subject_pk=row.pk, **said) for row in rows)


def waves_ahead() -> QuerySet[Wave]:
    """Return the waves that may be proven ahead of their start, those that start first in front."""
    return Wave.objects.filter(state__in=AHEAD).order_by(F("starts_at").asc(nulls_last=True), "pk")


def new_members(wave: Wave) -> QuerySet[Enrolment]:
    """Return the members some of whose customizations have not been looked at."""
    return _members(wave).filter(Exists(_theirs().filter(state__in=OPEN)))


def open_members(wave: Wave) -> QuerySet[Enrolment]:
    """Return the members some of whose customizations have not been looked at, or for another engine or version."""
    other = Q(translation__isnull=False) & (
        ~Q(translation__engine_version=ENGINE_VERSION) | ~Q(translation__target=F("component__current_version"))
    )
    lacking = Q(state__in=OPEN) | (Q(state=CustomizationState.VALIDATED) & other)
    return _members(wave).filter(Exists(_theirs().filter(lacking)))


def readiness_of(wave: Wave) -> Readiness:
    """Return how ready the members are, by the states of their customizations; a fixed number of queries."""
    members, blocked_rows = _members(wave), Exists(_theirs().filter(state__in=BLOCKED))
    blocked = members.filter(blocked_rows)
    total, n_blocked = members.count(), blocked.count()
    n_open = open_members(wave).exclude(blocked_rows).count()
    causes: dict[str, int] = {}
    for way in ("customization__person", "translation__customizations__person"):
        named = Finding.objects.blocking().filter(**{f"{way}__in": blocked.values("person")})
        for code, count in named.order_by().values_list("code").annotate(Count(way, distinct=True)):
            causes[code] = causes.get(code, 0) + count
    ordered = tuple(sorted(causes.items(), key=lambda cause: (-cause[1], cause[0])))
    return Readiness(total, total - n_blocked - n_open, n_blocked, n_open, ordered)


def _members(wave: Wave) -> QuerySet[Enrolment]:
    return wave.enrolments.live().filter(state__in=MEMBERS)


def _theirs() -> QuerySet[Customization]:
    return Customization.objects.active().filter(person=OuterRef("person"))
