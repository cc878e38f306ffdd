"""A wave starts only past its gates: what is read from rows and samples, what is kept, who waives."""

from datetime import timedelta

import pytest

from rollout.actions import metrics, waves
from rollout.actions.breaches import waive_gate
from rollout.actions.chunks import process_chunk
from rollout.actions.gates import add_policy, assess, gates_before, retire_policy
from rollout.actions.metrics import read
from rollout.actions.people import exclude_person
from rollout.actions.plans import PhaseDraft, WaveDraft, add_phase, add_wave
from rollout.actions.rollback import roll_back_person, roll_back_wave
from rollout.actions.samples import SampleDraft, record_sample
from rollout.actions.waves import announce_wave, lock_wave, reopen_wave, start_wave
from rollout.audiences import Audience
from rollout.errors import GateHeld, NameMissing, PolicyInUse, ReasonMissing, SampleInvalid
from rollout.gates import Arm, Code, Compare, Metric, Policy, Purpose, Verdict, recompute
from rollout.models import Breach, Event, GuardEvaluation, GuardPolicy, Phase, Sample, Waiver, Wave
from rollout.states import PhaseState, WaveState
from tests.rollout.conftest import AT, HOSTILE, SAID, bring_to_start

pytestmark = pytest.mark.django_db
WHY = {**SAID, "reason": "because"}
DAY = timedelta(days=1)
SUCCESS = Policy(Metric.MIGRATION_SUCCESS, 0.98, 0.98, 14 * DAY, Purpose.GATE, min_sample=2)


def uptime(**changes):
    return SampleDraft(**{"metric": Metric.UPTIME, "numerator": 999, "denominator": 1000, "count": 1000, "taken_at": AT,
                          "source": "probe"} | changes)  # fmt: skip


@pytest.fixture
def gate(phase):
    """What demands something of the phase."""
    return lambda policy=SUCCESS, name="Success": add_policy(phase.plan, phase=phase, name=name, policy=policy, **WHY)


@pytest.fixture
def announced(planned):
    """What makes a wave of these people that is about to start."""

    def make(*people):
        wave = planned(*people)
        lock_wave(wave, **SAID)
        announce_wave(wave, **WHY)
        return wave

    return make


def measured(policy, at=AT):
    """Return numerator, denominator and number of observations of each reading."""
    return [(each.numerator, each.denominator, each.samples) for each in read(policy, at=at)]


def test_success_is_people_switched_over_people_attempted(customers, customer, started, clock, gate):
    policy = gate()
    assert measured(policy) == [(0, 0, 0)]
    wave = started(*customers(4), *(customer(f"hostile{number}", HOSTILE) for number in range(2)))
    process_chunk(wave, clock=clock, size=2)
    assert measured(policy) == [(2, 2, 2)], "who is queued is not attempted yet"

    process_chunk(wave, clock=clock)
    assert measured(policy) == [(4, 6, 6)]
    exclude_person(wave.enrolments.filter(state="validation_failed").first(), **WHY)
    roll_back_person(wave.enrolments.filter(state="switched").first().person, **WHY)

    assert measured(policy) == [(3, 6, 6)], "leaving somebody out does not mend it, and who was taken back is no success"
    assert measured(policy, at=AT + 15 * DAY) == [(0, 0, 0)], "it is about the window"


def test_a_wave_that_was_taken_back_is_not_counted(customers, started, clock, gate):
    policy = gate()
    wave = started(*customers(3))
    process_chunk(wave, clock=clock)

    roll_back_wave(wave, **WHY)
    assert measured(policy) == [(0, 0, 0)]
    reopen_wave(wave, **WHY)
    assert measured(policy) == [(0, 0, 0)]


def test_the_score_is_the_smallest_similarity_of_all_validated_pages(customers, started, clock, gate):
    policy = gate(Policy(Metric.VALIDATION_SCORE, 0.95, 0.95, DAY, Purpose.GATE, min_sample=1))
    assert measured(policy) == [(0, 0, 0)]
    process_chunk(started(*customers(2)), clock=clock)

    assert measured(policy) == [(1.0, 1.0, 1)], "both have one translation, and so one validation"
    assert assess(policy, at=AT).verdict == Verdict.PASS


def test_a_validation_without_a_similarity_is_not_a_number(customers, started, clock, gate):
    policy = gate(Policy(Metric.VALIDATION_SCORE, 0.95, 0.95, DAY, Purpose.GATE, min_sample=1))
    process_chunk(started(*customers(1)), clock=clock)
    metrics.Validation.objects.update(similarity_min=None)

    found = assess(policy, at=AT)

    assert (found.verdict, found.code) == (Verdict.HOLD, Code.NOT_FINITE)
    assert recompute(GuardEvaluation.objects.get(pk=found.pk).inputs).code == Code.NOT_FINITE


def test_reports_are_counted_over_the_people_on_slots(customers, started, clock, gate):
    policy = gate(Policy(Metric.ISSUE_REPORTS, 0.3, 0.3, DAY, Purpose.GATE, min_sample=2))
    process_chunk(started(*customers(4)), clock=clock)
    assert assess(policy, at=AT).code == Code.NO_READING, "nobody said that there were none"

    record_sample(uptime(metric=Metric.ISSUE_REPORTS, numerator=1, denominator=1, count=1), **SAID)

    assert measured(policy) == [(1, 4, 4)]
    assert assess(policy, at=AT).verdict == Verdict.PASS


def test_samples_of_counts_add_up_and_of_quantiles_the_latest_counts(gate):
    up = gate(Policy(Metric.UPTIME, 0.999, 0.999, DAY, Purpose.GATE), "Uptime")
    speed = gate(Policy(Metric.PERFORMANCE, 1.1, 1.1, DAY, Purpose.GATE, Compare.CONTROL), "Speed")
    hour = timedelta(hours=1)
    for number in range(3):
        record_sample(uptime(taken_at=AT - number * hour, key=f"p{number}"), **SAID)
        slow = uptime(metric=Metric.PERFORMANCE, numerator=12 - number, denominator=1, taken_at=AT - number * hour)
        record_sample(slow, **SAID)
    record_sample(uptime(metric=Metric.PERFORMANCE, numerator=11, denominator=1, arm=Arm.CONTROL), **SAID)

    assert measured(up) == [(2997, 3000, 3000)]
    assert measured(speed) == [(12, 1, 1000), (11, 1, 1000)]
    assert assess(speed, at=AT).value == pytest.approx(12 / 11)


def test_a_sample_before_the_window_is_stale_and_one_of_another_phase_is_not_seen(gate, phase, planned):
    planned(limit=1)
    policy = gate(Policy(Metric.UPTIME, 0.99, 0.99, DAY, Purpose.GATE))
    other = add_phase(phase.plan, draft=PhaseDraft("Beta"), **SAID)
    record_sample(uptime(phase=other), **SAID)
    assert assess(policy, at=AT).code == Code.NO_READING

    record_sample(uptime(phase=phase, taken_at=AT - DAY), **SAID)

    assert assess(policy, at=AT).code == Code.STALE


def test_a_baseline_is_of_before_the_plan_and_never_stale(gate):
    policy = gate(Policy(Metric.TICKET_VOLUME, 1.05, 1.05, DAY, Purpose.GATE, Compare.BASELINE, min_sample=1))
    tickets = uptime(metric=Metric.TICKET_VOLUME, denominator=1, numerator=20)
    record_sample(tickets, **SAID)
    record_sample(uptime(metric=Metric.TICKET_VOLUME, numerator=560, denominator=28, arm=Arm.BASELINE,
                         taken_at=AT - 60 * DAY), **SAID)  # fmt: skip

    assert assess(policy, at=AT).value == 1.0


def test_a_source_that_raises_holds_and_leaves_the_database_usable(gate, monkeypatch):
    policy = gate()

    def broken(policy, since, at):
        Sample.objects.create(pk="x")

    monkeypatch.setitem(metrics.SOURCES, Metric.MIGRATION_SUCCESS, broken)
    found = assess(policy, at=AT)

    assert (found.verdict, found.code) == (Verdict.HOLD, Code.SOURCE_FAILED)
    assert "ValueError" in found.text


@pytest.mark.parametrize(
    "changes",
    [
        {"numerator": float("nan")},
        {"denominator": float("inf")},
        {"numerator": -1},
        {"count": -1},
        {"numerator": 1001},
        {"taken_at": AT.replace(tzinfo=None)},
        {"taken_at": AT + timedelta(seconds=1)},
        {"source": " "},
        {"arm": Arm.REVALIDATED},
    ],
)
def test_what_is_no_measurement_is_not_taken_in(db, changes):
    with pytest.raises(SampleInvalid):
        record_sample(uptime(**changes), **SAID)
    assert not Sample.objects.exists()


def test_importing_twice_is_importing_once(db):
    first, is_new = record_sample(uptime(key="1"), **SAID)
    again, is_new_again = record_sample(uptime(key="1", numerator=1), **SAID)

    assert (is_new, is_new_again, again.pk, again.numerator) == (True, False, first.pk, 999)


def test_the_same_numbers_are_kept_once_and_other_numbers_beside_them(gate):
    policy = gate(Policy(Metric.UPTIME, 0.99, 0.99, DAY, Purpose.GATE))
    record_sample(uptime(), **SAID)
    first = assess(policy, at=AT)
    later = assess(policy, at=AT + timedelta(minutes=1))
    record_sample(uptime(numerator=1), **SAID)
    other = assess(policy, at=AT + timedelta(minutes=2))

    assert (later.pk, later.seen_until) == (first.pk, AT + timedelta(minutes=1))
    assert (other.verdict, GuardEvaluation.objects.count()) == (Verdict.HOLD, 2)
    for row in GuardEvaluation.objects.all():
        again = recompute(row.inputs)
        assert (again.verdict, again.code, again.value, again.text) == (row.verdict, row.code, row.value, row.text)


def test_the_first_wave_of_a_phase_is_not_held_by_its_own_gate_and_the_second_is(customers, customer, announced, clock, gate):
    gate()
    people = customers(2)
    first, second = announced(people[0], customer("hostile", HOSTILE)), announced(people[1])
    start_wave(first, **SAID)
    process_chunk(first, clock=clock)

    with pytest.raises(GateHeld, match=r"Success: Migration success is 0\.5; .*TARGET_MISSED"):
        start_wave(second, **SAID)

    assert Wave.objects.get(pk=second.pk).state == WaveState.ANNOUNCED
    kept = GuardEvaluation.objects.get(wave=second)
    assert (kept.verdict, kept.value, recompute(kept.inputs).code) == (Verdict.HOLD, 0.5, Code.TARGET_MISSED)


def test_a_wave_starts_past_a_gate_that_passes(customers, announced, clock, gate):
    gate()
    people = customers(3)
    first, second = announced(*people[:2]), announced(people[2])
    start_wave(first, **SAID)
    process_chunk(first, clock=clock)

    assert start_wave(second, **SAID) == 1
    assert GuardEvaluation.objects.get(wave=second).verdict == Verdict.PASS


def test_without_the_gate_in_the_way_the_wave_starts(customers, customer, announced, clock, gate, monkeypatch):
    gate()
    first, second = announced(customer("hostile", HOSTILE)), announced(*customers(1))
    start_wave(first, **SAID)
    monkeypatch.setattr(waves, "gate_blockers", lambda wave, at, keep: [])

    assert start_wave(second, **SAID) == 1


def test_the_next_phase_waits_for_the_gates_of_those_before_it_but_for_skipped_ones(customers, phase, gate):
    policy = gate()
    customers(1)
    beta = add_phase(phase.plan, draft=PhaseDraft("Beta"), **SAID)
    wave = add_wave(beta, draft=WaveDraft("Wave 1", Audience(limit=1)), **SAID)
    Phase.objects.filter(pk=beta.pk).update(state=PhaseState.OPEN)
    wave.refresh_from_db()

    assert gates_before(wave) == [policy]
    with pytest.raises(GateHeld, match="ZERO_DENOMINATOR"):
        bring_to_start(wave)
    Phase.objects.filter(pk=phase.pk).update(state=PhaseState.SKIPPED)
    start_wave(wave, **SAID)
    assert wave.state == WaveState.RUNNING


def test_a_retired_gate_and_a_gate_of_a_later_phase_hold_nobody(customers, announced, phase, gate):
    policy = gate()
    later = add_phase(phase.plan, draft=PhaseDraft("Beta"), **SAID)
    add_policy(phase.plan, phase=later, name="Later", policy=SUCCESS, **WHY)
    first, second = (announced(person) for person in customers(2))
    start_wave(first, **SAID)

    assert gates_before(second) == [policy]
    assert retire_policy(policy, **WHY)
    assert not retire_policy(policy, **WHY)
    assert gates_before(second) == []


def test_a_gate_is_waived_by_name_for_one_wave_and_one_attempt(customers, announced, clock, gate):
    policy = gate()
    first, second, third = (announced(person) for person in customers(3))
    start_wave(first, **SAID)
    with pytest.raises(GateHeld, match="ZERO_DENOMINATOR"):
        start_wave(second, **SAID)

    assert waive_gate(policy, second, by="dora", at=AT, reason="seen by eye")
    assert not waive_gate(policy, second, by="erik", at=AT, reason="me too")
    start_wave(second, **SAID)

    assert (Waiver.objects.get().by, Event.objects.get(kind="gate_waived").by) == ("dora", "dora")
    with pytest.raises(GateHeld):
        start_wave(third, **SAID)
    roll_back_wave(second, **WHY)
    reopen_wave(second, **WHY)
    with pytest.raises(GateHeld):
        bring_to_start(second)


@pytest.mark.parametrize("by", ["", " ", "phoenix"])
def test_nobody_in_person_waives_nothing(announced, customers, gate, by):
    with pytest.raises(NameMissing):
        waive_gate(gate(), announced(*customers(1)), by=by, at=AT, reason="because")
    assert not Waiver.objects.exists()


def test_waiving_and_retiring_need_a_reason(announced, customers, gate):
    policy = gate()
    with pytest.raises(ReasonMissing):
        waive_gate(policy, announced(*customers(1)), reason=" ", **SAID)
    with pytest.raises(ReasonMissing):
        retire_policy(policy, reason="", **SAID)


def test_a_policy_with_an_open_breach_is_not_retired(gate):
    policy = gate(Policy(Metric.UPTIME, 0.9, 0.9, DAY))
    Breach.objects.create(policy=policy, evaluation=assess(policy, at=AT), opened_at=AT)

    with pytest.raises(PolicyInUse):
        retire_policy(policy, **WHY)
    assert GuardPolicy.objects.get().retired_at is None
