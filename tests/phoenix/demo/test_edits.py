"""The edits of the sample customers: each stroke at one place only, and legacy's words as GNU patch says them."""

import shutil
import subprocess

import pytest

from migration.engine import diff
from phoenix.demo.edits.edit import Legacy
from phoenix.demo.edits.hostile import HOSTILE
from phoenix.demo.edits.strokes import (
    StrokeDoesNotFit,
    drop,
    insert_after,
    insert_before,
    move_block,
    replace_block,
    swap,
    wrap_block,
)
from phoenix.demo.records import EDITS
from phoenix.demo.shelf import read_shelf

SOURCE = "<div>\n  <p>one</p>\n  <ul>\n    <li>two</li>\n  </ul>\n  <p>three</p>\n</div>\n"
SHELF = read_shelf()
CASES = [(edit, version) for edit in EDITS + HOSTILE for version in edit.on]


def _source(component, version):
    return next(edition.source for edition in SHELF[component] if edition.version == version)


@pytest.mark.parametrize(
    ("stroke", "expected"),
    [
        (swap("one", "1"), SOURCE.replace("one", "1")),
        (swap(("zero", "one"), "1"), SOURCE.replace("one", "1")),
        (insert_before("three", "<hr>"), SOURCE.replace("  <p>three", "  <hr>\n  <p>three")),
        (insert_after("<ul>", "<li>0</li>"), SOURCE.replace("  <ul>\n", "  <ul>\n  <li>0</li>\n")),
        (drop("one"), SOURCE.replace("  <p>one</p>\n", "")),
        (drop("<ul>", "</ul>"), SOURCE.replace("  <ul>\n    <li>two</li>\n  </ul>\n", "")),
        (replace_block("<ul>", "</ul>", "<hr>"), SOURCE.replace("  <ul>\n    <li>two</li>\n  </ul>\n", "  <hr>\n")),
        (wrap_block("two", "", "<b>", "</b>"), SOURCE.replace("    <li>two</li>\n", "    <b>\n      <li>two</li>\n    </b>\n")),
        (
            move_block("three", "", before="one"),
            "<div>\n  <p>three</p>\n  <p>one</p>\n  <ul>\n    <li>two</li>\n  </ul>\n</div>\n",
        ),
    ],
)
def test_stroke_changes_its_place(stroke, expected):
    assert stroke(SOURCE) == expected


@pytest.mark.parametrize(
    "stroke", [swap("four", "4"), swap("p>", "b>"), drop("<p>"), drop("<ul>", "</ol>"), move_block("one", "", before="nine")]
)
def test_stroke_without_exactly_one_place_is_refused(stroke):
    with pytest.raises(StrokeDoesNotFit):
        stroke(SOURCE)


@pytest.mark.parametrize(("edit", "version"), CASES, ids=lambda value: getattr(value, "name", value))
def test_edit_changes_every_version_that_it_names(edit, version):
    source = _source(edit.component, version)
    assert edit.apply(source) != source


def test_edit_names_are_told_apart_within_a_component():
    names = [(edit.component, edit.name) for edit in EDITS + HOSTILE]
    assert len(set(names)) == len(names)


def test_edit_list_is_complete_for_the_current_versions():
    assert all(SHELF[edit.component][-1].version in edit.on for edit in EDITS)


@pytest.mark.skipif(shutil.which("patch") is None, reason="GNU patch is not installed")
@pytest.mark.parametrize(("edit", "version"), CASES, ids=lambda value: getattr(value, "name", value))
def test_edit_legacy_word_is_what_gnu_patch_does(edit, version, tmp_path):
    old = _source(edit.component, version)
    text = diff.make(old, edit.apply(old), path="template.html")
    target = tmp_path / "template.html"
    target.write_text(SHELF[edit.component][-1].source, encoding="utf-8")
    command = ["patch", "-F2", "--force", "--no-backup-if-mismatch", "--reject-file=-", str(target)]
    done = subprocess.run(command, input=text, text=True, capture_output=True, encoding="utf-8")
    found = Legacy.PLAIN if done.returncode else Legacy.FUZZ if "with fuzz" in done.stdout else Legacy.CLEAN
    assert found == edit.on[version]
