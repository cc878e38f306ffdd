"""Planned, rehearsed, happened."""

from datetime import timedelta

import pytest

from rollout.actions.chunks import process_chunk
from rollout.actions.waves import reschedule_wave
from rollout.models import Rehearsal, Wave
from rollout.rehearsal.comparing import planned_against_actual
from tests.rollout.conftest import AT, SAID, bring_to_start

pytestmark = pytest.mark.django_db


def rehearsed(plan, **changes):
    wave = {"name": "Wave 1", "started_at": AT.isoformat(), "members": 3}
    report = {
        "phases": [{"name": "Pilot", "opened_at": AT.isoformat(), "waves": [wave]}],
        "notices": 6,
        "gate_trips": [{}],
        "rollbacks": [],
    }
    values = {"seed": 1, "people": 3, "content_hash": "x", "by": "alice", "asked_at": AT, "finished_at": AT, "report": report}
    return Rehearsal.objects.create(plan=plan, **(values | changes))


def test_dates_are_compared_with_the_first_ones_and_with_the_rehearsal(planned, customers, clock, phase):
    wave = planned(*customers(3))
    Wave.objects.filter(pk=wave.pk).update(starts_at=AT - timedelta(days=1))
    wave.refresh_from_db()
    rehearsed(phase.plan)
    rehearsed(phase.plan, scenario="slow-render", report={})  # what goes wrong on purpose is no forecast
    reschedule_wave(wave, reason="not today", starts_at=AT, **SAID)
    bring_to_start(wave)
    process_chunk(wave, clock=clock)

    found = planned_against_actual(phase.plan)

    of_phase, of_wave = found["rows"]
    assert (of_phase["phase"], of_phase["wave"], of_phase["actual"]) == ("Pilot", "", AT.isoformat())
    assert of_wave["planned"] == (AT - timedelta(days=1)).isoformat()
    assert (of_wave["rehearsed"], of_wave["actual"]) == (AT.isoformat(), AT.isoformat())
    assert (of_wave["hours_late"], of_wave["hours_late_rehearsed"]) == (24.0, 24.0)
    assert (of_wave["people_rehearsed"], of_wave["people"]) == (3, 3)
    assert found["notices"] == {"rehearsed": 6, "actual": 0}
    assert found["gate_trips"] == {"rehearsed": 1, "actual": 0}


def test_a_plan_that_was_never_rehearsed_has_nothing_beside_what_happened(phase, planned):
    planned(limit=1)

    found = planned_against_actual(phase.plan)

    assert found["rehearsal"] is None
    assert [row["rehearsed"] for row in found["rows"]] == [None, None]
    assert found["rollbacks"] == {"rehearsed": None, "actual": 0}
