"""Say whom a wave would take and why, freeze the population of a phase, and enrol people.

What a preview shows is what a lock does: both ask `preview_audience`.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from django.db import connection, transaction
from django.db.models import Count

from rollout.actions.candidates import Found, Skipped, find_candidates
from rollout.actions.traits import TraitReader
from rollout.audiences import Audience, Choice, allot, choose, held_out, line_up, part_of, portions
from rollout.errors import AudienceInvalid
from rollout.models import Enrolment, Event, Phase, Plan, ShareOf, Subject, Wave, batches
from rollout.states import STUCK, PersonState, WaveState
from slots.models import Keys

WHOLE: Final = Decimal(100)


@dataclass(frozen=True, slots=True)
class Preview:
    """Say whom a wave would take if it were locked now, whom of them it would hold out, and whom it could not take.

    `skipped` are meant and not free. Of a wave with a share, `population` is how many people its phase would move, of
    `customised` who have something to migrate.
    """

    choice: Choice
    held_out: frozenset[str]
    skipped: tuple[Skipped, ...]
    releasing: dict[int, int]
    population: int | None = None
    customised: int = 0

    @property
    def users(self) -> list[str]:
        """Return who would be taken, in sticky order."""
        return [each.user for each in self.choice.taken]

    @property
    def left_out(self) -> list[Skipped]:
        """Return everybody who was looked at and would not be taken, each with the reason."""
        missed = [Skipped(each.user, miss.code, miss.text) for each, miss in self.choice.missed]
        text = f"Matches, but {len(self.choice.taken):,} others come first."
        return [*self.skipped, *missed, *(Skipped(each.user, "BEYOND_THE_NUMBER", text) for each in self.choice.beyond)]

    @property
    def reasons(self) -> list[tuple[str, str, int]]:
        """Return code, text and number of people of each reason for not being taken, most frequent first."""
        found = Counter((each.code, each.text) for each in self.left_out)
        return [(code, text, count) for (code, text), count in sorted(found.items(), key=lambda each: (-each[1], each[0]))]


@dataclass(frozen=True, slots=True)
class Allotment:
    """Say how a phase divides its population: a preview for each wave with a share, by primary key, in order."""

    population: int
    customised: int
    previews: dict[int, Preview]


@dataclass(frozen=True, slots=True)
class Frozen:
    """Say how many people a phase moves, how many its waves have, by primary key, and how many they are short."""

    population: int
    sizes: dict[int, int]
    short: int


def audience_of(wave: Wave) -> Audience:
    """Return the audience of a wave.

    Raises:
        AudienceInvalid: it does not say whom it means.
    """
    return Audience.from_json(wave.audience, has_share=wave.share is not None)


def is_chosen(wave: Wave) -> bool:
    """Say whether the people of a wave are fixed: its own lock did it, or the freeze of its phase."""
    return wave.size > 0 or (wave.share is not None and wave.phase.frozen_at is not None)


def preview_audience(wave: Wave, *, at: datetime) -> Preview:
    """Return whom the wave would take if it were locked now, and whom not, each with the reason; writes nothing.

    The waves of a phase that have a share divide one population, so all of them are asked.

    Raises:
        AudienceInvalid: its audience, or that of another wave of the population, does not say whom it means.
    """
    if wave.share is not None:
        return preview_population(wave.phase, at=at).previews[wave.pk]
    audience = audience_of(wave)
    found = find_candidates(audience, reader=TraitReader.of([audience], at=at), wave=wave.pk)
    people = line_up(wave.phase.plan.salt, found.people)
    return _preview(choose(people, audience=audience, wanted=audience.limit, among=len(people)), found, wave.phase.plan.salt)


def waves_without_people(plan: Plan, *, at: datetime) -> list[Wave]:
    """Return the waves of a plan that would take nobody if they were locked now, in order; those that are over are not asked.

    Each wave is asked by itself: whom an earlier one of the same plan will have taken still counts.

    Raises:
        AudienceInvalid: an audience does not say whom it means.
    """
    found: list[Wave] = []
    for phase in plan.phases.order_by("position"):
        waves = list(phase.waves.filter(state=WaveState.PLANNED, size=0).select_related("phase__plan").order_by("position"))
        is_shared = phase.frozen_at is None and any(wave.share is not None for wave in waves)
        shared = preview_population(phase, at=at).previews if is_shared else {}
        asked = [wave for wave in waves if wave.share is None or wave.pk in shared]
        found += [wave for wave in asked if not (shared.get(wave.pk) or preview_audience(wave, at=at)).choice.taken]
    return found


def warnings_of(plan: Plan, *, at: datetime) -> list[str]:
    """Return a sentence for each wave that would take nobody now, for whoever asks for a plan's approval or schedules it."""
    try:
        empty = waves_without_people(plan, at=at)
    except AudienceInvalid as invalid:
        return [f"It cannot be said whom its waves take: {invalid}"]
    return [
        f"{wave} would take nobody now: look at its audience, or free people (`manage.py rollout preview {wave.pk}` says why)."
        for wave in empty
    ]


def preview_population(phase: Phase, *, at: datetime) -> Allotment:
    """Return how the phase would divide its population if it were frozen now.

    The population is the phase's share (all where it has none) of everybody who is customized, or of those who are in no wave
    and not on slots; never more than there are of the latter, whom it is made of. Each wave takes its share of that number from
    whom the waves before it left.

    Raises:
        AudienceInvalid: an audience does not say whom it means, or the shares are more than a hundred per cent.
    """
    waves = list(_sharing(phase))
    audiences = [_named_audience(wave) for wave in waves]
    found = find_candidates(Audience(), reader=TraitReader.of(audiences, at=at))
    people = line_up(phase.plan.salt, found.people)
    base = found.customised if phase.share_of == ShareOf.CUSTOMIZED else len(people)
    population = min(part_of(base, WHOLE if phase.share is None else phase.share), len(people))
    numbers = portions(population, [wave.share or Decimal() for wave in waves])
    choices = allot(people, list(zip(audiences, numbers, strict=True)))
    previews = {
        wave.pk: _preview(choice, found, phase.plan.salt, population=population)
        for wave, choice in zip(waves, choices, strict=True)
    }
    return Allotment(population, found.customised, previews)


def freeze_population(phase: Phase, *, by: str, at: datetime, reason: str = "") -> Frozen | None:
    """Fix whom the waves of a phase that have a share move, all at once, and return how many; None where it was done before.

    The waves stay planned. Who comes later is not in it, and what the audiences say from then on changes nobody's wave.

    Raises:
        AudienceInvalid: an audience does not say whom it means, or the shares are more than a hundred per cent.
    """
    with transaction.atomic():
        row = Phase.objects.select_for_update(no_key=True).select_related(None).get(pk=phase.pk)
        if row.frozen_at is not None:
            phase.refresh_from_db()
            return None
        allotment = preview_population(phase, at=at)
        for pk, preview in allotment.previews.items():
            enrol(Wave(pk=pk, phase=phase), preview, by=by, at=at)
        sizes = _sizes(allotment.previews)
        for pk, size in sizes.items():
            Wave.objects.filter(pk=pk).update(size=size)
        Phase.objects.filter(pk=phase.pk).update(population=allotment.population, frozen_at=at)
        short = sum(each.choice.short for each in allotment.previews.values())
        data = {"customised": allotment.customised, "population": allotment.population, "waves": sizes, "short": short}
        Event.objects.create(
            subject=Subject.PHASE, subject_pk=phase.pk, kind="population_frozen", by=by, reason=reason, at=at, data=data
        )
    phase.refresh_from_db()
    return Frozen(allotment.population, sizes, short)


def unfreeze_population(wave: Wave, *, by: str, at: datetime, reason: str) -> bool:
    """Let a phase be divided anew once the last of the waves that shared its people out is cancelled; say whether this did it."""
    if wave.share is None or _sharing(wave.phase).exists():
        return False
    frozen = Phase.objects.filter(pk=wave.phase_id, frozen_at__isnull=False)
    if not frozen.update(population=None, frozen_at=None):
        return False
    Event.objects.create(
        subject=Subject.PHASE, subject_pk=wave.phase_id, kind="population_unfrozen", by=by, reason=reason, at=at, data={}
    )
    return True


def enrol(wave: Wave, preview: Preview, *, by: str, at: datetime) -> None:
    """Make the places of whom a preview takes, and hold out whom it holds out."""
    choice = preview.choice
    for batch in batches(choice.taken):
        given_up = [preview.releasing[each.pk] for each in batch if each.pk in preview.releasing]  # named on purpose
        still = Enrolment.objects.filter(pk__in=given_up, state__in=STUCK | {PersonState.ENROLLED, PersonState.ROLLED_BACK})
        still.update(is_live=False, updated_at=at)
        shared = {"plan_id": wave.phase.plan_id, "wave_id": wave.pk, "updated_at": at}
        _insert_places([(each.pk, choice.reason(each)) for each in batch], shared)
    apart = [each.pk for each in choice.taken if each.user in preview.held_out]
    for pks in batches(apart):
        rows = Enrolment.objects.filter(wave=wave.pk, person__in=Keys(pks))
        why = "kept on the old system for comparison"
        Enrolment.move_many(rows, to=PersonState.HOLDOUT, by=by, at=at, reason=why, updated_at=at, code="HOLDOUT", text=why)


def _insert_places(rows: Sequence[tuple[int, str]], shared: dict[str, Any]) -> None:
    """Insert a place for each person (key, why they were chosen); whoever has a live one by now is passed over.

    Another wave may lock at this moment: who comes first has the person. Django makes a row and its columns an object each, which
    takes ten times as long; here only two of the columns differ.
    """
    fields = [field for field in Enrolment._meta.concrete_fields if not field.primary_key]
    names = [field.attname for field in fields]
    model = Enrolment(**shared)
    values = [field.get_db_prep_save(getattr(model, field.attname), connection) for field in fields]
    person, chosen_for = names.index("person_id"), names.index("chosen_for")
    quote = connection.ops.quote_name
    columns = ", ".join(quote(str(field.column)) for field in fields)
    marks = ", ".join(["%s"] * len(fields))
    sql = f"INSERT INTO {quote(Enrolment._meta.db_table)} ({columns}) VALUES ({marks}) ON CONFLICT DO NOTHING"

    parameters = []
    for pk, why in rows:
        values[person], values[chosen_for] = pk, why
        parameters.append(tuple(values))
    with connection.cursor() as cursor:
        cursor.executemany(sql, parameters)


def _preview(choice: Choice, found: Found, salt: str, *, population: int | None = None) -> Preview:
    apart = held_out(salt, [each.user for each in choice.taken], choice.audience.holdout)
    return Preview(choice, apart, tuple(found.skipped), found.releasing, population, found.customised)


def _sharing(phase: Phase) -> Any:
    """Return the waves that divide the phase's population."""
    return phase.waves.filter(share__isnull=False).exclude(state=WaveState.CANCELLED).order_by("position")


def _named_audience(wave: Wave) -> Audience:
    """Return the audience of one of several waves; a refusal says of which."""
    try:
        return audience_of(wave)
    except AudienceInvalid as invalid:
        raise invalid.of(wave.name) from invalid


def _sizes(waves: Sequence[int] | dict[int, Preview]) -> dict[int, int]:
    """Return how many places each wave has."""
    rows = Enrolment.objects.filter(wave__in=Keys(waves)).order_by().values_list("wave").annotate(Count("pk"))
    return dict.fromkeys(waves, 0) | dict(rows)
