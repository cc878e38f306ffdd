"""The rollout's benchmark: what it measures, what it refuses to call measured, and the JSON of the contract."""

import json
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection

from phoenix.management.bench import tables
from phoenix.management.bench.rollout import own, run

DONE = {
    "rolled_back": 4, "failed": [], "edited": [], "given": 10.0, "effective_ms": 2.0, "reconciled_ms": 300.0,
    "own_s": 0.002, "database_s": 0.01, "memory_mb": 90, "load": 1.5,
}  # fmt: skip
SERVED = {"pages": 9, "slots": 4, "last_slots": 10.25, "ms": [1.0, 2.0, 3.0]}
SEEDED = {"people": 4, "configurations": 7, "seconds": 1.0, "names": ["a"], "wave": 1}


class Answering:
    """Answer like a process of the benchmark."""

    def __init__(self, **answers):
        self.answers = answers

    def ask(self, what, *_rest):
        return self.answers[what]


@pytest.fixture
def measured(monkeypatch):
    """What takes people back with processes that answer this."""
    monkeypatch.setattr(run, "BEFORE", 0)
    monkeypatch.setattr(run, "AFTER", 0)

    def measure(done=DONE, **served):
        webs = [Answering(serve={}, stop={**SERVED, **served}), Answering(serve={}, stop={**SERVED, "last_slots": 10.5})]
        return run._rollback(Answering(roll_back=done), webs, SEEDED, ["--all"])

    return measure


def test_the_last_page_from_slots_of_any_process_counts_from_when_the_command_was_given(measured):
    found = measured()

    assert (found["last_slots_s"], found["effective_ms"], found["reconciled_s"]) == (0.5, 2.0, 0.3)
    assert (found["pages"], found["page_ms_median"]) == (18, 2.0)
    assert (found["own_ms_each"], found["database_ms_each"]) == (0.5, 2.5)


def test_a_database_on_another_machine_has_no_processor_time_here(measured):
    assert measured({**DONE, "database_s": None})["database_ms_each"] is None


@pytest.mark.parametrize(
    "changed",
    [
        {"done": {**DONE, "rolled_back": 3}},
        {"done": {**DONE, "failed": ["bob"]}},
        {"done": {**DONE, "edited": ["bob"]}},
        {"slots": 0},
        {"slots": 9},
    ],
    ids=["somebody stayed", "failed", "edited", "never on slots", "never off slots"],
)
def test_what_was_not_measured_is_no_figure(measured, changed):
    with pytest.raises(run.RolloutWrong):
        measured(**changed)


@pytest.mark.parametrize(
    ("plan", "scans"),
    [
        ("  ->  Index Scan using a on rollout_enrolment v0", []),
        ("  ->  Seq Scan on rollout_enrolment v0  (cost=0..9)", ["->  Seq Scan on rollout_enrolment v0  (cost=0..9)"]),
        ("Seq Scan on rollout_flag", []),
        ("3 0 0 SEARCH rollout_snapshot USING INDEX one (person_id=?)", []),
        ("3 0 0 SCAN migration_person", ["3 0 0 SCAN migration_person"]),
    ],
)
def test_a_plan_that_reads_a_table_of_people_whole_is_found(plan, scans):
    assert own.full_scans(plan) == scans


@pytest.mark.slow
def test_the_rollout_is_measured_beside_pages_and_leaves_nothing(db):
    out, told = StringIO(), StringIO()

    call_command("bench", "--rollout", "--people", "400", "--wave", "300", "--json", stdout=out, stderr=told)

    found = json.loads(out.getvalue())
    assert set(found) == {"rollout"}
    figures = found["rollout"]
    assert (figures["database"], figures["people"]) == (connection.vendor, 400)
    assert (figures["wave"]["people"], figures["everybody"]["people"]) == (300, 400)
    assert "300 people: last page from slots after" in told.getvalue()
    assert (figures["flag"]["queries"], figures["flag"]["indexed"]) in {(1, True), (1, connection.vendor != "postgresql")}
    for name in ("wave", "everybody"):
        assert 0 <= figures[name]["last_slots_s"] < 60  # 0: nobody was served slots once the command was given
        assert 0 < figures[name]["effective_ms"] / 1000 <= figures[name]["reconciled_s"] + 0.1
    lines = list(tables.lines(found))
    assert any(line.strip().startswith("everybody") for line in lines)
    assert f"{figures['flag']['times_faster']} times" in lines[-1]
