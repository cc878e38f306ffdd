"""Any order of acts, by people, workers, crashes, mail servers and support, keeps the invariants.

The acts are in `tests/rollout/machine/`, by what they are about. After every step the thirteen checks of
`rollout.rehearsal.invariants` look at what happened, and those below at every person. The long search is
`MACHINE_RUNS=500 MACHINE_STEPS=50 pytest -m slow tests/rollout/test_machine.py -s` (30 runs of 40 steps without).
"""

import os
import time
from collections import Counter

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import invariant, run_state_machine_as_test

from migration.actions.proofs import Proof, proofs_of
from migration.models import Customization
from migration.states import CustomizationState
from rollout.actions.chunks import LEASE
from rollout.models import Enrolment, Event, Flag, FlagOverride, Snapshot, Wave
from rollout.states import ON_SLOTS, WORKING, PersonState, WaveState
from rollout.switch import SystemResolver
from rollout.waves import System
from tests.rollout.machine.agreeing import Agreeing
from tests.rollout.machine.base import rows_by_person
from tests.rollout.machine.moving import Moving
from tests.rollout.machine.placing import Placing
from tests.rollout.machine.world import build

RUNS, STEPS = int(os.environ.get("MACHINE_RUNS", "30")), int(os.environ.get("MACHINE_STEPS", "40"))


class Rollout(Moving, Agreeing, Placing):
    """All acts, and what holds after each of them."""

    @invariant()
    def everything_holds(self):
        type(self).steps += 1
        is_after_tick, self.is_after_tick = self.is_after_tick, False
        if not self.has_written() and not is_after_tick:
            return
        self.is_sound = False
        found = self.checker.check(at=self.clock(), after_tick=is_after_tick)
        assert not found, found
        for check in CHECKS:
            check(self)
        self.check_the_outbox()
        self.check_the_frozen()
        self.is_sound = True


def everybody_sees_what_the_rows_say(run):
    killed = Flag.objects.filter(everyone=False).exists()
    words = dict(FlagOverride.objects.values_list("person_id", "system"))
    places = {row.person_id: row for row in Enrolment.objects.live().select_related("wave")}
    installed = set(Snapshot.objects.standing().values_list("person_id", flat=True))
    for person in run.people:
        place = places.get(person.pk)
        placed = place is not None and place.state in ON_SLOTS and place.wave.revoked_at is None
        wanted = words.get(person.pk, "slots" if placed else "legacy")
        facts = (killed, words.get(person.pk), placed, person.pk in installed)
        if run.seen.get(person.pk) == facts:
            continue
        run.seen[person.pk] = facts
        expected = System.SLOTS if not killed and wanted == "slots" and person.pk in installed else System.LEGACY
        other = SystemResolver().choose(person.key, list(SystemResolver().standing_query(person.key)))
        assert (other is None) == (expected == System.SLOTS), f"{person} has to see {expected}"


def nobody_is_installed_without_a_proof(run):
    snapshots = list(Snapshot.objects.standing().select_related("person"))
    proofs = proofs_of(each.person for each in snapshots)
    for snapshot in snapshots:
        proof = proofs[snapshot.person_id]
        assert isinstance(proof, Proof)
        bodies = {row["body_id"] for row in snapshot.installed}
        assert {item.body for item in proof.items} <= bodies | {run.world.body.digest}


def who_is_not_installed_has_exactly_what_they_had(run):
    installed = set(Snapshot.objects.standing().values_list("person__user", flat=True))
    present = rows_by_person()
    for person in run.people:
        if person.user not in installed:
            assert present.get(person.user, []) == run.before.get(person.user, [])
    migrated = Customization.objects.filter(state=CustomizationState.MIGRATED).values_list("person__user", flat=True)
    assert set(migrated) == installed


def who_is_on_slots_is_installed(_run):
    placed = Enrolment.objects.filter(state__in=ON_SLOTS).values_list("person_id", flat=True)
    assert set(placed) <= set(Snapshot.objects.standing().values_list("person_id", flat=True))


def every_working_row_has_a_lease_that_ends(run):
    for state, token, until in Enrolment.objects.values_list("state", "lease_token", "lease_until"):
        assert (token is not None) == (until is not None) == (state in WORKING)
        assert until is None or until <= run.clock() + LEASE


def members_sum_up_to_the_frozen_size(_run):
    for wave in Wave.objects.exclude(state__in=(WaveState.PLANNED, WaveState.CANCELLED)):
        assert sum(wave.members_by_state().values()) == wave.size
    live = Counter(Enrolment.objects.live().values_list("person_id", flat=True))
    assert set(live.values()) <= {1}


def the_record_ends_with_the_present_state(_run):
    last = {}
    for event in Event.objects.filter(subject="enrolment", kind="moved").order_by("pk"):
        last[event.subject_pk] = event.to_state
    for pk, state in Enrolment.objects.values_list("pk", "state"):
        assert last.get(pk, PersonState.ENROLLED) == state


CHECKS = (
    everybody_sees_what_the_rows_say,
    nobody_is_installed_without_a_proof,
    who_is_not_installed_has_exactly_what_they_had,
    who_is_on_slots_is_installed,
    every_working_row_has_a_lease_that_ends,
    members_sum_up_to_the_frozen_size,
    the_record_ends_with_the_present_state,
)


@pytest.fixture
def world(card, customer, signers):
    return build(card, customer)


def run(world, *, runs, steps, **options):
    """Run, and return the class that counted."""
    machine = type("RolloutOfWorld", (Rollout,), {"world": world, "done": Counter()})
    checks = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]
    chosen = settings(deadline=None, suppress_health_check=checks, max_examples=runs, stateful_step_count=steps, **options)
    run_state_machine_as_test(machine, settings=chosen)
    return machine


def test_any_order_of_acts_keeps_the_invariants(world):
    run(world, runs=4, steps=15)


@pytest.mark.slow
def test_any_order_of_acts_keeps_the_invariants_for_long(world):
    began = time.perf_counter()

    machine = run(world, runs=RUNS, steps=STEPS, phases=[Phase.generate], print_blob=True)

    print(f"{machine.runs} runs, {machine.steps} steps, {time.perf_counter() - began:.0f} s; {dict(machine.done)}")  # noqa: T201  # with -s
    assert machine.runs >= RUNS
