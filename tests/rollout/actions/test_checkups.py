"""People are looked at after the switch; whose page differs goes back, alone."""

from datetime import timedelta
from functools import partial

import pytest
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext

from rollout.actions import checkups
from rollout.actions.checkups import check_people, differences
from rollout.actions.chunks import process_chunk
from rollout.actions.due import do_what_is_due
from rollout.actions.gates import add_policy
from rollout.actions.metrics import SOURCES
from rollout.actions.rollback import revoke_wave, roll_back_wave
from rollout.actions.waves import finish_wave, reopen_wave
from rollout.gates import Metric, Policy
from rollout.models import Enrolment, Event, Snapshot
from rollout.states import PersonState, WaveState
from slots.models import Body, SlotConfiguration
from tests.rollout.conftest import AT, SAID

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)
WHY = {**SAID, "reason": "it looks odd"}


@pytest.fixture
def switched(customers, started, clock):
    """A wave of three people on slots."""
    wave = started(*customers(3))
    process_chunk(wave, clock=clock)
    wave.refresh_from_db()
    return wave


def break_page(name):
    """Let what is installed for one person say something else, as a defect of a new release would."""
    person = Enrolment.objects.get(person__user=name).person
    row = SlotConfiguration.objects.get(key=name)
    other = Body.objects.exclude(pk=row.body_id).first() or Body.objects.create(
        digest="0" * 64, operations='{"ops": [], "schema": 1}', **_rest(row.body)
    )
    SlotConfiguration.objects.filter(pk=row.pk).update(body=other)
    snapshot = Snapshot.objects.get(person=person)
    snapshot.installed[0]["body_id"] = other.pk
    snapshot.save()


def _rest(body):
    names = {field.attname for field in Body._meta.concrete_fields} - {"digest", "operations"}
    return {name: getattr(body, name) for name in names}


def looked_at():
    return Event.objects.filter(kind="checked").count()


def test_the_first_check_is_set_by_the_switch(switched):
    assert set(switched.enrolments.values_list("switched_at", "next_check_at", "checks_done")) == {(AT, AT + HOUR, 0)}


def test_who_is_looked_at_and_sees_the_same_is_looked_at_again_later(switched):
    assert check_people(at=AT + HOUR - timedelta(seconds=1), by="tick").due == 0

    report = check_people(at=AT + HOUR, by="tick")

    assert (report.due, report.passed, report.taken_back) == (3, 3, [])
    assert set(switched.enrolments.values_list("next_check_at", "checks_done")) == {(AT + 6 * HOUR, 1)}
    assert [event.data for event in Event.objects.filter(kind="checked")] == [{"checks": 1}] * 3
    assert check_people(at=AT + HOUR, by="tick").due == 0


def test_whose_page_differs_goes_back_alone_and_counts_as_failed(switched, phase):
    break_page("c2")
    policy = add_policy(phase.plan, name="success", policy=Policy(Metric.MIGRATION_SUCCESS, 0.95, 0.98, 24 * HOUR), **SAID)

    report = check_people(at=AT + HOUR, by="tick")

    assert (report.due, report.passed, report.taken_back) == (3, 2, ["c2"])
    row = Enrolment.objects.get(person__user="c2")
    assert (row.state, row.code, row.next_check_at) == (PersonState.ROLLED_BACK, "CHECK_FAILED", None)
    assert row.text.startswith("shop.card: ")
    assert "a check after the switch failed" in Event.objects.about("enrolment", row.pk).last().reason
    assert set(SlotConfiguration.objects.values_list("key", flat=True)) == {"c1", "c3"}
    (reading,) = SOURCES[Metric.MIGRATION_SUCCESS](policy, AT - HOUR, AT + HOUR)
    assert (reading.numerator, reading.denominator) == (2, 3)


def test_what_raises_takes_the_person_back(switched, monkeypatch):
    def explode(self, sample):
        raise ZeroDivisionError("in the template")

    monkeypatch.setattr(checkups.PagePair, "page", explode)

    assert sorted(check_people(at=AT + HOUR, by="tick").taken_back) == ["c1", "c2", "c3"]
    assert set(Enrolment.objects.values_list("text", flat=True)) == {"shop.card: ZeroDivisionError: in the template"}


def test_a_database_that_fails_takes_nobody_back(switched, monkeypatch, clock):
    def fail(self, sample):
        raise OperationalError("the server went away")

    clock.advance(3600)
    with monkeypatch.context() as patch:
        patch.setattr(checkups.PagePair, "page", fail)
        report = do_what_is_due(at=clock())

    assert (report.failed["check"], switched.members_by_state()) == (1, {PersonState.SWITCHED: 3})
    assert do_what_is_due(at=clock()).done["check"] == 3


def test_one_who_cannot_be_taken_back_keeps_nobody_else(switched, monkeypatch):
    for name in ("c1", "c2"):
        break_page(name)
    genuine = checkups.roll_back_person

    def roll_back(person, **said):
        if person.user == "c1":
            raise OperationalError("the database is locked")
        return genuine(person, **said)

    with monkeypatch.context() as patch:
        patch.setattr(checkups, "roll_back_person", roll_back)
        report = check_people(at=AT + HOUR, by="tick")
    assert (report.passed, report.taken_back, report.failed) == (1, ["c2"], ["c1"])

    assert check_people(at=AT + HOUR, by="tick").taken_back == ["c1"]


def test_checks_that_were_missed_are_caught_up_by_one(switched):
    report = check_people(at=AT + 7 * HOUR, by="tick")

    assert (report.passed, looked_at()) == (3, 3)
    assert set(switched.enrolments.values_list("next_check_at", "checks_done")) == {(AT + 24 * HOUR, 2)}


def test_nobody_settles_before_the_last_check(switched, clock, monkeypatch):
    clock.advance(25 * 3600)
    with monkeypatch.context() as patch:
        patch.setattr("rollout.actions.due.check_people", partial(check_people, limit=2))  # a round that gets to two
        do_what_is_due(at=clock())
    assert switched.members_by_state() == {PersonState.SWITCHED: 1, PersonState.SETTLED: 2}

    do_what_is_due(at=clock())

    switched.refresh_from_db()
    assert (switched.state, looked_at()) == (WaveState.COMPLETED, 3)


def test_a_wave_that_is_finished_early_is_not_looked_at_any_more(switched):
    finish_wave(switched, **WHY)

    assert switched.members_by_state() == {PersonState.SETTLED: 3}
    assert check_people(at=AT + 30 * HOUR, by="tick").due == 0


def test_who_goes_back_has_no_check_left_and_a_further_attempt_begins_anew(switched):
    check_people(at=AT + HOUR, by="tick")
    revoke_wave(switched, **WHY)
    assert check_people(at=AT + 6 * HOUR, by="tick").due == 0

    roll_back_wave(switched, **WHY)
    assert set(switched.enrolments.values_list("next_check_at", flat=True)) == {None}
    reopen_wave(switched, **WHY)
    assert set(switched.enrolments.values_list("next_check_at", "checks_done")) == {(None, 0)}


def test_two_rounds_at_once_count_a_check_once(switched):
    rows = list(checkups.due_checks(AT + HOUR).select_related("person", "wave"))
    check_people(at=AT + HOUR, by="tick")

    assert checkups._pass(rows, at=AT + HOUR, by="late") == 0
    assert not any(checkups._take_back(row, "late", at=AT + HOUR, by="late") for row in rows)
    assert (looked_at(), switched.members_by_state()) == (3, {PersonState.SWITCHED: 3})


def test_what_a_person_changed_since_the_switch_is_theirs(switched):
    break_page("c1")
    SlotConfiguration.objects.filter(key="c1").update(body=SlotConfiguration.objects.get(key="c2").body)

    assert check_people(at=AT + HOUR, by="tick").taken_back == []


def test_a_difference_that_somebody_accepted_is_none(customer, started, clock, card):
    (person,) = [customer("c1")]
    process_chunk(started(person), clock=clock)
    break_page("c1")
    translation = person.customizations.get().translation
    row = translation.validations.get()
    row.pages = [{**page, "same": False} for page in row.pages]
    row.is_equal = False
    row.save()

    assert differences([person]) == {person.pk: ""}


def test_people_who_are_alike_share_a_comparison(customers, started, clock, monkeypatch):
    process_chunk(started(*customers(6)), clock=clock)
    made = []
    genuine = checkups.PagePair

    def counted(*args):
        made.append(args)
        return genuine(*args)

    monkeypatch.setattr(checkups, "PagePair", counted)
    check_people(at=AT + HOUR, by="tick")

    assert len(made) == 1


def test_looking_at_six_costs_no_more_queries_than_looking_at_two(customers, started, clock):
    people = customers(8)
    counts = []
    for group in (people[:2], people[2:]):
        process_chunk(started(*group), clock=clock)
        with CaptureQueriesContext(connection) as queries:
            assert check_people(at=AT + HOUR, by="tick").passed == len(group)
        counts.append(len(queries))

    assert counts[0] == counts[1]
