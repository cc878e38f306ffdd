"""Tell what happened to a person and why, in words: who took them into a wave, what they were told, every move, the way back.

Put together from the record, the places, the messages, the tickets and the flag; nothing is kept for it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db.models import Q

from migration.models import Person
from rollout.actions.deferrals import ARRIVED
from rollout.models import SYSTEM, DeliveryState, Enrolment, Event, NoticeDelivery, Subject, Wave
from rollout.states import PersonState, WaveState

LATEST: Final = 300  # happenings that are told of one person
SAID: Final[Mapping[str, str]] = {  # what a move of a place means for the person
    PersonState.ENROLLED: "has a place in {wave} again, and is not begun",
    PersonState.NOTIFIED: "counts as told of {wave}",
    PersonState.QUEUED: "waits for a worker in {wave}",
    PersonState.TRANSLATING: "is being translated",
    PersonState.TRANSLATED: "is translated",
    PersonState.VALIDATING: "is being validated",
    PersonState.READY: "is proven to see the same pages on slots",
    PersonState.SWITCHING: "is being moved to slots",
    PersonState.SWITCHED: "sees slots from now on, switched by {wave}",
    PersonState.SETTLED: "stays on slots: everything was as it should be",
    PersonState.RETRY_WAIT: "waits before the next try",
    PersonState.NEEDS_ATTENTION: "stays on the legacy system until somebody looks",
    PersonState.VALIDATION_FAILED: "stays on the legacy system: no proof",
    PersonState.DEFERRED: "waits for a later wave than {wave}",
    PersonState.HOLDOUT: "stays on the legacy system for comparison",
    PersonState.EXCLUDED: "is left out of {wave}",
    PersonState.REMOVED: "is no longer in {wave}",
    PersonState.ROLLING_BACK: "is being taken back to the legacy system",
    PersonState.ROLLED_BACK: "is back on the legacy system, with what they had before",
}
ABOUT_ALL: Final[Mapping[str, str]] = {
    "kill_switch_engaged": "everybody sees the legacy system",
    "kill_switch_released": "everybody sees what their own rows say",
}


@dataclass(frozen=True, slots=True)
class Happening:
    """Say what happened to a person, when, who did it and why; `rank` orders what happened at one instant."""

    at: datetime
    what: str
    by: str
    why: str
    rank: tuple[int, int]

    def as_json(self) -> dict[str, str]:
        """Return the JSON object of `rollout timeline`."""
        return {"at": self.at.isoformat(), "what": self.what, "by": self.by, "why": self.why}


def timeline_of(person: Person, *, with_tickets: bool = True) -> list[Happening]:
    """Return what happened to a person, the latest first, in a fixed number of queries; what they reported if asked for."""
    places = {row.pk: row for row in person.enrolments.select_related("wave__phase__plan").order_by("pk")}
    waves = {row.wave_id: row.wave for row in places.values()}
    found = [*_moves(person, places), *_waves(places, waves), *_messages(person)]
    if with_tickets:
        found += _tickets(person)
    if found:
        found += _flag(min(each.at for each in found))
    return sorted(found, key=lambda each: (each.at, each.rank), reverse=True)[:LATEST]


def _moves(person: Person, places: Mapping[int, Enrolment]) -> Iterator[Happening]:
    """Tell what support did with the person, and every move of their places."""
    mine = Q(subject=Subject.PERSON, subject_pk=person.pk) | Q(subject=Subject.ENROLMENT, subject_pk__in=list(places))
    for event in Event.objects.filter(mine).order_by("pk"):
        place = places.get(event.subject_pk) if event.subject == Subject.ENROLMENT else None
        of_support = f"{event.kind_label} {event.to_label}".strip()
        yield _told(event, of_support if place is None else _of_place(event, place, places))


def _of_place(event: Event, place: Enrolment, places: Mapping[int, Enrolment]) -> str:
    if event.kind != "moved":
        return f"{event.kind_label} ({place.wave})"
    what = SAID[event.to_state].format(wave=place.wave)
    if event.to_state == PersonState.DEFERRED:
        later = next((row for row in places.values() if row.pk > place.pk and row.chosen_for.startswith(ARRIVED)), None)
        what = what if later is None else f"{what}: for {later.wave}"
    return f"{what} ({event.from_label} → {event.to_label})"


def _waves(places: Mapping[int, Enrolment], waves: Mapping[int, Wave]) -> Iterator[Happening]:
    """Tell when the person was taken into each wave and why, and when a whole wave was taken back."""
    of_waves = Q(subject=Subject.WAVE, subject_pk__in=list(waves), to_state__in=[WaveState.LOCKED, WaveState.ROLLING_BACK])
    phases = {wave.phase_id for wave in waves.values()}
    frozen = Q(subject=Subject.PHASE, subject_pk__in=phases, kind="population_frozen")
    events = list(Event.objects.filter(of_waves | frozen).order_by("pk"))
    for place in places.values():
        if not place.chosen_for.startswith(ARRIVED):  # that is told where the first one is left
            taken = next((each for each in events if _takes(each, place)), None)
            if taken is not None:
                yield Happening(taken.at, f"is taken into {place.wave}", taken.by, place.chosen_for, (taken.pk, 0))
    for event in events:
        if event.to_state == WaveState.ROLLING_BACK:
            yield _told(event, f"{waves[event.subject_pk]} is taken back: whoever is in it sees the legacy system")


def _takes(event: Event, place: Enrolment) -> bool:
    """Say whether an event chose the people of a place's wave: the freeze of its phase where it has a share, else its lock."""
    if event.kind == "population_frozen":
        return place.wave.share is not None and event.subject_pk == place.wave.phase_id
    return event.to_state == WaveState.LOCKED and event.subject_pk == place.wave_id


def _messages(person: Person) -> Iterator[Happening]:
    """Tell what the person was told, and what could not be told."""
    done = [DeliveryState.SENT, DeliveryState.FAILED]
    rows = NoticeDelivery.objects.filter(enrolment__person=person, state__in=done).select_related("notice", "wave__phase")
    for row in rows.order_by("pk"):
        how, name = row.notice.get_channel_display(), row.notice.name
        if row.sent_at is not None:
            yield _message(row.sent_at, f"is told “{name}” ({how})", row)
        else:
            yield _message(row.due_at, f"could not be told “{name}” ({how})", row)
        if row.read_at is not None:
            yield Happening(row.read_at, f"marked “{name}” as read", str(person), "", (0, row.pk))


def _message(at: datetime, what: str, row: NoticeDelivery) -> Happening:
    return Happening(at, what, SYSTEM, row.error or f"notice of {row.wave}", (0, row.pk))


def _tickets(person: Person) -> Iterator[Happening]:
    """Tell what the person reported, and what was done about it."""
    names = dict(person.tickets.values_list("pk", "subject"))
    for event in Event.objects.about(Subject.TICKET, *names).order_by("pk"):
        name = f"“{names[event.subject_pk]}” (ticket {event.subject_pk})"
        if event.kind == "opened":
            yield Happening(event.at, f"reported {name}, {event.data['severity']}", event.by, "", (event.pk, 1))
        else:
            what = f"is {event.to_label}" if event.kind == "moved" else f"is {event.kind_label} {event.to_label}"
            yield _told(event, f"their report {name} {what}")


def _flag(since: datetime) -> Iterator[Happening]:
    """Tell what the kill switch did since the person was first concerned."""
    for event in Event.objects.filter(subject=Subject.FLAG, kind__in=ABOUT_ALL, at__gte=since).order_by("pk"):
        yield _told(event, f"{event.kind_label}: {ABOUT_ALL[event.kind]}")


def _told(event: Event, what: str) -> Happening:
    return Happening(event.at, what, event.by, event.reason, (event.pk, 1))
