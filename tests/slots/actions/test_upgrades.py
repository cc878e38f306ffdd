"""Upgrades: planned without a trace on pages, live for what needs nobody, the rest decided once for all who share it."""

import json
import re
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from slots.actions import Placement, install_configuration, render, save_body
from slots.actions.upgrades import (
    ResolutionNotPossible,
    UpgradeBlocked,
    UpgradeNotPlanned,
    activate_upgrade,
    decide_conflicts,
    impact,
    open_conflicts,
    plan_upgrade,
)
from slots.errors import VersionUnknown
from slots.markup import ops
from slots.markup.address import describe
from slots.models import CaseStatus, Layer, Resolution, SlotConfiguration, UpgradeConflict, UpgradeState
from slots.schema import PersonKey
from tests.slots.conftest import AT, CARD, add_component, find, identified, lay, set_text

DEED = {"by": "alice", "at": AT, "reason": "release"}
PRODUCT = {"product": {"name": "Mug"}}
NEW = CARD.replace(">Buy<", ">Add to cart<").replace('class="card"', 'class="card wide"')


@pytest.fixture(autouse=True)
def slots_alone(settings):
    settings.SLOTS_SYSTEM_RESOLVER = None


@pytest.fixture
def new(card):
    return add_component("shop.card", NEW, version="2.0")


def person(name, tenant="default"):
    return PersonKey(tenant, name)


def shown(name, tenant="default"):
    return render("shop.card", person(name, tenant), PRODUCT, at=AT)


def titled(word):
    tree, node = find(CARD, '<h3 class="title">')
    return identified(ops.Operation(ops.ADD_CLASS, describe(tree, node), payload=(word,)))


@pytest.fixture
def people(card):
    """anna adds a class (goes by itself), bob and ben say Order instead of Buy (kept)."""
    lay(card, [titled("big")], person=person("anna"))
    for name in ("bob", "ben"):
        lay(card, [set_text(CARD, "Buy", "Order")], person=person(name))
    return card


def test_plan_changes_no_page_and_says_whom_it_affects(people, new):
    before = [shown(name) for name in ("anna", "bob", "stranger")]

    found = impact(plan_upgrade(people.component, new, **DEED)).as_json()

    assert [shown(name) for name in ("anna", "bob", "stranger")] == before
    assert {name: found[name] for name in ("total", "clean", "adapted", "kept", "conflict", "distinct", "ready", "waiting")} == {
        "total": 3, "clean": 1, "adapted": 0, "kept": 2, "conflict": 0, "distinct": 2, "ready": 1, "waiting": 2,
    }  # fmt: skip
    assert [(group["status"], group["configurations"]) for group in found["conflicts"]] == [("kept", 2)]
    assert found["layers"] == {"user": 3}


def test_open_conflicts_are_those_that_wait_for_a_decision(people, new):
    assert open_conflicts() == []
    upgrade = plan_upgrade(people.component, new, **DEED)

    with CaptureQueriesContext(connection) as queries:
        (waiting,) = open_conflicts()

    assert len(queries) == 1
    assert (waiting.upgrade, waiting.component, waiting.version) == (upgrade.pk, "shop.card", "2.0")
    assert (waiting.status, waiting.configurations, waiting.planned_at) == ("kept", 2, AT)
    decide_conflicts(upgrade, waiting.group, Resolution.PINNED, **DEED)
    assert open_conflicts() == []


def test_conflicts_of_an_upgrade_that_was_overtaken_are_not_asked_about(people, new):
    upgrade = plan_upgrade(people.component, new, **DEED)
    assert len(open_conflicts()) == 1

    upgrade.state = UpgradeState.SUPERSEDED
    upgrade.save()

    assert open_conflicts() == []


def test_activation_moves_what_needs_nobody_and_leaves_the_rest_as_it_was(people, new):
    before = shown("bob")
    upgrade = plan_upgrade(people.component, new, **DEED)

    assert activate_upgrade(upgrade, **DEED) == 1

    assert shown("bob") == before
    assert "Add to cart" in shown("stranger")
    assert "Add to cart" in shown("anna")
    assert 'class="title big"' in shown("anna")
    assert upgrade.state == UpgradeState.ACTIVE
    row = SlotConfiguration.objects.get(key="anna")
    assert (row.component_version, row.origin) == (new, "upgrade")
    revision = row.history.first()
    assert (revision.history_user_id, revision.history_change_reason, revision.act) == ("alice", "release", upgrade.act)


def test_one_decision_serves_everybody_with_the_same_conflict(people, new):
    upgrade = plan_upgrade(people.component, new, **DEED)
    activate_upgrade(upgrade, **DEED)
    (group,) = {row.group for row in UpgradeConflict.objects.all()}

    assert decide_conflicts(upgrade, group, Resolution.OURS, **DEED) == 2

    assert all("Order" in shown(name) and "card wide" in shown(name) for name in ("bob", "ben"))
    assert impact(upgrade).waiting == 0


def test_decision_for_the_base_leaves_the_operation_out(people, new):
    upgrade = plan_upgrade(people.component, new, **DEED)
    activate_upgrade(upgrade, **DEED)
    (group,) = {row.group for row in UpgradeConflict.objects.all()}

    decide_conflicts(upgrade, group, Resolution.THEIRS, **DEED)

    assert all("Add to cart" in shown(name) for name in ("bob", "ben"))


def test_decision_to_stay_keeps_the_old_version(people, new):
    before = shown("bob")
    upgrade = plan_upgrade(people.component, new, **DEED)
    activate_upgrade(upgrade, **DEED)
    (group,) = {row.group for row in UpgradeConflict.objects.all()}

    assert decide_conflicts(upgrade, group, Resolution.PINNED, **DEED) == 0
    assert shown("bob") == before


def test_decision_taken_in_the_plan_goes_live_with_it_and_survives_a_new_plan(people, new):
    first = plan_upgrade(people.component, new, **DEED)
    (group,) = {row.group for row in UpgradeConflict.objects.all()}
    assert decide_conflicts(first, group, Resolution.OURS, **DEED) == 0

    upgrade = plan_upgrade(people.component, new, **DEED)

    assert activate_upgrade(upgrade, **DEED) == 3
    assert "Order" in shown("ben")


def test_decision_for_the_base_survives_a_new_plan(people, new):
    first = plan_upgrade(people.component, new, **DEED)
    (group,) = {row.group for row in UpgradeConflict.objects.all()}
    decide_conflicts(first, group, Resolution.THEIRS, **DEED)

    upgrade = plan_upgrade(people.component, new, **DEED)

    assert activate_upgrade(upgrade, **DEED) == 3
    assert all("Add to cart" in shown(name) for name in ("bob", "ben"))


def test_decision_after_the_move_is_refused(people, new):
    upgrade = plan_upgrade(people.component, new, **DEED)
    activate_upgrade(upgrade, **DEED)
    (group,) = {row.group for row in UpgradeConflict.objects.all()}
    decide_conflicts(upgrade, group, Resolution.OURS, **DEED)

    with pytest.raises(ResolutionNotPossible, match="gone live already"):
        decide_conflicts(upgrade, group, Resolution.THEIRS, **DEED)


def test_what_lost_its_place_cannot_stand(card):
    named = add_component("shop.card", CARD.replace('class="card"', 'class="card" id="x"'), version="2.0")
    tree, node = find(CARD, '<h3 class="title">')
    lay(card, [identified(ops.Operation(ops.SET_ATTR, describe(tree, node), payload=("x",), name="id"))], person=person("bob"))
    upgrade = plan_upgrade(card.component, named, **DEED)
    (conflict,) = UpgradeConflict.objects.all()
    assert conflict.status == "conflict"

    with pytest.raises(ResolutionNotPossible, match="has no place"):
        decide_conflicts(upgrade, conflict.group, Resolution.OURS, **DEED)
    activate_upgrade(upgrade, **DEED)
    assert decide_conflicts(upgrade, conflict.group, Resolution.THEIRS, **DEED) == 1


def test_contract_may_let_kept_places_go_live_at_once(people):
    new = add_component("shop.card", NEW, version="2.0", kept="live")

    assert activate_upgrade(plan_upgrade(people.component, new, **DEED), **DEED) == 3
    assert "Order" in shown("bob")


def test_pinned_configurations_are_passed_by(people, new):
    SlotConfiguration.objects.filter(key="anna").update(is_pinned=True)
    before = shown("anna")
    upgrade = plan_upgrade(people.component, new, **DEED)
    activate_upgrade(upgrade, **DEED)

    assert shown("anna") == before
    assert impact(upgrade).pinned == 1


def test_people_wait_for_the_layer_that_theirs_lies_on(people, new):
    lay(people, [set_text(CARD, "Buy", "Take")], layer=Layer.SITE)
    lay(people, [set_text(CARD, "Buy", "Take")], layer=Layer.SITE, tenant="other")
    lay(people, [titled("big")], person=person("olga", "other"))
    lay(people, [titled("big")], person=person("tom", "third"))
    before = shown("anna")
    upgrade = plan_upgrade(people.component, new, **DEED)

    assert activate_upgrade(upgrade, **DEED) == 1
    assert shown("anna") == before
    assert "Add to cart" in shown("tom", "third")

    (group,) = {row.group for row in UpgradeConflict.objects.filter(ours__contains="Take")}
    decide_conflicts(upgrade, group, Resolution.OURS, **DEED)
    assert ("Take" in shown("anna"), "card wide" in shown("anna"), "title big" in shown("olga", "other")) == (True, True, True)


def test_locks_go_along(people, new):
    body = save_body([], at=AT, locked=["actions"])
    install_configuration(Placement("default", Layer.SITE, "", people, body.digest), **DEED)
    activate_upgrade(plan_upgrade(people.component, new, **DEED), **DEED)

    row = SlotConfiguration.objects.get(layer=Layer.SITE)
    assert (row.component_version, ops.loads_document(row.body.operations).locked) == (new, ("actions",))


def test_default_layer_with_a_conflict_blocks_the_version(card, new):
    lay(card, [set_text(CARD, "Buy", "Take")], layer=Layer.DEFAULT)
    upgrade = plan_upgrade(card.component, new, **DEED)

    with pytest.raises(UpgradeBlocked):
        activate_upgrade(upgrade, **DEED)
    card.component.refresh_from_db()
    assert card.component.current_version == card


def test_later_upgrade_takes_the_place_of_an_earlier_one(people, new):
    first = plan_upgrade(people.component, new, **DEED)
    activate_upgrade(first, **DEED)
    newest = add_component("shop.card", NEW.replace("wide", "narrow"), version="3.0")
    activate_upgrade(plan_upgrade(people.component, newest, **DEED), **DEED)

    assert "narrow" in shown("anna")
    with pytest.raises(UpgradeNotPlanned):
        activate_upgrade(first, **DEED)


def test_result_that_the_policy_refuses_waits(card):
    strict = add_component("shop.card", NEW, version="2.0", policy="strict")
    tree, node = find(CARD, '<h3 class="title">')
    styled = identified(ops.Operation(ops.SET_STYLE, describe(tree, node), payload=("red",), name="color"))
    lay(card, [styled], person=person("bob"))
    upgrade = plan_upgrade(card.component, strict, **DEED)

    assert [case.status for case in upgrade.cases.all()] == [CaseStatus.REFUSED]
    assert activate_upgrade(upgrade, **DEED) == 0


def test_queries_do_not_grow_with_the_people(card, new):
    def queries(count):
        for number in range(count):
            lay(card, [titled("big")], person=person(f"p{count}-{number}"))
        with CaptureQueriesContext(connection) as captured:
            activate_upgrade(plan_upgrade(card.component, new, **DEED), **DEED)
        SlotConfiguration.objects.all().delete()
        return len(captured)

    queries(1)  # the first one makes version 2.0 the current one
    assert queries(2) == queries(6)


def test_unknown_version_is_said(card):
    with pytest.raises(VersionUnknown):
        plan_upgrade(card.component, "9.9", **DEED)


def run(*arguments):
    """Return exit code and JSON of a command."""
    out = StringIO()
    try:
        call_command(*arguments, "--json", stdout=out)
    except CommandError as error:
        return error.returncode, json.loads(out.getvalue())
    return 0, json.loads(out.getvalue())


def test_command_upgrades_and_asks_for_a_person_where_one_is_needed(people, new):
    code, found = run("upgrade_component", "shop.card", "2.0")

    assert (code, found["total"], found["clean"], found["kept"], found["moved"], found["waiting"]) == (1, 3, 1, 2, 1, 2)


def test_command_dry_run_is_the_real_run_without_the_commit(people, new):
    before = shown("stranger")
    _, dry = run("upgrade_component", "shop.card", "2.0", "--dry-run")

    assert shown("stranger") == before
    assert dry["moved"] == 1
    assert not UpgradeConflict.objects.exists()


def test_impact_stores_nothing(people, new):
    code, found = run("slots", "impact", "shop.card", "2.0")

    assert (code, found["total"], found["kept"]) == (0, 3, 2)
    assert not UpgradeConflict.objects.exists()


@pytest.mark.parametrize(
    ("source", "code"),
    [(CARD.replace(">Buy<", ">Add to cart<"), "BASE_CHANGED"), (re.sub("<button.*</button>", "", CARD), "BASE_REMOVED")],
)
def test_conflict_says_by_its_code_what_upstream_did_to_the_place(card, source, code):
    lay(card, [set_text(CARD, "Buy", "Order")], person=PersonKey("default", "bob"))
    new = add_component("shop.card", source, version="2.0")

    (group,) = impact(plan_upgrade(card.component, new, **DEED)).as_json()["conflicts"]

    assert (group["code"], UpgradeConflict.objects.get().code) == (code, code)
