"""What the database refuses of policies, samples, evaluations, breaches and holds, whoever writes it."""

from datetime import time, timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from rollout.models import (
    Breach,
    BreachResponse,
    GuardEvaluation,
    GuardPolicy,
    Hold,
    Plan,
    Sample,
    Waiver,
    Window,
)
from tests.rollout.conftest import AT

pytestmark = pytest.mark.django_db
WHO = {"by": "dora", "reason": "because", "at": AT}
CLOSED = {"closed_at": AT, "closed_by": "dora", "closed_reason": "over"}


@pytest.fixture
def policy(phase):
    return GuardPolicy.objects.create(
        plan=phase.plan, name="Failures", metric="migration_success", trip=0.95, clear=0.98, made_by="alice", made_at=AT
    )


@pytest.fixture
def evaluation(policy):
    return GuardEvaluation.objects.create(
        policy=policy, verdict="trip", code="CROSSED", text="x", value=0.9, inputs={}, at=AT, seen_until=AT
    )


@pytest.fixture
def breach(policy, evaluation):
    return Breach.objects.create(policy=policy, evaluation=evaluation, opened_at=AT)


@pytest.fixture
def rows(phase, planned, policy, evaluation, breach):
    """Return what makes a row of each kind that is in order, to be spoilt."""
    wave = planned("ann")
    place = {"plan": None, "phase": None, "wave": None, "set_by": "alice", "set_at": AT, "reason": "because"}
    return {
        GuardPolicy: {
            "plan": phase.plan, "name": "Other", "metric": "error_rate", "trip": 0.02, "clear": 0.01, "made_by": "a",
            "made_at": AT,
        },
        Sample: {
            "metric": "uptime", "numerator": 1, "denominator": 2, "count": 2, "taken_at": AT, "source": "probe", "key": "1",
            "by": "alice",
        },
        GuardEvaluation: {
            "policy": policy, "verdict": "hold", "code": "TOO_FEW", "text": "x", "inputs": {}, "at": AT, "seen_until": AT,
        },
        Waiver: {"policy": policy, "wave": wave, "attempt": 1, **WHO},
        Breach: {"policy": policy, "evaluation": evaluation, "opened_at": AT, "state": "waived", **CLOSED},
        BreachResponse: {"breach": breach, "action": "pause", "due_at": AT},
        Hold: {**place, "kind": "admin", "wave": wave},
        Window: {"plan": phase.plan, "opens": time(2), "closes": time(4), "days": [0]},
        "freeze": {**place, "kind": "freeze"},
        "guard": {**place, "kind": "guard", "plan": phase.plan, "breach": breach},
    }  # fmt: skip


KINDS = {"freeze": Hold, "guard": Hold}
SPOILT = [
    (GuardPolicy, {"metric": "luck"}),
    (GuardPolicy, {"purpose": "ornament"}),
    (GuardPolicy, {"compare": "wishes"}),
    (GuardPolicy, {"no_data": "pass"}),
    (GuardPolicy, {"severity": "whatever"}),
    (GuardPolicy, {"clear": 0.03}),
    (GuardPolicy, {"metric": "uptime", "trip": 0.9, "clear": 0.8}),
    (GuardPolicy, {"min_sample": 0}),
    (GuardPolicy, {"window": timedelta()}),
    (Sample, {"metric": "luck"}),
    (Sample, {"arm": "both"}),
    (Sample, {"numerator": -1}),
    (Sample, {"denominator": -1}),
    (Sample, {"count": -1}),
    (GuardEvaluation, {"verdict": "perhaps"}),
    (GuardEvaluation, {"code": "LUCK"}),
    (GuardEvaluation, {"verdict": "pass"}),
    (Waiver, {"by": ""}),
    (Waiver, {"reason": ""}),
    (Breach, {"state": "forgotten"}),
    (Breach, {"state": "open"}),
    (Breach, {"closed_by": ""}),
    (Breach, {"closed_at": None}),
    (BreachResponse, {"action": "dance"}),
    (Hold, {"kind": "mood"}),
    (Hold, {"kind": "window"}),
    (Hold, {"kind": "guard"}),
    (Hold, {"kind": "freeze"}),
    (Hold, {"wave": None}),
    (Hold, {"state": "cleared"}),
    (Hold, {"state": "cleared", "cleared_at": AT}),
    (Hold, {"cleared_by": "alice"}),
    (Window, {"closes": time(2)}),
    ("guard", {"breach": None}),
]


def make(rows, which, /, **changes):
    with transaction.atomic():
        return KINDS.get(which, which).objects.create(**{**rows[which], **changes})


@pytest.mark.parametrize(("kind", "changes"), SPOILT)
def test_the_database_refuses_what_makes_no_sense(rows, kind, changes):
    with pytest.raises(IntegrityError):
        make(rows, kind, **changes)

    make(rows, kind)  # unspoilt it is taken, so nothing else was wrong


@pytest.mark.parametrize("kind", [Sample, Waiver, BreachResponse, GuardPolicy, "freeze", "guard"])
def test_the_database_keeps_one_of_what_there_is_to_be_one_of(rows, kind):
    make(rows, kind)

    with pytest.raises(IntegrityError):
        make(rows, kind)


def test_a_sample_of_a_phase_names_the_plan_too(rows, phase):
    with pytest.raises(IntegrityError):
        make(rows, Sample, phase=phase)
    make(rows, Sample, phase=phase, plan=phase.plan)


def test_a_policy_may_breach_again_once_its_breach_is_closed(policy, evaluation, breach):
    Breach.objects.filter(pk=breach.pk).update(state="cleared", **CLOSED)

    Breach.objects.create(policy=policy, evaluation=evaluation, opened_at=AT)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"responses": [{"action": "dance", "after_s": 0}]}, "A response is"),
        ({"responses": ["pause"]}, "A response is"),
        ({"trip": 0.99}, "better side"),
        ({"metric": "luck"}, "luck"),
    ],
)
def test_a_policy_that_cannot_be_decided_by_is_refused_by_its_form(policy, changes, words):
    for name, value in changes.items():
        setattr(policy, name, value)

    with pytest.raises(ValidationError, match=words):
        policy.clean()


@pytest.mark.parametrize("changes", [{"zone": "Berlin"}, {"days": [7]}, {"days": []}, {"days": 3}, {"days": ["x"]}])
def test_a_window_that_never_opens_is_refused_by_its_form(phase, changes):
    window = Window(**{"plan": phase.plan, "zone": "UTC", "opens": time(2), "closes": time(4), "days": [0], **changes})

    with pytest.raises(ValidationError):
        window.clean()


def test_a_phase_of_another_plan_is_refused_by_the_forms(policy, phase):
    other = Plan.objects.create(name="Winter", salt="s", author="a", created_at=AT)
    policy.plan, policy.phase = other, phase

    with pytest.raises(ValidationError, match="another plan"):
        policy.clean()
    with pytest.raises(ValidationError, match="another plan"):
        Window(plan=other, phase=phase, opens=time(2), closes=time(4), days=[0]).clean()
