"""Alerts: who has to hear of a breach is written to once, whatever the mail server does; nothing that protects waits for it."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Group, User
from django.db import IntegrityError, transaction

from rollout.actions.agenda import what_is_next
from rollout.actions.alerts import plan_alerts, send_due_alerts
from rollout.actions.breaches import waive_breach
from rollout.actions.due import do_what_is_due
from rollout.actions.gates import add_policy
from rollout.actions.outbox import MAX_TRIES
from rollout.actions.samples import SampleDraft, record_sample
from rollout.actions.signing import require_role
from rollout.errors import DeliveryUnknown, MessageDelayed, MessageRefused
from rollout.gates import Action, Metric, Policy, Response, Severity
from rollout.models import Alert, Breach, BreachResponse, DeliveryState, Event, GuardPolicy, Hold, Plan, Wave
from rollout.states import PlanState, WaveState
from tests.conftest import person as account
from tests.rollout.conftest import AT, SAID
from tests.rollout.telling import HOUR, MINUTE, Server

pytestmark = pytest.mark.django_db
WHY = {**SAID, "reason": "because"}
DAY = timedelta(days=1)
ALERT, ESCALATE = Response(Action.ALERT), Response(Action.ESCALATE)


@pytest.fixture
def tripped(customers, started, phase):
    """What opens a breach of a guard with these responses, one person having been moved; the mail server is away by then."""

    def make(*responses, severity=Severity.HIGH, respond_within=2 * HOUR):
        wave = started(*customers(1))
        policy = Policy(
            Metric.UPTIME, 0.999, 0.999, DAY, min_sample=1, severity=severity, respond_within=respond_within, responses=responses
        )
        add_policy(phase.plan, phase=phase, name="Uptime", policy=policy, **WHY)
        record_sample(SampleDraft(Metric.UPTIME, 900, 1000, 1000, AT, "probe"), by="probe", at=AT)
        do_what_is_due(at=AT, transport=Server(away="no route"))
        wave.refresh_from_db()
        return Breach.objects.get()

    return make


def outcome(action):
    return BreachResponse.objects.get(action=action).outcome


def alerts():
    return list(Alert.objects.order_by("pk").values_list("name", "role", "state"))


def kinds(breach):
    return list(Event.objects.about("breach", breach.pk).values_list("kind", flat=True))


def test_responders_are_alerted_once_each_and_it_is_in_the_record(tripped, alice):
    account("olga", staff=True, role="operator")
    breach = tripped(ALERT)
    server = Server()

    first = do_what_is_due(at=AT + MINUTE, transport=server)
    second = do_what_is_due(at=AT + 2 * MINUTE, transport=server)

    assert server.recipients == ["alice@example.org", "olga@example.org"]
    assert (first.done["alert"], second.due["alert"]) == (2, 0)
    assert outcome("alert") == "2 people are told as operator."
    assert alerts() == [("alice", "operator", "sent"), ("olga", "operator", "sent")]
    told = Event.objects.about("breach", breach.pk).filter(kind="alert_sent")
    assert [(each.reason, each.data["to"], each.at) for each in told] == [
        ("alice as operator", "alice", AT + MINUTE),
        ("olga as operator", "olga", AT + MINUTE),
    ]


def test_inactive_accounts_and_those_without_an_address_are_passed_over(tripped, alice):
    account("olga", staff=True, role="operator")
    User.objects.filter(username="olga").update(is_active=False)
    account("otto", staff=True, role="operator")
    User.objects.filter(username="otto").update(email="")

    tripped(ALERT)

    assert outcome("alert") == "One person is told as operator."
    assert alerts() == [("alice", "operator", "pending")]


def test_a_policy_names_the_roles_that_are_told_and_who_holds_two_is_told_once(tripped, alice, dora, signers):
    User.objects.get(username="cecil").groups.add(Group.objects.get(name="approver"))

    tripped(Response(Action.ALERT, roles=("CTO", "approver")))

    assert alerts() == [("cecil", "CTO", "pending"), ("dora", "approver", "pending")]
    assert outcome("alert") == "2 people are told as CTO and approver."


def test_an_escalation_is_for_those_who_sign_the_phase_or_the_plan_or_else_for_approvers(tripped, dora, signers, phase):
    breach = tripped(ESCALATE)
    assert alerts() == [("dora", "approver", "pending")]

    Plan.objects.update(state=PlanState.DRAFT)  # so that roles may be asked
    response = breach.responses.get()
    for scope, told in ((phase.plan, ["paula"]), (phase, ["cecil"])):
        require_role(scope, "VP Product" if scope == phase.plan else "CTO", **WHY)
        Alert.objects.all().delete()
        plan_alerts(response, at=AT)
        assert [name for name, _, _ in alerts()] == told


def test_where_nobody_in_a_role_can_be_reached_the_next_one_is_told(tripped, dora):
    tripped(Response(Action.ALERT, roles=("operator", "night watch")))

    assert alerts() == [("dora", "approver", "pending")]
    assert outcome("alert") == ("Nobody who is operator or night watch has an e-mail address. One person is told as approver.")


def test_superusers_are_told_where_nobody_else_can_be(tripped):
    User.objects.create_superuser("root", email="root@example.org")

    tripped(ALERT)

    assert alerts() == [("root", "superuser", "pending")]


def test_that_nobody_can_be_told_is_said_and_the_rest_goes_on(tripped):
    tripped(ALERT, Response(Action.PAUSE))

    assert alerts() == []
    assert outcome("alert").startswith("NOBODY_TO_TELL: nobody who is operator has an e-mail address")
    assert Hold.objects.standing().count() == 1


def test_a_mail_server_that_is_away_delays_the_message_and_nothing_else(tripped, alice):
    breach = tripped(ALERT, Response(Action.PAUSE), Response(Action.ROLL_BACK, HOUR))
    wave = breach.wave
    assert Hold.objects.standing().count() == 1, "paused at once"
    assert breach.responses.filter(done_at=AT).count() == 2

    away = do_what_is_due(at=AT + HOUR, transport=Server(away="no route"))

    wave.refresh_from_db()
    assert (wave.state, away.failed["alert"]) == (WaveState.ROLLED_BACK, 1)
    assert list(Alert.objects.values_list("state", "tries")) == [("pending", 0)], "nobody loses a try"
    server = Server()
    do_what_is_due(at=AT + HOUR + MINUTE, transport=server)
    do_what_is_due(at=AT + HOUR + 2 * MINUTE, transport=server)
    assert server.recipients == ["alice@example.org"]


def test_an_alert_that_cannot_even_be_written_down_keeps_no_rollback_waiting(tripped, alice):
    breach = tripped(Response(Action.PAUSE), Response(Action.ALERT, HOUR), Response(Action.ROLL_BACK, HOUR))
    GuardPolicy.objects.update(responses=["nobody can read this"])

    report = do_what_is_due(at=AT + HOUR, transport=Server())

    done = breach.responses.filter(done_at__isnull=False).values_list("action", flat=True)
    assert set(done) == {"pause", "roll_back"}, "the alert is tried again by the next round"
    assert (report.failed["response"], Wave.objects.get(pk=breach.wave_id).state) == (1, WaveState.ROLLED_BACK)


def test_a_server_that_asks_to_come_again_is_asked_again_and_not_for_ever(tripped, alice):
    breach = tripped(ALERT)
    server = Server({"alice@example.org": MessageDelayed("451 later")})

    send_due_alerts(at=AT, transport=server)
    assert Alert.objects.get().due_at == AT + MINUTE
    for hours in range(1, MAX_TRIES + 2):
        send_due_alerts(at=AT + hours * HOUR, transport=server)

    row = Alert.objects.get()
    assert (row.state, row.tries, row.error) == (
        DeliveryState.FAILED,
        MAX_TRIES,
        "TRIED_TOO_OFTEN: The mail server asks to come again: 451 later",
    )
    assert kinds(breach).count("alert_failed") == 1


@pytest.mark.parametrize("trouble", [MessageRefused("550 unknown"), DeliveryUnknown("the line is dead")])
def test_what_was_refused_or_may_have_arrived_is_not_sent_again_and_is_in_the_record(tripped, alice, dora, trouble):
    breach = tripped(Response(Action.ALERT, roles=("operator", "approver")))
    server = Server({"alice@example.org": trouble})

    for minutes in range(3):
        send_due_alerts(at=AT + minutes * MINUTE, transport=server)

    assert server.recipients == ["dora@example.org"], "the others are told all the same"
    assert alerts() == [("alice", "operator", "failed"), ("dora", "approver", "sent")]
    event = Event.objects.about("breach", breach.pk).get(kind="alert_failed")
    assert str(trouble) in event.reason


def test_of_a_breach_that_was_closed_before_nobody_is_told(tripped, alice):
    breach = tripped(ALERT, Response(Action.ESCALATE, HOUR))
    waive_breach(breach, by="dora", at=AT, reason="a probe was broken")
    server = Server()

    report = send_due_alerts(at=AT + HOUR, transport=server)
    do_what_is_due(at=AT + HOUR, transport=server)

    assert (server.sent, report.cancelled) == ([], 1)
    assert alerts() == [("alice", "operator", "cancelled")]


def test_an_escalation_comes_when_the_time_to_respond_is_over_and_not_before(tripped, alice, dora):
    tripped(ALERT, Response(Action.ESCALATE, 2 * HOUR))
    server = Server()

    do_what_is_due(at=AT + 2 * HOUR - MINUTE, transport=server)
    assert server.recipients == ["alice@example.org"]
    do_what_is_due(at=AT + 2 * HOUR, transport=server)

    assert server.recipients == ["alice@example.org", "dora@example.org"]
    assert server.sent[1].subject == "[Phoenix] high, escalated: Uptime, Autumn"


def test_a_message_says_what_happened_what_is_to_come_and_by_when(tripped, alice):
    breach = tripped(Response(Action.PAUSE), ALERT, Response(Action.ROLL_BACK, 4 * HOUR), severity=Severity.CRITICAL)
    Plan.objects.update(name="Autumn\nBcc: all@example.org")

    server = Server()
    send_due_alerts(at=AT, transport=server)
    (message,) = server.sent

    assert (message.to, message.subject) == ("alice@example.org", "[Phoenix] critical: Uptime, Autumn Bcc: all@example.org")
    assert message.body.splitlines() == [
        "alice, you are told of this as operator.",
        "",
        f"Uptime: {breach.evaluation.text}",
        "Since 2026-11-23 09:00 UTC, Autumn Bcc: all@example.org / Pilot.",
        f"The latest wave then: {breach.wave} (now running).",
        "People whom it affects: 0.",
        "The failed cases are to be analysed by 2026-11-23 11:00 UTC.",
        "",
        "Done 2026-11-23 09:00 UTC: pause. Autumn / Pilot is held.",
        "Done 2026-11-23 09:00 UTC: alert. One person is told as operator.",
        "Due 2026-11-23 13:00 UTC, unless it is closed by then: roll back.",
        "",
        f"What to do: Rollout, Breaches in the admin (breach {breach.pk}), or `manage.py rollout breaches`; it lists the cases.",
        "The runbook says how, under “A guard has tripped”.",
    ]


def test_what_an_alert_said_is_kept_whatever_becomes_of_its_breach(tripped, alice):
    tripped(ALERT)
    server = Server()
    send_due_alerts(at=AT, transport=server)

    Plan.objects.update(name="Renamed")
    Wave.objects.update(name="Renamed")

    row = Alert.objects.get()
    assert [(row.address, row.subject, row.body)] == [(each.to, each.subject, each.body) for each in server.sent]
    assert "Autumn" in row.subject


def test_a_second_message_to_the_same_account_is_refused_by_the_key(tripped, alice):
    breach = tripped(ALERT)
    response = breach.responses.get()
    assert plan_alerts(response, at=AT) == "One person is told as operator."
    assert Alert.objects.count() == 1
    same = {"response": response, "name": "alice", "role": "operator", "address": "a@example.org", "due_at": AT}
    with pytest.raises(IntegrityError), transaction.atomic():
        Alert.objects.create(**same)


def test_messages_that_wait_are_on_the_agenda(tripped, alice):
    tripped(ALERT)

    due = next(each for each in what_is_next(at=AT) if each.kind == "alert")

    assert (due.at > AT, due.text) == (True, "Uptime: 1 who have to hear of its breach are written to.")
    send_due_alerts(at=AT, transport=Server())
    assert [each for each in what_is_next(at=AT) if each.kind == "alert"] == []
