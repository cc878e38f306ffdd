"""The first page of the administration: what needs somebody, what runs, how it does, what comes next; and the ways around it."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from phoenix.home import SHOWN, home_of, tickets_due
from phoenix.navigation import WAYS, ways_of
from rollout.actions.breaches import watch
from rollout.actions.gates import add_policy
from rollout.actions.holds import set_hold
from rollout.actions.samples import SampleDraft, record_sample
from rollout.actions.scorecard import FRESH, scores_of
from rollout.actions.tickets import TicketDraft, answer_ticket, open_ticket, reopen_ticket
from rollout.gates import Metric, Policy, Severity
from rollout.models import Alert, BreachResponse, DeliveryState, Enrolment
from rollout.states import PersonState
from rollout.switch import engage_kill_switch
from tests.conftest import person as account
from tests.rollout import conftest as rollout

asked, card, customer, customers, phase, planned, signers, started = (
    rollout.asked, rollout.card, rollout.customer, rollout.customers, rollout.phase, rollout.planned, rollout.signers,
    rollout.started,
)  # fmt: skip
pytestmark = pytest.mark.django_db
AT, WHY = rollout.AT, rollout.WHY
UPTIME = Policy(Metric.UPTIME, 0.99, 0.999, timedelta(days=1), min_sample=1)


@pytest.fixture
def alice():
    """An operator."""
    return account("alice", staff=True, role="operator")


def test_what_waits_for_somebody_is_named_with_its_page(started, customers, alice):
    wave = started(*customers(2))
    set_hold(wave, **WHY)
    Enrolment.objects.update(state=PersonState.NEEDS_ATTENTION)

    needs = {(need.what, need.count): need for need in home_of(alice, at=AT)["needs"]}

    assert needs[str(wave), 1].address == reverse("admin:rollout_wave_change", args=[wave.pk])
    assert "because" in needs[str(wave), 1].why
    assert needs[str(wave), 2].address.endswith(f"?wave__id__exact={wave.pk}&state__in=needs_attention,validation_failed")


def test_who_may_sign_finds_one_need_with_a_way_for_their_role(signers, asked):
    needs = [need for need in home_of(signers["CTO"], at=AT)["needs"] if "not signed" in need.why]

    assert [need.why.partition(".")[0] for need in needs] == ["CTO and VP Product have not signed"]
    assert [label for label, _ in needs[0].ways] == ["Sign off as CTO…"]


def test_the_kill_switch_is_the_first_need_and_called_so(started, customers, alice):
    set_hold(started(*customers(1)), **WHY)
    engage_kill_switch(**WHY)

    assert home_of(alice, at=AT)["needs"][0].what == "Kill switch"


def test_support_sees_the_search_and_nothing_of_the_rollout(client, started, customers):
    set_hold(started(*customers(1)), **WHY)
    client.force_login(account("sue", staff=True, role="support"))

    shown = client.get(reverse("admin:index")).content.decode()

    assert reverse("admin:rollout_find_person") in shown
    assert "What needs you now" not in shown and "Running now" not in shown and "Next two weeks" not in shown


def test_the_page_of_an_operator(client, alice, started, customers):
    wave = started(*customers(2))
    client.force_login(alice)

    shown = client.get(reverse("admin:index")).content.decode()

    assert reverse("admin:rollout_wave_change", args=[wave.pk]) in shown
    assert "0 of 2 on slots, 0 at work, 2 waiting" in " ".join(shown.split())
    assert "How" in shown and "unknown" in shown


def test_queries_do_not_grow_with_people_waves_needs_or_samples(client, alice, started, customers, phase):
    def count():
        with CaptureQueriesContext(connection) as captured:
            client.get(reverse("admin:index"))
        return len(captured)

    client.force_login(alice)
    add_policy(phase.plan, name="Up", policy=UPTIME, **WHY)
    people = customers(51)
    started(people[0])
    count()
    one = count()
    started(*people[1:])
    for number in range(30):
        at = timezone.now() - timedelta(minutes=number)
        record_sample(SampleDraft(Metric.UPTIME, 99, 100, 100, at, "monitor", key=str(number)), by="monitor", at=at)
    per_wave = 20  # each wave at work is looked at by itself: its holds, its windows, its limits; there are few of them
    assert count() <= one + per_wave


def test_a_score_says_target_value_and_trend_and_unknown_is_not_good(phase):
    add_policy(phase.plan, name="Up", policy=UPTIME, **WHY)

    scores = {score.metric: score for score in scores_of(phase.plan, at=AT)}
    assert (scores[Metric.UPTIME].target, scores[Metric.UPTIME].value, scores[Metric.UPTIME].tone) == (
        "above 99.9 %",
        "",
        "neutral",
    )
    assert scores[Metric.SATISFACTION].target == ""

    record_sample(SampleDraft(Metric.UPTIME, 995, 1000, 1000, AT, "monitor"), by="monitor", at=AT)
    score = next(score for score in scores_of(phase.plan, at=AT) if score.metric == Metric.UPTIME)
    assert (score.value, score.tone) == ("99.5 %", "warning")


def test_what_a_guard_found_a_moment_ago_is_read_and_not_judged_anew(phase):
    policy = add_policy(phase.plan, name="Up", policy=UPTIME, **WHY)
    record_sample(SampleDraft(Metric.UPTIME, 995, 1000, 1000, AT, "monitor"), by="monitor", at=AT)
    watch(policy, at=AT)
    record_sample(SampleDraft(Metric.UPTIME, 0, 1000, 1000, AT, "monitor", key="2"), by="monitor", at=AT)

    def score(at):
        with CaptureQueriesContext(connection) as queries:
            found = next(each for each in scores_of(phase.plan, at=at) if each.metric == Metric.UPTIME)
        return found.value, found.seen_at, any("rollout_sample" in each["sql"] for each in queries)

    assert score(AT + FRESH) == ("99.5 %", AT, False)
    later = AT + FRESH + timedelta(seconds=1)
    assert score(later) == ("49.75 %", later, True)
    before = AT - timedelta(seconds=1)
    assert score(before)[1:] == (before, True), "what is found later is not read"


def test_a_guard_that_found_nothing_is_no_pass(phase):
    watch(add_policy(phase.plan, name="Up", policy=UPTIME, **WHY), at=AT)

    score = next(each for each in scores_of(phase.plan, at=AT) if each.metric == Metric.UPTIME)

    assert (score.value, score.tone) == ("", "neutral")


@pytest.mark.parametrize("role", ["operator", "approver", "support", "auditor"])
def test_every_way_leads_to_a_page_that_its_role_may_open(client, role):
    user = account(f"one-{role}", staff=True, role=role)
    client.force_login(user)
    ways = [link for _, links in ways_of(user, "/admin/") for link in links]

    assert ways
    for link in ways:
        assert client.get(link.address).status_code == 200, link.label


def test_the_deepest_way_is_marked_as_here(admin_user):
    address = reverse("admin:rollout_wave_changelist")
    here = [link.label for _, links in ways_of(admin_user, f"{address}7/change/") for link in links if link.is_here]
    assert here == ["Waves"]
    assert sum(len(ways) for _, ways in WAYS) == sum(len(links) for _, links in ways_of(admin_user, "/"))


def test_a_breach_of_which_somebody_could_not_be_told_is_named(phase, alice):
    policy = add_policy(phase.plan, name="Up", policy=UPTIME, **WHY)
    record_sample(SampleDraft(Metric.UPTIME, 50, 100, 100, AT, "monitor"), by="monitor", at=AT)
    _, breach = watch(policy, at=AT)
    response = BreachResponse.objects.create(breach=breach, action="alert", due_at=AT)
    Alert.objects.create(
        response=response, name="dora", role="approver", address="dora@phoenix.example", state=DeliveryState.FAILED, due_at=AT
    )

    lost = [need for need in home_of(alice, at=AT)["needs"] if "call them" in need.why]

    assert [(need.what, need.address) for need in lost] == [("Up", reverse("admin:rollout_breach_change", args=[breach.pk]))]


def report(person, subject, severity=Severity.HIGH, minutes=0):
    """Open a ticket that was reported so many minutes before AT."""
    draft = TicketDraft(severity, subject, reported_at=AT - timedelta(minutes=minutes))
    return open_ticket(person, draft, by="sue", at=AT)


def test_tickets_near_their_deadline_are_named_with_who_has_to_act_and_how_long_is_left(customer):
    ann = customer("ann")
    report(ann, "near", minutes=45)
    report(ann, "late", Severity.CRITICAL, minutes=22)
    report(ann, "easy", Severity.LOW)
    back = report(ann, "again", minutes=300)
    answer_ticket(back, by="sam", at=AT - timedelta(minutes=250), reason="so it is")
    answered = report(ann, "answered", Severity.CRITICAL, minutes=60)
    answer_ticket(answered, by="sam", at=AT, reason="so it is")
    reopen_ticket(back, by="sue", at=AT - timedelta(minutes=50), reason="it is not")

    found = tickets_due(at=AT)

    assert [(each.ticket.subject, each.deadline.in_words, each.tone, each.grade, each.who) for each in found["tickets"]] == [
        ("late", "overdue by 7 minutes", "bad", "bad", "support"),
        ("again", "10 minutes left", "warning", "warning", "sam"),
        ("near", "15 minutes left", "warning", "warning", "support"),
    ]
    assert found["tickets_more"] == 0


@pytest.mark.parametrize(("role", "shown"), [("support", True), ("operator", True), ("auditor", True), ("", False)])
def test_the_first_page_shows_them_to_who_may_see_tickets(client, customer, role, shown):
    ticket = report(customer("ann"), "Nobody can order", Severity.CRITICAL)
    client.force_login(account("one", staff=True, role=role))

    page = client.get(reverse("admin:index")).content.decode()

    assert ("Tickets near their deadline" in page) == shown
    assert (reverse("admin:rollout_ticket_change", args=[ticket.pk]) in page) == shown
    assert ("Overdue by" in page) == shown  # in words, not only in red


def test_of_many_the_most_pressing_are_shown_and_the_others_counted_at_the_same_cost(client, customer):
    client.force_login(account("sue", staff=True, role="support"))

    def cost():
        with CaptureQueriesContext(connection) as captured:
            client.get(reverse("admin:index"))
        return len(captured)

    ann = customer("ann")
    report(ann, "first", minutes=100)
    cost()
    one = cost()
    for number in range(SHOWN - 1):
        report(ann, str(number), minutes=90)
    assert cost() == one
    for number in range(3):
        report(customer(f"c{number}"), "more", minutes=80)

    found = tickets_due(at=AT)
    assert (len(found["tickets"]), found["tickets"][0].ticket.subject, found["tickets_more"]) == (SHOWN, "first", 3)
    assert cost() == one + 1  # how many more
    assert "And 3 more" in client.get(reverse("admin:index")).content.decode()
