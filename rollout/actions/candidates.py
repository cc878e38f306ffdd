"""Read who could be taken, and who could not with the reason: the same few queries for one person and for a million."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import Exists, FilteredRelation, OuterRef, Q

from migration.models import Customization, Person
from rollout.actions.traits import NONE, ROWS_AT_ONCE, TraitReader, customizations_of
from rollout.audiences import Audience, Rule, Traits, first_miss
from rollout.errors import PersonUnknown
from rollout.models import Snapshot, Wave, batches
from rollout.states import NOT_BEGUN, ON_SLOTS, STUCK, PersonState
from slots.models import Keys
from slots.schema import DEFAULT_TENANT, PersonKey


@dataclass(frozen=True, slots=True)
class Skipped:
    """Name somebody whom a wave means and cannot take, with the reason."""

    user: str
    code: str
    text: str

    def as_json(self) -> dict[str, str]:
        """Return the JSON object that commands show."""
        return {"user": self.user, "code": self.code, "text": self.text}


@dataclass(slots=True)
class Found:
    """Hold who could be taken (key, name, traits, whether they are named), and who was meant and could not.

    `customised` counts who has an active customization, whether or not they could be taken. `releasing` has, by person, the place
    that lets go of somebody who is named. The texts of `skipped` are few, and shared.
    """

    people: list[tuple[int, str, Traits, bool]] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    customised: int = 0
    releasing: dict[int, int] = field(default_factory=dict)


def named_people(users: Sequence[str]) -> list[Person]:
    """Return the people of these names; a name with a slash may be a tenant's person or a name of the default tenant."""
    by_tenant: dict[str, list[str]] = {DEFAULT_TENANT: list(users)}
    for user in users:
        tenant, slash, rest = user.partition("/")
        if slash:
            by_tenant.setdefault(tenant, []).append(rest)
    wanted = set(users)
    return [
        person
        for tenant, names in by_tenant.items()
        for batch in batches(names)
        for person in Person.objects.filter(tenant=tenant, user__in=batch)
        if str(person) in wanted
    ]


def person_named(user: str) -> Person:
    """Return the person of a name.

    Raises:
        PersonUnknown: nobody has it.
    """
    person = next(iter(named_people([user])), None)
    if person is None:
        raise PersonUnknown(user)
    return person


def is_left_behind(state: str, *, has_started: bool) -> bool:
    """Say whether somebody's wave went on without them, so that another one may name them."""
    return (state == PersonState.ENROLLED and has_started) or state in STUCK or state == PersonState.ROLLED_BACK


def find_candidates(audience: Audience, *, reader: TraitReader, wave: int | None = None) -> Found:
    """Return whom the audience means, rules and number aside: who is free, and who is not; whoever is in `wave` is neither."""
    named = {person.pk: str(person) for person in named_people(audience.users)} if audience.users else {}
    found = Found()
    found.skipped += [
        Skipped(user, "PERSON_UNKNOWN", "Nobody has this name.") for user in sorted(set(audience.users) - set(named.values()))
    ]
    components, texts = reader.components_by_person(), _Texts()
    for pk, tenant, user, many, place, state, of_wave, name, started_at, is_switched, *values in _rows(audience, named, reader):
        who, is_named = str(PersonKey(tenant, user)), pk in named
        found.customised += many > 0
        if of_wave is not None and of_wave == wave:
            continue
        if not many:
            found.skipped.append(Skipped(who, "NOT_CUSTOMISED", "Has no active customization to migrate."))
        elif place is not None and not (is_named and is_left_behind(state, has_started=started_at is not None)):
            code = "ON_SLOTS_ALREADY" if state in ON_SLOTS else "IN_ANOTHER_WAVE"
            found.skipped.append(Skipped(who, code, texts.of_place(name, state)))
        elif is_switched and not is_named:
            found.skipped.append(Skipped(who, "ON_SLOTS_ALREADY", "Was switched to slots by support."))
        else:
            found.people.append((pk, who, reader.traits(values, components.get(pk, NONE)), is_named))
            if place is not None:
                found.releasing[pk] = place
    return found


def _rows(audience: Audience, named: dict[int, str], reader: TraitReader) -> Iterator[tuple[Any, ...]]:
    """Yield a row for each person who is meant, without making people of them; one query."""
    is_customised = Exists(Customization.objects.active().filter(person=OuterRef("pk")))
    group = Q(is_customised) & (Q(is_internal=True) if audience.internal else Q())
    meant = group if audience.is_everybody else Q(pk__in=Keys(named)) | group if audience.internal else Q(pk__in=Keys(named))
    rows = (
        Person.objects.filter(meant)
        .order_by()
        .annotate(
            n_customizations=customizations_of(OuterRef("pk")),
            place=FilteredRelation("enrolments", condition=Q(enrolments__is_live=True)),
            is_switched=Exists(Snapshot.objects.standing().filter(person=OuterRef("pk"))),
            **reader.columns,
        )
    )
    columns = ("pk", "tenant", "user", "n_customizations", "place__pk", "place__state", "place__wave", "place__wave__name")
    more = ("place__wave__started_at", "is_switched", *reader.columns)
    return rows.values_list(*columns, *more).iterator(chunk_size=ROWS_AT_ONCE)


def members_matching(wave: Wave, rules: Sequence[Rule], *, at: datetime) -> list[int]:
    """Return the primary keys of those people of a wave who have not begun and match all rules; one query, two for components."""
    reader = TraitReader.of([Audience(rules=tuple(rules))], at=at)
    rows = (
        Person.objects.filter(enrolments__wave=wave, enrolments__state__in=NOT_BEGUN)
        .order_by()
        .annotate(n_customizations=customizations_of(OuterRef("pk")), **reader.columns)
        .values_list("pk", *reader.columns)
    )
    components = reader.components_by_person()
    return [
        pk
        for pk, *values in rows.iterator(chunk_size=ROWS_AT_ONCE)
        if first_miss(rules, reader.traits(values, components.get(pk, NONE))) is None
    ]


@dataclass(slots=True)
class _Texts:
    """Hold one text for each wave and state, however many people it is said to."""

    made: dict[tuple[str, str], str] = field(default_factory=dict)

    def of_place(self, wave: str, state: str) -> str:
        """Return why somebody in this state in that wave cannot be taken."""
        if (wave, state) not in self.made:
            label = PersonState(state).label
            self.made[wave, state] = f"Is in the wave “{wave}” ({label}). Take them back or exclude them there first."
        return self.made[wave, state]
