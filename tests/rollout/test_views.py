"""The page of one's own messages: what was told is listed, escaped, and marked as read; nobody sees or touches anybody else's."""

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from rollout.actions.messages import send_due_notices
from rollout.actions.waves import lock_wave
from rollout.models import NoticeDelivery
from tests.conftest import person as account
from tests.rollout.admin.conftest import text_of
from tests.rollout.conftest import AT, SAID
from tests.rollout.telling import DAY, HOUR, Server, dated, in_app, write_notice
from tests.scenes import kept

pytestmark = pytest.mark.django_db
PAGE = "/messages/"


@pytest.fixture
@kept
def told(phase, customer, planned):
    """What tells bob and cleo two things in the application, and by mail a third."""
    in_app(phase.plan, "Soon", subject="You move, {user}", body="<script>alert(1)</script> at {starts_at}")
    in_app(phase.plan, "Sooner", lead=DAY, subject="Tomorrow", body="It is near.")
    write_notice(phase.plan, "Mail", subject="By mail", body="Never here.", is_required=False)
    for name in ("bob", "cleo"):
        account(name)
    wave = dated(planned(*(customer(name, email=f"{name}@example.org") for name in ("bob", "cleo"))))
    lock_wave(wave, **SAID)
    send_due_notices(at=AT + DAY, transport=Server())
    send_due_notices(at=AT + 7 * DAY + HOUR, transport=Server())
    return wave


@pytest.fixture
def as_(client):
    """What signs somebody in."""

    def sign_in(name):
        client.force_login(account(name) if name == "stranger" else _known(name))
        return client

    return sign_in


def _known(name):
    return User.objects.get(username=name)


def rows(name, **which):
    return NoticeDelivery.objects.filter(enrolment__person__user=name, notice__channel="in_app", **which).order_by("-sent_at")


def test_one_finds_what_one_was_told_the_latest_first_and_nothing_that_went_by_mail(told, as_):
    shown = as_("bob").get(PAGE)

    assert [(each.subject, each.is_read) for each in shown.context["told"]] == [("Tomorrow", False), ("You move, bob", False)]
    assert "By mail" not in text_of(shown)
    assert "cleo" not in text_of(shown)


def test_what_a_notice_says_is_text_and_nothing_else(told, as_):
    shown = as_("bob").get(PAGE).content.decode()

    assert "<script>alert" not in shown
    assert "&lt;script&gt;alert(1)&lt;/script&gt; at Tuesday, 1 December 2026, 09:00 UTC" in shown


def test_one_message_is_marked_as_read_and_then_all(told, as_):
    bob = as_("bob")
    last, first = rows("bob")

    assert bob.post(PAGE, {"message": last.pk}).headers["Location"] == reverse("rollout:messages")
    assert [each.is_read for each in bob.get(PAGE).context["told"]] == [True, False]
    last.refresh_from_db()
    read_at = last.read_at
    bob.post(PAGE, {"message": "all"})

    assert [each.is_read for each in bob.get(PAGE).context["told"]] == [True, True]
    last.refresh_from_db()
    assert last.read_at == read_at, "the first time counts"
    assert rows("cleo", read_at__isnull=False).count() == 0, "all means all of one's own"
    assert first.pk != last.pk


def test_somebody_elses_message_is_as_good_as_not_there(told, as_):
    bob = as_("bob")
    hers = rows("cleo").first()

    statuses = [bob.post(PAGE, {"message": each}).status_code for each in (hers.pk, 10**9, "x", "", "٣", "9" * 30, "-1")]

    assert statuses == [404] * 7
    assert rows("cleo", read_at__isnull=False).count() == 0


def test_a_message_by_mail_or_one_still_to_be_sent_cannot_be_marked(told, as_):
    bob = as_("bob")
    mail = NoticeDelivery.objects.get(enrolment__person__user="bob", notice__channel="email")
    later = rows("bob").first()
    NoticeDelivery.objects.filter(pk=later.pk).update(state="pending", sent_at=None)

    assert {bob.post(PAGE, {"message": each.pk}).status_code for each in (mail, later)} == {404}


def test_strangers_are_sent_to_sign_in_and_who_was_told_nothing_reads_so(told, as_, client):
    assert client.get(PAGE).headers["Location"] == f"{reverse('login')}?next={PAGE}"
    assert client.post(PAGE, {"message": "all"}).status_code == 302
    assert NoticeDelivery.objects.filter(read_at__isnull=False).count() == 0

    assert "Nothing was told to you here." in text_of(as_("stranger").get(PAGE))


def test_a_form_of_another_site_marks_nothing(told):
    guarded = Client(enforce_csrf_checks=True)
    guarded.force_login(_known("bob"))

    assert guarded.post(PAGE, {"message": "all"}).status_code == 403
    assert rows("bob", read_at__isnull=False).count() == 0


def test_the_page_costs_the_same_queries_for_one_message_and_for_two_and_is_not_cached(told, as_):
    bob = as_("bob")

    def count():
        with CaptureQueriesContext(connection) as queries:
            shown = bob.get(PAGE)
        assert "no-store" in shown.headers["Cache-Control"]
        return len(queries)

    two = count()
    rows("bob").first().delete()

    assert count() == two


def test_the_shop_shows_how_many_are_new(told, as_):
    bob = as_("bob")

    assert "Messages (2)" in text_of(bob.get("/customers/"))
    bob.post(PAGE, {"message": "all"})
    shown = text_of(bob.get("/customers/"))
    assert "Messages" in shown
    assert "Messages (" not in shown


def test_what_was_not_sent_is_not_read_whoever_writes_it(told):
    with pytest.raises(IntegrityError), transaction.atomic():
        rows("bob").update(state="failed", sent_at=None, read_at=AT)
