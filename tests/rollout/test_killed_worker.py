"""A worker process that is killed amid a chunk, for real: its people are found by the next rounds of the reconciler."""

import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime

import pytest
import time_machine
from django.conf import settings
from django.core.management import call_command
from django.db import connection

from migration.engine import diff
from phoenix.workers import work_off
from rollout.actions.chunks import LEASE
from rollout.jobs import wake_wave
from rollout.models import Enrolment, Event, Snapshot, standing_of
from rollout.states import WORKING, PersonState
from rollout.waves import System
from slots.models import SlotConfiguration
from tests.rollout.conftest import SOURCE, bring_to_start

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]
PEOPLE = 60
PATIENCE = 120  # seconds; a second on a quiet machine


def database_url():
    """Name the test's database as a process of its own would be told."""
    to = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{to['NAME']}"
    return f"postgresql://{to['USER']}:{to['PASSWORD']}@{to['HOST']}:{to['PORT']}/{to['NAME']}"


@pytest.fixture
def worker(repository, queue, tmp_path):
    """A worker process as production runs it: it forks a work-horse for each job."""
    environment = {
        **os.environ,
        "DATABASE_URL": database_url(),
        "REDIS_URL": settings.RQ_QUEUES[settings.QUEUE_NAME]["URL"],
        "PHOENIX_VAR": str(tmp_path),
    }
    command = [sys.executable, str(repository / "manage.py"), "rqworker", settings.QUEUE_NAME]
    with (tmp_path / "worker.log").open("wb") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
        yield process
        kill_with_horses(process)


def kill_with_horses(worker):
    """Kill a worker and then its work-horses (each has a process group of its own), and return how many horses there were."""
    if worker.poll() is not None:
        return 0
    children = subprocess.run(["ps", "-o", "pid=", "--ppid", str(worker.pid)], capture_output=True, text=True, check=False)
    horses = [int(pid) for pid in children.stdout.split()]
    for pid in [worker.pid, *horses]:
        os.kill(pid, signal.SIGKILL)
    worker.wait()
    return len(horses)


def test_who_was_in_the_hands_of_a_killed_worker_is_moved_by_the_next_one(worker, customer, planned, tmp_path):
    people = [
        customer(f"c{number}", diff.make(SOURCE, SOURCE.replace("Add to cart", f"Order {number}"), path="template.html"))
        for number in range(PEOPLE)
    ]
    wave = bring_to_start(planned(*people), at=datetime.now(UTC))
    wake_wave(wave.pk)
    deadline = time.monotonic() + PATIENCE
    while not (held := Enrolment.objects.filter(state__in=WORKING).count()) and time.monotonic() < deadline:
        assert worker.poll() is None, (tmp_path / "worker.log").read_text()
        time.sleep(0.005)

    assert kill_with_horses(worker) == 1
    time.sleep(1)  # what is dead writes nothing more

    assert held == PEOPLE
    assert Enrolment.objects.filter(state__in=WORKING).count() == PEOPLE
    assert Snapshot.objects.count() == SlotConfiguration.objects.count() == 0
    call_command("tick")
    assert Enrolment.objects.filter(state__in=WORKING).count() == PEOPLE  # the lease holds: it might be at work
    with time_machine.travel(time.time() + LEASE.total_seconds() + 1):
        call_command("tick")
        assert wave.members_by_state() == {PersonState.QUEUED: PEOPLE}
        work_off()

    assert wave.members_by_state() == {PersonState.SWITCHED: PEOPLE}
    assert {standing_of(person.key).decide().system for person in people} == {System.SLOTS}
    assert Snapshot.objects.standing().count() == SlotConfiguration.objects.count() == PEOPLE
    assert Event.objects.filter(subject="enrolment", to_state=PersonState.SWITCHED).count() == PEOPLE
