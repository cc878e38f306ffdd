"""One run: its clock, its mail server, what it compares with, and how it acts."""

from collections import Counter

from django.db import connection, transaction
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine

from migration.models import Person
from rollout.errors import RolloutError
from rollout.models import Enrolment, Event, Phase, Plan, Wave
from rollout.rehearsal.invariants import Checker
from slots.models import Layer, SlotConfiguration
from tests.rollout.conftest import Clock
from tests.rollout.machine.world import World
from tests.rollout.telling import Server

WAVES, PHASES, PEOPLE = st.integers(0, 3), st.integers(0, 1), st.integers(0, 7)
TOLD = 10  # runs
SAID = {"by": "alice", "reason": "because"}


class Run(RuleBasedStateMachine):
    """A world in which a run acts; whatever it did is undone at its end.

    `runs`, `steps` and `done` (acts that were not refused, people switched) count over all runs of a class. An invariant looks
    only where the step wrote something.
    """

    world: World
    runs = steps = 0
    done: Counter[str]

    def __init__(self):
        super().__init__()
        self.savepoint = transaction.atomic()
        self.savepoint.__enter__()
        self.clock = Clock()
        self.server = Server()
        self.checker = Checker()
        self.checker.check_fully(at=self.clock())
        self.is_after_tick = False
        self.is_sound = True
        self.written = None
        self.zombies = []
        self.seen = {}
        self.frozen = None
        self.before = rows_by_person()
        type(self).runs += 1

    def teardown(self):
        try:
            if self.is_sound:
                found = self.checker.check_fully(at=self.clock())
                assert not found, found
        finally:
            transaction.set_rollback(True)
            self.savepoint.__exit__(None, None, None)
        if self.runs % TOLD == 0:
            print(f"{self.runs} runs, {self.steps} steps")  # noqa: T201  # with -s: how far a long search is

    @property
    def people(self):
        """Return everybody, newcomers last."""
        return list(Person.objects.order_by("pk"))

    @property
    def plan(self):
        return Plan.objects.get(pk=self.world.plan.pk)

    def phase(self, number):
        return Phase.objects.select_related("plan").get(pk=self.world.phases[number].pk)

    def wave(self, number):
        return Wave.objects.select_related("phase__plan").get(pk=self.world.waves[number].pk)

    def place(self, person):
        return Enrolment.objects.live().filter(person=person).select_related("wave__phase", "person").first()

    def try_to(self, act, *subject, **said):
        """Act, and say whether it was done; being refused is a fine answer, and must leave no trace."""
        before = Event.objects.count()
        try:
            act(*subject, **{**SAID, "at": self.clock(), **said})
        except RolloutError as refused:
            assert str(refused)
            assert Event.objects.count() == before, f"{act.__name__} was refused ({refused}) and left a trace"
            return False
        type(self).done[act.__name__] += 1
        return True

    def has_written(self):
        """Say whether anything was written since this was last asked; on PostgreSQL, which does not tell, always."""
        if connection.vendor != "sqlite":
            return True
        written, self.written = self.written, connection.connection.total_changes
        return written != self.written


def rows_by_person():
    """Return everybody's own configurations, column for column."""
    found = {}
    for row in SlotConfiguration.objects.filter(layer=Layer.USER).order_by("pk").values():
        found.setdefault(row["key"], []).append(row)
    return found
