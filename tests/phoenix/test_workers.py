"""Workers hold to one queue and to JSON, and leave the process as they found it."""

import os
import pickle
import signal

import pytest
from django.conf import settings
from django_rq.workers import get_worker
from rq import Queue

from phoenix.workers import BurstWorker, SeveralQueues, Worker, work_off


def test_working_off_runs_what_waits_and_counts_it(transactional_db, queue):
    jobs = [queue.enqueue("operator.add", 20, number) for number in (1, 2)]

    assert work_off() == 2
    assert [job.return_value() for job in jobs] == [21, 22]
    assert work_off() == 0


def test_a_failing_job_counts_and_is_kept(transactional_db, queue):
    queue.enqueue("operator.truediv", 1, 0)

    assert work_off() == 1
    assert queue.failed_job_registry.count == 1


def test_working_off_leaves_the_signal_handlers_alone(transactional_db, queue):
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    queue.enqueue("operator.add", 1, 1)
    work_off()

    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before


def test_the_command_gets_our_worker_and_json_although_it_passes_pickle(queue):
    worker = get_worker(settings.QUEUE_NAME, serializer="rq.serializers.DefaultSerializer")

    assert type(worker) is Worker
    assert worker.serializer.dumps({"pk": 1}) == b'{"pk": 1}'


def test_a_pickled_message_is_not_executed(transactional_db, queue, tmp_path):
    class Bomb:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "exploded"),)

    message = pickle.dumps(("operator.add", None, (Bomb(), 1), {}))
    job = queue.enqueue("operator.add", 1, 1)
    queue.connection.hset(job.key, "data", message)

    work_off()

    assert not (tmp_path / "exploded").exists()
    assert job.get_status(refresh=True) != "finished"


def test_two_queues_are_refused(queue):
    second = Queue("second", connection=queue.connection)

    with pytest.raises(SeveralQueues, match="WORKER_SEVERAL_QUEUES: one worker process takes one queue, not phoenix, second"):
        BurstWorker([queue, second], connection=queue.connection)
