"""RQ workers that keep two rules which RQ leaves to its caller.

*One queue a process*: a worker that listens to two queues and dies just after taking a job loses it for good; with one queue
the job is found again. *JSON only*: messages carry primary keys, and nothing in a message can be executed; django-rq's
commands would pass RQ's pickle serializer along.
"""

from collections.abc import Sequence
from typing import Any

import rq
from django.conf import settings
from django_rq import get_queue
from rq.executions import Execution
from rq.job import Job
from rq.serializers import JSONSerializer


class SeveralQueues(Exception):
    """Refuse a worker that would listen to more than one queue."""

    code = "WORKER_SEVERAL_QUEUES"

    def __init__(self, names: Sequence[str]) -> None:
        self.names = tuple(names)
        super().__init__(f"{self.code}: one worker process takes one queue, not {', '.join(names)}. Start one process for each.")


class OneJsonQueue(rq.worker.BaseWorker):
    """Hold a worker to one queue and to JSON, whatever its command passes."""

    def __init__(self, queues: Any, *args: Any, **kwargs: Any) -> None:
        listed = queues if isinstance(queues, list | tuple) else [queues]
        if len(listed) != 1:
            raise SeveralQueues([getattr(queue, "name", str(queue)) for queue in listed])
        super().__init__(listed, *args, **{**kwargs, "serializer": JSONSerializer})


class Worker(OneJsonQueue, rq.Worker):
    """Run every job in a process of its own; the worker of production."""


class BurstWorker(OneJsonQueue, rq.SimpleWorker):
    """Run the jobs in this process, leaving its signal handlers alone; `performed` counts them."""

    performed = 0

    def _install_signal_handlers(self) -> None:
        """Install none: the process belongs to somebody else, who would not get them back."""

    def perform_job(self, job: Job, queue: rq.Queue, execution: Execution) -> bool:
        """Run one job and count it."""
        self.performed += 1
        return super().perform_job(job, queue, execution)


def work_off(*, max_jobs: int | None = None) -> int:
    """Run what waits in the queue in this process until nothing is left, and return the number of jobs run.

    Jobs that fail count too; RQ keeps them in its failed registry.
    """
    queue = get_queue(settings.QUEUE_NAME)
    worker = BurstWorker(queue, connection=queue.connection)
    worker.work(burst=True, max_jobs=max_jobs, logging_level="WARNING")
    return worker.performed
