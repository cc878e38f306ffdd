"""Each invariant is broken by SQL behind the models' backs, and seen."""

from dataclasses import replace
from datetime import time, timedelta

import pytest
from django.db import connection

from migration.models import Person
from rollout import gates
from rollout.actions.breaches import watch
from rollout.actions.chunks import claim, process_chunk
from rollout.actions.gates import add_policy, assess
from rollout.actions.holds import add_window, set_hold
from rollout.actions.people import override_person
from rollout.actions.plans import PhaseDraft, WaveDraft, add_phase, create_plan
from rollout.actions.rollback import roll_back_person, roll_back_wave
from rollout.audiences import Audience
from rollout.gates import Action, Metric, Policy, Purpose, Response
from rollout.models import (
    Breach,
    Enrolment,
    Event,
    FlagOverride,
    Freeze,
    GuardEvaluation,
    Notice,
    NoticeDelivery,
    NoticeText,
    Phase,
    Plan,
    Signoff,
    SignoffRequirement,
    Snapshot,
    Wave,
)
from rollout.rehearsal.invariants import CHECKS, Checker
from rollout.rehearsal.invariants.people import ASKED
from rollout.states import PersonState
from rollout.switch import engage_kill_switch
from rollout.waves import Standing, System
from tests.rollout.conftest import AT, SAID, bring_to_start
from tests.scenes import kept

pytestmark = pytest.mark.django_db
LATER = AT + timedelta(hours=1)


@pytest.fixture
def checker():
    return Checker()


def drop_checks(cursor, table):
    """Drop the check constraints of a table; the end of the test brings them back."""
    cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    cursor.execute("SELECT conname FROM pg_constraint WHERE contype = 'c' AND conrelid = %s::regclass", [table])
    for (name,) in cursor.fetchall():
        cursor.execute(f'ALTER TABLE {table} DROP CONSTRAINT "{name}"')


@pytest.fixture
def behind_their_backs():
    """What writes to the database past models, actions and, where it can, constraints."""

    def write(sql, *params):
        with connection.cursor() as cursor:
            if connection.vendor == "sqlite":
                cursor.execute("PRAGMA ignore_check_constraints = ON")
            elif sql.startswith("UPDATE "):
                drop_checks(cursor, sql.split()[1])
            cursor.execute(sql, params)
            if connection.vendor == "sqlite":
                cursor.execute("PRAGMA ignore_check_constraints = OFF")

    return write


@pytest.fixture
@kept
def moved(started, customers, clock):
    """A wave whose five people are on slots."""
    wave = started(*customers(5))
    process_chunk(wave, clock=clock)
    wave.refresh_from_db()
    return wave


def numbers(violations):
    return sorted({each.invariant for each in violations})


def test_nothing_is_found_where_all_is_well(checker, moved):
    assert checker.check(at=AT) == []
    roll_back_wave(moved, by="alice", at=LATER, reason="no good")
    assert checker.check(at=LATER, after_tick=True) == []
    assert checker.check_fully(at=LATER, after_tick=True) == []
    assert checker.looks == 3


def test_there_is_a_check_for_each_invariant_of_the_design():
    assert [each.number for each in CHECKS] == list(range(1, 14))


def test_1_somebody_on_slots_by_state_with_nothing_installed(checker, moved):
    assert checker.check(at=AT) == []
    Snapshot.objects.filter(person__user="c1").update(restored_at=LATER)

    (found, *_) = checker.check_fully(at=LATER)

    assert found.invariant == 1
    assert found.rows == ("c1",)


@pytest.mark.parametrize(
    ("rule", "blind"),
    [
        ("kill switch", {"is_killed": False}),
        ("legacy by support", {"override": None}),
        ("slots only with a proof", {"is_installed": True}),
        ("revoked wave", {"is_revoked": False}),
        ("state", {"state": PersonState.SWITCHED, "is_installed": True}),
    ],
)
def test_1_a_request_that_is_blind_to_a_rule_shows_another_system(checker, moved, monkeypatch, behind_their_backs, rule, blind):
    person = Person.objects.get(user="c1")
    if rule == "kill switch":
        engage_kill_switch(by="alice", at=AT, reason="odd pages")
    elif rule == "legacy by support":
        override_person(person, system=System.LEGACY, by="carol", at=AT, reason="asked for it")
    elif rule == "slots only with a proof":
        roll_back_person(person, by="alice", at=AT, reason="odd page")
        FlagOverride.objects.create(person=person, system="slots", by="carol", at=AT, reason="asked for it")
    elif rule == "revoked wave":
        behind_their_backs("UPDATE rollout_wave SET state = 'rolling_back', revoked_at = %s", AT)
    else:
        roll_back_person(person, by="alice", at=AT, reason="odd page")
    assert 1 not in numbers(checker.check_fully(at=AT))
    seeing = Standing.from_row
    monkeypatch.setattr(Standing, "from_row", lambda row: replace(seeing(row), **blind))

    found = [each for each in checker.check_fully(at=AT) if each.invariant == 1]

    assert len(found) == 1
    assert "people see another system than their rows say" in found[0].text
    assert "c1 has to see legacy" in found[0].rows


def test_1_whom_support_or_the_kill_switch_touched_is_asked_at_the_next_look(checker, moved, monkeypatch):
    checker.check(at=AT)
    seeing = Standing.from_row
    monkeypatch.setattr(Standing, "from_row", lambda row: replace(seeing(row), is_killed=False, override=None))
    assert checker.check(at=AT) == []

    override_person(Person.objects.get(user="c5"), system=System.LEGACY, by="carol", at=AT, reason="asked for it")
    (found,) = checker.check(at=AT)
    assert (found.invariant, found.rows) == (1, ("c5 has to see legacy",))

    engage_kill_switch(by="alice", at=AT, reason="odd pages")
    (found,) = checker.check(at=AT)
    assert (found.invariant, len(found.rows)) == (1, ASKED)


def test_13_somebody_has_two_live_places(checker, moved, planned, behind_their_backs):
    other = planned(limit=1)
    behind_their_backs("DROP INDEX rollout_one_live_enrolment")
    Snapshot.objects.update(enrolment=None)
    behind_their_backs("UPDATE rollout_enrolment SET id = 1000 + id")
    person = Enrolment.objects.order_by("pk").first().person
    Enrolment.objects.create(pk=1, plan=moved.phase.plan, wave=other, person=person, updated_at=AT)

    found = checker.check_fully(at=AT)

    assert 13 in numbers(found)
    assert any("two live places" in each.text for each in found)


def test_2_somebody_is_switched_whose_proof_is_gone(checker, moved, behind_their_backs):
    behind_their_backs("UPDATE migration_validation SET is_passed = %s", False)

    found = checker.check(at=AT)

    assert numbers(found) == [2]
    assert "c1 has no proof: VALIDATION_FAILED" in found[0].rows


def test_2_what_is_installed_is_not_what_was_proven(checker, moved):
    Snapshot.objects.update(installed=[])

    assert numbers(checker.check(at=AT)) == [2]


def test_2_a_wave_switches_people_and_pinned_no_engine(checker, moved):
    Wave.objects.update(engine_version="")

    found = checker.check(at=AT)

    assert numbers(found) == [2]
    assert "has pinned no engine" in found[0].rows[0]


@pytest.mark.parametrize("what", ["phase", "signoff", "notice", "window", "hold", "certificate"])
def test_3_a_wave_starts_without_something_that_it_needs(checker, started, customers, phase, what):
    wave = started(*customers(2))
    if what == "signoff":
        SignoffRequirement.objects.create(plan=phase.plan, phase=phase, role="CTO")
    elif what == "phase":
        Event.objects.create(subject="phase", subject_pk=phase.pk, kind="moved", to_state="skipped", by="mallory", at=AT)
        last = Event.objects.order_by("-pk").first()
        with connection.cursor() as cursor:  # it happened before the start
            cursor.execute("DELETE FROM rollout_event WHERE subject = 'phase' AND id <> %s", [last.pk])
            cursor.execute("UPDATE rollout_event SET id = -1 WHERE id = %s", [last.pk])
    elif what == "notice":
        Notice.objects.create(plan=phase.plan, name="Soon", lead=timedelta(days=2), subject="Soon", body="Soon.")
    elif what == "window":
        add_window(phase.plan, window=gates.Window("UTC", time(2), time(4)), **SAID)
    elif what == "hold":
        set_hold(wave, by="alice", at=AT - timedelta(minutes=1), reason="stop")
    elif what == "certificate":
        Phase.objects.filter(pk=phase.pk).update(needs_certificate=True)

    found = checker.check(at=AT)

    assert numbers(found) == [3]
    words = {
        "phase": "its phase was skipped",
        "signoff": "CTO had not signed",
        "notice": "“Soon” had not reached 2",
        "window": "no window was open",
        "hold": "“stop” held it",
        "certificate": "measured its rollback",
    }
    assert words[what] in found[0].text


@pytest.fixture
@kept
def agreed(opened):
    """A wave that started under the signatures of two roles."""
    wave = opened.waves.get()
    return bring_to_start(wave)


def test_3_a_wave_starts_under_signatures_of_another_content(checker, agreed):
    assert checker.check_fully(at=AT) == []
    Signoff.objects.filter(requirement__phase__isnull=False, requirement__role="CTO").update(content_hash="0" * 64)

    found = checker.check_fully(at=AT)

    assert numbers(found) == [3]
    assert "CTO had signed another content" in found[0].text


def test_3_the_content_is_edited_before_a_start_and_nobody_signs_again(checker, agreed, behind_their_backs):
    behind_their_backs("UPDATE rollout_phase SET objective = 'more'")  # without a trace

    found = checker.check_fully(at=AT)

    assert numbers(found) == [3]
    assert "CTO had signed another content; VP Product had signed another content" in found[0].text


def test_3_an_edit_after_a_start_makes_the_start_no_worse(checker, agreed):
    add_phase(agreed.phase.plan, draft=PhaseDraft("Rest"), by="alice", at=LATER, reason="there are more")
    plan = agreed.phase.plan
    Notice.objects.create(plan=plan, name="Soon", lead=timedelta(days=2), subject="Soon", body="Soon.")

    assert checker.check_fully(at=LATER) == []


@pytest.mark.parametrize("channel", ["in_app", "email"])
def test_3_who_has_no_address_is_told_in_the_application(checker, started, customers, phase, channel):
    wave = started(*customers(1))
    shared = {"plan": phase.plan, "lead": timedelta(days=2), "subject": "Soon", "body": "Soon."}
    mail = Notice.objects.create(name="Soon", **shared)
    shown = Notice.objects.create(name="Shown", channel=channel, is_required=False, **shared)
    about = {"enrolment": wave.enrolments.get(), "wave": wave, "attempt": 1, "schedule_version": 1, "due_at": AT}
    text = NoticeText.objects.create(digest="0" * 64, subject="Soon", body="Soon.")
    NoticeDelivery.objects.create(notice=mail, state="failed", error="NO_ADDRESS: none", **about)
    NoticeDelivery.objects.create(notice=shown, state="sent", sent_at=AT, text=text, **about)

    assert numbers(checker.check(at=AT)) == ([] if channel == "in_app" else [3])


def test_4_somebody_is_claimed_past_a_hold(checker, started, customers):
    wave = started(*customers(2))
    checker.check(at=AT)
    claim(wave, size=9, at=LATER)
    set_hold(wave, by="alice", at=LATER - timedelta(minutes=1), reason="stop")

    found = checker.check(at=LATER)

    assert numbers(found) == [4]
    assert "2 people" in found[0].text


def guard(phase, **changes):
    values = {
        "metric": Metric.MIGRATION_SUCCESS,
        "trip": 0.95,
        "clear": 0.98,
        "window": timedelta(hours=24),
        "min_sample": 1,
        "responses": (Response(Action.PAUSE), Response(Action.ROLL_BACK, timedelta(hours=4))),
    }
    return add_policy(phase.plan, name="Success", policy=Policy(**(values | changes)), phase=phase, **SAID)


@pytest.fixture
def breach(moved, phase, behind_their_backs):
    """An open breach about the wave: one of five people failed."""
    roll_back_person(moved.enrolments.order_by("pk").first().person, by="alice", at=AT, reason="odd page")
    watch(guard(phase), at=AT)
    return Breach.objects.get()


def test_4_the_hold_of_a_breach_outlives_it(checker, breach):
    checker.check(at=AT)
    Breach.objects.update(state="waived", closed_at=AT, closed_by="dora", closed_reason="fine")

    assert numbers(checker.check_fully(at=AT)) == [4]


def test_5_a_response_is_due_and_nobody_did_it(checker, breach):
    checker.check(at=AT)
    late = AT + timedelta(hours=5)

    assert numbers(checker.check(at=late)) == []
    assert numbers(checker.check(at=late, after_tick=True)) == [5]


def test_5_a_wave_goes_back_and_does_not_arrive(checker, moved, behind_their_backs):
    behind_their_backs("UPDATE rollout_wave SET state = 'rolling_back', revoked_at = %s", AT)

    assert 5 in numbers(checker.check(at=AT + timedelta(minutes=16), after_tick=True))


def test_5_a_wave_went_back_and_nobody_took_its_people_s_slots_away(checker, moved, behind_their_backs):
    roll_back_wave(moved, by="alice", at=AT, reason="no good")
    assert checker.check(at=AT) == []
    behind_their_backs("UPDATE rollout_wave SET revoked_at = NULL")

    found = checker.check_fully(at=AT)

    assert numbers(found) == [5]
    assert "though nobody took their people's slots away" in found[0].text


def test_6_a_verdict_is_not_what_its_numbers_give(checker, moved, phase):
    assess(guard(phase), at=AT)
    checker.check(at=AT)
    GuardEvaluation.objects.update(verdict="hold")

    assert numbers(checker.check(at=AT)) == []  # seen already
    assert numbers(checker.check_fully(at=AT)) == [6]


def test_6_a_pass_on_nothing_known(checker, moved, phase, behind_their_backs):
    assess(guard(phase, min_sample=1_000), at=AT)
    behind_their_backs("UPDATE rollout_guardevaluation SET verdict = 'pass'")

    found = checker.check(at=AT)

    assert numbers(found) == [6]
    assert "passed on TOO_FEW" in found[0].text


def test_6_a_wave_starts_past_a_gate_that_nobody_judged(checker, started, customers, customer, phase):
    started(*customers(2))
    row = guard(phase, purpose=Purpose.GATE, min_sample=1, responses=())
    process_chunk(phase.waves.get(), clock=lambda: AT)
    started(customer("dan"))
    GuardEvaluation.objects.all().delete()

    found = checker.check(at=AT)

    assert numbers(found) == [6]
    assert f"started past {row.name} though nobody had judged it" in found[0].text


def test_7_a_wave_has_more_people_than_its_share(checker, moved, phase, behind_their_backs):
    Phase.objects.update(population=10)
    Wave.objects.update(share=50)
    assert checker.check(at=AT) == []

    Wave.objects.update(share=30)

    found = checker.check_fully(at=AT)
    assert numbers(found) == [7]
    assert "30 % of 10 are 3.0" in found[0].text


def test_7_the_waves_do_not_add_up(checker, moved, started, customer, phase):
    started(customer("dan"))
    Phase.objects.update(population=7)
    Wave.objects.filter(pk=moved.pk).update(share=80)
    Wave.objects.exclude(pk=moved.pk).update(share=20)

    found = checker.check_fully(at=AT)

    assert numbers(found) == [7]
    assert "have 6 members; its frozen population is 7" in found[0].text


def test_7_who_was_deferred_to_a_wave_comes_on_top_of_its_share(checker, moved, phase, behind_their_backs):
    Phase.objects.update(population=4)
    Wave.objects.update(share=100)
    assert numbers(checker.check_fully(at=AT)) == [7]

    Enrolment.objects.filter(person__user="c1").update(chosen_for="deferred from First")

    assert checker.check_fully(at=AT) == []


def test_8_a_breach_forgets_its_wave(checker, breach, planned):
    checker.check(at=AT)
    Breach.objects.update(wave=planned(limit=3))

    assert 8 in numbers(checker.check(at=AT))


def test_8_a_breach_was_never_about_the_latest_wave(checker, breach, planned):
    Breach.objects.update(wave=planned(limit=3))

    assert 8 in numbers(checker.check_fully(at=AT))


def test_8_another_wave_was_taken_back(checker, breach):
    checker.check(at=AT)
    breach.responses.filter(action=Action.ROLL_BACK).update(done_at=LATER)

    assert numbers(checker.check_fully(at=AT)) == [8]


def test_9_somebody_gets_back_another_row_than_they_had(checker, moved, behind_their_backs):
    checker.check(at=AT)
    Snapshot.objects.filter(person__user="c1").update(configurations=[{"id": 1, "component": "shop.card"}])
    Enrolment.move_many(moved.enrolments.filter(person__user="c1"), to="rolling_back", by="alice", at=AT)
    Enrolment.move_many(moved.enrolments.all(), to="rolled_back", by="alice", at=AT, switched_at=None)
    Snapshot.objects.filter(person__user="c1").update(restored_at=AT)

    found = checker.check(at=AT)

    assert numbers(found) == [9]
    assert found[0].rows == ("c1 has other rows of their own",)


def test_9_diffs_stay_migrated(checker, moved):
    roll_back_wave(moved, by="alice", at=AT, reason="no good")
    assert checker.check(at=AT) == []
    with connection.cursor() as cursor:
        cursor.execute("UPDATE migration_customization SET state = 'migrated'")

    found = checker.check_fully(at=AT)

    assert numbers(found) == [9]
    assert "c1 has diffs that are not shown" in found[0].rows


def test_10_the_author_signs(checker, phase):
    required = SignoffRequirement.objects.create(plan=phase.plan, role="CTO")
    Signoff.objects.create(requirement=required, decision="approved", content_hash="a", by="alice", at=AT)
    assert numbers(checker.check(at=AT)) == [10]

    Signoff.objects.update(by="dora")
    Plan.objects.update(approved_by="alice")
    assert numbers(checker.check_fully(at=AT)) == [10]


def test_11_somebody_is_at_work_without_a_lease(checker, moved, behind_their_backs):
    behind_their_backs("UPDATE rollout_enrolment SET state = 'translating' WHERE id = %s", moved.enrolments.first().pk)

    assert 11 in numbers(checker.check(at=AT))


def test_11_a_lease_is_endless_or_over(checker, started, customers):
    wave = started(*customers(2))
    claim(wave, size=2, at=AT)
    assert checker.check(at=AT) == []
    assert numbers(checker.check(at=AT + timedelta(minutes=1), after_tick=True)) == [11]
    assert numbers(checker.check_fully(at=AT - timedelta(minutes=1))) == [11]


def test_12_somebody_is_claimed_outside_of_the_window_or_in_a_freeze(checker, moved, phase):
    add_window(phase.plan, window=gates.Window("UTC", time(2), time(4)), **SAID)
    assert 12 in numbers(checker.check_fully(at=AT))

    phase.plan.windows.all().delete()
    assert checker.check_fully(at=AT) == []

    Freeze.objects.create(
        starts_at=AT - timedelta(hours=1), ends_at=LATER, reason="sale", set_by="alice", set_at=AT - timedelta(hours=2)
    )
    assert 12 in numbers(checker.check_fully(at=AT))


def test_13_somebody_vanishes(checker, moved):
    Wave.objects.update(size=6)

    found = checker.check(at=AT)

    assert numbers(found) == [13]
    assert "6 were frozen, 5 are there" in found[0].rows[0]


def test_13_somebody_is_in_a_plan_that_their_wave_is_not_of(checker, moved):
    other = Plan.objects.create(name="Other", salt="x", author="alice", created_at=AT)
    Enrolment.objects.filter(person__user="c1").update(plan=other)

    assert numbers(checker.check(at=AT)) == [13]


def test_13_somebody_is_in_two_running_plans(checker, moved, behind_their_backs):
    other = create_plan("Other", phases=[PhaseDraft("Pilot", [WaveDraft("First", Audience(limit=1))])], **SAID)
    Plan.objects.filter(pk=other.pk).update(state="running")
    person = Enrolment.objects.order_by("pk").first().person
    wave = Wave.objects.get(phase__plan=other)
    Enrolment.objects.create(plan=other, wave=wave, person=person, is_live=False, updated_at=AT)
    behind_their_backs("UPDATE rollout_enrolment SET state = 'settled' WHERE plan_id = %s", other.pk)

    found = checker.check_fully(at=AT)

    assert 13 in numbers(found)
    assert any("two running plans" in each.text and each.rows == (f"person {person.pk}",) for each in found)
