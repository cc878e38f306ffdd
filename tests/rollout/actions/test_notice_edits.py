"""Notices are content: checked when they are written, never changed once people have them, and every edit voids the sign-offs."""

from datetime import timedelta

import pytest

from rollout.actions.messages import send_due_notices
from rollout.actions.notice_edits import NoticeDraft, add_notice, edit_notice, remove_notice
from rollout.actions.plans import PhaseDraft, create_plan
from rollout.actions.waves import lock_wave
from rollout.errors import NoticeInUse, NoticeInvalid
from rollout.models import Channel, Event, Moment, Notice, NoticeDelivery, Plan
from rollout.states import PlanState
from tests.rollout.conftest import AT, SAID
from tests.rollout.telling import DAY, Server, dated

pytestmark = pytest.mark.django_db
WHY = {**SAID, "reason": "because"}
WEEK = NoticeDraft("A week before", 7 * DAY, "Your shop moves", "Dear {user}, at {starts_at}.")


@pytest.fixture
def plan(db):
    """A plan that was approved."""
    plan = create_plan("Winter", phases=[PhaseDraft("Pilot")], **SAID)
    Plan.objects.filter(pk=plan.pk).update(state=PlanState.SCHEDULED)
    plan.refresh_from_db()
    return plan


def test_a_new_notice_sends_the_plan_back_to_draft_and_is_in_the_record(plan):
    row = add_notice(plan, draft=WEEK, **WHY)

    plan.refresh_from_db()
    assert (plan.state, Notice.objects.get()) == (PlanState.DRAFT, row)
    assert Event.objects.about("plan", plan.pk).filter(kind="notice_added").get().data["name"] == "A week before"


@pytest.mark.parametrize(
    "draft",
    [
        NoticeDraft("N", DAY, "Hello", "Dear {name}"),
        NoticeDraft("N", DAY, "Two\nlines", "Text"),
        NoticeDraft("N", -DAY, "Hello", "Text"),
        NoticeDraft("N", DAY, "Hello", "Text", moment=Moment.AFTER_SWITCH),
    ],
)
def test_what_could_not_be_sent_is_not_written(plan, draft):
    with pytest.raises(NoticeInvalid):
        add_notice(plan, draft=draft, **WHY)

    plan.refresh_from_db()
    assert (plan.state, Notice.objects.count()) == (PlanState.SCHEDULED, 0)


def test_a_name_is_given_once_in_a_place(plan):
    add_notice(plan, draft=WEEK, **WHY)
    add_notice(plan, draft=WEEK, phase=plan.phases.get(), **WHY)

    with pytest.raises(NoticeInvalid, match="already"):
        add_notice(plan, draft=WEEK, **WHY)


def test_an_edit_is_checked_recorded_and_moves_what_is_planned(phase, customer, planned):
    row = add_notice(phase.plan, draft=WEEK, **WHY)
    wave = dated(planned(customer("ann", email="ann@example.org")), AT + 10 * DAY)
    lock_wave(wave, **SAID)

    assert edit_notice(row, lead=5 * DAY, **WHY)
    assert not edit_notice(row, lead=5 * DAY, **WHY)
    with pytest.raises(NoticeInvalid):
        edit_notice(row, body="{nobody}", **WHY)

    assert NoticeDelivery.objects.get().due_at == wave.starts_at - 5 * DAY
    assert Event.objects.filter(kind="content_edited").get().data["edits"]["lead"][1] == (5 * DAY).total_seconds()


@pytest.mark.parametrize("change", [{"body": "Other"}, {"subject": "Other"}, {"channel": Channel.IN_APP}])
def test_what_people_have_in_hand_is_not_changed(phase, customer, planned, change):
    row = add_notice(phase.plan, draft=WEEK, **WHY)
    wave = dated(planned(customer("ann", email="ann@example.org")), AT + 8 * DAY)
    lock_wave(wave, **SAID)
    send_due_notices(at=AT + DAY, transport=Server())

    with pytest.raises(NoticeInUse):
        edit_notice(row, **change, **WHY)

    assert edit_notice(row, lead=6 * DAY, is_required=False, **WHY)
    with pytest.raises(NoticeInUse):
        remove_notice(row, **WHY)


def test_a_notice_that_two_take_off_is_taken_off_once(plan):
    row = add_notice(plan, draft=WEEK, **WHY)
    other = Notice.objects.get(pk=row.pk)

    remove_notice(row, **WHY)
    remove_notice(other, **WHY)

    assert Event.objects.filter(kind="notice_removed").count() == 1


def test_a_notice_that_nobody_was_sent_is_removed(plan):
    row = add_notice(plan, draft=WEEK, **WHY)

    remove_notice(row, **WHY)

    assert Notice.objects.count() == 0
    assert Event.objects.filter(kind="notice_removed").get().data["lead_s"] == timedelta(days=7).total_seconds()
