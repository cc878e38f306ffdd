"""Finding operations where a customization has more of them than a configuration may have."""

import pytest

from migration.actions.routes import Found, find_operations
from migration.engine import diff
from migration.engine.bases import Bases
from migration.models import LegacyOutcome, Route, Severity
from slots.schema import MAX_OPERATIONS

LINES = [f'<p class="a">line {number}</p>\n' for number in range(2 * MAX_OPERATIONS + 200)]
BASE = "".join(LINES)
INNER = range(9, len(LINES) - 9, 2)
CUSTOM = "".join(line.replace("line", "mine") if number in INNER else line for number, line in enumerate(LINES))


def find(target: str, custom: str = CUSTOM) -> Found:
    text = diff.make(BASE, custom, path="card.html")
    found = find_operations(text, base=BASE, target=target, versions=list, bases=Bases(), expired=lambda: False)
    assert isinstance(found, Found)
    return found


def test_too_many_operations_are_not_carried_but_result_is_translated() -> None:
    found = find(BASE + "<p>new</p>\n")

    assert (found.legacy, found.route, found.is_proven) == (LegacyOutcome.CLEAN, Route.RESULT, True)
    assert [(each.code, each.severity) for each in found.remarks] == [("LIMIT_EXCEEDED", Severity.INFORMATION)]
    assert found.remarks[0].text.endswith("What the old system shows today was translated instead.")


def test_too_many_operations_have_nowhere_to_go_where_old_system_shows_plain_component() -> None:
    found = find("<b>quite another component</b>\n")

    assert (found.legacy, found.operations, found.is_proven) == (LegacyOutcome.PLAIN, None, False)
    assert [(each.code, each.severity) for each in found.remarks] == [("LIMIT_EXCEEDED", Severity.BLOCKING)]


@pytest.mark.parametrize("count", [1, 3])
def test_few_operations_are_carried(count: int) -> None:
    found = find(BASE + "<p>new</p>\n", BASE.replace("line 9", "mine 9", count))

    assert (found.route, found.is_proven, found.remarks) == (Route.CARRIED, True, ())
