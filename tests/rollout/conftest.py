"""A shop with one component, customers with diffs, a plan with one open phase, and a clock that stands until it is moved."""

import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from migration.engine import diff
from migration.models import Customization, Person
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
from rollout.actions.waves import announce_wave, lock_wave, start_wave
from rollout.audiences import Audience
from slots.actions import import_component, set_current_version
from slots.registry import ComponentRecord

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
    samples = ({"name": "mug", "context": CONTEXT},)
    done = import_component(
        ComponentRecord(CARD, "1.0", SOURCE, contract={"names": ["product"]}, samples=samples), at=AT, by="alice"
    )
    return set_current_version(done.version.component, done.version, at=AT, by="alice")


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
    plan = create_plan("Autumn", phases=[PhaseDraft("Pilot")], salt="salt", **SAID)
    submit_plan(plan, **SAID)
    approve_plan(plan, by="dora", at=AT, reason="looks right")
    schedule_plan(plan, **SAID)
    phase = plan.phases.get()
    open_phase(phase, reason="all signed", **SAID)
    return phase


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
