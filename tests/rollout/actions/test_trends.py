"""Series for charts: what was judged, what was measured of old and new, and of which phase."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from rollout.actions.gates import add_policy
from rollout.actions.trends import trends_of
from rollout.gates import Metric, Policy, Purpose
from rollout.models import GuardEvaluation, Phase, Sample
from tests.rollout.conftest import AT, SAID

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)
GATE = Policy(Metric.MIGRATION_SUCCESS, 0.95, 0.98, 24 * HOUR, purpose=Purpose.GATE)


def sample(value, at=AT, arm="treated", metric="performance", **place):
    Sample.objects.create(
        metric=metric, arm=arm, numerator=value * 4, denominator=4, count=4, taken_at=at, source="test", by="x", **place
    )


def judged(policy, value, at=AT, until=AT):
    GuardEvaluation.objects.create(
        policy=policy, verdict="hold", code="TARGET_MISSED", text="t", value=value, inputs={}, at=at, seen_until=until
    )


def test_without_values_there_is_nothing_to_draw(phase):
    add_policy(phase.plan, name="Success", policy=GATE, **SAID)

    assert trends_of(phase.plan) == []


def test_what_was_judged_stands_until_it_was_seen_last(phase):
    row = add_policy(phase.plan, name="Success", policy=GATE, **SAID)
    judged(row, 0.9, AT, AT + HOUR)
    judged(row, 0.97, AT + 2 * HOUR, AT + 2 * HOUR)

    (found,) = trends_of(phase.plan)

    assert (found.metric, found.is_share, found.asked) == (Metric.MIGRATION_SUCCESS, True, ((0.98, "asked by Success"),))
    assert found.series[0][1] == [(AT, 0.9), (AT + HOUR, 0.9), (AT + 2 * HOUR, 0.97)]


def test_both_systems_are_series_of_one_trend_oldest_first(phase):
    sample(21, AT + HOUR)
    sample(20)
    sample(25, arm="control")

    (found,) = trends_of(phase.plan)

    assert found.series == (("new system", [(AT, 20), (AT + HOUR, 21)]), ("old system", [(AT, 25)]))


def test_what_is_about_another_phase_or_plan_is_left_out(phase, asked):
    other = Phase.objects.create(plan=phase.plan, position=2, name="Beta")
    sample(0.9, metric="satisfaction", plan=phase.plan, phase=other)
    sample(0.8, metric="satisfaction", plan=asked)
    assert trends_of(phase.plan, phase) == []

    sample(0.7, metric="satisfaction")

    (found,) = trends_of(phase.plan, phase)
    assert [value for _, value in found.series[0][1]] == [0.7]
    assert len(trends_of(phase.plan)[0].series[0][1]) == 2


def test_it_asks_four_queries_however_many_values_there_are(phase):
    row = add_policy(phase.plan, name="Success", policy=GATE, **SAID)
    for number in range(20):
        judged(row, 0.9, AT + number * HOUR, AT + number * HOUR)
        sample(20, AT + number * HOUR)

    with CaptureQueriesContext(connection) as queries:
        trends_of(phase.plan)

    assert len(queries) == 4
