"""What a message said stays what it said, whatever becomes of date, notice and person; equal texts are kept once."""

import smtplib

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models import F
from django.test.utils import CaptureQueriesContext

from migration.models import Person
from rollout.actions.messages import message_of, messages_for, send_due_notices
from rollout.actions.notices import plan_notices
from rollout.actions.waves import lock_wave, reschedule_wave
from rollout.errors import MessageDelayed
from rollout.models import Notice, NoticeDelivery, NoticeText, Phase, Wave
from tests.rollout.conftest import AT, SAID
from tests.rollout.telling import DAY, Server, dated, in_app, write_notice
from tests.rollout.test_notifications import Answering

pytestmark = pytest.mark.django_db
BERLIN = "Tuesday, 1 December 2026, 10:00 (Europe/Berlin; 09:00 UTC)"


@pytest.fixture
def of_zones(customer, planned):
    """What makes a wave with a date, of people with these time zones by name."""

    def make(**zones):
        people = [customer(name, email=f"{name}@example.org", time_zone=zone) for name, zone in zones.items()]
        return dated(planned(*people))

    return make


def told(name):
    return [(each.subject, each.body) for each in messages_for(Person.objects.get(user=name))]


def change_everything(wave, settings):
    """Change all that a notice is made from, after it was sent."""
    reschedule_wave(wave, starts_at=AT + 30 * DAY, by="alice", at=AT + 2 * DAY, reason="later")
    Phase.objects.update(name="Renamed")
    Notice.objects.update(subject="Other words", body="Other words.")
    Person.objects.update(time_zone="Asia/Kathmandu", email="elsewhere@example.org")
    settings.SUPPORT_CONTACT = "somebody else"


def test_what_was_told_in_the_application_stays_as_it_was_told(of_zones, phase, settings):
    settings.SUPPORT_CONTACT = "help {here}"
    wave = of_zones(ann="Europe/Berlin", ben="")
    in_app(phase.plan, subject="You move, {user}", body="{{{user}}} of {wave} at {starts_at}; {support}.")
    lock_wave(wave, **SAID)
    send_due_notices(at=AT + DAY, transport=Server())
    before = {name: told(name) for name in ("ann", "ben")}

    change_everything(wave, settings)

    assert before["ann"] == [("You move, ann", f"{{ann}} of Pilot / Wave 1 at {BERLIN}; help {{here}}.")]
    assert {name: told(name) for name in ("ann", "ben")} == before


def test_what_an_e_mail_said_and_where_it_went_is_kept_exactly(of_zones, phase, settings):
    wave = of_zones(ann="Europe/Berlin")
    write_notice(phase.plan)
    lock_wave(wave, **SAID)
    server = Server()
    send_due_notices(at=AT + DAY, transport=server)

    change_everything(wave, settings)

    assert [message_of(NoticeDelivery.objects.get(state="sent"))] == server.sent
    assert server.sent[0].to == "ann@example.org"


def test_what_is_in_doubt_keeps_its_words_too(of_zones, phase, settings):
    wave = of_zones(ann="Europe/Berlin")
    write_notice(phase.plan)
    lock_wave(wave, **SAID)
    with pytest.raises(KeyboardInterrupt):
        send_due_notices(at=AT + DAY, transport=Server({"ann@example.org": KeyboardInterrupt()}))

    change_everything(wave, settings)

    kept = message_of(NoticeDelivery.objects.get(state="failed"))
    assert (kept.to, kept.subject) == ("ann@example.org", "Your shop moves")
    assert BERLIN in kept.body


@pytest.fixture
def server_that_refuses_us(settings, monkeypatch):
    """A mail server that takes nothing from our address: nobody is sent anything."""
    settings.EMAIL_BACKEND = f"{Answering.__module__}.Answering"
    settings.DEFAULT_FROM_EMAIL = "shop@example.org"
    refused = smtplib.SMTPSenderRefused(553, b"who are you", "shop@example.org")
    monkeypatch.setattr(Answering, "trouble", refused, raising=False)


@pytest.mark.usefixtures("server_that_refuses_us")
def test_what_was_put_back_said_nothing_and_went_nowhere(of_zones, phase):
    wave = of_zones(ann="Europe/Berlin", ben="")
    write_notice(phase.plan)
    lock_wave(wave, **SAID)

    report = send_due_notices(at=AT + DAY)

    assert (report.sent, report.failed, "who are you" in report.away) == (0, 0, True)
    kept = NoticeDelivery.objects.values_list("state", "tries", "text", "address")
    assert list(kept) == [("pending", 0, None, "")] * 2


def test_what_cannot_be_worded_does_not_say_what_it_did_at_an_earlier_try(of_zones, phase):
    wave = of_zones(ann="Europe/Berlin")
    notice = write_notice(phase.plan)
    lock_wave(wave, **SAID)
    send_due_notices(at=AT + DAY, transport=Server({"ann@example.org": MessageDelayed("busy")}))
    assert NoticeDelivery.objects.get().address == "ann@example.org"
    Notice.objects.filter(pk=notice.pk).update(body="{nonsense}")

    assert send_due_notices(at=AT + 2 * DAY, transport=Server()).failed == 1

    assert message_of(NoticeDelivery.objects.get()) is None
    assert NoticeDelivery.objects.get().address == ""


def test_what_was_never_handed_over_said_nothing(of_zones, phase):
    write_notice(phase.plan)
    lock_wave(of_zones(ann=""), **SAID)

    assert message_of(NoticeDelivery.objects.get()) is None


def test_nobody_is_told_of_a_date_that_the_wave_has_no_more(of_zones, phase):
    write_notice(phase.plan)
    wave = of_zones(ann="")
    lock_wave(wave, **SAID)
    stale = Wave.objects.select_related("phase").get(pk=wave.pk)
    reschedule_wave(wave, starts_at=AT + 30 * DAY, by="alice", at=AT, reason="later")
    lock_wave(wave, **SAID)

    plan_notices(stale, at=AT)

    pending = NoticeDelivery.objects.filter(state="pending").values_list("schedule_version", "due_at")
    assert list(pending) == [(wave.schedule_version, AT + 23 * DAY)]


@pytest.mark.parametrize("write", [in_app, write_notice])
def test_equal_texts_are_kept_once_however_many_read_them(of_zones, phase, write):
    zones = {f"b{number}": "Europe/Berlin" for number in range(4)} | {f"u{number}": "" for number in range(3)}
    wave = of_zones(**zones)
    write(phase.plan)
    lock_wave(wave, **SAID)

    assert send_due_notices(at=AT + DAY, transport=Server()).sent == 7

    assert NoticeText.objects.count() == 2
    by_zone = {row.enrolment.person.time_zone: row.text_id for row in NoticeDelivery.objects.all()}
    assert len(set(by_zone.values())) == 2
    assert NoticeDelivery.objects.filter(text=None).count() == 0


def test_a_second_wave_that_is_told_the_same_shares_the_text(of_zones, phase):
    in_app(phase.plan, body="It is near.")
    for name in ("ann", "ben"):
        lock_wave(of_zones(**{name: "Europe/Berlin"}), **SAID)
        assert send_due_notices(at=AT + DAY, transport=Server()).sent == 1

    assert NoticeText.objects.count() == 1


def test_showing_costs_the_same_queries_for_one_person_and_for_many(of_zones, phase):
    in_app(phase.plan)
    counts = []
    for size in (1, 12):
        wave = of_zones(**{f"p{size}x{number}": "Europe/Berlin" for number in range(size)})
        lock_wave(wave, **SAID)
        with CaptureQueriesContext(connection) as queries:
            assert send_due_notices(at=AT + DAY, transport=Server()).sent == size
        counts.append(len(queries))

    assert counts[0] == counts[1]


def test_a_wave_that_gets_another_date_while_its_people_are_told_tells_nobody_the_old_one(of_zones, phase):
    in_app(phase.plan)
    wave = of_zones(ann="Europe/Berlin")
    lock_wave(wave, **SAID)
    moved = []

    def set_another_date(execute, sql, *given):
        if not moved and sql.startswith("SELECT") and 'FROM "rollout_wave"' in sql and "phase" in sql:
            moved.append(sql)
            reschedule_wave(wave, starts_at=AT + 30 * DAY, by="alice", at=AT, reason="later")
        return execute(sql, *given)

    with connection.execute_wrapper(set_another_date):
        report = send_due_notices(at=AT + DAY, transport=Server())

    assert moved
    assert (report.sent, report.failed, told("ann")) == (0, 0, [])


def test_an_unfit_notice_in_the_application_fails_instead_of_breaking_the_page(of_zones, phase):
    in_app(phase.plan, body="Dear {name}")
    in_app(phase.plan, "Good", subject="Good")
    lock_wave(of_zones(ann=""), **SAID)

    report = send_due_notices(at=AT + DAY, transport=Server())

    assert (report.sent, report.failed) == (1, 1)
    assert NoticeDelivery.objects.get(state="failed").error.startswith("NOTICE_INVALID: {name}")
    assert [subject for subject, _ in told("ann")] == ["Good"]


def test_the_database_refuses_a_sent_message_without_its_words(of_zones, phase):
    in_app(phase.plan)
    lock_wave(of_zones(ann=""), **SAID)

    with pytest.raises(IntegrityError), transaction.atomic():
        NoticeDelivery.objects.update(state="sent", sent_at=F("due_at"))
