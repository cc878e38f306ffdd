"""The door to the queue, on a real server: chunk after chunk, lost messages, no server at all."""

import json
import socket
from functools import partial

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import transaction
from django.utils import timezone
from django_rq import get_queue

from phoenix.workers import work_off
from rollout.actions.chunks import claim, process_chunk
from rollout.actions.messages import send_due_notices
from rollout.actions.rollback import roll_back_wave
from rollout.actions.waves import lock_wave
from rollout.errors import PeopleNotMigrated
from rollout.jobs import wake_messages, wake_wave, work_wave
from rollout.models import NoticeDelivery, Wave
from rollout.states import PersonState, WaveState
from tests.rollout.conftest import SAID
from tests.rollout.telling import DAY, dated, write_notice

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def no_queue(monkeypatch, queue_url):
    """Name a server that is not there."""
    monkeypatch.setitem(settings.RQ_QUEUES[settings.QUEUE_NAME], "URL", "redis://127.0.0.1:1/0")


def test_messages_go_through_the_queue_round_by_round(queue, customer, planned, phase, mailoutbox, monkeypatch):
    monkeypatch.setattr("rollout.jobs.send_due_notices", partial(send_due_notices, limit=2))
    now = timezone.now()
    write_notice(phase.plan)
    people = [customer(f"p{number}", email=f"p{number}@example.org") for number in range(5)]
    wave = dated(planned(*people), now + 8 * DAY)
    lock_wave(wave, by="alice", at=now)
    NoticeDelivery.objects.update(due_at=now)

    wake_messages(key="1")
    wake_messages(key="1")  # two reconcilers ask once

    assert work_off() == 3
    assert sorted(message.to[0] for message in mailoutbox) == [f"p{number}@example.org" for number in range(5)]


def test_a_wave_goes_through_the_queue_chunk_by_chunk(queue, customers, started):
    wave = started(*customers(5))

    wake_wave(wave.pk, size=2)
    jobs = work_off()

    assert jobs == 3
    assert wave.members_by_state() == {PersonState.SWITCHED: 5}
    assert Wave.objects.get(pk=wave.pk).state == WaveState.MONITORING


def test_a_wake_up_waits_for_the_commit_and_is_not_sent_after_a_rollback(queue, customers, started):
    wave = started(*customers(1))

    with transaction.atomic():
        wake_wave(wave.pk)
        assert queue.count == 0
        transaction.set_rollback(True)
    assert queue.count == 0

    with transaction.atomic():
        wake_wave(wave.pk)
    assert queue.count == 1


def test_equal_wake_ups_with_a_key_are_one(queue, customers, started):
    wave = started(*customers(1))

    wake_wave(wave.pk, key="now")
    wake_wave(wave.pk, key="now")
    wake_wave(wave.pk, key="later")

    assert queue.count == 2


def test_a_job_run_twice_equals_once(queue, customers, started):
    wave = started(*customers(2))

    assert work_wave(wave_pk=wave.pk) == 2
    assert work_wave(wave_pk=wave.pk) == 0
    assert wave.members_by_state() == {PersonState.SWITCHED: 2}


def test_a_message_of_another_deploy_runs_too(queue, customers, started):
    wave = started(*customers(1))

    assert work_wave(wave_pk=wave.pk, size=1, colour="blue") == 1


def test_losing_every_message_loses_nobody(queue, customers, started):
    wave = started(*customers(3))
    wake_wave(wave.pk)
    queue.connection.flushdb()
    assert work_off() == 0

    call_command("tick")
    work_off()

    assert wave.members_by_state() == {PersonState.SWITCHED: 3}


def test_a_killed_worker_costs_a_lease_and_nobody(queue, customers, started):
    wave = started(*customers(3))
    lease = claim(wave, size=2, at=wave.started_at)  # long ago: the lease is over by now
    assert len(lease.people) == 2

    call_command("tick")
    work_off()

    assert wave.members_by_state() == {PersonState.SWITCHED: 3}


def test_without_a_queue_people_are_migrated_woken_and_taken_back(no_queue, customers, started):
    wave = started(*customers(2))

    wake_wave(wave.pk)  # says nothing but a line in the log
    call_command("tick")
    call_command("migrate_users", wave=wave.pk)
    assert wave.members_by_state() == {PersonState.SWITCHED: 2}

    call_command("rollback_users", wave=wave.pk)
    assert wave.members_by_state() == {PersonState.ROLLED_BACK: 2}


@pytest.fixture
def silent_queue(monkeypatch, queue_url):
    """Name a server that takes connections and never answers, as behind a broken network; count who came."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        url = f"redis://127.0.0.1:{server.getsockname()[1]}/0?socket_timeout=0.2"
        monkeypatch.setitem(settings.RQ_QUEUES[settings.QUEUE_NAME], "URL", url)

        def visitors():
            count = 0
            while True:
                try:
                    server.accept()[0].close()
                except BlockingIOError:
                    return count
                count += 1

        yield visitors


def test_a_rollback_does_not_ask_the_queue_and_waits_for_none(silent_queue, customers, started, clock, capsys):
    wave = started(*customers(3))
    process_chunk(wave, clock=clock)

    call_command("rollback_users", "--all", "--json")

    said = json.loads(capsys.readouterr().out)
    assert (said["rolled_back"], silent_queue()) == (3, 0)


def test_the_reconciler_waits_for_a_silent_queue_once_however_many_waves_there_are(silent_queue, customers, started):
    people = customers(4)
    started(people[0])
    call_command("tick")
    once = silent_queue()
    assert once > 0
    for person in people[1:]:
        started(person)

    call_command("tick")

    assert silent_queue() == once


def test_a_rollback_between_two_chunks_stops_the_rest(queue, customers, started):
    wave = started(*customers(4))
    wake_wave(wave.pk, size=2)
    work_off(max_jobs=1)

    roll_back_wave(wave, reason="stop", **SAID)
    work_off()

    assert wave.members_by_state() == {PersonState.ENROLLED: 2, PersonState.ROLLED_BACK: 2}


def test_an_accident_reaches_the_queues_record_and_spares_the_others(queue, customers, started, card):
    wave = started(*customers(3))
    type(card).objects.filter(pk=card.pk).update(samples="not a list")

    with pytest.raises(PeopleNotMigrated) as accident:
        work_wave(wave_pk=wave.pk)

    assert len(accident.value.accidents) == 3
    assert wave.members_by_state() == {PersonState.RETRY_WAIT: 3}
    assert get_queue(settings.QUEUE_NAME).count == 0
