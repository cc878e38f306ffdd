"""Samples of renders and previews go after their time, in small batches; what anything still looks at stays."""

from datetime import timedelta

import pytest

from rollout.actions.breaches import watch
from rollout.actions.due import do_what_is_due
from rollout.actions.gates import add_policy, retire_policy
from rollout.actions.pruning import forget_previews, prune_renders
from rollout.actions.selections import begin_selection, freeze_selection
from rollout.gates import Code, Metric, Policy, recompute
from rollout.models import Breach, Enrolment, Plan, Sample, Selection, SelectionPart
from rollout.renders import SOURCE
from rollout.states import BreachState, PlanState
from tests.rollout.conftest import AT, SAID

pytestmark = pytest.mark.django_db
WHY = {**SAID, "reason": "because"}
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def _thirty_days(settings):
    settings.ROLLOUT_RENDER_DAYS = 30


def sampled(*ages, metric=Metric.ERROR_RATE, source=SOURCE, arm="treated", failures=0):
    """Keep a sample of each of these ages in days."""
    return Sample.objects.bulk_create(
        Sample(
            metric=metric, arm=arm, numerator=failures, denominator=100, count=100, taken_at=AT - age * DAY, source=source, by="x"
        )
        for age in ages
    )


def ages(**which):
    return sorted((AT - each.taken_at).days for each in Sample.objects.filter(**which))


def guard(phase, metric=Metric.ERROR_RATE, window=DAY, **changes):
    policy = Policy(metric, 0.01, 0.005, window, min_sample=1, **changes)
    return add_policy(phase.plan, phase=phase, name=f"Errors {window}", policy=policy, **WHY)


def test_what_is_older_than_its_time_goes_and_the_rest_stays():
    sampled(1, 29, 30, 31, 400)

    assert prune_renders(at=AT) == 2

    assert ages() == [1, 29, 30]


def test_what_people_entered_or_imported_stays():
    sampled(400, 1, source="probe")
    sampled(400, 1, metric=Metric.SATISFACTION)

    assert prune_renders(at=AT) == 0


def test_a_round_deletes_so_many_and_the_oldest_first():
    sampled(1, 31, 32, 33)
    sampled(1, 34, arm="control")

    assert prune_renders(at=AT, limit=2) == 2
    assert ages() == [1, 1, 31, 34]
    assert [prune_renders(at=AT, limit=2) for _ in range(2)] == [2, 0]
    assert ages() == [1, 1]


def test_the_newest_of_each_kind_stays_and_says_how_long_it_has_been_silent(phase, started, customers):
    sampled(100, 50)
    started(*customers(1))
    row = guard(phase)

    prune_renders(at=AT)

    assert ages() == [50]
    evaluation, _ = watch(row, at=AT)
    assert evaluation.code == Code.STALE, "not NO_READING"


def test_what_a_policy_in_force_looks_back_on_stays(phase):
    row = guard(phase, window=90 * DAY)
    sampled(1, 89, 91)

    assert prune_renders(at=AT) == 1
    assert ages() == [1, 89]
    retire_policy(row, **WHY)
    assert prune_renders(at=AT) == 1
    assert ages() == [1]


def test_a_policy_of_a_plan_that_is_over_keeps_nothing(phase):
    guard(phase, window=90 * DAY)
    Plan.objects.update(state=PlanState.CLOSED)
    sampled(1, 89)

    assert prune_renders(at=AT) == 1


def test_what_opened_a_breach_stays_as_long_as_it_is_open_and_its_verdict_for_ever(phase, started, customers):
    started(*customers(1))
    row = guard(phase)
    sampled(1 / 24, failures=50)
    evaluation, breach = watch(row, at=AT)
    assert breach is not None
    later = AT + 100 * DAY
    sampled(-100)

    assert prune_renders(at=later) == 0, "its page and its policy are about these"
    Breach.objects.update(state=BreachState.WAIVED, closed_at=later, closed_by="dora")
    assert prune_renders(at=later) == 1

    again = recompute(evaluation.inputs)
    assert (again.code, again.value, again.text) == (evaluation.code, evaluation.value, evaluation.text)


def test_without_a_number_of_days_nothing_is_deleted(settings):
    settings.ROLLOUT_RENDER_DAYS = 0
    sampled(1, 4_000)

    assert prune_renders(at=AT) == 0


def test_the_reconciler_does_it():
    sampled(1, 31)

    first, second = do_what_is_due(at=AT), do_what_is_due(at=AT)

    assert (first.done["sample"], second.due["sample"]) == (1, 0)


def test_previews_that_nobody_confirmed_are_forgotten_after_a_week_some_at_a_time(customers, started):
    started(*customers(2))
    ages = (8, 9, 10, 7, 1)
    made = [freeze_selection(Enrolment.objects.all(), "exclude", criteria="all", by="x", at=AT - age * DAY) for age in ages]
    begin_selection(made[0], digest=made[0].digest, **WHY)

    assert forget_previews(at=AT, limit=1) == 1
    assert do_what_is_due(at=AT).done["preview"] == 1
    assert do_what_is_due(at=AT).done["preview"] == 0

    assert list(Selection.objects.order_by("pk")) == [made[0], made[3], made[4]], "what was done, and what may be confirmed"
    assert SelectionPart.objects.count() == 3
