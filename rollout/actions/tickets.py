"""Take in what people report, answer it, resolve it, and open it again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db import transaction
from django.db.models import F

from migration.models import Person
from rollout.errors import MoveRefused, ReasonMissing, TicketInvalid
from rollout.gates import Severity
from rollout.models import Enrolment, Event, Subject, Ticket
from rollout.states import ON_SLOTS, PersonState, TicketState
from rollout.tickets import respond_by
from slots.models import Keys

LONGEST_SUBJECT: Final = 200
LONGEST_TEXT: Final = 20_000
_LEFT: Final = frozenset({PersonState.ROLLING_BACK, PersonState.ROLLED_BACK})


@dataclass(frozen=True, slots=True)
class TicketDraft:
    """Describe a report; `reported_at` is when the person said it, None for now."""

    severity: Severity
    subject: str
    text: str = ""
    reported_at: datetime | None = None


def open_ticket(person: Person, draft: TicketDraft, *, by: str, at: datetime) -> Ticket:
    """Keep what a person reported; from the report on its deadline is counted.

    Raises:
        TicketInvalid: it says nothing, is too long or cannot be stored, or is of the future.
    """
    check_ticket(draft, at=at)
    reported_at = draft.reported_at or at
    with transaction.atomic():
        (wave,) = waves_that_had_moved([(person.pk, reported_at)])
        ticket = Ticket.objects.create(
            person=person,
            wave_id=wave,
            severity=draft.severity.value,
            subject=draft.subject.strip(),
            text=draft.text,
            reported_at=reported_at,
            waiting_since=reported_at,
            respond_by=respond_by(draft.severity, reported_at),
            opened_by=by,
        )
        opened(ticket, by=by, at=at).save()
    return ticket


def opened(ticket: Ticket, *, by: str, at: datetime) -> Event:
    """Return the event of a ticket that was made."""
    return Event(
        subject=Subject.TICKET,
        subject_pk=ticket.pk,
        kind="opened",
        by=by,
        reason=ticket.subject,
        data={"severity": ticket.severity, "reported_at": ticket.reported_at.isoformat(), "source": ticket.source},
        at=at,
    )


def answer_ticket(
    ticket: Ticket, *, by: str, at: datetime, reason: str, answered_at: datetime | None = None, handled_by: str = ""
) -> None:
    """Note that somebody wrote back, and what; no deadline runs until the person writes again.

    `handled_by` is who did, where that is not who notes it.

    Raises:
        ReasonMissing: nobody said what was answered.
        MoveRefused: it is answered or resolved already, or somebody moved it since it was read.
    """
    _require(reason, "Answering a ticket")
    first = ticket.answered_at or answered_at or at
    ticket.step(TicketState.ANSWERED, by=by, at=at, reason=reason, answered_at=first, handled_by=handled_by or by)


def resolve_ticket(
    ticket: Ticket,
    *,
    by: str,
    at: datetime,
    reason: str,
    answered_at: datetime | None = None,
    resolved_at: datetime | None = None,
    handled_by: str = "",
) -> None:
    """Note that what was reported is settled, and how; an answer is part of it where there was none.

    `handled_by` is who did, where that is not who notes it.

    Raises:
        ReasonMissing: nobody said how.
        MoveRefused: it is resolved already, or somebody moved it since it was read.
    """
    _require(reason, "Resolving a ticket")
    settled = resolved_at or at
    first = ticket.answered_at or answered_at or settled
    done: dict[str, Any] = {"answered_at": first, "resolved_at": settled, "handled_by": handled_by or by}
    ticket.step(TicketState.RESOLVED, by=by, at=at, reason=reason, **done)


def reopen_ticket(ticket: Ticket, *, by: str, at: datetime, reason: str) -> None:
    """Note that the person waits again, and why; the deadline is counted anew from now.

    Raises:
        ReasonMissing: nobody said why.
        MoveRefused: they wait already, or somebody moved it since it was read.
    """
    _require(reason, "Reopening a ticket")
    due = respond_by(Severity(ticket.severity), at)
    ticket.step(TicketState.REOPENED, by=by, at=at, reason=reason, waiting_since=at, respond_by=due, resolved_at=None)


def regrade_ticket(ticket: Ticket, *, severity: Severity, by: str, at: datetime, reason: str) -> bool:
    """Give a ticket another severity, and so another deadline, and say whether that changed anything.

    Raises:
        ReasonMissing: nobody said why.
        MoveRefused: somebody moved it since it was read.
    """
    _require(reason, "Grading a ticket anew")
    if ticket.severity == severity.value:
        return False
    with transaction.atomic():
        due = respond_by(severity, ticket.waiting_since)
        as_read = Ticket.objects.filter(pk=ticket.pk, version=ticket.version)
        changed = as_read.update(severity=severity.value, respond_by=due, version=F("version") + 1)
        if changed:
            said: dict[str, Any] = {"by": by, "at": at, "reason": reason, "data": {"from": ticket.severity}}
            Event.objects.create(subject=Subject.TICKET, subject_pk=ticket.pk, kind="regraded", to_state=severity.value, **said)
    ticket.refresh_from_db()
    if not changed:
        raise MoveRefused(str(ticket), ticket.state_label, severity.value)
    return True


def check_ticket(draft: TicketDraft, *, at: datetime) -> None:
    """Refuse what cannot be kept.

    Raises:
        TicketInvalid: with what is wrong in words.
    """
    if wrong := next((text for is_wrong, text in _demands(draft, at) if is_wrong), ""):
        raise TicketInvalid(wrong)


def _demands(draft: TicketDraft, at: datetime) -> tuple[tuple[bool, str], ...]:
    said = draft.reported_at
    has_zone = said is None or said.utcoffset() is not None
    words = draft.subject + draft.text
    return (
        (not draft.subject.strip(), "It does not say what it is about."),
        (len(draft.subject) > LONGEST_SUBJECT, f"What it is about takes {LONGEST_SUBJECT} characters at most."),
        (len(draft.text) > LONGEST_TEXT, f"What the person said takes {LONGEST_TEXT:,} characters at most."),
        ("\0" in words or any("\ud800" <= each <= "\udfff" for each in words), "It holds a character that no text can hold."),
        (not has_zone, "The instant of the report has a zone."),
        (has_zone and said is not None and said > at, "The report is not of the future."),
    )


def waves_that_had_moved(asked: Sequence[tuple[int, datetime]]) -> list[int | None]:
    """Return for each person (primary key) and instant the wave that had them on slots then, from the record; two queries.

    The place itself forgets its switch when it is taken back, so that a report that comes in afterwards would not count.
    """
    people = {person for person, _ in asked}
    places = Enrolment.objects.filter(person__in=Keys(sorted(people))).values_list("pk", "person", "wave")
    of_place: Mapping[int, tuple[int, int]] = {pk: (person, wave) for pk, person, wave in places}
    moves = Event.objects.about(Subject.ENROLMENT, *of_place).filter(to_state__in=ON_SLOTS | _LEFT).order_by("at", "pk")
    by_person: dict[int, list[tuple[datetime, int | None]]] = {}
    for pk, to, moved_at in moves.values_list("subject_pk", "to_state", "at"):
        person, wave = of_place[pk]
        by_person.setdefault(person, []).append((moved_at, wave if to in ON_SLOTS else None))
    return [_latest(by_person.get(person, ()), instant) for person, instant in asked]


def _latest(moves: Sequence[tuple[datetime, int | None]], instant: datetime) -> int | None:
    """Return the wave that the last move up to an instant left a person on."""
    return next((wave for moved_at, wave in reversed(moves) if moved_at <= instant), None)


def _require(reason: str, act: str) -> None:
    if not reason.strip():
        raise ReasonMissing(act)
