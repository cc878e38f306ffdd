"""Any order of acts, by people, workers, crashes and support, keeps the invariants."""

from collections import Counter

import pytest
from django.db import transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule, run_state_machine_as_test

from migration.actions.proofs import Proof, proofs_of
from migration.models import Customization
from migration.states import CustomizationState
from rollout.actions import chunks
from rollout.actions.chunks import LEASE, claim, process_chunk
from rollout.actions.due import do_what_is_due
from rollout.actions.holds import freeze, holds_on, resume_wave, set_hold, unfreeze
from rollout.actions.people import clear_override, exclude_person, override_person, retry_people
from rollout.actions.proofs import translate_people, validate_people
from rollout.actions.rollback import revoke_wave, roll_back_all, roll_back_person, roll_back_phase, roll_back_wave
from rollout.actions.waves import (
    announce_wave,
    cancel_wave,
    finish_wave,
    lock_wave,
    reopen_wave,
    reschedule_wave,
    start_wave,
)
from rollout.errors import RolloutError
from rollout.models import Enrolment, Event, Flag, FlagOverride, Phase, Plan, Snapshot, Wave
from rollout.states import ON_SLOTS, WORKING, PersonState, WaveState
from rollout.switch import SystemResolver, engage_kill_switch, release_kill_switch
from rollout.waves import System
from slots.actions import save_body
from slots.actions.configurations import Placement, install_configuration
from slots.models import Layer, Origin, SlotConfiguration
from tests.rollout.conftest import AT, GOOD, HOSTILE, OTHER, SAID, Clock

WAVES, PEOPLE = st.integers(0, 1), st.integers(0, 5)
WHY = {"by": "alice", "reason": "because"}


def rows_by_person():
    found = {}
    for row in SlotConfiguration.objects.filter(layer=Layer.USER).order_by("pk").values():
        found.setdefault(row["key"], []).append(row)
    return found


class Rollout(RuleBasedStateMachine):
    """Two waves and six people; `world` brings them, and each run is undone at its end."""

    world: dict

    def __init__(self):
        super().__init__()
        self.savepoint = transaction.atomic()
        self.savepoint.__enter__()
        self.clock = Clock()
        self.people = self.world["people"]
        self.zombies = []

    @initialize()
    def begin(self):
        self.before = rows_by_person()

    def teardown(self):
        transaction.set_rollback(True)
        self.savepoint.__exit__(None, None, None)

    def wave(self, number):
        return Wave.objects.get(pk=self.world["waves"][number].pk)

    def try_to(self, act, *subject, **said):
        """Act; being refused is a fine answer, and must leave no trace."""
        before = Event.objects.count()
        try:
            act(*subject, **{**WHY, "at": self.clock(), **said})
        except RolloutError as refused:
            assert str(refused)
            assert Event.objects.count() == before

    def open_the_phase(self):
        """Undo what a rollback did to phase and plan; their own way back is not at stake here."""
        Phase.objects.filter(pk=self.world["phase"].pk).update(state="executing")
        Plan.objects.update(state="running")

    @rule(number=WAVES)
    def bring_to_start(self, number):
        self.try_to(lock_wave, self.wave(number))
        self.try_to(announce_wave, self.wave(number))
        self.try_to(start_wave, self.wave(number))

    @rule(number=WAVES, size=st.integers(1, 4))
    def bring_to_start_and_process(self, number, size):
        if self.wave(number).state == WaveState.ROLLED_BACK:
            self.reopen(number)
        self.bring_to_start(number)
        self.process(number, size)

    @rule(number=WAVES, act=st.sampled_from([lock_wave, announce_wave, start_wave, reschedule_wave, cancel_wave, finish_wave]))
    def act_on_a_wave(self, number, act):
        if act is not cancel_wave or number == 1:  # one wave is always left to play with
            self.try_to(act, self.wave(number))

    @rule(number=WAVES, size=st.integers(1, 4))
    def process(self, number, size):
        process_chunk(self.wave(number), clock=self.clock, size=size)

    @rule(number=WAVES, size=st.integers(1, 4))
    def crash(self, number, size):
        lease = claim(self.wave(number), size=size, at=self.clock())
        if lease is not None:
            self.zombies.append(lease)

    @precondition(lambda self: self.zombies)
    @rule()
    def come_back_from_the_dead(self):
        lease = self.zombies.pop()
        chunks._Chunk(lease, self.clock, "zombie", chunks.ChunkReport()).run()

    @rule(seconds=st.sampled_from([1, 31, 90, 90_000]))
    def wait(self, seconds):
        self.clock.advance(seconds)

    @rule()
    def tick(self):
        do_what_is_due(at=self.clock())

    @rule(number=WAVES)
    def roll_back_a_wave(self, number):
        self.try_to(roll_back_wave, self.wave(number))

    @rule(number=WAVES)
    def begin_to_roll_back_and_die(self, number):
        self.try_to(revoke_wave, self.wave(number))

    @rule(number=PEOPLE)
    def roll_back_somebody(self, number):
        self.try_to(roll_back_person, self.people[number])

    @rule()
    def roll_back_the_phase(self):
        self.try_to(roll_back_phase, Phase.objects.get(pk=self.world["phase"].pk))
        self.open_the_phase()

    @rule()
    def roll_back_everybody(self):
        self.try_to(roll_back_all)
        self.try_to(release_kill_switch)
        self.open_the_phase()

    @rule(engage=st.booleans())
    def turn_the_kill_switch(self, engage):
        self.try_to(engage_kill_switch if engage else release_kill_switch)

    @rule(is_on=st.booleans())
    def turn_the_freeze(self, is_on):
        self.try_to(freeze if is_on else unfreeze)

    @rule(number=WAVES, is_on=st.booleans())
    def pause_or_resume(self, number, is_on):
        self.try_to(set_hold if is_on else resume_wave, self.wave(number))

    @rule(number=WAVES)
    def nobody_of_a_held_wave_is_claimed(self, number):
        wave = self.wave(number)
        if holds_on(wave, at=self.clock()):
            assert claim(wave, size=9, at=self.clock()) is None

    @rule(number=WAVES)
    def reopen(self, number):
        self.try_to(reopen_wave, self.wave(number))

    @rule(number=PEOPLE, system=st.sampled_from(System))
    def override(self, number, system):
        self.try_to(override_person, self.people[number], system=system)

    @rule(number=PEOPLE)
    def clear(self, number):
        self.try_to(clear_override, self.people[number])

    @rule(number=PEOPLE)
    def edit(self, number):
        person = self.people[number]
        if Snapshot.objects.standing().filter(person=person).exists():
            placement = Placement.for_person(person.key, self.world["card"], self.world["body"], origin=Origin.HAND)
            install_configuration(placement, by=person.user, at=self.clock(), reason="my taste")

    @rule(number=PEOPLE)
    def retry(self, number):
        row = Enrolment.objects.live().filter(person=self.people[number]).select_related("wave").first()
        if row is not None:
            self.try_to(retry_people, row.wave, people=[self.people[number]])

    @rule(number=PEOPLE)
    def exclude(self, number):
        row = Enrolment.objects.live().filter(person=self.people[number]).first()
        if row is not None and number > 3:  # the first wave keeps its people
            self.try_to(exclude_person, row)

    @invariant()
    def everybody_sees_what_the_rows_say(self):
        killed = Flag.objects.filter(everyone=False).exists()
        words = dict(FlagOverride.objects.values_list("person_id", "system"))
        places = {row.person_id: row for row in Enrolment.objects.live().select_related("wave")}
        installed = set(Snapshot.objects.standing().values_list("person_id", flat=True))
        for person in self.people:
            place = places.get(person.pk)
            placed = place is not None and place.state in ON_SLOTS and place.wave.revoked_at is None
            wanted = words.get(person.pk, "slots" if placed else "legacy")
            expected = System.SLOTS if not killed and wanted == "slots" and person.pk in installed else System.LEGACY

            other = SystemResolver().choose(person.key, list(SystemResolver().standing_query(person.key)))
            assert (other is None) == (expected == System.SLOTS)

    @invariant()
    def nobody_is_installed_without_a_proof(self):
        snapshots = list(Snapshot.objects.standing().select_related("person"))
        proofs = proofs_of(each.person for each in snapshots)
        for snapshot in snapshots:
            proof = proofs[snapshot.person_id]
            assert isinstance(proof, Proof)
            bodies = {row["body_id"] for row in snapshot.installed}
            assert {item.body for item in proof.items} <= bodies | {self.world["body"].digest}

    @invariant()
    def who_is_not_installed_has_exactly_what_they_had(self):
        installed = set(Snapshot.objects.standing().values_list("person__user", flat=True))
        present = rows_by_person()
        for person in self.people:
            if person.user not in installed:
                assert present.get(person.user, []) == self.before.get(person.user, [])
        migrated = Customization.objects.filter(state=CustomizationState.MIGRATED).values_list("person__user", flat=True)
        assert set(migrated) == installed

    @invariant()
    def who_is_on_slots_is_installed(self):
        placed = Enrolment.objects.filter(state__in=ON_SLOTS).values_list("person_id", flat=True)
        assert set(placed) <= set(Snapshot.objects.standing().values_list("person_id", flat=True))

    @invariant()
    def every_working_row_has_a_lease_that_ends(self):
        for state, token, until in Enrolment.objects.values_list("state", "lease_token", "lease_until"):
            assert (token is not None) == (until is not None) == (state in WORKING)
            assert until is None or until <= self.clock() + LEASE

    @invariant()
    def members_sum_up_to_the_frozen_size(self):
        for wave in Wave.objects.exclude(state__in=(WaveState.PLANNED, WaveState.CANCELLED)):
            assert sum(wave.members_by_state().values()) == wave.size
        live = Counter(Enrolment.objects.live().values_list("person_id", flat=True))
        assert set(live.values()) <= {1}

    @invariant()
    def the_record_ends_with_the_present_state(self):
        last = {}
        for event in Event.objects.filter(subject="enrolment", kind="moved").order_by("pk"):
            last[event.subject_pk] = event.to_state
        for pk, state in Enrolment.objects.values_list("pk", "state"):
            assert last.get(pk, PersonState.ENROLLED) == state


@pytest.fixture
def world(card, customer, planned, phase):
    texts = [GOOD, GOOD, OTHER, HOSTILE, GOOD, OTHER]
    people = [customer(f"p{number}", text) for number, text in enumerate(texts)]
    body = save_body([], at=AT)
    install_configuration(Placement.for_person(people[0].key, card, body, origin=Origin.HAND), reason="by hand", **SAID)
    translate_people(people, **SAID)
    validate_people(people, **SAID)
    waves = [planned(*people[:4]), planned(*people[4:])]
    return {"card": card, "people": people, "body": body, "waves": waves, "phase": phase}


def run(world, **options):
    machine = type("RolloutOfWorld", (Rollout,), {"world": world})
    checks = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]
    run_state_machine_as_test(machine, settings=settings(deadline=None, suppress_health_check=checks, **options))


def test_any_order_of_acts_keeps_the_invariants(world):
    run(world, max_examples=4, stateful_step_count=15)


@pytest.mark.slow
def test_any_order_of_acts_keeps_the_invariants_for_long(world):
    run(world, max_examples=30, stateful_step_count=40)  # some 1,200 acts
