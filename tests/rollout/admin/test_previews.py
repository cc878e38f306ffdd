"""What the preview of an act says is what the act does: every act on every state of its kind of row."""

from datetime import date, timedelta

import pytest
from django.contrib import admin
from django.db import IntegrityError, transaction
from django.utils import timezone

from rollout.actions.holds import freeze, set_hold
from rollout.actions.signing import require_role
from rollout.errors import RolloutError
from rollout.models import Enrolment, Hold, Phase, Plan, Wave
from rollout.states import HoldState, PersonState, PhaseState, PlanState, WaveState
from tests.rollout.admin.conftest import act_address, text_of
from tests.rollout.conftest import AT, WHY

pytestmark = pytest.mark.django_db

PREFIX = "Refused now ("
ANSWERS = {  # what else the forms of some acts ask
    "copy": lambda row: {"name": "A copy", "starts_on": date(2027, 3, 1)},
    "move": lambda row: {"days": 1},
    "leave-out": lambda row: {"users": ["c1"], "rules": []},
    "rehearse": lambda row: {"seed": 1, "scenario": ""},
}
ELSEWHERE = {"defer", "answer", "resolve", "regrade"}  # what is said decides there, on the form


def put_in(row, state):
    """Put a row into a state, and say whether the database has such a row."""
    try:
        with transaction.atomic():
            type(row).objects.filter(pk=row.pk).update(state=state)
    except IntegrityError:
        return False
    return True


def differing(row, states, by="dora"):
    """Return each act with the state, what its preview says and what came of it, where the two differ."""
    wrong, tried = [], 0
    model, at = type(row), timezone.now()
    for act in admin.site._registry[model].acts:
        if act.name in ELSEWHERE:
            continue
        for state in states:
            with transaction.atomic():
                if not put_in(row, state):
                    continue
                shown = admin.site._registry[model].get_queryset(None).get(pk=row.pk)
                is_refused = any(line.startswith(PREFIX) for line in act.preview(shown, by=by, at=at))
                more = ANSWERS.get(act.name, lambda row: {})(shown)
                try:
                    with transaction.atomic():
                        act.carry_out(shown, by=by, at=at, reason="because", **more)
                except RolloutError as refused:
                    outcome = refused.code
                else:
                    outcome = ""
                transaction.set_rollback(True)
            tried += 1
            if is_refused != bool(outcome):
                wrong.append((act.name, str(state), is_refused, outcome))
    assert tried
    return wrong


@pytest.fixture
def wave(locked):
    """A wave whose people are proven, in a phase that is open; nothing keeps it but its state."""
    return locked(2)


@pytest.mark.parametrize("phase_state", [PhaseState.OPEN, PhaseState.COMPLETED])
def test_every_act_on_a_wave_does_what_its_preview_says(wave, phase_state):
    Phase.objects.filter(pk=wave.phase_id).update(state=phase_state)

    assert differing(wave, WaveState) == []


@pytest.mark.parametrize("state", [PersonState.RETRY_WAIT, PersonState.EXCLUDED])
def test_every_act_on_a_wave_with_people_at_work_does_what_its_preview_says(wave, state):
    Enrolment.objects.filter(wave=wave).update(state=state, is_live=state != PersonState.EXCLUDED)
    Wave.objects.filter(pk=wave.pk).update(starts_at=AT)

    assert differing(wave, WaveState) == []


def test_every_act_on_a_wave_of_nobody_does_what_its_preview_says(planned, card):
    assert differing(planned("ghost"), WaveState) == []


@pytest.mark.parametrize(
    ("role", "plan_state"), [(None, PlanState.DRAFT), (None, PlanState.SCHEDULED), ("CTO", PlanState.RUNNING)]
)
def test_every_act_on_a_phase_does_what_its_preview_says(wave, role, plan_state):
    phase = wave.phase
    Plan.objects.filter(pk=phase.plan_id).update(state=PlanState.DRAFT)
    Phase.objects.filter(pk=phase.pk).update(state=PhaseState.PENDING)
    if role:
        require_role(phase, role, **WHY)
    Phase.objects.filter(pk=phase.pk).update(needs_certificate=role is None)
    Plan.objects.filter(pk=phase.plan_id).update(state=plan_state)

    assert differing(phase, PhaseState) == []


@pytest.mark.parametrize(("role", "by"), [(None, "alice"), (None, "dora"), ("CTO", "dora")])
def test_every_act_on_a_plan_does_what_its_preview_says(wave, role, by):
    plan = wave.phase.plan
    Plan.objects.filter(pk=plan.pk).update(state=PlanState.DRAFT)
    Phase.objects.filter(pk=wave.phase_id).update(state=PhaseState.PENDING)
    if role:
        require_role(plan, role, **WHY)
        Wave.objects.filter(pk=wave.pk).update(starts_at=timezone.now() + timedelta(days=3))

    assert differing(plan, PlanState, by) == []


@pytest.mark.parametrize(
    ("wave_state", "is_live"), [(WaveState.ANNOUNCED, True), (WaveState.RUNNING, True), (WaveState.RUNNING, False)]
)
def test_every_act_on_a_person_does_what_its_preview_says(wave, wave_state, is_live):
    Wave.objects.filter(pk=wave.pk).update(state=wave_state)
    row = wave.enrolments.first()
    Enrolment.objects.filter(pk=row.pk).update(is_live=is_live)

    assert differing(row, PersonState) == []


def test_every_act_on_a_hold_does_what_its_preview_says(wave):
    freeze(**WHY)

    assert differing(set_hold(wave, **WHY), HoldState) == []
    assert differing(Hold.objects.get(kind="freeze"), HoldState) == []


def test_a_wave_that_is_watched_is_not_paused_as_its_preview_says(act_as, page_of, alice, done):
    wave = done(1)

    shown = text_of(page_of(alice, act_address("pause", wave)))
    answered = text_of(act_as(alice, "pause", wave))

    said = f"{wave} is monitoring: “Pause” is not possible then. Reload the page and decide again."
    assert f"Refused now (MOVE_REFUSED): {said}" in shown
    assert f"MOVE_REFUSED: {said}" in answered
    assert not Hold.objects.exists()


def test_a_hold_from_before_is_shown_on_a_wave_that_is_watched_and_is_resumed(act_as, page_of, alice, done):
    wave = done(1)
    Wave.objects.filter(pk=wave.pk).update(state=WaveState.RUNNING)
    set_hold(wave, **WHY)
    Wave.objects.filter(pk=wave.pk).update(state=WaveState.MONITORING)

    page = page_of(alice, f"/admin/rollout/wave/{wave.pk}/change/")
    answered = text_of(act_as(alice, "resume", wave))

    assert "It keeps nobody now." in text_of(page)
    assert page.context["buttons"].lead[0].name == "resume"
    assert "is not held any more" in answered
    assert not Hold.objects.standing().exists()
