"""A plan of two phases that roles sign, four waves with dates, notices, and eight people; the ground that a run begins on."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from migration.models import Person
from rollout.actions.notice_edits import NoticeDraft, add_notice
from rollout.actions.plans import PhaseDraft, WaveDraft, create_plan, open_phase, schedule_plan, submit_plan
from rollout.actions.proofs import translate_people, validate_people
from rollout.actions.signing import require_role, sign
from rollout.actions.signoffs import hash_to_sign, required_of
from rollout.audiences import Audience
from rollout.models import Channel, Decision, Moment, Phase, Plan, Wave
from slots.actions import save_body
from slots.actions.configurations import Placement, install_configuration
from slots.models import Body, ComponentVersion, Origin
from tests.rollout.conftest import AT, GOOD, HOSTILE, OTHER, SAID, WHY

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
ROLES = {"cecil": "CTO", "paula": "VP Product"}  # who holds which; alice wrote the plan
TEXTS = (GOOD, GOOD, OTHER, HOSTILE, GOOD, OTHER, GOOD, OTHER)
SOON, SHOWN, SURVEY = "Soon", "Shown soon", "Survey"


@dataclass(frozen=True)
class World:
    """Name what is there before a run: two waves of the open phase mean five people, two of the next share out who is left."""

    card: ComponentVersion
    body: Body
    people: list[Person]
    plan: Plan
    phases: list[Phase]
    waves: list[Wave]
    customer: Callable[..., Person]


def build(card, customer):
    """Return the world with its plan running and its first phase open."""
    people = [customer(f"p{number}", text, email=f"p{number}@example.org") for number, text in enumerate(TEXTS)]
    Person.objects.filter(user="p7").update(email="")
    body = save_body([], at=AT)
    install_configuration(Placement.for_person(people[0].key, card, body, origin=Origin.HAND), reason="by hand", **SAID)
    translate_people(people, **SAID)
    validate_people(people, **SAID)
    plan = draft()
    submit_plan(plan, **SAID)
    sign_all(plan)
    plan.refresh_from_db()
    schedule_plan(plan, **SAID)
    pilot, rest = plan.phases.order_by("position")
    open_phase(pilot, by="dora", at=AT, reason="all signed")
    waves = list(Wave.objects.filter(phase__plan=plan).order_by("phase__position", "position"))
    return World(card, body, people, plan, [pilot, rest], waves, customer)


def draft():
    """Return the plan as its author wrote it; two roles sign its second phase, one the plan, which covers the first."""
    pilot = PhaseDraft(
        "Pilot", [WaveDraft("First", Audience(users=("p0", "p1", "p2"))), WaveDraft("Second", Audience(users=("p3", "p4")))]
    )
    rest = PhaseDraft(
        "Rest",
        [WaveDraft("Third", Audience(), share=Decimal(60)), WaveDraft("Fourth", Audience(), share=Decimal(40))],
    )
    plan = create_plan("Autumn", phases=[pilot, rest], salt="salt", **SAID)
    for number, wave in enumerate(Wave.objects.filter(phase__plan=plan).order_by("phase__position", "position"), 2):
        Wave.objects.filter(pk=wave.pk).update(starts_at=AT + 2 * number * DAY, lock_lead=2 * DAY)
    second = plan.phases.get(position=2)
    for subject, role in ((plan, "CTO"), (second, "CTO"), (second, "VP Product")):
        require_role(subject, role, **WHY)
    text = {"subject": "Your shop moves", "body": "Dear {user}, {wave} moves at {starts_at}."}
    add_notice(plan, draft=NoticeDraft(SOON, DAY, **text), **SAID)
    add_notice(plan, draft=NoticeDraft(SHOWN, DAY, channel=Channel.IN_APP, is_required=False, **text), **SAID)
    add_notice(plan, draft=NoticeDraft(SURVEY, HOUR, moment=Moment.AFTER_SWITCH, is_required=False, **text), **SAID)
    return plan


def sign_all(subject):
    """Sign a plan or a phase by everybody who is asked."""
    for requirement in required_of(subject):
        by = next(name for name, role in ROLES.items() if role == requirement.role)
        shown = hash_to_sign(subject)
        sign(requirement, decision=Decision.APPROVED, content_hash=shown, by=by, at=AT, reason="read it")
