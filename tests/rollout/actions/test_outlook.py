"""What happens next to a wave and to a phase."""

from datetime import timedelta

import pytest

from rollout.actions.chunks import process_chunk
from rollout.actions.outlook import outlook_of_phase, outlook_of_wave
from rollout.actions.progress import progress_of
from rollout.actions.rollback import roll_back_wave
from rollout.models import Enrolment, Phase, Wave
from rollout.states import PersonState, PhaseState, PlanState, WaveState
from tests.rollout.conftest import AT, WHY

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


def of(wave, at=AT):
    wave = Wave.objects.select_related("phase__plan").get(pk=wave.pk)
    return outlook_of_wave(wave, progress_of(wave, at=at), at=at)


def test_a_wave_without_a_date_waits_for_somebody(planned):
    wave = planned(limit=1)

    assert of(wave).text == "An operator locks it: it has no date."
    assert of(wave).at is None


def test_a_wave_with_a_date_goes_by_it(planned):
    wave = planned(limit=1)
    Wave.objects.update(starts_at=AT + 9 * DAY)
    assert (of(wave).text, of(wave).at) == ("Its people will be frozen.", AT + DAY)

    Wave.objects.update(state=WaveState.ANNOUNCED)

    assert (of(wave).text, of(wave).at) == ("It will start, unless something keeps it.", AT + 9 * DAY)


def test_nothing_of_a_draft_happens_by_itself(planned, phase):
    wave = planned(limit=1)
    type(phase.plan).objects.update(state=PlanState.DRAFT)

    assert of(wave).text == "Nothing by itself: its plan stands at “draft”."


def test_a_wave_that_is_held_claims_nobody_else(started, customers):
    wave = started(*customers(2))
    progress = progress_of(wave, at=AT)

    assert outlook_of_wave(wave, progress, at=AT, is_held=True).text == "Nobody else is claimed while something holds it."


def test_a_wave_that_has_just_started_says_what_is_to_come_and_that_the_pace_is_not_known(started, customers):
    wave = started(*customers(3))

    assert of(wave).text == "Whoever is at work finishes, once nobody is left in the queue."
    assert str(progress_of(wave, at=AT + timedelta(seconds=1))) == "0 of 3 people handled, 3 left: the pace is not known yet."
    assert str(progress_of(wave, at=AT + timedelta(minutes=2))).endswith("no end in sight.")


def test_a_wave_that_drains_waits_for_the_last_ones(started, customers):
    wave = started(*customers(3))
    Enrolment.objects.filter(pk=wave.enrolments.first().pk).update(state=PersonState.SWITCHED, switched_at=AT)
    Wave.objects.update(state=WaveState.DRAINING)

    assert of(wave).text == "It is watched once the last of 2 people (0 at work) is through."


def test_a_watched_wave_is_completed_after_the_soak_of_who_was_last(started, customers, clock):
    wave = started(*customers(2))
    clock.advance(60)
    process_chunk(wave, clock=clock)

    assert of(wave).at == AT + timedelta(seconds=60) + wave.soak


def test_of_a_wave_that_is_over_nothing_is_next(started, customers):
    wave = started(*customers(1))
    roll_back_wave(wave, **WHY)

    assert of(wave) is None


def test_a_phase_waits_for_its_date_its_next_wave_or_the_end_of_its_soak(planned, phase):
    wave = planned(limit=1)
    assert outlook_of_phase(phase, at=AT).text == "It soaks once its last wave has ended."
    Wave.objects.filter(pk=wave.pk).update(starts_at=AT + DAY)
    assert outlook_of_phase(phase, at=AT).at == AT + DAY

    phase.state, phase.starts_at = PhaseState.AWAITING_SIGNOFF, AT + 2 * DAY
    assert (outlook_of_phase(phase, at=AT).text, outlook_of_phase(phase, at=AT).at) == (
        "It may open, at the earliest.",
        AT + 2 * DAY,
    )
    phase.state, phase.soaking_at, phase.soak = PhaseState.SOAKING, AT, 3 * DAY
    assert outlook_of_phase(phase, at=AT).at == AT + 3 * DAY
    phase.state = PhaseState.COMPLETED
    assert outlook_of_phase(Phase(state=PhaseState.COMPLETED), at=AT) is None
