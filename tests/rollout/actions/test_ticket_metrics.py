"""What tickets say of a plan: who reports, how long until it is settled, how many there are; and when they say nothing."""

from datetime import timedelta

import pytest

from rollout.actions.agenda import what_is_next
from rollout.actions.breaches import waive_breach, watch
from rollout.actions.chunks import process_chunk
from rollout.actions.gates import add_policy, assess
from rollout.actions.metrics import read
from rollout.actions.rollback import roll_back_person, roll_back_wave
from rollout.actions.samples import SampleDraft, record_sample
from rollout.actions.tickets import TicketDraft, open_ticket, reopen_ticket, resolve_ticket
from rollout.actions.waves import announce_wave, lock_wave, reopen_wave, start_wave
from rollout.gates import Arm, Code, Compare, Metric, Policy, Purpose, Severity, Verdict
from rollout.models import Event, Ticket
from tests.rollout.conftest import AT, SAID, WHY

pytestmark = pytest.mark.django_db
DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
REPORTS = Policy(Metric.ISSUE_REPORTS, 0.02, 0.02, 7 * DAY, Purpose.GATE, min_sample=1)
TIME = Policy(Metric.RESOLUTION_TIME, 7200, 7200, 7 * DAY, Purpose.GATE, min_sample=1)
VOLUME = Policy(Metric.TICKET_VOLUME, 1.05, 1.05, 7 * DAY, Purpose.GATE, Compare.BASELINE, min_sample=1)


@pytest.fixture
def gate(phase):
    """What demands something of the phase."""
    return lambda policy: add_policy(phase.plan, phase=phase, name=policy.metric, policy=policy, **WHY)


@pytest.fixture
def moved(customers, started, clock):
    """A wave that has moved so many people by AT."""

    def make(count):
        wave = started(*customers(count))
        process_chunk(wave, clock=clock)
        return [place.person for place in wave.enrolments.order_by("pk").select_related("person")]

    return make


def report(person, at, took=None, severity=Severity.LOW):
    """Open a ticket, and resolve it after so long."""
    ticket = open_ticket(person, TicketDraft(severity, "It looks odd"), by="sue", at=at)
    if took is not None:
        resolve_ticket(ticket, by="sue", at=at + took, reason="mended")
    return ticket


def sample(metric, numerator, denominator, count, **more):
    return record_sample(SampleDraft(metric, numerator, denominator, count, AT, "desk", **more), **SAID)


def measured(policy, at):
    """Return numerator, denominator, observations and instant of the reading of who was moved."""
    return [
        (each.numerator, each.denominator, each.samples, each.taken_at) for each in read(policy, at=at) if each.arm == Arm.TREATED
    ]


def test_people_who_report_are_counted_once_over_those_who_were_moved(moved, gate, customer):
    people, policy, at = moved(5), gate(REPORTS), AT + DAY
    report(people[0], AT + HOUR)
    report(people[0], AT + 2 * HOUR)
    report(people[1], AT + 3 * HOUR)
    report(customer("elsewhere"), AT + 4 * HOUR)
    report(people[2], at + MINUTE)  # is still to come

    assert measured(policy, at) == [(2, 5, 5, AT + 3 * HOUR)]
    assert (assess(policy, at=at).value, assess(policy, at=at).code) == (0.4, Code.TARGET_MISSED)


def test_who_reported_and_was_taken_back_has_been_moved_and_has_reported(moved, gate):
    people, policy = moved(4), gate(REPORTS)
    report(people[0], AT + HOUR)
    roll_back_person(people[0], by="sue", at=AT + 2 * HOUR, reason="called us")
    roll_back_person(people[1], by="sue", at=AT + 2 * HOUR, reason="asked")

    assert measured(policy, AT + DAY) == [(1, 3, 3, AT + HOUR)]


def imported(person, at):
    """Open a ticket as an import from a helpdesk does, which brings all of them."""
    Ticket.objects.filter(pk=report(person, at).pk).update(source="helpdesk", external_id=f"{person}")


def test_reports_of_somebody_who_is_not_moved_are_none_of_the_plans(moved, gate, customer):
    moved(2)
    policy = gate(REPORTS)
    imported(customer("elsewhere"), AT + HOUR)

    assert measured(policy, AT + DAY) == [(0, 2, 2, AT + HOUR)]
    assert assess(policy, at=AT + DAY).verdict == Verdict.PASS


def test_a_ticket_that_was_opened_here_for_somebody_else_says_nothing_of_the_plans_people(moved, gate, customer):
    moved(2)
    policy = gate(REPORTS)
    report(customer("elsewhere"), AT + HOUR)
    assert assess(policy, at=AT + DAY).code == Code.NO_READING

    sample(Metric.ISSUE_REPORTS, 2, 2, 2)

    assert measured(policy, AT + DAY) == [(2, 2, 2, AT)]
    assert assess(policy, at=AT + DAY).code == Code.TARGET_MISSED


def test_reports_of_an_attempt_that_was_taken_back_do_not_count_in_the_next(customers, started, gate, clock):
    people, policy = customers(2), gate(REPORTS)
    wave = started(*people)
    process_chunk(wave, clock=clock)
    report(people[0], AT + HOUR)
    roll_back_wave(wave, by="alice", at=AT + 2 * HOUR, reason="odd")
    wave.refresh_from_db()
    reopen_wave(wave, by="alice", at=AT + 3 * HOUR, reason="mended")
    lock_wave(wave, by="alice", at=AT + 4 * HOUR)
    announce_wave(wave, by="alice", at=AT + 4 * HOUR, reason="told")
    start_wave(wave, by="alice", at=AT + 4 * HOUR)
    clock.now = AT + 5 * HOUR
    process_chunk(wave, clock=clock)

    assert measured(policy, AT + DAY) == [(0, 2, 2, AT + HOUR)]


@pytest.mark.parametrize("policy", [REPORTS, TIME, VOLUME])
def test_without_tickets_it_is_unknown_and_unknown_is_not_a_pass(moved, gate, policy):
    moved(2)

    found = assess(gate(policy), at=AT + DAY)

    assert (found.verdict, found.code, found.value) == (Verdict.HOLD, Code.NO_READING, None)


def test_tickets_before_the_window_are_none_and_the_samples_are_asked(moved, gate):
    people, policy = moved(2), gate(REPORTS)
    report(people[0], AT + HOUR)
    at = AT + HOUR + 7 * DAY
    assert assess(policy, at=at - MINUTE).code == Code.TARGET_MISSED
    assert assess(policy, at=at).code == Code.NO_READING

    record_sample(SampleDraft(Metric.ISSUE_REPORTS, 0, 2, 2, at, "desk"), by="alice", at=at)
    assert assess(policy, at=at).code == Code.CLEAR


@pytest.mark.parametrize(
    ("policy", "numbers"),
    [
        (REPORTS, (2, 2, 2)),
        (TIME, (90_000, 1, 1)),
        (Policy(Metric.TICKET_VOLUME, 40, 40, 7 * DAY, Purpose.GATE, min_sample=1), (90, 1, 90)),
    ],
)
def test_a_good_ticket_does_not_hide_bad_samples_of_its_window(moved, gate, policy, numbers):
    people, row, at = moved(2), gate(policy), AT + DAY
    sample(policy.metric, *numbers)
    assert assess(row, at=at).code == Code.TARGET_MISSED

    report(people[0], AT + HOUR, took=HOUR)

    assert len(measured(row, at)) == 2
    found = assess(row, at=at)
    assert (found.verdict, found.code, found.value) == (Verdict.HOLD, Code.AMBIGUOUS, None)


def test_tickets_speak_alone_when_the_samples_are_of_before_the_window(moved, gate):
    people, policy = moved(2), gate(REPORTS)
    sample(Metric.ISSUE_REPORTS, 0, 2, 2)
    report(people[0], AT + HOUR)
    assert assess(policy, at=AT + 7 * DAY - MINUTE).code == Code.AMBIGUOUS

    assert measured(policy, AT + 7 * DAY) == [(1, 2, 2, AT + HOUR)]


def test_resolution_is_timed_from_the_report_to_the_last_resolution(moved, gate, customer):
    people, policy, at = moved(3), gate(TIME), AT + DAY
    report(people[0], AT + HOUR, took=HOUR)
    again = report(people[1], AT + HOUR, took=HOUR)
    reopen_ticket(again, by="sue", at=AT + 3 * HOUR, reason="it came back")
    assert measured(policy, at) == [(3600, 1, 1, AT + 2 * HOUR)]

    resolve_ticket(again, by="sue", at=AT + 6 * HOUR, reason="for good")
    report(customer("elsewhere"), AT + HOUR, took=9 * HOUR)
    report(people[2], AT + HOUR)  # is not resolved yet

    assert measured(policy, at) == [(6 * 3600, 2, 2, AT + 6 * HOUR)]
    assert assess(policy, at=at).value == 3 * 3600


def test_nothing_resolved_is_no_time_at_all(moved, gate):
    people, policy = moved(2), gate(TIME)
    report(people[0], AT + HOUR)

    assert assess(policy, at=AT + DAY).code == Code.NO_READING


@pytest.fixture
def began(phase):
    """When the plan began to run."""
    return Event.objects.about("plan", phase.plan_id).get(to_state="running").at


def before(person, began, count):
    """Spread so many tickets over the 28 days before the plan, and one beyond them."""
    for number in range(count):
        report(person, began - 28 * DAY + (number + 1) * 28 * DAY / count)
    report(person, began - 28 * DAY)


def test_volume_is_tickets_a_day_over_the_mean_of_the_28_days_before_the_plan(gate, customer, began):
    ann, policy = customer("ann"), gate(VOLUME)
    before(ann, began, 56)
    for number in range(14):
        report(ann, began + (number + 1) * DAY / 2)

    found = assess(policy, at=began + 7 * DAY)

    assert [(each.numerator, each.denominator, each.arm) for each in read(policy, at=began + 7 * DAY)] == [
        (14, 7, Arm.TREATED),
        (56, 28, Arm.BASELINE),
    ]
    assert (found.value, found.verdict) == (1, Verdict.PASS)


def test_what_came_after_the_newest_ticket_is_not_known_and_no_quiet_day(gate, customer, began):
    """The import ends on the fourth day: eight tickets are two a day, not one."""
    ann, policy = customer("ann"), gate(VOLUME)
    before(ann, began, 28)
    for number in range(8):
        report(ann, began + (number + 1) * DAY / 2)

    found = assess(policy, at=began + 7 * DAY)

    assert (found.value, found.code) == (2, Code.TARGET_MISSED)
    assert measured(policy, began + 7 * DAY)[0][3] == began + 4 * DAY


def test_both_sides_of_a_comparison_are_of_one_kind(gate, customer, began):
    """One ticket beside a helpdesk whose numbers come as samples would be a plan without tickets."""
    ann, policy = customer("ann"), gate(VOLUME)
    report(ann, began + DAY)
    sample(Metric.TICKET_VOLUME, 560, 28, 560, arm=Arm.BASELINE)
    assert assess(policy, at=began + 2 * DAY).code == Code.NO_READING

    sample(Metric.TICKET_VOLUME, 44, 2, 44)
    assert assess(policy, at=began + 2 * DAY).value == pytest.approx(1.1)


@pytest.mark.parametrize("metric", [Metric.ISSUE_REPORTS, Metric.RESOLUTION_TIME, Metric.TICKET_VOLUME])
def test_held_against_people_on_the_legacy_system_only_samples_speak(moved, gate, metric):
    people = moved(2)
    report(people[0], AT + HOUR, took=HOUR)
    policy = gate(Policy(metric, 1.5, 1.5, 7 * DAY, Purpose.GATE, Compare.CONTROL, min_sample=1))
    assert assess(policy, at=AT + DAY).code == Code.NO_READING

    sample(metric, 0, 2, 2)
    sample(metric, 1, 2, 2, arm=Arm.CONTROL)

    assert measured(policy, AT + DAY)[0][0] == 0
    assert assess(policy, at=AT + DAY).code == Code.CLEAR


def test_a_day_is_a_value_of_its_own_where_nothing_is_compared(gate, customer):
    policy = gate(Policy(Metric.TICKET_VOLUME, 40, 30, 7 * DAY, min_sample=1))
    report(customer("ann"), AT - 5 * DAY)

    assert measured(policy, AT) == [(1, 2, 1, AT - 5 * DAY)]


def test_a_few_minutes_after_a_waiver_are_no_measure_of_a_day(phase, customer):
    """Five tickets in ten minutes would be 720 a day, and open the breach again that was waived just before."""
    policy = Policy(Metric.TICKET_VOLUME, 40, 30, DAY, min_sample=1)
    guard = add_policy(phase.plan, phase=phase, name="Volume", policy=policy, **WHY)
    ann, noon = customer("ann"), AT + 12 * HOUR
    for number in range(50):
        report(ann, AT + number * MINUTE)
    assert watch(guard, at=noon)[1] is not None
    waive_breach(guard.breaches.get(), by="dora", at=noon, reason="one shop's outage")
    for number in range(5):
        report(ann, noon + (number + 1) * 2 * MINUTE)

    at = noon + 10 * MINUTE

    assert measured(guard, at) == [(5, 1, 5, at)]
    assert assess(guard, at=at).verdict == Verdict.PASS


@pytest.mark.parametrize(("policy", "leaves"), [(REPORTS, HOUR), (TIME, 3 * HOUR), (VOLUME, HOUR)])
def test_it_is_known_when_a_ticket_leaves_the_window(moved, gate, policy, leaves):
    people = moved(1)
    report(people[0], AT + HOUR, took=2 * HOUR)
    gate(policy)

    coming = [due.at for due in what_is_next(at=AT + 6 * DAY) if due.kind == "policy"]

    assert coming and min(coming) <= AT + 7 * DAY + leaves
    later = [due.at for due in what_is_next(at=AT + 7 * DAY + MINUTE) if due.kind == "policy"]
    assert later == [AT + 7 * DAY + leaves]
