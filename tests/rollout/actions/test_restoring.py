"""Restoring by SQL leaves what restoring row by row leaves: rows, keys, instants, history, snapshots, states and events."""

import itertools
from datetime import timedelta

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from migration.models import Customization, CustomizationEvent
from rollout.actions.chunks import process_chunk
from rollout.actions.people import override_person
from rollout.actions.restorations import restore_people
from rollout.actions.restoring import restore_together
from rollout.actions.snapshots import restore
from rollout.models import Enrolment, Event, Snapshot
from rollout.states import PersonState
from rollout.waves import System
from slots.actions import import_component, save_body
from slots.actions.configurations import Placement, install_configuration
from slots.models import Layer, Origin, SegmentMember, SlotConfiguration
from slots.registry import ComponentRecord
from tests.rollout.conftest import AT, GOOD, OTHER, SAID, Clock

pytestmark = pytest.mark.django_db
LATER = AT + timedelta(hours=1, microseconds=7)
WHY = {"by": "alice", "at": LATER, "reason": "it looks odd"}
BEFORE = ("nothing", "active", "inactive", "pinned", "other", "both")
SINCE = (
    "nothing", "changed", "switched off", "pinned", "removed", "laid anew", "other laid", "other removed",
    "other changed", "diff changed", "diff off", "diff added", "kept", "touched",
)  # fmt: skip


class World:
    """Make people with something before the switch and something since, in the same order for either way."""

    def __init__(self, card, customer, started):
        self.card, self.customer, self.started = card, customer, started
        self.other = import_component(ComponentRecord("shop.other", "1.0", "<p>x</p>"), at=AT, by="alice").version
        self.body = save_body([], at=AT)

    def lay(self, person, version, at=AT, **columns):
        placement = Placement.for_person(person.key, version, self.body, origin=Origin.HAND)
        row = install_configuration(placement, by=person.user, at=at, reason="by hand")
        SlotConfiguration.objects.filter(pk=row.pk).update(**columns)

    def before(self, person, what):
        early = AT - timedelta(days=3, microseconds=123 if what == "active" else 0)
        if what in {"active", "inactive", "pinned", "both"}:
            self.lay(person, self.card, early, is_active=what != "inactive", is_pinned=what == "pinned", priority=4)
        if what in {"other", "both"}:
            self.lay(person, self.other, early)

    def since(self, person, what):
        rows = SlotConfiguration.objects.filter(layer=Layer.USER, key=person.user)
        cards, others = rows.filter(component=self.card.component), rows.filter(component=self.other.component)
        diffs = Customization.objects.filter(person=person)
        changes = {
            "changed": (cards, {"body": self.body, "origin": Origin.HAND}),
            "switched off": (cards, {"is_active": False}),
            "pinned": (cards, {"is_pinned": True}),
            "touched": (rows, {"updated_at": LATER}),
            "other changed": (others, {"priority": 3}),
            "diff changed": (diffs, {"diff_digest": "0" * 64}),
            "diff off": (diffs, {"is_active": False}),
        }
        if what in changes:
            found, columns = changes[what]
            found.update(**columns)
        if what in {"removed", "laid anew"}:
            rows.delete()
        if what == "other removed":
            others.delete()
        if what in {"laid anew", "other laid"}:
            self.lay(person, self.card if what == "laid anew" else self.other)
        if what == "diff added":
            row = diffs.get()
            row.pk, row.external_id, row.component_key = None, "second", "shop.gone"
            row.save(force_insert=True)
        if what == "kept":
            override_person(person, system=System.SLOTS, **WHY)


def left():
    """Everything that a restore writes, but for the numbers of new rows and which act it was."""
    history = SlotConfiguration.history.exclude(history_type="").order_by("key", "component", "history_id")
    return {
        "rows": list(SlotConfiguration.objects.order_by("pk").values()),
        "history": [{**row, "history_id": 0, "act": row["act"] is not None} for row in history.values()],
        "snapshots": list(Snapshot.objects.order_by("pk").values()),
        "diffs": list(Customization.objects.order_by("pk").values()),
        "diff events": [{**row, "id": 0} for row in CustomizationEvent.objects.order_by("customization", "pk").values()],
        "enrolments": list(Enrolment.objects.order_by("pk").values()),
        "events": [{**row, "id": 0} for row in Event.objects.order_by("subject", "subject_pk", "pk").values()],
    }


@pytest.fixture
def world(card, customer, started):
    return World(card, customer, started)


@pytest.mark.slow
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(people=st.lists(st.tuples(st.sampled_from(BEFORE), st.sampled_from(SINCE)), min_size=1, max_size=6))
def test_both_ways_leave_the_same(world, people):
    compare_ways(world, people)


@pytest.mark.slow
def test_both_ways_leave_the_same_for_every_pair_of_before_and_since(world):
    compare_ways(world, [(before, since) for before in BEFORE for since in SINCE])


def test_both_ways_leave_the_same_for_each_before_and_each_since(world):
    compare_ways(world, [("other", "touched"), *zip(itertools.cycle(BEFORE), SINCE, strict=False)])


def compare_ways(world, people):
    people = list(people)
    with transaction.atomic():
        rows = [world.customer(f"p{number}", OTHER if number % 2 else GOOD) for number in range(len(people))]
        for row, (before, _since) in zip(rows, people, strict=True):
            world.before(row, before)
        had = list(SlotConfiguration.objects.order_by("pk").values())
        wave = world.started(*rows)
        process_chunk(wave, clock=Clock())
        for row, (_before, since) in zip(rows, people, strict=True):
            world.since(row, since)
        pks = [row.pk for row in rows]
        Enrolment.move_many(wave.enrolments.all(), to=PersonState.ROLLING_BACK, **SAID)
        together = restored_by(restore_together, [pks])
        one_by_one = restored_by(restore, [[pk] for pk in pks])
        transaction.set_rollback(True)
    assert together == one_by_one
    kept = {f"p{number}" for number, (_before, since) in enumerate(people) if since == "kept"}
    assert [row for row in together[0]["rows"] if row["key"] not in kept] == [row for row in had if row["key"] not in kept]


def restored_by(way, groups):
    """Restore in this way, and return what it left and said; it is undone."""
    with transaction.atomic():
        said = [restore_people(pks, **WHY, way=way) for pks in groups]
        found = left()
        transaction.set_rollback(True)
    counts = sum(each.rolled_back for each in said)
    return found, counts, [user for each in said for user in each.edited], [user for each in said for user in each.kept]


def test_nobody_is_touched_whose_layer_only_looks_alike(world):
    bob, other = world.customer("bob"), world.customer("bob", tenant="second")
    world.lay(other, world.card)
    SlotConfiguration.objects.create(
        tenant="default", layer=Layer.SEGMENT, key="bob", component=world.card.component, component_version=world.card,
        body=world.body, updated_at=AT,
    )  # fmt: skip
    SegmentMember.objects.create(tenant="default", user="nobody", segment="bob")
    before = left()["rows"]
    wave = world.started(bob)
    process_chunk(wave, clock=Clock())
    Enrolment.move_many(wave.enrolments.all(), to=PersonState.ROLLING_BACK, **SAID)

    report = restore_people([bob.pk], **WHY)

    assert (report.rolled_back, report.edited) == (1, ())
    assert left()["rows"] == before
