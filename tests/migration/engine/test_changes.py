"""Digests of changes: spelling does not count, what is changed does."""

import pytest

from migration.engine import diff
from migration.engine.changes import change_digest

OLD = "".join(f"line {number}\n" for number in range(20))
NEW = OLD.replace("line 4\n", "line four\n").replace("line 9\n", "line 9\nline 9b\n")
MADE = diff.make(OLD, NEW, path="card.html")


@pytest.mark.parametrize(
    "text",
    [
        diff.make(OLD, NEW, path="other/card.html"),
        diff.make(OLD, NEW, path="card.html", context=0),
        diff.make(OLD, NEW, path="card.html", context=9),
        diff.make("before\n" + OLD, "before\n" + NEW, path="card.html"),
        MADE.replace("--- a/card.html", "--- a/card.html\t2026-01-01 10:00:00"),
        MADE.replace("@@\n", "@@ def render\n"),
        "diff --git a/card.html b/card.html\n" + MADE,
        MADE.replace("\n", "\r\n"),
        "\ufeff" + MADE,
    ],
)
def test_spelling_does_not_count(text: str) -> None:
    assert text != MADE
    assert change_digest(text) == change_digest(MADE)


@pytest.mark.parametrize(
    "changed",
    [
        OLD,
        NEW.replace("four", "five"),
        NEW.replace("line 9b\n", ""),
        NEW.replace("line 9b", "  line 9b"),
        OLD.replace("line 4\n", "line four\nline 9b\n"),
        NEW.removesuffix("\n"),
    ],
)
def test_what_is_changed_counts(changed: str) -> None:
    assert change_digest(diff.make(OLD, changed, path="card.html")) != change_digest(MADE)


def test_runs_are_kept_apart() -> None:
    apart = diff.make("a\nb\nc\n", "A\nb\nC\n", path="x")
    together = diff.make("a\nc\n", "A\nC\n", path="x")

    assert change_digest(apart) != change_digest(together)


def test_text_that_is_no_diff_has_its_own() -> None:
    assert change_digest("broken") != change_digest("broken too")
    assert change_digest("\ud800") == change_digest("\ud800")
