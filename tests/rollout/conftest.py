"""A shop with one component, customers with diffs, a plan with one open phase, and a clock that stands until it is moved."""

import hashlib
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest

from migration.engine import diff
from migration.models import Customization, Person
from rollout.actions.gates import add_policy
from rollout.actions.holds import add_window
from rollout.actions.plans import (
    PhaseDraft,
    WaveDraft,
    add_wave,
    approve_plan,
    create_plan,
    open_phase,
    schedule_plan,
    submit_plan,
)
from rollout.actions.proofs import translate_people, validate_people
from rollout.actions.signing import require_role, sign
from rollout.actions.signoffs import hash_to_sign
from rollout.actions.waves import announce_wave, lock_wave, start_wave
from rollout.audiences import Audience
from rollout.gates import Metric, Policy
from rollout.gates import Window as Hours
from rollout.models import Decision, Notice, Phase, SignoffRequirement, Task
from slots.actions import import_component, set_current_version
from slots.models import ComponentVersion
from slots.registry import ComponentRecord
from tests.conftest import person as account
from tests.scenes import kept, put

AT = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
CARD = "shop.card"
SOURCE = """\
<article class="card">
  <h3 class="title">{{ product.name }}</h3>
  <p class="summary">{{ product.summary }}</p>
  <footer class="foot">
    <span class="price">{{ product.price }}</span>
    <button class="buy">Add to cart</button>
  </footer>
</article>
"""
CONTEXT: dict[str, Any] = {"product": {"name": "Mug", "summary": "For tea.", "price": 18}}
GOOD = diff.make(SOURCE, SOURCE.replace("Add to cart", "Order now"), path="template.html")
OTHER = diff.make(SOURCE, SOURCE.replace('class="buy"', 'class="buy wide"'), path="template.html")
HOSTILE = diff.make(SOURCE, SOURCE.replace("Add to cart", "<script>alert(1)</script>"), path="template.html")
SAID: dict[str, Any] = {"by": "alice", "at": AT}
WHY: dict[str, Any] = {**SAID, "reason": "because"}
ERRORS = Policy(Metric.ERROR_RATE, 0.01, 0.005, timedelta(days=1))


class Clock:
    """Tell an instant that only the test moves."""

    def __init__(self, now=AT):
        self.now = now

    def __call__(self):
        return self.now

    def advance(self, seconds):
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def card(db):
    """The current version of the shop's one component."""
    put("card", 1, _ship_card)
    return ComponentVersion.objects.select_related("component").get(component__key=CARD)


def _ship_card():
    samples = ({"name": "mug", "context": CONTEXT},)
    done = import_component(
        ComponentRecord(CARD, "1.0", SOURCE, contract={"names": ["product"]}, samples=samples), at=AT, by="alice"
    )
    set_current_version(done.version.component, done.version, at=AT, by="alice")


@pytest.fixture
def customer(card):
    """What makes a customer with a stored diff."""

    def make(name, text=GOOD, **fields):
        person = Person.objects.create(user=name, **fields)
        if text is not None:
            Customization.objects.create(
                external_id=f"{name}/card",
                person=person,
                component_key=CARD,
                base_version="1.0",
                component=card.component,
                base=card,
                diff=text,
                diff_digest=hashlib.sha256(text.encode()).hexdigest(),
                imported_at=AT,
            )
        return person

    return make


@pytest.fixture
def customers(customer):
    """What makes so many customers, `c1` to `cN`."""
    return lambda count, text=GOOD: [customer(f"c{number}", text) for number in range(1, count + 1)]


@pytest.fixture
def phase(db):
    """A phase of a running plan, open."""
    put("phase", 2, _open_phase)
    return Phase.objects.select_related("plan").get(plan__name="Autumn")


def _open_phase():
    plan = create_plan("Autumn", phases=[PhaseDraft("Pilot")], salt="salt", **SAID)
    submit_plan(plan, **SAID)
    approve_plan(plan, by="dora", at=AT, reason="looks right")
    schedule_plan(plan, **SAID)
    phase = plan.phases.get()
    open_phase(phase, reason="all signed", **SAID)


@pytest.fixture
def planned(phase):
    """What makes a planned wave of these people, or of the first so many."""

    def make(*people, limit=None, name="Wave"):
        audience = Audience(users=tuple(str(person) for person in people), limit=limit)
        return add_wave(phase, draft=WaveDraft(f"{name} {phase.waves.count() + 1}", audience), **SAID)

    return make


def bring_to_start(wave, at=AT):
    """Lock, announce and start a wave."""
    lock_wave(wave, by="alice", at=at)
    announce_wave(wave, by="alice", at=at, reason="told by letter")
    start_wave(wave, by="alice", at=at)
    return wave


@pytest.fixture
def started(planned):
    """What makes a wave of these people that is at work."""
    return lambda *people, **options: bring_to_start(planned(*people, **options))


@pytest.fixture
def signers(db):
    """One holder of each role: cecil, victor and paula; alice writes, dora approves."""
    return {
        role: account(name, staff=True, role=role)
        for role, name in {"CTO": "cecil", "VP Engineering": "victor", "VP Product": "paula"}.items()
    }


@pytest.fixture
@kept
def asked(signers, customers):
    """A plan in review that two roles sign, and whose one phase two roles sign; its wave means two people."""
    customers(3)
    wave = WaveDraft("First", Audience(limit=2))
    plan = create_plan("Winter", phases=[PhaseDraft("Pilot", [wave])], salt="salt", **SAID)
    for role in ("CTO", "VP Product"):
        require_role(plan, role, **WHY)
        require_role(plan.phases.get(), role, **WHY)
    submit_plan(plan, **SAID)
    return plan


def signed(subject, role="CTO", by="cecil", decision=Decision.APPROVED, content_hash=None, reason="read it"):
    phase = subject if isinstance(subject, Phase) else None
    plan = subject.plan if phase else subject
    requirement = SignoffRequirement.objects.get(plan=plan, phase=phase, role=role)
    shown = hash_to_sign(subject) if content_hash is None else content_hash
    return sign(requirement, decision=decision, content_hash=shown, by=by, at=AT, reason=reason)


def sign_all(subject):
    signed(subject)
    signed(subject, "VP Product", "paula")


@pytest.fixture
@kept
def opened(asked):
    """The phase, signed and open, of the plan that was signed."""
    sign_all(asked)
    asked.refresh_from_db()
    schedule_plan(asked, **SAID)
    phase = asked.phases.get()
    sign_all(phase)
    open_phase(phase, by="dora", at=AT, reason="all signed")
    return phase


@pytest.fixture
def proven(customers):
    """What makes so many customers whose proofs are there."""

    def make(count):
        people = customers(count)
        translate_people(people, **SAID)
        validate_people(people, **SAID)
        return people

    return make


@pytest.fixture
def locked(proven, planned):
    """What makes a locked wave of so many proven people."""

    def make(count):
        wave = planned(*proven(count))
        lock_wave(wave, **SAID)
        return wave

    return make


@pytest.fixture
@kept
def whole(db):
    """A draft with one of everything that is demanded, of its first phase and of the whole plan."""
    plan = create_plan("Whole", phases=[PhaseDraft("One", [WaveDraft("First", Audience(limit=1))]), PhaseDraft("Two")], **SAID)
    one = plan.phases.first()
    for phase, name in ((one, "own"), (None, "shared")):
        add_policy(plan, phase=phase, name=f"Errors {name}", policy=ERRORS, **SAID)
        add_window(plan, phase=phase, window=Hours("UTC", time(2), time(4), (0, 1, 2)), **SAID)
        Notice.objects.create(
            plan=plan, phase=phase, name=name, lead=timedelta(days=2), subject="Soon", body="Hello", is_required=phase is not None
        )
        SignoffRequirement.objects.create(plan=plan, phase=phase, role="CTO")
    Notice.objects.filter(phase=one).update(is_required=True)
    Task.objects.create(phase=one, position=1, text="Train support")
    return plan
