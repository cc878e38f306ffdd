"""Notices: planned once for each schedule, sent at most once, and required ones keep a wave until they are done or waived."""

from datetime import UTC, timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models import F
from django.test.utils import CaptureQueriesContext

from migration.models import Person
from rollout.actions.chunks import process_chunk
from rollout.actions.deferrals import defer_person, withdraw_deferral
from rollout.actions.due import do_what_is_due
from rollout.actions.messages import messages_for, send_due_notices
from rollout.actions.notices import (
    counts_of,
    missing_notices,
    plan_afterwards,
    plan_notices,
    sendable,
    waive_notice,
)
from rollout.actions.outbox import MAX_TRIES, UNKNOWN
from rollout.actions.people import exclude_person
from rollout.actions.plans import PhaseDraft, add_phase
from rollout.actions.rollback import roll_back_wave
from rollout.actions.waves import announce_wave, cancel_wave, lock_wave, reopen_wave, reschedule_wave, start_wave
from rollout.errors import (
    DeliveryUnknown,
    MessageDelayed,
    MessageRefused,
    NameMissing,
    NoticeInvalid,
    NoticeMissing,
    ReasonMissing,
)
from rollout.models import DeliveryState, Enrolment, Event, NoticeDelivery, NoticeWaiver, Plan
from rollout.states import PersonState, PlanState, WaveState
from rollout.switch import engage_kill_switch
from tests.rollout.conftest import AT, SAID
from tests.rollout.telling import DAY, HOUR, MINUTE, Server, dated, in_app, survey, write_notice

pytestmark = pytest.mark.django_db
WHY = {**SAID, "reason": "because"}


@pytest.fixture
def told_wave(customer, planned):
    """What makes a wave with a date, of people with addresses, whose plan has the given notices."""

    def make(*names, starts_at=AT + 8 * DAY, **fields):
        people = [customer(name, email=f"{name}@example.org", **fields) for name in names]
        return dated(planned(*people), starts_at)

    return make


def states(wave):
    rows = NoticeDelivery.objects.filter(wave=wave).order_by("notice", "pk")
    return [(row.notice.name, row.state) for row in rows.select_related("notice")]


def texts(wave, at=AT):
    return [each.text for each in missing_notices(wave, at=at)]


def test_locking_plans_a_message_to_each_member_for_each_notice(told_wave, phase):
    wave = told_wave("ann", "ben")
    week, shown = write_notice(phase.plan), in_app(phase.plan, lead=2 * DAY, phase=phase)

    lock_wave(wave, **SAID)

    rows = NoticeDelivery.objects.filter(wave=wave)
    assert {(row.notice_id, row.due_at, row.state, row.attempt, row.schedule_version) for row in rows} == {
        (week.pk, wave.starts_at - 7 * DAY, "pending", 1, 1),
        (shown.pk, wave.starts_at - 2 * DAY, "pending", 1, 1),
    }
    assert rows.count() == 4
    assert plan_notices(wave, at=AT) == 0


def test_notices_of_another_phase_or_plan_are_not_this_waves(told_wave, phase):
    wave = told_wave("ann")
    other = add_phase(phase.plan, draft=PhaseDraft("Beta"), **SAID)
    write_notice(phase.plan, "Of another phase", phase=other)
    write_notice(Plan.objects.create(name="Other", salt="s", author="a", created_at=AT), "Of another plan")

    lock_wave(wave, **SAID)

    assert states(wave) == []


def test_planning_costs_the_same_queries_for_one_and_for_many(customers, planned, phase):
    write_notice(phase.plan)
    counts = []
    people = customers(12)
    for group in (people[:1], people[1:]):
        wave = dated(planned(*group))
        with CaptureQueriesContext(connection) as queries:
            lock_wave(wave, **SAID)
        counts.append(len(queries))

    assert counts[0] == counts[1]


def test_the_database_refuses_a_second_message_of_one_schedule(told_wave, phase):
    wave = told_wave("ann")
    notice = write_notice(phase.plan)
    lock_wave(wave, **SAID)
    row = NoticeDelivery.objects.get()

    with pytest.raises(IntegrityError), transaction.atomic():
        NoticeDelivery.objects.create(notice=notice, enrolment=row.enrolment, wave=wave, attempt=1, schedule_version=1, due_at=AT)


def test_due_messages_are_sent_once_and_said_in_the_persons_own_time(told_wave, phase):
    wave = told_wave("ann", time_zone="Europe/Berlin")
    write_notice(phase.plan)
    lock_wave(wave, **SAID)
    server = Server()

    early = send_due_notices(at=AT + DAY - MINUTE, transport=server)
    first = send_due_notices(at=AT + DAY, transport=server)
    again = send_due_notices(at=AT + DAY, transport=server)

    assert (early.sent, first.sent, again.sent) == (0, 1, 0)
    (message,) = server.sent
    assert (message.to, message.subject) == ("ann@example.org", "Your shop moves")
    assert "Tuesday, 1 December 2026, 10:00 (Europe/Berlin; 09:00 UTC)" in message.body
    row = NoticeDelivery.objects.get()
    assert (row.state, row.sent_at, row.tries, row.error) == ("sent", AT + DAY, 1, "")


def test_a_worker_that_dies_while_it_sends_leaves_a_message_in_doubt_that_is_never_sent_again(told_wave, phase):
    wave = told_wave("ann", "ben")
    write_notice(phase.plan)
    lock_wave(wave, **SAID)
    server = Server({"ann@example.org": KeyboardInterrupt()})

    with pytest.raises(KeyboardInterrupt):
        send_due_notices(at=AT + DAY, transport=server)
    later = send_due_notices(at=AT + 2 * DAY, transport=Server())

    assert later.sent == 0
    assert {(row.state, row.error) for row in NoticeDelivery.objects.all()} == {("failed", UNKNOWN)}
    assert texts(wave, AT + 2 * DAY) == ["“A week before”, 7 days before the start: 2 of 2 could not be reached."]


def test_without_the_claim_a_message_would_be_sent_twice(told_wave, phase, monkeypatch):
    wave = told_wave("ann")
    write_notice(phase.plan)
    lock_wave(wave, **SAID)
    monkeypatch.setattr("rollout.actions.outbox.CLAIMED", DeliveryState.PENDING)
    server = Server({"ann@example.org": KeyboardInterrupt()})

    with pytest.raises(KeyboardInterrupt):
        send_due_notices(at=AT + DAY, transport=server)
    server.troubles.clear()

    assert send_due_notices(at=AT + DAY, transport=server).sent == 1


def test_what_was_not_sent_when_the_line_went_dead_is_sent_in_the_next_session(told_wave, phase):
    wave = told_wave("ann", "ben", "cat")
    write_notice(phase.plan)
    lock_wave(wave, **SAID)
    server = Server({"ben@example.org": DeliveryUnknown("gone")})
    order = list(NoticeDelivery.objects.order_by("pk").values_list("enrolment__person__user", flat=True))

    first = send_due_notices(at=AT + DAY, transport=server)
    second = send_due_notices(at=AT + DAY + MINUTE, transport=server)

    before = order.index("ben")
    assert (first.sent, first.failed, bool(first.away)) == (before, 1, True)
    assert (second.sent, second.failed) == (2 - before, 0)
    assert sorted(server.recipients) == ["ann@example.org", "cat@example.org"]
    assert NoticeDelivery.objects.get(enrolment__person__user="ben").error.startswith("DELIVERY_UNKNOWN")


def test_a_server_that_is_away_costs_nobody_a_try(told_wave, phase):
    wave = told_wave("ann")
    write_notice(phase.plan)
    lock_wave(wave, **SAID)

    report = send_due_notices(at=AT + DAY, transport=Server(away="no route"))

    assert (report.sent, report.remaining) == (0, 1)
    assert "no route" in report.away
    assert list(NoticeDelivery.objects.values_list("state", "tries")) == [("pending", 0)]


def test_a_delayed_message_is_tried_again_later_each_time_and_then_given_up(told_wave, phase):
    wave = told_wave("ann")
    write_notice(phase.plan)
    lock_wave(wave, **SAID)
    server = Server({"ann@example.org": MessageDelayed("450 busy")})
    waits = []
    at = AT + DAY
    while NoticeDelivery.objects.get().state == DeliveryState.PENDING:
        send_due_notices(at=at, transport=server)
        row = NoticeDelivery.objects.get()
        waits.append((row.due_at - at) // MINUTE)
        at = row.due_at

    assert (row.state, row.tries) == ("failed", MAX_TRIES)
    assert waits[:-1] == [1, 2, 4, 8, 16]
    assert row.error.startswith("TRIED_TOO_OFTEN")


def test_a_refused_message_fails_and_keeps_the_wave_until_somebody_waives_it(told_wave, phase):
    wave = told_wave("ann", "ben")
    notice = write_notice(phase.plan)
    lock_wave(wave, **SAID)
    send_due_notices(at=AT + DAY, transport=Server({"ann@example.org": MessageRefused("550 unknown")}))

    with pytest.raises(NoticeMissing, match="1 of 2 could not be reached") as refused:
        announce_wave(wave, by="alice", at=AT + DAY, reason="by letter")
    assert refused.value.code == "NOTICE_MISSING"

    assert waive_notice(notice, wave, by="dora", at=AT + DAY, reason="called them")
    assert not waive_notice(notice, wave, by="dora", at=AT + DAY, reason="called them")
    assert announce_wave(wave, by="alice", at=AT + DAY, reason="by letter and telephone") == 2
    assert Event.objects.about("wave", wave.pk).filter(kind="notice_waived").get().by == "dora"


@pytest.mark.parametrize(
    ("by", "reason", "error"), [("", "why", NameMissing), ("phoenix", "why", NameMissing), ("dora", " ", ReasonMissing)]
)
def test_a_waiver_is_by_name_and_with_a_reason(told_wave, phase, by, reason, error):
    wave = told_wave("ann")
    notice = write_notice(phase.plan)

    with pytest.raises(error):
        waive_notice(notice, wave, by=by, at=AT, reason=reason)


def test_a_notice_of_another_plan_cannot_be_waived_here(told_wave):
    wave = told_wave("ann")
    other = write_notice(Plan.objects.create(name="Other", salt="s", author="a", created_at=AT))

    with pytest.raises(NoticeInvalid):
        waive_notice(other, wave, by="dora", at=AT, reason="why")


def test_a_waiver_is_for_one_date_and_one_attempt(told_wave, phase):
    wave = told_wave("ann")
    notice = write_notice(phase.plan)
    lock_wave(wave, **SAID)
    waive_notice(notice, wave, by="dora", at=AT, reason="called them")
    assert texts(wave) == []

    reschedule_wave(wave, starts_at=AT + 20 * DAY, **WHY)
    lock_wave(wave, **SAID)

    assert len(texts(wave)) == 1
    assert NoticeWaiver.objects.count() == 1


def test_a_wave_does_not_start_before_all_required_notices_are_done(told_wave, phase):
    wave = told_wave("ann")
    write_notice(phase.plan)
    write_notice(phase.plan, "An hour before", lead=HOUR)
    write_notice(phase.plan, "By the way", lead=3 * HOUR, is_required=False)
    lock_wave(wave, **SAID)
    send_due_notices(at=AT + DAY, transport=Server())
    announce_wave(wave, by="alice", at=AT + DAY, reason="the first is delivered")

    with pytest.raises(NoticeMissing, match=r"An hour before.*are told at 2026-12-01 08:00 UTC"):
        start_wave(wave, by="alice", at=AT + 7 * DAY)
    wave.refresh_from_db()
    assert wave.state == WaveState.ANNOUNCED

    send_due_notices(at=AT + 8 * DAY - HOUR, transport=Server())
    assert start_wave(wave, by="alice", at=AT + 8 * DAY) == 1


def test_without_the_guard_the_wave_would_start_untold(told_wave, phase, monkeypatch):
    wave = told_wave("ann")
    write_notice(phase.plan)
    lock_wave(wave, **SAID)
    monkeypatch.setattr("rollout.actions.readiness.missing_notices", lambda *_args, **_said: [])
    monkeypatch.setattr("rollout.actions.waves.announcing_notice", lambda _wave: None)

    announce_wave(wave, by="alice", at=AT, reason="nobody did")

    assert start_wave(wave, by="alice", at=AT) == 1


def test_a_wave_that_is_locked_late_says_so_and_sends_at_once(told_wave, phase):
    wave = told_wave("ann", starts_at=AT + 3 * DAY)
    write_notice(phase.plan)
    lock_wave(wave, **SAID)

    assert send_due_notices(at=AT, transport=Server()).sent == 1

    (text,) = texts(wave)
    assert text.startswith("“A week before”, 7 days before the start: 1 of 1 were told later than that (it had to be by ")


def test_of_late_notices_the_latest_is_sent_and_both_need_a_waiver(told_wave, phase):
    wave = told_wave("ann", starts_at=AT + DAY)
    week, two = write_notice(phase.plan), write_notice(phase.plan, "Two days before", lead=2 * DAY)
    lock_wave(wave, **SAID)
    server = Server()

    send_due_notices(at=AT, transport=server)

    assert len(server.sent) == 1
    assert states(wave) == [("A week before", "cancelled"), ("Two days before", "sent")]
    assert [each.notice for each in missing_notices(wave, at=AT)] == [week, two]
    assert "were not told, since it would have come too late" in texts(wave)[0]


def test_a_server_that_was_away_for_too_long_makes_a_notice_late(told_wave, phase):
    wave = told_wave("ann")
    write_notice(phase.plan)
    lock_wave(wave, **SAID)

    send_due_notices(at=AT + DAY + 20 * HOUR, transport=Server())

    assert "were told later than that" in texts(wave)[0]


def test_a_wave_without_a_date_cannot_tell_anybody(customer, planned, phase):
    wave = planned(customer("ann", email="ann@example.org"))
    notice = write_notice(phase.plan)
    lock_wave(wave, **SAID)

    assert states(wave) == []
    assert texts(wave) == ["“A week before”, 7 days before the start: the wave has no date that people could be told."]
    waive_notice(notice, wave, by="dora", at=AT, reason="by letter")
    announce_wave(wave, by="alice", at=AT, reason="by letter")
    assert start_wave(wave, by="alice", at=AT) == 1


def test_who_has_no_address_is_told_in_the_application_where_a_notice_of_the_same_lead_is_there(customer, planned, phase):
    wave = dated(planned(customer("ann", email="ann@example.org"), customer("ben")))
    write_notice(phase.plan)
    lock_wave(wave, **SAID)
    send_due_notices(at=AT + DAY, transport=Server())
    ben = NoticeDelivery.objects.get(enrolment__person__user="ben")
    assert (ben.state, ben.error) == ("failed", "NO_ADDRESS: the person has no e-mail address.")
    assert texts(wave, AT + DAY) == ["“A week before”, 7 days before the start: 1 of 2 could not be reached."]

    in_app(phase.plan, lead=6 * DAY)
    plan_notices(wave, at=AT + DAY)
    send_due_notices(at=AT + 2 * DAY, transport=Server())
    assert len(texts(wave, AT + 2 * DAY)) == 1  # of another lead

    in_app(phase.plan, "Shown with the e-mail")
    plan_notices(wave, at=AT + DAY)
    send_due_notices(at=AT + DAY, transport=Server())
    assert texts(wave, AT + DAY) == []


def test_what_is_told_in_the_application_is_there_for_its_person_only(told_wave, phase):
    wave = told_wave("ann", "ben")
    in_app(phase.plan, subject="<b>{user}</b>")
    lock_wave(wave, **SAID)
    ann, ben = Person.objects.get(user="ann"), Person.objects.get(user="ben")
    assert messages_for(ann) == []

    assert send_due_notices(at=AT + DAY, transport=Server(away="not needed")).sent == 2

    assert [(each.at, each.subject) for each in messages_for(ann)] == [(AT + DAY, "<b>ann</b>")]
    assert [each.subject for each in messages_for(ben)] == ["<b>ben</b>"]


def test_a_notice_that_was_written_past_the_check_fails_alone(told_wave, phase):
    wave = told_wave("ann")
    write_notice(phase.plan, body="Dear {name}")
    write_notice(phase.plan, "Good", lead=7 * DAY)
    lock_wave(wave, **SAID)

    report = send_due_notices(at=AT + DAY, transport=Server())

    assert (report.sent, report.failed) == (1, 1)
    assert NoticeDelivery.objects.get(state="failed").error.startswith("NOTICE_INVALID")


def leave(what, wave):
    row = wave.enrolments.get(person__user="ann")
    if what == "rescheduled":
        reschedule_wave(wave, starts_at=AT + 30 * DAY, **WHY)
    elif what == "cancelled":
        cancel_wave(wave, **WHY)
    elif what == "excluded":
        exclude_person(row, **WHY)
    elif what == "deferred":
        Enrolment.move_many(Enrolment.objects.filter(pk=row.pk), to=PersonState.DEFERRED, by="alice", at=AT, updated_at=AT)
    elif what == "another attempt":
        type(wave).objects.filter(pk=wave.pk).update(attempt=F("attempt") + 1)


@pytest.mark.parametrize("what", ["rescheduled", "cancelled", "excluded", "deferred", "another attempt"])
def test_who_leaves_is_told_nothing_more(told_wave, phase, what):
    wave = told_wave("ann")
    write_notice(phase.plan)
    lock_wave(wave, **SAID)
    leave(what, wave)
    server = Server()

    send_due_notices(at=AT + 5 * DAY, transport=server)

    assert server.sent == []
    assert NoticeDelivery.objects.get().state == DeliveryState.CANCELLED


def test_who_waits_for_a_later_wave_is_told_of_that_one_and_who_comes_back_of_theirs(told_wave, planned, customer, phase):
    first = told_wave("ann", "ben")
    later = dated(planned(customer("zoe", email="zoe@example.org")), AT + 12 * DAY)
    write_notice(phase.plan)
    for wave in (first, later):
        lock_wave(wave, by="alice", at=AT)
    row = first.enrolments.get(person__user="ann")
    defer_person(row, to=later, **WHY)

    of_ann = NoticeDelivery.objects.filter(enrolment__person__user="ann")
    assert set(of_ann.values_list("wave", "state")) == {(first.pk, "cancelled"), (later.pk, "pending")}

    row.refresh_from_db()
    withdraw_deferral(row, **WHY)
    server = Server()
    send_due_notices(at=AT + DAY, transport=server)
    send_due_notices(at=AT + 5 * DAY, transport=server)

    assert sorted(server.recipients) == ["ann@example.org", "ben@example.org", "zoe@example.org"]
    assert texts(first, AT + 5 * DAY) == texts(later, AT + 5 * DAY) == []


def test_people_of_a_new_date_are_told_again(told_wave, phase):
    wave = told_wave("ann")
    write_notice(phase.plan)
    lock_wave(wave, **SAID)
    server = Server()
    send_due_notices(at=AT + DAY, transport=server)

    reschedule_wave(wave, starts_at=AT + 30 * DAY, **WHY)
    lock_wave(wave, **SAID)
    send_due_notices(at=AT + 23 * DAY, transport=server)

    assert [("1 December" in each.body, "23 December" in each.body) for each in server.sent] == [(True, False), (False, True)]


def test_while_the_plan_is_a_draft_again_nobody_is_told(told_wave, phase):
    wave = told_wave("ann")
    write_notice(phase.plan)
    lock_wave(wave, **SAID)
    Plan.objects.filter(pk=phase.plan_id).update(state=PlanState.DRAFT)

    assert send_due_notices(at=AT + DAY, transport=Server()).sent == 0
    assert NoticeDelivery.objects.get().state == DeliveryState.PENDING

    Plan.objects.filter(pk=phase.plan_id).update(state=PlanState.RUNNING)
    assert send_due_notices(at=AT + DAY, transport=Server()).sent == 1


@pytest.fixture
def moved(told_wave, clock, phase):
    """What makes a wave whose people were switched at once, with a survey two hours later."""

    def make(*names):
        wave = told_wave(*names)
        survey(phase.plan)
        lock_wave(wave, **SAID)
        announce_wave(wave, by="alice", at=AT, reason="by letter")
        start_wave(wave, by="alice", at=AT)
        process_chunk(wave, clock=clock)
        wave.refresh_from_db()
        return wave

    return make


def test_after_the_switch_each_person_is_told_in_their_own_time(moved):
    wave = moved("ann", "ben")
    Enrolment.objects.filter(person__user="ben").update(switched_at=AT + HOUR)

    assert (plan_afterwards(at=AT + HOUR), plan_afterwards(at=AT + HOUR)) == (2, 0)

    server = Server()
    assert send_due_notices(at=AT + 2 * HOUR, transport=server).sent == 1
    assert server.recipients == ["ann@example.org"]
    assert send_due_notices(at=AT + 3 * HOUR, transport=server).sent == 1
    assert texts(wave) == []


def test_who_was_taken_back_gets_no_survey(moved):
    wave = moved("ann")
    plan_afterwards(at=AT + MINUTE)
    roll_back_wave(wave, **WHY)

    assert send_due_notices(at=AT + DAY, transport=Server()).sent == 0
    assert NoticeDelivery.objects.get().state == DeliveryState.CANCELLED


def test_while_the_kill_switch_is_on_nobody_is_told_that_they_were_switched(moved):
    moved("ann")
    plan_afterwards(at=AT + MINUTE)
    engage_kill_switch(**WHY)

    assert not sendable(AT + DAY).exists()


def test_a_wave_that_completes_at_once_still_sends_its_survey(moved):
    wave = moved("ann")
    type(wave).objects.filter(pk=wave.pk).update(soak=timedelta())
    server = Server()

    do_what_is_due(at=AT + MINUTE, transport=server)
    do_what_is_due(at=AT + 3 * HOUR, transport=server)

    wave.refresh_from_db()
    assert wave.state == WaveState.COMPLETED
    assert server.recipients == ["ann@example.org"]


def test_a_further_attempt_has_no_date_until_it_is_given_one(moved):
    wave = moved("ann")
    roll_back_wave(wave, **WHY)
    wave.refresh_from_db()

    reopen_wave(wave, **WHY)

    assert (wave.starts_at, wave.attempt) == (None, 2)
    do_what_is_due(at=AT + 30 * DAY, transport=Server())
    wave.refresh_from_db()
    assert wave.state == WaveState.PLANNED


def test_the_counts_of_a_wave_are_of_its_present_schedule(told_wave, phase):
    wave = told_wave("ann", "ben")
    write_notice(phase.plan)
    lock_wave(wave, **SAID)
    send_due_notices(at=AT + DAY, transport=Server({"ann@example.org": MessageRefused("550")}))

    (row,) = counts_of(wave)
    assert {name: row[name] for name in ("pending", "sent", "failed", "cancelled")} == {
        "pending": 0, "sent": 1, "failed": 1, "cancelled": 0,
    }  # fmt: skip
    reschedule_wave(wave, starts_at=AT + 30 * DAY, **WHY)
    assert counts_of(wave)[0]["sent"] == 0


def test_sending_is_bounded_and_says_what_is_left(told_wave, phase):
    wave = told_wave("ann", "ben", "cat")
    write_notice(phase.plan)
    lock_wave(wave, **SAID)

    report = send_due_notices(at=AT + DAY, transport=Server(), limit=2)

    assert (report.sent, report.remaining) == (2, 1)


def test_a_message_says_utc_where_the_person_has_no_zone(told_wave, phase):
    wave = told_wave("ann")
    write_notice(phase.plan)
    lock_wave(wave, **SAID)
    server = Server()

    send_due_notices(at=AT + DAY, transport=server)

    assert f"{wave.starts_at.astimezone(UTC):%H:%M} UTC" in server.sent[0].body
