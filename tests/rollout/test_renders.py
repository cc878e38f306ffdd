"""What people's renders take becomes samples, behind the response."""

import os
from datetime import timedelta

import pytest
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext

from rollout import renders
from rollout.actions.chunks import process_chunk
from rollout.actions.gates import add_policy, assess
from rollout.actions.metrics import read
from rollout.gates import Arm, Code, Compare, Metric, Policy, Purpose
from rollout.models import Sample
from rollout.renders import EVERY, PATIENCE, observe, write_renders
from slots.actions.serving import PersonPage
from slots.schema import FELL_BACK, OK, RAISED, PersonKey
from tests.rollout.conftest import AT, CARD, CONTEXT, SAID

pytestmark = pytest.mark.django_db
BOB = PersonKey("default", "bob")
DAY = timedelta(hours=24)
SPEED = Policy(Metric.PERFORMANCE, 1.2, 1.1, DAY, Purpose.GATE, Compare.CONTROL, min_sample=20)
ERRORS = Policy(Metric.ERROR_RATE, 0.001, 0.001, DAY, Purpose.GATE, min_sample=10)


@pytest.fixture(autouse=True)
def counting(settings):
    """Count renders in this process, from nothing."""
    settings.SLOTS_RENDER_OBSERVER = "rollout.renders.observe"
    renders.counts.reset()
    yield
    renders.counts.reset()


def rendered(system, seconds, count=20, component=CARD, outcome=OK):
    for _ in range(count):
        observe(component, BOB, system, seconds, outcome)


def written():
    return {(row.metric, row.arm): (row.numerator, row.denominator, row.count) for row in Sample.objects.all()}


def test_renders_of_both_arms_become_samples(customers, started, clock):
    people = customers(2)
    process_chunk(started(people[0]), clock=clock)
    for person in people:
        for _ in range(20):
            PersonPage(person.key, at=AT).render(CARD, CONTEXT)

    assert write_renders(at=AT, is_last=True) == 4

    found = written()
    assert found["error_rate", "treated"] == found["error_rate", "control"] == (0, 20, 20)
    assert found["performance", "treated"][1:] == found["performance", "control"][1:] == (20, 20)
    assert set(Sample.objects.values_list("source", "taken_at")) == {("renders", AT)}


def test_a_legacy_page_that_fell_back_is_a_failure_of_its_arm(customer):
    person = customer("old", "--- a\n+++ b\n@@ -1 +1 @@\n-nothing like it\n+x\n")
    PersonPage(person.key, at=AT).render(CARD, CONTEXT)

    write_renders(at=AT, is_last=True)

    assert written() == {("error_rate", "control"): (1, 1, 1)}


def test_what_failed_is_counted_and_says_nothing_about_speed():
    rendered("slots", 0.01)
    rendered("slots", 5, count=3, outcome=FELL_BACK)
    rendered("slots", 5, count=2, outcome=RAISED)
    rendered("legacy", 0.01)

    write_renders(at=AT, is_last=True)

    found = written()
    assert found["error_rate", "treated"] == (5, 25, 25)
    assert found["performance", "treated"] == found["performance", "control"]


def test_samples_are_written_every_quarter_of_a_minute_and_no_more_often():
    rendered("slots", 0.01)
    assert write_renders(at=AT) == 0
    assert write_renders(at=AT + EVERY - timedelta(seconds=1)) == 0
    assert write_renders(at=AT + EVERY) == 1

    rendered("slots", 0.01)
    assert write_renders(at=AT + EVERY + timedelta(seconds=1)) == 0
    assert write_renders(at=AT + 2 * EVERY) == 1
    assert Sample.objects.count() == 2


def test_nothing_is_asked_while_a_page_is_made_nor_where_nothing_is_due(customers):
    (person,) = customers(1)
    PersonPage(person.key, at=AT).render(CARD, CONTEXT)
    write_renders(at=AT)
    page = PersonPage(person.key, at=AT)
    with CaptureQueriesContext(connection) as queries:
        for _ in range(24):
            page.render(CARD, CONTEXT)
        write_renders(at=AT + timedelta(seconds=14))

    assert len(queries) == 2  # the page's one, and the legacy system's own


def test_a_request_writes_behind_its_response(client, settings, monkeypatch):
    rendered("slots", 0.01)
    monkeypatch.setattr(renders, "EVERY", timedelta())

    assert client.get("/health/live/").status_code in {200, 404}

    assert written() == {("error_rate", "treated"): (0, 20, 20)}


def test_speed_is_written_once_there_are_enough_renders_in_both_arms():
    written_at = []
    for number in range(1, 15):
        rendered("slots", 0.012)
        rendered("legacy", 0.01)
        if write_renders(at=AT + number * EVERY) > 2:
            written_at.append(number)

    assert written_at == [10]
    assert written()["performance", "treated"][2] == 200


def test_a_component_waits_for_the_other_arm_but_not_for_ever():
    rendered("slots", 0.012)
    write_renders(at=AT, is_last=True)
    rendered("legacy", 0.01)
    assert write_renders(at=AT + PATIENCE, is_last=True) == 3

    rendered("slots", 0.012)
    write_renders(at=AT + PATIENCE, is_last=True)
    write_renders(at=AT + 3 * PATIENCE, is_last=True)
    rendered("legacy", 0.01)
    assert write_renders(at=AT + 3 * PATIENCE, is_last=True) == 1


def test_a_gate_compares_what_several_processes_rendered(phase):
    gate = add_policy(phase.plan, name="speed", policy=SPEED, **SAID)
    assert assess(gate, at=AT).code == Code.NO_READING
    for treated, count in ((0.010, 300), (0.030, 100)):
        rendered("slots", treated, count)
        rendered("legacy", 0.010, count)
        write_renders(at=AT, is_last=True)
        renders.counts.reset()  # goes by another name now, as another process does

    assert assess(gate, at=AT).value == pytest.approx((300 * 1 + 100 * 3) / 400, rel=0.03)
    assert {reading.samples for reading in read(gate, at=AT)} == {400}


def test_of_quantiles_those_of_the_newest_ones_minute_count(phase):
    gate = add_policy(phase.plan, name="speed", policy=SPEED, **SAID)
    for seconds, treated in ((60, 0.050), (59, 0.010), (0, 0.012)):
        rendered("slots", treated)
        rendered("legacy", 0.010)
        write_renders(at=AT - timedelta(seconds=seconds), is_last=True)

    assert assess(gate, at=AT).value == pytest.approx(1.1, rel=0.03)


def test_failures_add_up_over_the_window(phase):
    gate = add_policy(phase.plan, name="errors", policy=ERRORS, **SAID)
    for hours, outcome in ((30, RAISED), (2, OK), (0, FELL_BACK)):
        rendered("slots", 0.01, outcome=outcome)
        write_renders(at=AT - timedelta(hours=hours), is_last=True)

    (reading,) = read(gate, at=AT)
    assert (reading.numerator, reading.denominator, reading.samples, reading.arm) == (20, 40, 40, Arm.TREATED)


def test_a_database_that_fails_costs_no_count_and_counts_nothing_twice(monkeypatch):
    rendered("slots", 0.01)
    genuine = Sample.objects.bulk_create

    def fail(*args, **options):
        raise OperationalError("the database is locked")

    monkeypatch.setattr(Sample.objects, "bulk_create", fail)
    assert write_renders(at=AT, is_last=True) == 0
    monkeypatch.setattr(Sample.objects, "bulk_create", genuine)
    rendered("slots", 0.01, count=5)
    assert write_renders(at=AT, is_last=True) == 1

    assert written() == {("error_rate", "treated"): (0, 25, 25)}


def test_strangers_and_other_systems_are_in_no_arm():
    observe(CARD, None, "slots", 0.01, OK)
    observe(CARD, BOB, "third", 0.01, OK)

    assert write_renders(at=AT, is_last=True) == 0


def test_memory_is_bounded(monkeypatch):
    monkeypatch.setattr(renders, "COMPONENTS", 3)
    for number in range(renders.QUEUED + 50):
        observe(f"c{number}", BOB, "slots", 0.01, OK)
    assert len(renders._seen) == renders.QUEUED

    write_renders(at=AT, is_last=True)

    assert len(renders.counts._tallies["slots"].times) == 3
    assert written() == {("error_rate", "treated"): (0, renders.QUEUED, renders.QUEUED)}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no processes are forked here")
def test_a_forked_process_counts_for_itself():
    rendered("slots", 0.01)
    read_end, write_end = os.pipe()
    child = os.fork()
    if not child:
        os.write(write_end, f"{len(renders._seen)} {renders.counts._process}".encode())
        os._exit(0)
    os.waitpid(child, 0)
    count, name = os.read(read_end, 100).decode().split()

    assert (count, name != renders.counts._process, len(renders._seen)) == ("0", True, 20)
