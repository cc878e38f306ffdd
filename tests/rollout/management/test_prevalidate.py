"""Proving a wave ahead from the shell, and what a throttled wave says there."""

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from rollout.actions.prevalidation import readiness_of
from rollout.actions.waves import lock_wave
from tests.rollout.conftest import HOSTILE, SAID
from tests.rollout.management.test_commands import run

__all__ = ["run"]
pytestmark = pytest.mark.django_db


def test_a_wave_is_proven_ahead_and_the_blocked_are_counted_by_cause(run, customers, customer, planned):
    wave = planned(*customers(2), customer("hostile", HOSTILE))
    lock_wave(wave, **SAID)

    said, code = run("rollout", "prevalidate", str(wave.pk))

    assert ({name: said[name] for name in ("members", "proven", "blocked", "open")}, code) == (
        {"members": 3, "proven": 2, "blocked": 1, "open": 0},
        1,  # a person is needed
    )
    assert said["causes"]


def test_a_dry_run_proves_nobody_for_good(run, customers, planned):
    wave = planned(*customers(2))
    lock_wave(wave, **SAID)

    said, code = run("rollout", "prevalidate", str(wave.pk), dry_run=True)

    assert (said["proven"], code, readiness_of(wave).open) == (2, 0, 2)


def test_a_wave_that_has_started_is_refused(customers, started):
    wave = started(*customers(1))

    with pytest.raises(CommandError, match="cannot become proven ahead"):
        call_command("rollout", "prevalidate", str(wave.pk))
