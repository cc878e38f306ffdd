"""Workers are killed at any statement while batch size, code and audience change: nobody is skipped, nobody is moved twice."""

import os
import random
from collections import Counter

import pytest
from django.db import connection, transaction

from migration.engine import translate
from rollout import retries
from rollout.actions import chunks, claims, due, prevalidation, waves
from rollout.actions.chunks import process_chunk
from rollout.actions.due import do_what_is_due
from rollout.actions.proofs import translate_people, validate_people
from rollout.actions.waves import repin_engine
from rollout.errors import EngineChanged, MoveRefused
from rollout.models import Event, Snapshot, Wave
from rollout.states import PersonState, WaveState
from slots.models import SlotConfiguration
from tests.rollout.conftest import GOOD, OTHER, SAID, Clock

pytestmark = pytest.mark.django_db
PEOPLE = 12
STATEMENTS = 110  # a chunk of twelve has about as many; who is to be killed later than its end lives
ROUNDS = 300
FEW, MANY = 3, int(os.environ.get("CRASHES", "100"))  # workers killed
BOOKKEEPING = ("SAVEPOINT", "RELEASE", "ROLLBACK", "BEGIN", "COMMIT")
CODE = (translate, claims, chunks, due, prevalidation, waves)  # wherever a process knows which engine it is


class Killed(BaseException):
    """The process is gone: nothing that catches errors sees it."""


class Fate:
    """Let something happen at one statement and the worker die at another, counted from its first."""

    def __init__(self, dies_at, changes_at, change):
        self.dies_at, self.changes_at, self.change = dies_at, changes_at, change
        self.count, self.is_busy = 0, False

    def __call__(self, execute, sql, params, many, context):
        if self.is_busy or sql.startswith(BOOKKEEPING):
            return execute(sql, params, many, context)
        self.count += 1
        if self.count == self.changes_at:
            self.is_busy = True
            self.change()
            self.is_busy = False
        if self.count == self.dies_at:
            raise Killed
        return execute(sql, params, many, context)


class Trial:
    """One wave from its start to its end, with deaths and changes by one seed."""

    def __init__(self, wave, seed, patch):
        self.wave, self.chance, self.patch = wave, random.Random(seed), patch
        self.clock, self.seen = Clock(), Counter()

    def run(self):
        """Work until nobody waits any more."""
        for _ in range(ROUNDS):
            self.work()
            self.clock.advance(self.chance.choice([1, 31, 1_000]))
            do_what_is_due(at=self.clock())
            self.wave.refresh_from_db()
            if self.wave.state == WaveState.MONITORING:
                return
        raise AssertionError(f"the wave does not end: {self.wave.members_by_state()}")

    def work(self):
        """Let a worker of some release do a chunk, if it lives that long; somebody else may change something amid it."""
        if self.chance.random() < 0.2:
            release = f"release {self.chance.randint(1, 2)}"
            for module in CODE:
                self.patch.setattr(module, "ENGINE_VERSION", release)
        size = self.chance.choice([None, None, 1, 2, 3, 5, 12])
        fate = Fate(self.chance.randint(1, STATEMENTS * 2), self.chance.randint(1, STATEMENTS * 2), self.change)
        try:
            with connection.execute_wrapper(fate):
                process_chunk(self.wave, clock=self.clock, size=size)
        except Killed:
            self.seen["killed"] += 1
        except EngineChanged:
            self.seen["refused"] += 1
            self.repin()

    def change(self):
        """Change what somebody may change while a wave is at work."""
        what = self.chance.choice(["batch", "engine", "audience"])
        self.seen[what] += 1
        if what == "batch":
            Wave.objects.filter(pk=self.wave.pk).update(batch_size=self.chance.randint(1, 12))
        elif what == "audience":
            Wave.objects.filter(pk=self.wave.pk).update(audience={"users": [f"c{self.chance.randint(1, PEOPLE)}"]})
        else:  # by a process of that release
            Wave.objects.filter(pk=self.wave.pk).update(engine_version=f"release {self.chance.randint(1, 2)}")

    def repin(self):
        self.wave.refresh_from_db()
        try:
            repin_engine(self.wave, reason="the new one was released", **SAID)
        except MoveRefused:  # the wave has nobody left to move
            self.seen["too late"] += 1


def once_each(wave):
    """Say whether everybody is on slots, by one switch, one snapshot and one installation."""
    people = set(wave.enrolments.values_list("person__user", flat=True))
    once = dict.fromkeys(people, 1)
    moved = Event.objects.filter(subject="enrolment", to_state=PersonState.SWITCHED)
    switched = Counter(moved.values_list("subject_pk", flat=True))
    return (
        wave.members_by_state() == {PersonState.SWITCHED: PEOPLE}
        and switched == dict.fromkeys(wave.enrolments.values_list("pk", flat=True), 1)
        and Counter(Snapshot.objects.values_list("person__user", flat=True)) == once
        and Counter(SlotConfiguration.objects.values_list("key", flat=True)) == once
        and Counter(SlotConfiguration.history.values_list("key", flat=True)) == once
    )


@pytest.fixture
def wave(customer, started, monkeypatch):
    """A wave of twelve people that is at work, some of them proven; nobody is given up for the workers that die."""
    monkeypatch.setattr(retries, "POISONOUS", 10**6)
    monkeypatch.setitem(retries.TRIES, retries.Trouble.TRANSIENT, 10**6)
    monkeypatch.setitem(retries.TRIES, retries.Trouble.STALE, 10**6)
    people = [customer(f"c{number}", GOOD if number % 3 else OTHER) for number in range(1, PEOPLE + 1)]
    wave = started(*people)
    translate_people(people[:6], **SAID)
    validate_people(people[:6], **SAID)
    return wave


def survive(wave, seed, kills, monkeypatch):
    """Run trials, each from the same start, until so many workers were killed; return what happened in all of them."""
    seen = Counter()
    while seen["killed"] < kills:
        with monkeypatch.context() as patch, transaction.atomic():
            trial = Trial(Wave.objects.get(pk=wave.pk), seed, patch)
            trial.run()
            assert once_each(wave), f"seed {seed}: {wave.members_by_state()}"
            seen += trial.seen
            transaction.set_rollback(True)
        seed += 1
        seen["trials"] += 1
    return seen


def test_nobody_is_skipped_and_nobody_moved_twice(wave, monkeypatch):
    seen = survive(wave, 1, FEW, monkeypatch)

    assert seen["killed"] >= FEW


@pytest.mark.slow
def test_nobody_is_skipped_and_nobody_moved_twice_whatever_a_thousand_workers_die_of(wave, monkeypatch):
    seen = survive(wave, int(os.environ.get("CRASH_SEED", "1000")), MANY, monkeypatch)

    print(dict(seen))  # noqa: T201  # with -s: how often each thing happened
    assert all(seen[what] for what in ("killed", "refused", "batch", "engine", "audience")), seen
