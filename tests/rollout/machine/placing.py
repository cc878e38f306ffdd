"""Who is in which wave, and when: dates, deferrals, exclusion, newcomers, what is frozen when a phase locks, the calendar."""

from datetime import timedelta

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from migration.models import Person
from rollout.actions.audiences import freeze_population
from rollout.actions.calendar import add_freeze, remove_freeze
from rollout.actions.deferrals import ARRIVED, defer_person, withdraw_deferral
from rollout.actions.people import exclude_people, exclude_person
from rollout.actions.rescheduling import reschedule_plan, set_start
from rollout.actions.waves import reschedule_wave
from rollout.models import Enrolment, Freeze, Phase
from rollout.states import BEFORE_START, PersonState, WaveState
from tests.rollout.conftest import GOOD
from tests.rollout.machine.base import PEOPLE, WAVES, Run
from tests.rollout.machine.world import DAY, HOUR

NEWCOMERS = 2
REASONS = st.sampled_from(["because", " "])


class Placing(Run):
    """Place people in waves, and waves in time."""

    def give_a_date(self, number, *, days):
        self.try_to(set_start, self.wave(number), self.clock() + timedelta(days=days))

    @rule(number=WAVES, days=st.sampled_from([None, 0, 1, 2, 5, 10]))
    def date(self, number, days):
        if days is None:
            self.try_to(set_start, self.wave(number), None)
        else:
            self.give_a_date(number, days=days)

    @rule(number=WAVES, hours=st.none() | st.sampled_from([1, 30, 80]), reason=REASONS)
    def reschedule(self, number, hours, reason):
        before = self.wave(number)
        starts_at = None if hours is None else self.clock() + hours * HOUR
        done = self.try_to(reschedule_wave, before, starts_at=starts_at, reason=reason)
        assert not (done and reason == " ")
        after = self.wave(number)
        was_told = done and before.state in {WaveState.PLANNED, WaveState.LOCKED, WaveState.ANNOUNCED}
        assert not was_told or (after.state, after.starts_at) == (WaveState.PLANNED, starts_at)

    @rule(days=st.sampled_from([1, 7, -1]))
    def reschedule_everything(self, days):
        self.try_to(reschedule_plan, self.plan, days=days)

    @rule(number=PEOPLE, to=WAVES)
    def defer(self, number, to):
        place = self.place(self.people[number])
        if place is None:
            return
        first, deferrals = place.wave, place.deferrals
        if self.try_to(defer_person, place, to=self.wave(to)):
            now = self.place(place.person)
            assert (now.wave_id, now.deferrals) == (self.wave(to).pk, deferrals + 1)
            assert first.state in BEFORE_START
            assert self.wave(to).starts_at > (first.starts_at or self.clock())
            assert now.deferrals <= self.plan.max_deferrals

    @rule(number=PEOPLE)
    def withdraw(self, number):
        for place in Enrolment.objects.filter(person=self.people[number], state=PersonState.DEFERRED).order_by("-pk")[:1]:
            if self.try_to(withdraw_deferral, place):
                now = self.place(place.person)
                assert (now.pk, now.deferrals) == (place.pk, place.deferrals)
                assert now.wave.state in BEFORE_START

    @rule(number=PEOPLE, reason=REASONS, wave=st.none() | WAVES)
    def exclude(self, number, reason, wave):
        place = self.place(self.people[number])
        if number <= 1 or place is None:  # the first wave keeps two
            return
        if wave is not None:
            self.try_to(exclude_people, self.wave(wave), users=[str(place.person)], reason=reason)
            return
        done = self.try_to(exclude_person, place, reason=reason)
        assert not (done and reason == " ")
        assert not done or self.place(place.person) is None

    @precondition(lambda self: Person.objects.count() < len(self.world.people) + NEWCOMERS)
    @rule()
    def somebody_comes(self):
        self.world.customer(f"n{Person.objects.count()}", GOOD, email="new@example.org")

    @rule()
    def freeze_the_population(self):
        before = self.phase(1).frozen_at
        self.try_to(freeze_population, self.phase(1))
        after = self.phase(1).frozen_at
        assert before in (None, after), "a population was frozen anew"

    @rule(hours=st.sampled_from([1, 30]), days=st.integers(0, 2), is_of_plan=st.booleans())
    def enter_in_the_calendar(self, hours, days, is_of_plan):
        start = self.clock() + days * DAY
        plan = self.plan if is_of_plan else None
        self.try_to(add_freeze, starts_at=start, ends_at=start + hours * HOUR, plan=plan)

    def clear_the_calendar(self):
        for row in Freeze.objects.order_by("pk"):
            self.try_to(remove_freeze, row)

    def check_the_frozen(self):
        """Look that whom the shares of a frozen population took stays, whoever comes, is deferred or left out."""
        phase = Phase.objects.get(pk=self.world.phases[1].pk)
        if phase.frozen_at is None:
            return
        taken = Enrolment.objects.filter(wave__phase=phase).exclude(chosen_for__startswith=ARRIVED).order_by("pk")
        frozen = (phase.population, list(taken.values_list("pk", "wave", "person")))
        self.frozen = self.frozen or frozen
        assert frozen == self.frozen, "a frozen population has other people"
