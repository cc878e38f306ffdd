"""Verdicts: right, reported, silently wrong; counted by group."""

from dataclasses import replace

import pytest

from migration.management.corpus import peers
from migration.management.corpus.synthetic import tally, trial
from migration.management.corpus.synthetic.cases import Case
from migration.management.corpus.synthetic.locator import Identity
from migration.management.corpus.synthetic.trial import Verdict

NONE = peers.Tools(git=None, patch=None)
OLD = '<ul>\n  <li id="a">A</li>\n  <li id="b">B</li>\n</ul>\n'
EDITED = OLD.replace('<li id="b">', '<li id="b" class="n">')
NEW = OLD.replace("<ul>", '<ul class="list">')
CASE = Case(
    number=0, template="list", releases=1, edit="add_class", identity=Identity("id", "li", "b"), on_lines=True,
    old=OLD, edited=EDITED, new=NEW, expected=NEW.replace('<li id="b">', '<li class="n" id="b">'),
)  # fmt: skip


def test_a_carried_edit_is_right_whatever_the_order_of_attributes(tmp_path):
    found = trial.run(CASE, NONE, tmp_path)

    assert found.verdicts == {"phoenix": Verdict.RIGHT, "git": None, "patch": None}
    assert found.statuses == ("clean",)


def test_a_result_that_is_not_the_expected_one_and_not_reported_is_wrong(tmp_path):
    found = trial.run(replace(CASE, expected=CASE.new), NONE, tmp_path)

    assert found.verdicts["phoenix"] is Verdict.WRONG


def test_a_result_that_is_not_the_expected_one_but_reported_is_reported(tmp_path):
    gone = replace(CASE, new='<ol>\n  <li id="c">C</li>\n</ol>\n', expected="something else")

    assert trial.run(gone, NONE, tmp_path).verdicts["phoenix"] is Verdict.REPORTED


def test_the_peers_are_judged_by_the_same_rule(tmp_path):
    tools = peers.find_tools()
    if tools.git is None or tools.patch is None:
        pytest.skip("git or GNU patch is not installed")
    near = replace(CASE, new=OLD.replace("A", "Z"), expected=EDITED.replace("A", "Z"))
    overlapping = replace(CASE, new=OLD.replace('id="b"', 'id="bb"'), expected="")

    assert trial.run(CASE, tools, tmp_path).verdicts["git"] is Verdict.RIGHT
    assert trial.run(near, tools, tmp_path).verdicts == {"phoenix": "right", "git": "reported", "patch": "right"}
    assert trial.run(replace(CASE, expected=""), tools, tmp_path).verdicts == dict.fromkeys(trial.TOOLS, "wrong")
    assert trial.run(overlapping, tools, tmp_path).verdicts["git"] is Verdict.REPORTED


def test_the_row_holds_what_others_need_to_judge_it(tmp_path):
    row = trial.run(CASE, NONE, tmp_path).as_json()

    assert (row["old"], row["edited"], row["new"], row["expected"]) == (OLD, EDITED, NEW, CASE.expected)
    assert row["verdicts"] == {"phoenix": "right", "git": None, "patch": None}


def test_a_tally_counts_by_group_and_says_what_is_not_installed(tmp_path):
    counted = tally.Tally(seed=5)
    for case in (CASE, replace(CASE, releases=2, expected=""), replace(CASE, identity=Identity("content", "li", "B"))):
        counted.add(trial.run(case, NONE, tmp_path))

    found = counted.as_json()

    assert (found["seed"], found["cases"], found["git"], found["patch"]) == (5, 3, None, None)
    assert found["phoenix"] == {"right": 2, "reported": 0, "wrong": 1}
    assert found["groups"]["+2"]["phoenix"] == {"right": 0, "reported": 0, "wrong": 1}
    assert {name: group["cases"] for name, group in found["groups"].items()} == {
        "+1": 2, "+2": 1, "add_class": 3, "named": 2, "unnamed": 1,
    }  # fmt: skip
    table = list(tally.lines(found))
    assert "66.7 %  33.3 %" in table[2]
    assert "–" in table[2]


def test_an_empty_tally_has_no_figures():
    assert tally.Tally(seed=1).as_json() == {"seed": 1, "cases": 0, "groups": {}}
