"""Take in the tickets of a helpdesk: each once, and again as far as the helpdesk went on with it.

An import moves a ticket on and never back: what was resolved here stays resolved, what was reopened here stays open until the
helpdesk resolved it after that. Of a ticket that is there already its severity follows the helpdesk, its words stay.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from django.db import IntegrityError, transaction

from migration.actions.fields import FieldRefused, Fields
from migration.actions.people import people_named, read_person_key
from migration.actions.records import Raw, read_lines, read_object, source_of
from migration.models import Person
from rollout.actions.tickets import (
    LONGEST_SUBJECT,
    LONGEST_TEXT,
    TicketDraft,
    answer_ticket,
    check_ticket,
    opened,
    regrade_ticket,
    resolve_ticket,
    waves_that_had_moved,
)
from rollout.errors import PersonUnknown, RolloutError, TicketInvalid
from rollout.gates import Severity
from rollout.models import Event, Subject, Ticket
from rollout.states import TicketState
from rollout.tickets import respond_by
from slots.errors import Refusal
from slots.schema import PersonKey

CHUNK: Final = 500
HELPDESK: Final = "helpdesk"  # the source where a record names none


@dataclass(frozen=True, slots=True)
class TicketRecord:
    """Hold one record: the ticket as the helpdesk has it, and the line it stands on."""

    line: int
    source: str
    external_id: str
    person: PersonKey
    draft: TicketDraft
    reported_at: datetime
    answered_at: datetime | None
    resolved_at: datetime | None

    @property
    def key(self) -> tuple[str, str]:
        """Return what the ticket is taken in once by."""
        return (self.source, self.external_id)


@dataclass(slots=True)
class TicketReport:
    """Count what an import made, moved on, and found as it was; name what it refused, with the file and the line."""

    imported: int = 0
    updated: int = 0
    unchanged: int = 0
    rejected: list[tuple[str, Refusal]] = field(default_factory=list)

    def add(self, other: "TicketReport") -> None:
        """Add what came of a further part."""
        self.imported += other.imported
        self.updated += other.updated
        self.unchanged += other.unchanged
        self.rejected += other.rejected


def import_tickets(paths: Iterable[Path], *, by: str, at: datetime) -> TicketReport:
    """Take in the tickets of JSON Lines files; a bad record is refused and named, the others go on."""
    report = TicketReport()
    for path in paths:
        name = source_of(path)
        with path.open("rb") as stream:
            for batch in _batches(read_lines(stream, source=name), name, report, at):
                report.add(_taken_in(batch, name, by=by, at=at))
        report.rejected.sort(key=lambda each: each[1].line if each[0] == name else -1)
    return report


def _batches(lines: Iterable[Raw], name: str, report: TicketReport, at: datetime) -> Iterator[list[TicketRecord]]:
    """Yield the records in parts in which no ticket occurs twice; what cannot be read goes to the report."""
    batch: dict[tuple[str, str], TicketRecord] = {}
    for raw in lines:
        record = _record(raw, at)
        if isinstance(record, Refusal):
            report.rejected.append((name, record))
            continue
        if record.key in batch or len(batch) == CHUNK:
            yield list(batch.values())
            batch = {}
        batch[record.key] = record
    if batch:
        yield list(batch.values())


def _record(raw: Raw, at: datetime) -> TicketRecord | Refusal:
    """Return the record of a line, or why there is none."""
    data = read_object(raw)
    if isinstance(data, Refusal):
        return data
    fields = Fields(data, raw.line)
    try:
        record = _read(fields, raw.line)
        if unknown := fields.ignored():
            fields.refuse("FIELD_INVALID", f"A ticket has no {', '.join(unknown)}; leave it out and import the record again.")
        check_ticket(record.draft, at=at)
        _check_order(record, at)
    except FieldRefused as refused:
        return refused.refusal
    except TicketInvalid as invalid:
        return Refusal(invalid.code, raw.line, str(invalid))
    return record


def _read(fields: Fields, line: int) -> TicketRecord:
    said = fields.name("severity", limit=20).lower()
    known = [each.value for each in Severity]
    if said not in known:
        fields.refuse("FIELD_INVALID", f"The field 'severity' is {', '.join(known[:-1])} or {known[-1]}, not {said!r}.")
    reported_at = fields.instant("reported_at")
    if reported_at is None:
        fields.refuse("FIELD_MISSING", "The record has no 'reported_at'; add the field and import the record again.")
    subject = fields.text("subject", limit=LONGEST_SUBJECT)
    text = fields.text("text", limit=LONGEST_TEXT, default="", blank=True)
    return TicketRecord(
        line=line,
        source=fields.name("source", limit=100, default=HELPDESK),
        external_id=fields.name("external_id", limit=100),
        person=read_person_key(fields),
        draft=TicketDraft(Severity(said), subject, text, reported_at),
        reported_at=reported_at,
        answered_at=fields.instant("answered_at"),
        resolved_at=fields.instant("resolved_at"),
    )


def _check_order(record: TicketRecord, at: datetime) -> None:
    """Refuse instants that cannot have followed each other.

    Raises:
        TicketInvalid: an answer before the report, a resolution before the answer, or either in the future.
    """
    if not record.source:
        raise TicketInvalid("It does not name its source.")
    instants = [each for each in (record.reported_at, record.answered_at, record.resolved_at) if each is not None]
    if instants != sorted(instants):
        raise TicketInvalid("It is reported first, then answered, then resolved.")
    if instants[-1] > at:
        raise TicketInvalid("It is not answered or resolved in the future.")


def _taken_in(batch: Sequence[TicketRecord], name: str, *, by: str, at: datetime) -> TicketReport:
    """Write one part in one transaction; once more where somebody else took one of its tickets in at the same moment."""
    try:
        with transaction.atomic():
            return _written(batch, name, by=by, at=at)
    except IntegrityError:
        with transaction.atomic():
            return _written(batch, name, by=by, at=at)


def _written(batch: Sequence[TicketRecord], name: str, *, by: str, at: datetime) -> TicketReport:
    report = TicketReport()
    people = people_named(record.person for record in batch)
    there = _there(batch)
    fresh: list[tuple[TicketRecord, Person]] = []
    for record in batch:
        person, ticket = people.get(record.person), there.get(record.key)
        try:
            if person is None:
                raise PersonUnknown(str(record.person))
            if ticket is None:
                fresh.append((record, person))
                continue
            if ticket.person_id != person.pk:
                raise TicketInvalid(f"{record.source} {record.external_id} is a ticket of another person.")
            _check_report(ticket, record)
            has_changed = _carry_on(ticket, record, by=by, at=at)
        except RolloutError as refused:
            report.rejected.append((name, Refusal(refused.code, record.line, str(refused))))
            continue
        report.updated += has_changed
        report.unchanged += not has_changed
    _make(fresh, by=by, at=at)
    report.imported = len(fresh)
    return report


def _check_report(ticket: Ticket, record: TicketRecord) -> None:
    """Refuse what happened before the report as it was taken in; the helpdesk may have moved its own since.

    Raises:
        TicketInvalid: an answer or a resolution before that report.
    """
    instants = [each for each in (record.answered_at, record.resolved_at) if each is not None]
    if instants and min(instants) < ticket.reported_at:
        reported = ticket.reported_at.isoformat()
        raise TicketInvalid(f"{record.source} {record.external_id} was taken in as reported at {reported}, after its answer.")


def _there(batch: Sequence[TicketRecord]) -> dict[tuple[str, str], Ticket]:
    """Return the tickets of a part that were taken in before, in one query for each source."""
    ids: dict[str, list[str]] = {}
    for record in batch:
        ids.setdefault(record.source, []).append(record.external_id)
    rows = (Ticket.objects.filter(source=source, external_id__in=named) for source, named in sorted(ids.items()))
    return {(row.source, row.external_id): row for found in rows for row in found}


def _make(fresh: Sequence[tuple[TicketRecord, Person]], *, by: str, at: datetime) -> None:
    """Make tickets as the helpdesk has them, each with an event for every step that it has taken."""
    waves = waves_that_had_moved([(person.pk, record.reported_at) for record, person in fresh])
    rows = [_row(record, person, wave, by) for (record, person), wave in zip(fresh, waves, strict=True)]
    made = Ticket.objects.bulk_create(rows)
    records = [record for record, _ in fresh]
    Event.objects.bulk_create(
        event for row, record in zip(made, records, strict=True) for event in _events(row, record, by=by, at=at)
    )


def _row(record: TicketRecord, person: Person, wave: int | None, by: str) -> Ticket:
    state = TicketState.RESOLVED if record.resolved_at else TicketState.ANSWERED if record.answered_at else TicketState.OPEN
    return Ticket(
        person=person,
        wave_id=wave,
        severity=record.draft.severity.value,
        state=state,
        subject=record.draft.subject.strip(),
        text=record.draft.text,
        source=record.source,
        external_id=record.external_id,
        reported_at=record.reported_at,
        waiting_since=record.reported_at,
        respond_by=respond_by(record.draft.severity, record.reported_at),
        answered_at=record.answered_at or record.resolved_at,
        resolved_at=record.resolved_at,
        opened_by=by,
        handled_by="" if state == TicketState.OPEN else record.source,
    )


def _events(row: Ticket, record: TicketRecord, *, by: str, at: datetime) -> Iterator[Event]:
    """Yield what the record says of a new ticket; `at` is when it was taken in, the reason says when it was."""
    yield opened(row, by=by, at=at)
    state = TicketState.OPEN
    for to, instant in ((TicketState.ANSWERED, record.answered_at), (TicketState.RESOLVED, record.resolved_at)):
        if instant is not None:
            said: dict[str, Any] = {"by": by, "at": at, "reason": _as_said(record, instant)}
            yield Event(
                subject=Subject.TICKET, subject_pk=row.pk, kind="moved", from_state=state, to_state=to, **said
            )  # fmt: skip
            state = to


def _carry_on(ticket: Ticket, record: TicketRecord, *, by: str, at: datetime) -> bool:
    """Move a ticket on as far as the helpdesk went on with it, and say whether anything changed."""
    because = f"{record.source} says so"
    has_changed = regrade_ticket(ticket, severity=record.draft.severity, by=by, at=at, reason=because)
    since, answered, resolved = ticket.waiting_since, record.answered_at, record.resolved_at
    if resolved is not None and ticket.state != TicketState.RESOLVED and resolved >= since:
        how: dict[str, Any] = {"reason": _as_said(record, resolved), "handled_by": record.source}
        resolve_ticket(ticket, by=by, at=at, answered_at=answered, resolved_at=resolved, **how)
        return True
    if resolved is None and answered is not None and ticket.is_unanswered and answered >= since:
        how = {"reason": _as_said(record, answered), "handled_by": record.source}
        answer_ticket(ticket, by=by, at=at, answered_at=answered, **how)
        return True
    return has_changed


def _as_said(record: TicketRecord, instant: datetime) -> str:
    return f"at {instant.isoformat()}, {record.source} says"
