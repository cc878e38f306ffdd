"""What support has to know about one person: who is meant, what holds them where they are, what can be done.

Everything here only reads, each in a fixed number of queries.
"""

from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from typing import Final

from django.db.models import QuerySet

from migration.models import Person
from rollout.actions.standstill import Standstill, of_everything, of_person, of_wave
from rollout.models import Enrolment, NoticeDelivery, Snapshot
from rollout.states import BEFORE_START, NOT_BEGUN, UNDONE_FROM, WAITING, WORKING, PersonState

FOUND: Final = 50  # people shown for a search
TOLD: Final = 200  # notices of a person that are shown
LONG_KEY: Final = 19  # digits; a key of fewer fits 64 bits


def find_people(words: str) -> list[Person]:
    """Return who may be meant, at most `FOUND` and one more: exact hits first, then names and addresses that begin so.

    A name is an external id. Each question is about the beginning of one column, which an index answers, so nothing within a
    name is found. Spelled as typed, or in small letters; a number is a primary key too.
    """
    spellings = tuple(dict.fromkeys((words.strip(), words.strip().lower())))
    if not spellings[0]:
        return []
    people = Person.objects.order_by()
    exact = [people.filter(user__in=spellings), people.filter(email__in=spellings)]
    if spellings[0].isascii() and spellings[0].isdecimal() and len(spellings[0]) < LONG_KEY:
        exact.append(people.filter(pk=int(spellings[0])))
    begins = [people.filter(**{f"{name}__startswith": each}) for name in ("user", "email") for each in spellings]
    found: dict[int, Person] = {}
    for rows in chain(exact, begins):
        missing = FOUND + 1 - len(found)
        if missing <= 0:
            break
        several = sorted(rows.exclude(pk__in=list(found))[:missing], key=lambda person: (person.user, person.tenant))
        found |= {person.pk: person for person in several}
    return list(found.values())


@dataclass(frozen=True, slots=True)
class Choices:
    """Say what can be done with a person now.

    `place` is the live one, `latest` that or the last they had, `deferred` the one that they could come back to.
    """

    place: Enrolment | None
    latest: Enrolment | None
    deferred: Enrolment | None
    may_roll_back: bool

    @property
    def may_defer(self) -> bool:
        """Say whether they could wait for a later wave."""
        return self.place is not None and self.place.state in NOT_BEGUN and self.place.wave.state in BEFORE_START


def choices_for(person: Person) -> Choices:
    """Return what can be done with a person, in two queries."""
    places = list(places_of(person))
    live = next((each for each in places if each.is_live), None)
    deferred = next((each for each in places if each.state == PersonState.DEFERRED and each.wave.state in BEFORE_START), None)
    is_moving = live is not None and live.state in UNDONE_FROM | WORKING | WAITING
    latest = live or (places[0] if places else None)
    return Choices(live, latest, deferred, is_moving or Snapshot.objects.standing().filter(person=person).exists())


def places_of(person: Person) -> QuerySet[Enrolment]:
    """Return a person's places in waves, the latest first, each with its wave and plan."""
    return person.enrolments.select_related("person", "plan", "wave__phase__plan").order_by("-pk")


def what_keeps_person(place: Enrolment | None, *, at: datetime) -> list[Standstill]:
    """Return all that keeps a person from moving on: what stops everybody, their own state, and their wave where they wait."""
    found = of_everything(at=at)
    if place is not None:
        found += of_person(place)
        if place.state in NOT_BEGUN | WAITING:
            found += of_wave(place.wave, at=at)
    return list({(each.code, each.subject, each.pk): each for each in found}.values())


def notices_to(person: Person) -> QuerySet[NoticeDelivery]:
    """Return the messages to a person, in whatever state, the latest first."""
    rows = NoticeDelivery.objects.filter(enrolment__person=person).select_related("notice", "wave__phase")
    return rows.order_by("-due_at", "-pk")[:TOLD]
