"""Groups: what is equal is one, what is not is not, and only what needs a person is there."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from migration.actions import decide_finding
from migration.actions.reviewing import Kind, group_named, member_keys, open_groups
from migration.engine import translate
from migration.models import Customization, Decision, Finding, Translation, Validation
from migration.states import CustomizationState
from slots.models import ComponentVersion
from tests.migration.actions.reviewing.conftest import Fill, spelled
from tests.migration.conftest import AT, CARD, CARRIED, LOST, NEW, OLD, edit, line, ship

pytestmark = pytest.mark.django_db
Bring = Callable[..., Customization]
SCRIPT = edit(NEW, ("In stock", "In stock<hr onclick=x>"))


def test_same_change_is_one_group_however_it_is_spelled(fill: Fill) -> None:
    fill([line(user, spelled(SCRIPT, user)) for user in ("bob", "carol", "dave")])

    (group,) = open_groups()
    assert Translation.objects.count() == 3
    assert (group.people, len(group.translations), len(group.findings)) == (3, 3, 3)
    assert (group.kind, group.codes, group.component, group.version) == (Kind.POLICY, ("UNSAFE_HTML",), CARD, "2.0")
    assert (group.can_accept, group.first_seen_at, group.severity) == (True, AT, "blocking")
    assert member_keys(group) == sorted(Customization.objects.values_list("pk", flat=True))
    assert group_named(group.digest) == group


def test_other_change_version_or_component_is_another_group(fill: Fill) -> None:
    ship("1.0", OLD, key="shop.other")
    fill(
        [
            line("bob", LOST, base_version="1.0"),
            line("carol", edit(OLD, ('<p class="summary">', '<p class="summary narrow">')), base_version="1.0"),
            line("dave", SCRIPT),
            line("erin", SCRIPT.replace("onclick=x", "onclick=y")),
            line("frank", edit(OLD, ("Handmade", "<hr onclick=x>")), component="shop.other", base_version="1.0"),
        ]
    )

    groups = open_groups()
    assert sorted(group.people for group in groups) == [1] * 5
    assert {group.kind for group in groups} == {Kind.RESTORES, Kind.POLICY}
    assert [group.component for group in open_groups(component="shop.other")] == ["shop.other"]
    assert {group.kind for group in open_groups(kind=Kind.RESTORES)} == {Kind.RESTORES}


def test_other_difference_of_pages_is_another_group(fill: Fill) -> None:
    fill([line(user, spelled(LOST, user), base_version="1.0") for user in ("bob", "carol")])
    assert len(open_groups()) == 1

    Validation.objects.filter(translation__customizations__person__user="bob").update(difference_digest="other")

    assert len(open_groups()) == 2


def test_difference_that_was_not_worked_out_is_equal_to_none(fill: Fill) -> None:
    fill([line(user, spelled(LOST, user), base_version="1.0") for user in ("bob", "carol")])

    Validation.objects.update(difference_digest="")

    assert len(open_groups()) == 2


def test_what_has_no_operations_cannot_be_accepted(bring: Bring) -> None:
    bring("broken")

    (group,) = open_groups()
    assert (group.kind, group.can_accept) == (Kind.UNUSABLE, False)


def test_finding_of_a_customization_parts_it_from_those_who_share_its_translation(fill: Fill) -> None:
    fill([line("bob", SCRIPT), line("carol", SCRIPT, base_version="0.9")])

    groups = open_groups()
    assert Translation.objects.count() == 1
    assert [(group.people, group.codes) for group in sorted(groups, key=lambda group: group.codes)] == [
        (1, ("UNSAFE_HTML",)),
        (1, ("UNSAFE_HTML", "VERSION_UNKNOWN")),
    ]
    assert [len(member_keys(group)) for group in groups] == [1, 1]


@pytest.mark.parametrize("decision", [Decision.ACCEPTED, Decision.REFUSED])
def test_what_is_decided_needs_nobody(bring: Bring, decision: Decision) -> None:
    bring(SCRIPT)

    decide_finding(Finding.objects.get(), decision=decision, by="dora", at=AT, reason="seen")

    assert open_groups() == []


@pytest.mark.parametrize(
    "change",
    [
        {"is_active": False},
        {"state": CustomizationState.MIGRATED},
        {"state": CustomizationState.ARCHIVED},
        {"diff_digest": "of a later diff"},
        {"base": None},
    ],
)
def test_customization_that_does_not_wait_is_in_no_group(bring: Bring, change: dict[str, Any]) -> None:
    bring(CARRIED.replace("Order now", "<b onclick=x>"), base_version="1.0")
    assert len(open_groups()) == 1

    Customization.objects.update(**change)

    assert open_groups() == []


def test_findings_of_an_earlier_version_or_engine_are_not_asked_about(bring: Bring, card: ComponentVersion) -> None:
    bring(SCRIPT)
    Translation.objects.update(engine_version="0")
    assert open_groups() == []
    Translation.objects.update(engine_version=translate.ENGINE_VERSION)
    assert len(open_groups()) == 1

    ship("3.0", NEW.replace("Handmade", "Made"))

    assert open_groups() == []


def test_finding_about_earlier_pages_is_not_asked_about(bring: Bring) -> None:
    bring(LOST, base_version="1.0")
    Finding.objects.update(validation=Validation.objects.get())
    assert len(open_groups()) == 1

    Validation.objects.update(metric_version="0")

    assert open_groups() == []


def test_queries_do_not_grow(fill: Fill) -> None:
    counts = []
    for number in (1, 50):
        lines = [line(f"user{index}", SCRIPT.replace("=x", f"=x{index}")) for index in range(number)]
        lines += [line(f"fan{index}", LOST.replace("wide", f"wide{index}"), base_version="1.0") for index in range(number)]
        fill([*lines, *(line(f"bad{index}", f"broken {index}") for index in range(number))])
        with CaptureQueriesContext(connection) as queries:
            groups = open_groups()
        counts.append(len(queries))
        assert len(groups) == 3 * number

    assert counts[0] == counts[1] == 6
