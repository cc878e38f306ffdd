"""Where things have their page in the administration: one map from a subject to it."""

from collections.abc import Mapping
from typing import Final

from django.urls import reverse

from rollout.actions.standstill import Standstill
from rollout.models import SignoffRequirement, Subject

PAGES: Final[Mapping[str, str]] = {
    Subject.PLAN: "admin:rollout_plan_change",
    Subject.PHASE: "admin:rollout_phase_change",
    Subject.WAVE: "admin:rollout_wave_change",
    Subject.ENROLMENT: "admin:rollout_enrolment_change",
    Subject.BREACH: "admin:rollout_breach_change",
    Subject.HOLD: "admin:rollout_hold_change",
}
OF_EVERYBODY: Final[Mapping[str, str]] = {  # by the code of a standstill: these are dealt with where they are switched
    "KILL_SWITCH": "admin:rollout_kill_switch",
    "HOLD_FREEZE": "admin:rollout_freeze",
    "CALENDAR_FREEZE": "admin:rollout_freeze_changelist",
}


def sign_page_of(requirement: SignoffRequirement) -> str:
    """Return the address on which somebody decides in the name of a role."""
    kind, pk = ("phase", requirement.phase_id) if requirement.phase_id else ("plan", requirement.plan_id)
    return reverse(f"admin:rollout_{kind}_sign", args=[pk, requirement.pk])


def page_of(subject: str, pk: int) -> str:
    """Return the address of a row's page."""
    return reverse(PAGES[subject], args=[pk])


def place_of(said: Standstill) -> str:
    """Return the address of the page on which a standstill is dealt with."""
    page = OF_EVERYBODY.get(said.code)
    return reverse(page) if page else page_of(said.subject, said.pk)
