"""Gates and guards never pass on what is not known or not met: a table of cases, and laws for all others."""

import json
import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollout.gates import (
    DEFINITIONS,
    UNKNOWN,
    Action,
    Arm,
    Code,
    Compare,
    Metric,
    NoData,
    Policy,
    Purpose,
    Reading,
    Response,
    Severity,
    Verdict,
    evaluate,
    recompute,
)

AT = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
NAN, INF = math.nan, math.inf

SUCCESS = Policy(Metric.MIGRATION_SUCCESS, 0.95, 0.98, DAY)
GATE = Policy(Metric.MIGRATION_SUCCESS, 0.99, 0.99, DAY, purpose=Purpose.GATE)
SCORE = Policy(Metric.VALIDATION_SCORE, 0.95, 0.95, DAY, purpose=Purpose.GATE)
ERRORS = Policy(Metric.ERROR_RATE, 0.001, 0.0005, HOUR, min_sample=1000)
SLOWDOWN = Policy(Metric.PERFORMANCE, 1.20, 1.10, HOUR, compare=Compare.CONTROL, min_sample=100)
TICKETS = Policy(Metric.TICKET_VOLUME, 1.05, 1.05, 7 * DAY, purpose=Purpose.GATE, compare=Compare.BASELINE, min_sample=1)
RESOLUTION = Policy(Metric.RESOLUTION_TIME, 7200, 7200, DAY, purpose=Purpose.GATE, min_sample=5)
REVALIDATED = replace(SUCCESS, needs_revalidation=True)
SLOW_TO_TRIP = replace(SUCCESS, sustained=timedelta(minutes=10))
SILENCE_TRIPS = replace(ERRORS, no_data=NoData.TRIP)


def reading(policy, numerator, denominator, samples=5000, *, taken_at=AT, arm=Arm.TREATED, error=""):
    return Reading(policy.metric, numerator, denominator, samples, taken_at, arm, error)


def good(policy, arm=Arm.TREATED, **changes):
    """Return a reading with which the policy passes, were it not for the changes."""
    value = 0.999 if policy.higher_is_better else 1e-9
    denominator = 1.0 if arm in (Arm.CONTROL, Arm.BASELINE) else 5000.0
    return replace(reading(policy, value * denominator if denominator > 1 else 10.0, denominator, arm=arm), **changes)


def held(policy, name, code, *readings, is_open=False, since=None, verdict=Verdict.HOLD):
    return pytest.param(policy, readings, is_open, since, verdict, code, id=f"{policy.purpose}-{policy.metric}-{name}")


EVERY_ARM = [(SUCCESS, ()), (GATE, ()), (SCORE, ()), (ERRORS, ()), (SLOWDOWN, (good(SLOWDOWN, Arm.CONTROL),))]
UNUSABLE = {
    "source-failed": (Code.SOURCE_FAILED, {"error": "timeout"}),
    "numerator-missing": (Code.NO_READING, {"numerator": None}),
    "denominator-missing": (Code.NO_READING, {"denominator": None}),
    "instant-missing": (Code.NO_READING, {"taken_at": None}),
    "instant-without-a-zone": (Code.IMPOSSIBLE, {"taken_at": AT.replace(tzinfo=None)}),
    "of-the-future": (Code.FROM_THE_FUTURE, {"taken_at": AT + timedelta(microseconds=1)}),
    "numerator-nan": (Code.NOT_FINITE, {"numerator": NAN}),
    "denominator-nan": (Code.NOT_FINITE, {"denominator": NAN}),
    "numerator-infinite": (Code.NOT_FINITE, {"numerator": INF}),
    "denominator-infinite": (Code.NOT_FINITE, {"denominator": INF}),
    "numerator-negative": (Code.IMPOSSIBLE, {"numerator": -1.0}),
    "denominator-negative": (Code.IMPOSSIBLE, {"denominator": -5.0}),
    "samples-negative": (Code.IMPOSSIBLE, {"samples": -1}),
    "denominator-zero": (Code.ZERO_DENOMINATOR, {"denominator": 0.0, "numerator": 0.0}),
    "too-few": (Code.TOO_FEW, {"samples": 19}),
    "nobody": (Code.TOO_FEW, {"samples": 0}),
}
CASES = [
    held(policy, name, code, good(policy, **changes), *others)
    for policy, others in EVERY_ARM
    for name, (code, changes) in UNUSABLE.items()
] + [
    *(held(policy, "no-reading", Code.NO_READING) for policy, _ in EVERY_ARM),
    *(held(policy, "twice", Code.AMBIGUOUS, good(policy), good(policy), *others) for policy, others in EVERY_ARM),
    *(
        held(policy, "stale", Code.STALE, good(policy, taken_at=AT - policy.window), *others)
        for policy, others in EVERY_ARM
    ),
    *(
        held(policy, "another-metric", Code.NO_READING, good(policy, metric=Metric.UPTIME), *others)
        for policy, others in EVERY_ARM
    ),
    held(SUCCESS, "more-than-all", Code.IMPOSSIBLE, reading(SUCCESS, 101, 100)),
    held(SCORE, "more-than-one", Code.IMPOSSIBLE, reading(SCORE, 1.01, 1)),
    held(RESOLUTION, "quotient-too-large", Code.NOT_FINITE, reading(RESOLUTION, 1e308, 1e-300)),
    held(GATE, "target-missed", Code.TARGET_MISSED, reading(GATE, 98, 100)),
    held(GATE, "exactly-the-target", Code.TARGET_MISSED, reading(GATE, 99, 100)),
    held(RESOLUTION, "exactly-the-target", Code.TARGET_MISSED, reading(RESOLUTION, 36000, 5)),
    held(RESOLUTION, "no-report-resolved", Code.ZERO_DENOMINATOR, reading(RESOLUTION, 0, 0, 0)),
    held(SUCCESS, "crossed", Code.CROSSED, reading(SUCCESS, 94, 100), verdict=Verdict.TRIP),
    held(ERRORS, "crossed", Code.CROSSED, reading(ERRORS, 6, 5000), verdict=Verdict.TRIP),
    held(SUCCESS, "open-and-crossed", Code.CROSSED, reading(SUCCESS, 94, 100), is_open=True, verdict=Verdict.TRIP),
    held(SUCCESS, "open-and-between", Code.NOT_CLEAR_YET, reading(SUCCESS, 97, 100), is_open=True),
    held(SUCCESS, "open-and-exactly-clear", Code.NOT_CLEAR_YET, reading(SUCCESS, 98, 100), is_open=True),
    held(SUCCESS, "open-and-unknown", Code.NO_READING, is_open=True),
    held(SLOW_TO_TRIP, "crossed-now", Code.CROSSED_RECENTLY, reading(SUCCESS, 9, 100)),
    held(SLOW_TO_TRIP, "crossed-lately", Code.CROSSED_RECENTLY, reading(SUCCESS, 9, 100), since=AT - timedelta(minutes=9)),
    held(
        SLOW_TO_TRIP, "crossed-long", Code.CROSSED, reading(SUCCESS, 9, 100), since=AT - timedelta(minutes=10),
        verdict=Verdict.TRIP,
    ),
    held(SLOW_TO_TRIP, "crossed-in-the-future", Code.CROSSED_RECENTLY, reading(SUCCESS, 9, 100), since=AT + HOUR),
    held(REVALIDATED, "open-not-revalidated", Code.NOT_REVALIDATED, good(REVALIDATED), is_open=True),
    held(
        REVALIDATED, "open-revalidated-badly", Code.NOT_CLEAR_YET, reading(REVALIDATED, 97, 100, arm=Arm.REVALIDATED),
        is_open=True,
    ),
    held(
        REVALIDATED, "open-revalidated-long-ago", Code.STALE,
        reading(REVALIDATED, 100, 100, arm=Arm.REVALIDATED, taken_at=AT - DAY), is_open=True,
    ),
    held(SILENCE_TRIPS, "silence-trips", Code.NO_READING, verdict=Verdict.TRIP),
    held(SILENCE_TRIPS, "failure-trips", Code.SOURCE_FAILED, good(ERRORS, error="refused"), verdict=Verdict.TRIP),
    held(SILENCE_TRIPS, "staleness-trips", Code.STALE, good(ERRORS, taken_at=AT - DAY), verdict=Verdict.TRIP),
    held(SILENCE_TRIPS, "too-few-does-not-trip", Code.TOO_FEW, good(ERRORS, samples=999)),
    held(SLOWDOWN, "no-control", Code.NO_READING, good(SLOWDOWN)),
    held(SLOWDOWN, "control-failed", Code.SOURCE_FAILED, good(SLOWDOWN), good(SLOWDOWN, Arm.CONTROL, error="down")),
    held(SLOWDOWN, "control-zero", Code.ZERO_DENOMINATOR, good(SLOWDOWN), good(SLOWDOWN, Arm.CONTROL, numerator=0.0)),
    held(SLOWDOWN, "control-stale", Code.STALE, good(SLOWDOWN), good(SLOWDOWN, Arm.CONTROL, taken_at=AT - HOUR)),
    held(SLOWDOWN, "control-too-few", Code.TOO_FEW, good(SLOWDOWN), good(SLOWDOWN, Arm.CONTROL, samples=99)),
    held(SLOWDOWN, "control-nan", Code.NOT_FINITE, good(SLOWDOWN), good(SLOWDOWN, Arm.CONTROL, numerator=NAN)),
    held(SLOWDOWN, "baseline-is-no-control", Code.NO_READING, good(SLOWDOWN), good(SLOWDOWN, Arm.BASELINE)),
    held(
        SLOWDOWN, "ratio-too-large", Code.NOT_FINITE, reading(SLOWDOWN, 1e308, 1),
        reading(SLOWDOWN, 1e-300, 1, arm=Arm.CONTROL),
    ),
    held(
        SLOWDOWN, "crossed", Code.CROSSED, reading(SLOWDOWN, 12.1, 1), reading(SLOWDOWN, 10, 1, arm=Arm.CONTROL),
        verdict=Verdict.TRIP,
    ),
    held(TICKETS, "no-baseline", Code.NO_READING, good(TICKETS)),
    held(TICKETS, "baseline-zero", Code.ZERO_DENOMINATOR, good(TICKETS), good(TICKETS, Arm.BASELINE, numerator=0.0)),
    held(TICKETS, "baseline-of-no-days", Code.ZERO_DENOMINATOR, good(TICKETS), good(TICKETS, Arm.BASELINE, denominator=0.0)),
    held(TICKETS, "five-percent-up", Code.TARGET_MISSED, reading(TICKETS, 21, 1), reading(TICKETS, 20, 1, arm=Arm.BASELINE)),
]  # fmt: skip


@pytest.mark.parametrize(("policy", "readings", "is_open", "since", "verdict", "code"), CASES)
def test_what_is_not_known_or_not_met_does_not_pass(policy, readings, is_open, since, verdict, code):
    found = evaluate(policy, readings, at=AT, is_open=is_open, crossed_since=since)

    assert (found.verdict, found.code) == (verdict, code)
    assert found.text.endswith((".", "?", ": timeout", ": refused", ": down"))
    assert (found.value is None) == (code in UNKNOWN)


def test_nobody_yet_and_the_name_of_a_metric_are_said_in_words():
    nobody = evaluate(SUCCESS, [good(SUCCESS, numerator=0.0, denominator=0.0)], at=AT)
    silent = evaluate(SLOWDOWN, [good(SLOWDOWN)], at=AT)

    assert nobody.text == "Migration success is not known yet: nobody was attempted."
    assert silent.text == "There is no reading of performance of those who stay on the legacy system."


def test_the_table_is_as_long_as_it_is_said_to_be():
    assert len({case.id for case in CASES}) == len(CASES) >= 60
    assert {case.values[-1] for case in CASES} == set(Code) - {Code.WITHIN, Code.CLEAR}


PASSING = [
    (SUCCESS, [reading(SUCCESS, 95, 100)], False, Code.WITHIN),
    (SUCCESS, [reading(SUCCESS, 99, 100)], True, Code.CLEAR),
    (GATE, [reading(GATE, 995, 1000)], False, Code.CLEAR),
    (SCORE, [reading(SCORE, 0.96, 1)], False, Code.CLEAR),
    (ERRORS, [reading(ERRORS, 5, 5000)], False, Code.WITHIN),
    (SLOWDOWN, [reading(SLOWDOWN, 11.5, 1), reading(SLOWDOWN, 10, 1, arm=Arm.CONTROL)], False, Code.WITHIN),
    (TICKETS, [reading(TICKETS, 20, 1), reading(TICKETS, 560, 28, arm=Arm.BASELINE, taken_at=AT - 90 * DAY)], False, Code.CLEAR),
    (RESOLUTION, [reading(RESOLUTION, 35000, 5, 5)], False, Code.CLEAR),
    (REVALIDATED, [reading(SUCCESS, 50, 100), reading(SUCCESS, 99, 100, arm=Arm.REVALIDATED)], True, Code.CLEAR),
]


@pytest.mark.parametrize(("policy", "readings", "is_open", "code"), PASSING)
def test_what_is_known_and_met_passes(policy, readings, is_open, code):
    found = evaluate(policy, readings, at=AT, is_open=is_open)

    assert (found.verdict, found.code) == (Verdict.PASS, code)


NUMBERS = st.floats() | st.sampled_from([0.0, 1.0, 100.0]) | st.none()
SHARES = st.floats(0, 1, allow_nan=False)
INSTANTS = st.none() | st.integers(-30 * 24, 24).map(lambda hours: AT + hours * HOUR)


@st.composite
def policies(draw, metrics=tuple(Metric)):
    metric = draw(st.sampled_from(metrics))
    low, high = sorted((draw(SHARES), draw(SHARES)))
    trip, clear = (low, high) if DEFINITIONS[metric].higher_is_better else (high, low)
    purpose = draw(st.sampled_from(Purpose))
    changes = {}
    if purpose == Purpose.GUARD:
        changes = {
            "sustained": timedelta(minutes=draw(st.integers(0, 60))),
            "no_data": draw(st.sampled_from(NoData)),
            "needs_revalidation": metric == Metric.MIGRATION_SUCCESS and draw(st.booleans()),
            "responses": (Response(Action.PAUSE), Response(Action.ROLL_BACK, timedelta(hours=4)))[: draw(st.integers(0, 2))],
            "respond_within": draw(st.none() | st.just(2 * HOUR)),
        }
    is_free = not changes.get("needs_revalidation", False)
    compare = draw(st.sampled_from(Compare)) if is_free else Compare.ABSOLUTE
    return Policy(
        metric, trip, clear, timedelta(hours=draw(st.integers(1, 500))), purpose, compare,
        draw(st.integers(1, 50)), severity=draw(st.sampled_from(Severity)), **changes,
    )  # fmt: skip


@st.composite
def readings_of(draw, policy):
    return [
        Reading(
            draw(st.just(policy.metric) | st.sampled_from(Metric)), draw(NUMBERS), draw(NUMBERS), draw(st.integers(-1, 100)),
            draw(INSTANTS), draw(st.sampled_from(Arm)), draw(st.sampled_from(["", "", "", "down"])),
        )
        for _ in range(draw(st.integers(0, 4)))
    ]  # fmt: skip


@st.composite
def situations(draw):
    policy = draw(policies())
    return policy, draw(readings_of(policy)), draw(st.booleans()), draw(INSTANTS)


@given(situations())
def test_unknown_never_passes_and_a_pass_has_a_finite_value_on_the_right_side(situation):
    policy, readings, is_open, since = situation

    found = evaluate(policy, readings, at=AT, is_open=is_open, crossed_since=since)

    if found.code in UNKNOWN:
        assert found.verdict != Verdict.PASS
        assert found.value is None
    if found.verdict == Verdict.PASS:
        assert math.isfinite(found.value)
        assert not policy.is_better(policy.trip, found.value)
        mine = [each for each in readings if each.metric == policy.metric and not each.error]
        assert mine
        assert max(each.samples for each in mine) >= policy.min_sample


@given(situations())
def test_an_evaluation_can_be_made_again_from_the_json_that_it_kept(situation):
    policy, readings, is_open, since = situation
    found = evaluate(policy, readings, at=AT, is_open=is_open, crossed_since=since)

    kept = json.loads(json.dumps(found.inputs, allow_nan=False))

    again = recompute(kept)
    assert (again.verdict, again.code, again.text, again.value) == (found.verdict, found.code, found.text, found.value)
    assert Policy.from_json(kept["policy"]) == policy


RANK = {Verdict.TRIP: 0, Verdict.HOLD: 1, Verdict.PASS: 2}


@given(policies(), SHARES, SHARES, st.booleans(), INSTANTS)
def test_a_better_value_never_gives_a_worse_verdict(policy, one, other, is_open, since):
    policy = replace(policy, compare=Compare.ABSOLUTE, needs_revalidation=False)
    worse, better = (one, other) if policy.is_better(other, one) else (other, one)

    verdicts = [
        evaluate(policy, [reading(policy, value, 1.0)], at=AT, is_open=is_open, crossed_since=since).verdict
        for value in (worse, better)
    ]

    assert RANK[verdicts[0]] <= RANK[verdicts[1]]


@given(policies(), SHARES)
def test_an_open_breach_asks_for_at_least_as_much_as_none(policy, value):
    policy = replace(policy, compare=Compare.ABSOLUTE, needs_revalidation=False)
    closed, opened = (evaluate(policy, [reading(policy, value, 1.0)], at=AT, is_open=each) for each in (False, True))

    assert RANK[opened.verdict] <= RANK[closed.verdict]


@given(policies([Metric.MIGRATION_SUCCESS, Metric.ERROR_RATE]), st.lists(SHARES, max_size=30))
def test_a_breach_opens_only_beyond_trip_and_closes_only_beyond_clear(policy, values):
    policy = replace(policy, purpose=Purpose.GUARD, compare=Compare.ABSOLUTE, needs_revalidation=False, sustained=timedelta())
    is_open = False
    for value in values:
        found = evaluate(policy, [reading(policy, value, 1.0)], at=AT, is_open=is_open)
        if is_open and found.verdict == Verdict.PASS:
            assert policy.is_better(value, policy.clear)
            is_open = False
        elif not is_open and found.verdict == Verdict.TRIP:
            assert policy.is_better(policy.trip, value)
            is_open = True


@given(SHARES, st.integers(0, 30), st.integers(0, 30))
def test_waiting_longer_never_untrips(value, one, other):
    policy = replace(SUCCESS, sustained=timedelta(minutes=10))
    verdicts = [
        evaluate(policy, [reading(policy, value, 1.0)], at=AT, crossed_since=AT - timedelta(minutes=minutes)).verdict
        for minutes in sorted((one, other))
    ]

    assert RANK[verdicts[1]] <= RANK[verdicts[0]]
