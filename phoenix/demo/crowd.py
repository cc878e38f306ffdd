"""Make any number of people with customizations, for measurements: some are made, proven and switched, the others are copies.

The models take the same way as everybody: imported, translated, validated, and where asked for moved by a wave. One in ten of
them laid something on by hand before, half of those where the switch lays something too, so that a rollback has something to
put back. The same seed makes the same people.
"""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from django.db import transaction

from migration.actions import import_customizations, import_people
from migration.models import Customization, Person
from phoenix.demo.copies import copy_people
from phoenix.demo.customers import INTERNAL, Customer, easy_customers, movable_customers
from phoenix.demo.exports import write_export
from phoenix.demo.shelf import read_shelf
from phoenix.demo.shop import load_components
from rollout.actions.accounts import run_up_to_start, work_off
from rollout.actions.plans import chosen_accounts_wave
from rollout.actions.proofs import translate_people, validate_people
from rollout.audiences import Audience
from rollout.models import Wave
from rollout.states import PersonState
from slots.actions import Placement, install_configurations, save_body
from slots.models import Component, Origin, SlotConfiguration

MODELS: Final = 250
BY_HAND: Final = 10  # one model in so many laid something on by hand


class SeededAlready(Exception):
    """People of that seed are there: another run would make others of the same name."""

    code = "SEEDED_ALREADY"

    def __init__(self, seed: int) -> None:
        """Keep the seed."""
        super().__init__(f"People of seed {seed} are there already. Take another --seed; one run makes as many as you like.")
        self.seed = seed


class ModelNotSwitched(Exception):
    """A model of the people could not be moved, so its copies could not either."""

    code = "MODEL_NOT_SWITCHED"

    def __init__(self, count: int) -> None:
        """Keep how many."""
        super().__init__(f"{count} of the models could not be moved to slots. Open their wave in the admin to see why.")
        self.count = count


@dataclass(frozen=True, slots=True)
class Crowd:
    """Count what was made; `wave` is the key of the wave that the people are in, None where they are on the legacy system."""

    people: int
    customizations: int
    configurations: int
    distinct: int
    wave: int | None


@transaction.atomic
def seed_people(
    count: int,
    *,
    seed: int,
    is_switched: bool,
    clock: Callable[[], datetime],
    by: str,
    at: datetime,
    reason: str,
    act: uuid.UUID,
    progress: Callable[[int], object] = lambda count: None,
) -> Crowd:
    """Make `count` people of a seed with customizations that are proven, and move them to slots where `is_switched`.

    Raises:
        SeededAlready: people of that seed are there.
        ModelNotSwitched: the shop's own edits could not be moved.
    """
    mine = Person.objects.filter(user__startswith=f"seed-{seed}-")
    if mine.exists():
        raise SeededAlready(seed)
    shelf = read_shelf()
    load_components(shelf, by=by, at=at, reason=reason, act=act)
    drawn = list(easy_customers(shelf, seed=seed, people=min(count, MODELS)))
    _import(drawn, by=by, at=at, reason=reason, act=act)
    models = list(mine.order_by("pk"))
    _lay_by_hand(models, by=by, at=at, act=act)
    translate_people(models, by=by, at=at)
    validate_people(models, by=by, at=at)
    wave = _switch(drawn, clock=clock, by=by, at=at, reason=reason) if is_switched else None
    progress(len(models))
    copy_people([person.pk for person in models], total=count, progress=progress)
    if wave is not None:
        Wave.objects.filter(pk=wave.pk).update(size=wave.enrolments.count())
    return _count(seed, wave)


@transaction.atomic
def people_to_rehearse(count: int, *, seed: int, by: str, at: datetime) -> int:
    """Make `count` people whom a plan can move, of every region and level of difficulty, and return how many there are.

    For the empty database of a rehearsal: colleagues and `MODELS` customers are made, the others are copies of those customers.
    """
    deed: dict[str, Any] = {"by": by, "at": at, "reason": "rehearsal", "act": uuid.uuid4()}
    shelf = read_shelf()
    load_components(shelf, **deed)
    _import(list(movable_customers(shelf, seed=seed, people=min(count, MODELS + INTERNAL))), **deed)
    people = list(Person.objects.order_by("pk"))
    translate_people(people, by=by, at=at)
    validate_people(people, by=by, at=at)
    customers = [person.pk for person in people if not person.is_internal]
    if count > len(people):
        copy_people(customers, total=count - (len(people) - len(customers)), progress=lambda _count: None)
    return Person.objects.count()


def _import(people: list[Customer], **deed: Any) -> None:
    with TemporaryDirectory(prefix="phoenix-seed-") as folder:
        export = write_export(Path(folder), people, with_bad_lines=False)
        export.folder.mkdir(exist_ok=True)  # of few people none has diffs in files
        import_people([export.people], **deed)
        import_customizations([export.customizations, export.folder], **deed)


def _lay_by_hand(models: list[Person], *, by: str, at: datetime, act: uuid.UUID) -> None:
    """Lay an empty configuration on for some, in turn where they have a customization and where they have none."""
    body = save_body([], at=at)
    components = list(Component.objects.select_related("current_version").order_by("key"))
    placements = []
    for number, person in enumerate(models[::BY_HAND]):
        taken = set(person.customizations.filter(is_active=True).values_list("component_id", flat=True))
        fitting = [each for each in components if (each.pk in taken) == (number % 2 == 0)] or components
        version = fitting[0].current_version
        if version is not None:
            placements.append(Placement.for_person(person.key, version, body, origin=Origin.HAND))
    install_configurations(placements, by=by, at=at, reason="by hand", act=act)


def _switch(people: list[Customer], *, clock: Callable[[], datetime], by: str, at: datetime, reason: str) -> Wave:
    """Move the models by a wave of their own."""
    audience = Audience(users=tuple(each.user for each in people))
    wave = chosen_accounts_wave(name=f"Seeded people ({at:%Y-%m-%d %H:%M:%S})", audience=audience, by=by, at=at, reason=reason)
    run_up_to_start(wave, by=by, at=at, reason=reason)
    work_off(wave, clock=clock)
    behind = wave.enrolments.exclude(state=PersonState.SWITCHED).count()
    if behind:
        raise ModelNotSwitched(behind)
    return wave


def _count(seed: int, wave: Wave | None) -> Crowd:
    named = f"seed-{seed}-"
    diffs = Customization.objects.filter(person__user__startswith=named)
    return Crowd(
        people=Person.objects.filter(user__startswith=named).count(),
        customizations=diffs.count(),
        configurations=SlotConfiguration.objects.filter(key__startswith=named).count(),
        distinct=diffs.values("base", "diff_digest").distinct().count(),
        wave=wave.pk if wave else None,
    )
