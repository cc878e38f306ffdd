"""Checks: what holds, what does not, and that both sides of a count are looked at."""

from phoenix.demo.run.checks import Check, Step, Table


def test_check_holds_only_where_both_are_equal():
    assert Check("people", expected=2, found=2).holds
    assert not Check("people", expected=2, found=3).holds


def test_step_without_checks_holds():
    assert Step("nothing").holds


def test_step_with_one_failed_check_does_not_hold():
    step = Step("move")
    step.check("moved", expected=2, found=2)
    step.check("left", expected=0, found=1)
    assert not step.holds
    assert [check.text for check in step.failed] == ["left"]


def test_check_counts_sees_what_only_one_side_has():
    step = Step("move")
    step.check_counts("people", expected={"switched": 2}, found={"switched": 2, "failed": 1})
    assert [(check.text, check.expected, check.found) for check in step.checks] == [
        ("people: failed", 0, 1),
        ("people: switched", 2, 2),
    ]
    assert not step.holds


def test_step_as_json_tells_everything():
    step = Step("move", seconds=1.23456, facts=["two people"])
    step.check("moved", expected=2, found=1)
    step.tables.append(Table("people", ("name", "#age"), (("bob", "7"),)))
    assert step.as_json() == {
        "title": "move",
        "seconds": 1.235,
        "facts": ["two people"],
        "checks": [{"text": "moved", "expected": 2, "found": 1, "holds": False}],
        "tables": [{"title": "people", "columns": ["name", "age"], "rows": [["bob", "7"]]}],
    }
