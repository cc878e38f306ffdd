"""Notices, their messages and the calendar in the admin: who may write, what is refused and said, what each page shows."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from migration.models import Person
from rollout.actions.messages import send_due_notices
from rollout.actions.waves import lock_wave
from rollout.models import Event, Freeze, Notice, NoticeDelivery, NoticeText, NoticeWaiver
from tests.rollout.admin.conftest import act_address, text_of
from tests.rollout.conftest import AT, SAID
from tests.rollout.telling import DAY, Server, dated, write_notice
from tests.scenes import kept

pytestmark = pytest.mark.django_db
NAMES = ("notice", "noticedelivery", "noticewaiver", "freeze")


@pytest.fixture
@kept
def told(customer, planned, phase):
    """A locked wave of two people, one of whom has no address, who were told, and a waiver and a freeze beside."""
    notice = write_notice(phase.plan)
    wave = dated(planned(customer("ann", email="ann@example.org"), customer("ben")), AT + 8 * DAY)
    lock_wave(wave, **SAID)
    send_due_notices(at=AT + DAY, transport=Server())
    NoticeWaiver.objects.create(notice=notice, wave=wave, attempt=9, schedule_version=1, by="dora", reason="r", at=AT)
    Freeze.objects.create(starts_at=AT, ends_at=AT + DAY, reason="Christmas", set_by="alice", set_at=AT)
    return wave


def written(phase, **changes):
    return {
        "plan": phase.plan_id, "phase": "", "name": "A day before", "channel": "email", "moment": "before_start",
        "lead": "1 00:00:00", "subject": "Tomorrow", "body": "Dear {user}", "is_required": "on", "reason": "asked for", **changes,
    }  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_lists_and_pages_open_for_an_auditor_who_changes_nothing(page_of, arthur, told, name):
    listing = page_of(arthur, reverse(f"admin:rollout_{name}_changelist"))
    row = listing.context["cl"].queryset.first()
    page = page_of(arthur, reverse(f"admin:rollout_{name}_change", args=[row.pk]))

    assert (listing.status_code, page.status_code) == (200, 200)
    assert not any(page.context[f"has_{right}_permission"] for right in ("add", "change", "delete"))


@pytest.mark.parametrize("name", NAMES)
def test_who_has_no_rights_sees_nothing(page_of, charlie, name):
    assert page_of(charlie, reverse(f"admin:rollout_{name}_changelist")).status_code == 403


def test_the_lists_cost_the_same_queries_for_one_and_for_many(client, alice, told, customers, planned, phase):
    client.force_login(alice)
    addresses = [reverse(f"admin:rollout_{name}_changelist") for name in NAMES]

    def count():
        with CaptureQueriesContext(connection) as queries:
            assert {client.get(address).status_code for address in addresses} == {200}
        return len(queries)

    count()
    one = count()
    for number in range(5):
        notice = write_notice(phase.plan, f"Notice {number}")
        NoticeWaiver.objects.create(notice=notice, wave=told, attempt=1, schedule_version=1, by="d", reason="r", at=AT)
        Freeze.objects.create(plan=phase.plan, starts_at=AT, ends_at=AT + DAY, reason="Snow", set_by="alice", set_at=AT)
    lock_wave(dated(planned(*customers(3))), **SAID)

    assert count() == one


def test_an_operator_writes_a_notice_and_says_why(client, alice, phase):
    client.force_login(alice)

    client.post(reverse("admin:rollout_notice_add"), written(phase))

    row = Notice.objects.get()
    assert (row.name, row.lead, row.is_required) == ("A day before", timedelta(days=1), True)
    assert Event.objects.get(kind="notice_added").reason == "asked for"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"body": "Dear {name}"}, "{name} is not known here"),
        ({"subject": "{user.pk}"}, "is not known here"),
        ({"moment": "after_switch"}, "No wave can wait"),
        ({"lead": "-1 00:00:00"}, "not below zero"),
        ({"reason": ""}, "This field is required"),
    ],
)
def test_what_cannot_be_sent_is_refused_beside_what_was_typed(client, alice, phase, change, said):
    client.force_login(alice)

    page = client.post(reverse("admin:rollout_notice_add"), written(phase, **change))

    assert said in text_of(page)
    assert Notice.objects.count() == 0


def test_words_that_people_have_are_not_changed_but_the_lead_is(client, alice, told, phase):
    row = Notice.objects.get()
    address = reverse("admin:rollout_notice_change", args=[row.pk])
    as_it_is = written(phase, name=row.name, subject=row.subject, body=row.body, lead="7 00:00:00")
    client.force_login(alice)

    refused = client.post(address, as_it_is | {"body": "Other"})
    client.post(address, as_it_is | {"lead": "6 00:00:00"})

    assert "was sent already" in text_of(refused)
    row.refresh_from_db()
    assert (row.body.startswith("Dear"), row.lead) == (True, timedelta(days=6))


def test_a_wave_says_what_its_people_were_told_and_links_to_the_messages(client, alice, told):
    client.force_login(alice)

    page = client.get(reverse("admin:rollout_wave_change", args=[told.pk]))

    assert "A week before 7 days before the start 0 1 1 0" in text_of(page)
    link = f"{reverse('admin:rollout_noticedelivery_changelist')}?wave__id__exact={told.pk}"
    assert link in page.content.decode()
    chosen = client.get(f"{link}&notice__id__exact={Notice.objects.get().pk}&state__exact=failed")
    assert [row.enrolment.person.user for row in chosen.context["cl"].queryset] == ["ben"]


def test_only_an_approver_waives_notices_and_sees_first_what_is_missing(act_as, page_of, alice, dora, told):
    assert "1 of 2 could not be reached" in text_of(page_of(dora, act_address("waive-notices", told)))
    assert act_as(alice, "waive-notices", told).status_code == 403

    act_as(dora, "waive-notices", told, reason="called ben")

    waiver = NoticeWaiver.objects.get(attempt=told.attempt)
    assert (waiver.by, waiver.reason) == ("dora", "called ben")


def test_a_plan_says_what_comes_next(client, alice, planned, customer, phase):
    wave = dated(planned(customer("ann")), timezone.now() + 20 * DAY)
    client.force_login(alice)

    page = client.get(reverse("admin:rollout_plan_change", args=[phase.plan_id]))

    assert f"{wave}: its people are frozen." in text_of(page)


def frozen(**changes):
    now = timezone.now()
    return {
        "plan": "", "starts_at_0": f"{now:%Y-%m-%d}", "starts_at_1": "00:00:00", "ends_at_0": f"{now + 2 * DAY:%Y-%m-%d}",
        "ends_at_1": "00:00:00", "reason": "Christmas", **changes,
    }  # fmt: skip


def test_an_operator_adds_a_freeze_and_takes_it_off(client, alice, phase):
    client.force_login(alice)
    client.post(reverse("admin:rollout_freeze_add"), frozen())
    row = Freeze.objects.get()
    assert (row.set_by, row.plan) == ("alice", None)

    client.post(reverse("admin:rollout_freeze_delete", args=[row.pk]), {"post": "yes"})

    assert not Freeze.objects.exists()
    assert [each.kind for each in Event.objects.filter(subject_pk=phase.plan_id, kind__startswith="freeze")] == [
        "freeze_added",
        "freeze_removed",
    ]


def test_a_freeze_that_is_over_is_refused(client, alice):
    client.force_login(alice)

    page = client.post(reverse("admin:rollout_freeze_add"), frozen(starts_at_0="2020-01-01", ends_at_0="2020-01-02"))

    assert "which has passed" in text_of(page)
    assert not Freeze.objects.exists()


def test_the_page_of_a_message_shows_what_it_said_and_where_it_went(client, arthur, told):
    row = NoticeDelivery.objects.get(state="sent")
    NoticeText.objects.update(subject="Your <shop> moves")  # as the notice may have said then
    Notice.objects.update(subject="Other words", body="Other words.")
    Person.objects.update(email="elsewhere@example.org")
    client.force_login(arthur)

    shown = client.get(reverse("admin:rollout_noticedelivery_change", args=[row.pk]))

    assert "Your &lt;shop&gt; moves" in shown.content.decode()
    assert "Dear ann, Pilot / Wave 1 moves at Tuesday" in text_of(shown)
    assert "ann@example.org" in text_of(shown)
    assert "Other words" not in text_of(shown)


def test_nobody_writes_messages_by_hand(client, alice, told):
    client.force_login(alice)
    row = NoticeDelivery.objects.first()

    assert client.get(reverse("admin:rollout_noticedelivery_add")).status_code == 403
    assert client.post(reverse("admin:rollout_noticedelivery_change", args=[row.pk]), {"state": "sent"}).status_code == 403
    assert client.post(reverse("admin:rollout_noticedelivery_delete", args=[row.pk]), {"post": "yes"}).status_code == 403
