"""What operators, workers, support and crashes do to waves and people, and how they are taken back."""

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from rollout.actions import chunks
from rollout.actions.chunks import claim, process_chunk
from rollout.actions.contents import edit_content
from rollout.actions.due import do_what_is_due
from rollout.actions.holds import freeze, holds_on, resume_wave, set_hold, unfreeze
from rollout.actions.people import clear_override, override_person, retry_people
from rollout.actions.plans import open_phase, schedule_plan, submit_plan
from rollout.actions.reopening import reopen_phase, reopen_plan
from rollout.actions.rollback import revoke_wave, roll_back_all, roll_back_person, roll_back_phase, roll_back_wave
from rollout.actions.signoffs import missing_signoffs
from rollout.actions.waves import announce_wave, cancel_wave, finish_wave, lock_wave, reopen_wave, start_wave
from rollout.models import Snapshot
from rollout.states import PhaseState, PlanState, WaveState
from rollout.switch import engage_kill_switch, release_kill_switch
from rollout.waves import System
from slots.actions.configurations import Placement, install_configuration
from slots.models import Origin
from tests.rollout.machine.base import PEOPLE, PHASES, WAVES, Run

SIZES = st.integers(1, 4)
WAITS = st.sampled_from([1, 31, 90, 7_200, 90_000])
ACTS = st.sampled_from([lock_wave, announce_wave, start_wave, cancel_wave, finish_wave])


class Moving(Run):
    """Move people over and take them back."""

    def bring_up(self, number):
        """Take plan and phase from wherever they are, signed anew, to where waves may start."""
        if self.plan.state == PlanState.ROLLED_BACK:
            self.try_to(reopen_plan, self.plan)
        if self.plan.state == PlanState.DRAFT:
            self.try_to(submit_plan, self.plan)
        self.sign_everything(self.plan)
        if self.plan.state == PlanState.APPROVED:
            self.try_to(schedule_plan, self.plan)
        if self.phase(number).state == PhaseState.ROLLED_BACK:
            self.try_to(reopen_phase, self.phase(number))
        self.sign_everything(self.phase(number))
        self.try_to(open_phase, self.phase(number), by="dora")

    def bring_to_start(self, number, *, is_told):
        """Lock, tell or waive, announce and start a wave, as far as it is let."""
        if self.wave(number).state == WaveState.ROLLED_BACK:
            self.try_to(reopen_wave, self.wave(number))
        if is_told:
            self.give_a_date(number, days=1)
        self.try_to(lock_wave, self.wave(number))
        if is_told:
            self.tell()
        else:
            self.waive_all(number)
        self.try_to(announce_wave, self.wave(number))
        wave = self.wave(number)
        if is_told and wave.state == WaveState.ANNOUNCED and wave.starts_at:
            self.clock.now = max(self.clock.now, wave.starts_at)
        self.try_to(start_wave, self.wave(number))

    @rule(number=PHASES)
    def bring_the_plan_up(self, number):
        self.bring_up(number)

    @rule(number=WAVES, is_told=st.booleans())
    def start(self, number, is_told):
        self.bring_to_start(number, is_told=is_told)

    @rule(number=WAVES, size=SIZES, is_told=st.booleans())
    def start_and_process(self, number, size, is_told):
        self.clear_the_way(number)
        self.bring_up(number // 2)
        self.bring_to_start(number, is_told=is_told)
        self.process(number, size)

    @rule(number=WAVES, seconds=WAITS)
    def start_and_move_everybody(self, number, seconds):
        self.start_and_process(number, 9, is_told=False)
        self.clock.advance(seconds)
        self.tick()

    def clear_the_way(self, number):
        """Take off what holds a wave, and edit what a role rejected, so that it may be signed."""
        self.try_to(unfreeze)
        self.clear_the_calendar()
        self.try_to(resume_wave, self.wave(number))
        rejected = any("rejected" in each for each in [*missing_signoffs(self.plan), *missing_signoffs(self.phase(1))])
        if rejected:
            self.try_to(edit_content, self.phase(1), objective=f"read {self.clock()}")

    @rule(number=WAVES, act=ACTS)
    def act_on_a_wave(self, number, act):
        if act is not cancel_wave or number % 2:  # one wave of each phase is left to play with
            self.try_to(act, self.wave(number))

    @rule(number=WAVES, size=SIZES)
    def process(self, number, size):
        report = process_chunk(self.wave(number), clock=self.clock, size=size)
        type(self).done["switched"] += report.switched

    @rule(number=WAVES, size=SIZES)
    def crash(self, number, size):
        wave = self.wave(number)
        lease = claim(wave, size=size, at=self.clock())
        if lease is not None:
            assert not holds_on(wave, at=self.clock()), "somebody of a held wave was claimed"
            self.zombies.append(lease)

    @precondition(lambda self: self.zombies)
    @rule()
    def come_back_from_the_dead(self):
        lease = self.zombies.pop()
        chunks._Chunk(lease, self.clock, "zombie", chunks.ChunkReport()).run()

    @rule(seconds=WAITS)
    def wait(self, seconds):
        self.clock.advance(seconds)

    @rule()
    def tick(self):
        report = do_what_is_due(at=self.clock(), transport=self.server)
        self.is_after_tick = True
        failed = {kind for kind, count in report.failed.items() if count}
        assert failed <= ({"notice"} if self.server.away else set()), report.as_json()

    @rule(number=WAVES, how=st.sampled_from(["wave", "wave", "and dies", "phase", "everybody"]))
    def roll_back(self, number, how):
        if how == "wave":
            self.try_to(roll_back_wave, self.wave(number))
        elif how == "and dies":
            self.try_to(revoke_wave, self.wave(number))
        elif how == "phase":
            self.try_to(roll_back_phase, self.phase(number // 2))
        else:
            self.try_to(roll_back_all)

    @rule(number=PEOPLE)
    def roll_back_somebody(self, number):
        self.try_to(roll_back_person, self.people[number])

    @rule(act=st.sampled_from([engage_kill_switch, release_kill_switch, freeze, unfreeze]))
    def turn_a_switch(self, act):
        self.try_to(act)

    @rule(number=WAVES, is_on=st.booleans())
    def pause_or_resume(self, number, is_on):
        self.try_to(set_hold if is_on else resume_wave, self.wave(number))

    @rule(number=WAVES)
    def reopen(self, number):
        before = self.wave(number)
        done = self.try_to(reopen_wave, self.wave(number))
        assert done == (before.state == WaveState.ROLLED_BACK)

    @rule(number=PEOPLE, system=st.sampled_from([*System, None]))
    def override(self, number, system):
        if system is None:
            self.try_to(clear_override, self.people[number])
        else:
            self.try_to(override_person, self.people[number], system=system)

    @rule(number=PEOPLE)
    def edit_a_page(self, number):
        person = self.people[number]
        if Snapshot.objects.standing().filter(person=person).exists():
            placement = Placement.for_person(person.key, self.world.card, self.world.body, origin=Origin.HAND)
            install_configuration(placement, by=person.user, at=self.clock(), reason="my taste")

    @rule(number=PEOPLE)
    def retry(self, number):
        place = self.place(self.people[number])
        if place is not None:
            self.try_to(retry_people, place.wave, people=[place.person])
