"""The queue: messages of primary keys, work that may be done twice, and nothing before the commit."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from rq import Queue

from migration.actions import import_customizations
from migration.jobs import CHUNK, enqueue, translate_chunk, validate_chunk
from migration.models import Customization, CustomizationEvent, Translation, Validation
from migration.states import CustomizationState
from phoenix.workers import work_off
from tests.migration.conftest import AT, NEW, line, ship

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def keys(write: Callable[..., Path]) -> list[int]:
    """Import three customizations and return their keys."""
    ship("2.0", NEW)
    import_customizations([write([line(f"user{index}") for index in range(3)])], at=AT, by="alice")
    return list(Customization.objects.order_by("pk").values_list("pk", flat=True))


def states() -> set[str]:
    return set(Customization.objects.values_list("state", flat=True))


def test_workers_translate_and_validate(keys: list[int], queue: Queue) -> None:
    assert enqueue(translate_chunk, keys, by="alice", reason="test") == 1
    assert work_off() == 1
    assert states() == {CustomizationState.TRANSLATED}

    enqueue(validate_chunk, keys, by="alice", reason="test")
    work_off()

    assert states() == {CustomizationState.VALIDATED}
    assert queue.failed_job_registry.count == 0


def test_message_holds_keys_only_and_is_retried(keys: list[int], queue: Queue) -> None:
    enqueue(translate_chunk, keys, by="alice", reason="test")

    (job,) = queue.jobs
    assert job.kwargs == {"customizations": keys, "by": "alice", "reason": "test"}
    assert (job.args, job.retries_left) == ([], 3)


def test_large_selections_become_several_messages(queue: Queue, db: None) -> None:
    assert enqueue(translate_chunk, range(2 * CHUNK + 1), by="alice", reason="test") == 3
    assert [len(job.kwargs["customizations"]) for job in queue.jobs] == [CHUNK, CHUNK, 1]


def test_running_twice_equals_once(keys: list[int]) -> None:
    first = translate_chunk(customizations=keys, by="alice")
    second = translate_chunk(customizations=keys, by="alice", argument_of_a_later_release=1)

    assert (first["computed"], second["computed"]) == (1, 0)
    assert Translation.objects.count() == 1


def test_two_workers_at_once_equal_one(keys: list[int]) -> None:
    def work() -> None:
        try:
            translate_chunk(customizations=keys, by="alice")
            validate_chunk(customizations=keys, by="alice")
        finally:
            connection.close()

    with ThreadPoolExecutor(max_workers=2) as pool:
        for future in [pool.submit(work) for _worker in range(2)]:
            future.result()

    assert (Translation.objects.count(), Validation.objects.count()) == (1, 1)
    assert states() == {CustomizationState.VALIDATED}
    assert CustomizationEvent.objects.filter(to_state=CustomizationState.VALIDATED).count() == len(keys)


def test_nothing_is_enqueued_before_the_commit(keys: list[int], queue: Queue) -> None:
    with transaction.atomic():
        enqueue(translate_chunk, keys, by="alice", reason="test")
        assert queue.count == 0

    assert queue.count == 1


def test_command_leaves_work_to_the_queue(keys: list[int], queue: Queue, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("translate", "--all", "--async", as_json=True)

    assert json.loads(capsys.readouterr().out) | {"dry_run": False} == {"total": 3, "jobs": 1, "dry_run": False}
    assert states() == {CustomizationState.IMPORTED}
    work_off()
    assert states() == {CustomizationState.TRANSLATED}


def test_dry_run_enqueues_nothing(keys: list[int], queue: Queue, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("translate", "--all", "--async", "--dry-run", as_json=True)

    assert queue.count == 0
