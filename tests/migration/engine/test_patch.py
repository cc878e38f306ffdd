"""Applying diffs: samples, laws and limits. `test_patch_oracle` holds the GNU mode to GNU patch itself."""

import json
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migration.engine import diff, patch
from migration.engine.diff import Diff
from migration.engine.patch import Patched, Placement
from slots.errors import Refusal
from slots.schema import MAX_LINE_CHARACTERS, MAX_SOURCE_BYTES

SAMPLES = sorted((Path(__file__).parents[2] / "samples" / "patch").iterdir())

sources = st.builds(
    lambda parts, ended: "\n".join(parts) + ("\n" if ended and parts else ""),
    st.lists(st.sampled_from(["a", "b", "c", "", " d", "e\r", "f\u2028"]), max_size=20),
    st.booleans(),
)


def parsed(text) -> Diff:
    result = diff.parse(text)
    assert isinstance(result, Diff), result
    return result


def changed(*hunks) -> Diff:
    return parsed("--- a/card.html\n+++ b/card.html\n" + "".join(hunks))


@pytest.mark.parametrize("way", [patch.apply, patch.apply_like_gnu])
def test_hunk_that_does_not_apply_names_the_first_line_that_differs(way):
    change = changed("@@ -2,3 +2,3 @@\n two\n-three\n+drei\n four\n")

    refused = way("one\ntwo\n3\nfour\n", change)

    assert refused.code == "HUNK_DOES_NOT_APPLY"
    assert "(line 3 is expected to be “three” and is “3”)" in refused.text


def test_hunk_beyond_the_end_names_the_line_that_is_missing():
    refused = patch.apply("one\n", changed("@@ -1,3 +1,3 @@\n one\n-two\n+zwei\n three\n"))

    assert "(line 2 is expected to be “two” and is missing)" in refused.text


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda path: path.name)
@pytest.mark.parametrize("mode", ["strict", "gnu"])
def test_sample(sample, mode):
    source = (sample / "source.html").read_bytes().decode()
    change = parsed((sample / "change.diff").read_bytes())
    expected = json.loads((sample / "expected.json").read_text(encoding="utf-8"))[mode]

    result = patch.apply(source, change) if mode == "strict" else patch.apply_like_gnu(source, change)

    if "code" in expected:
        assert isinstance(result, Refusal), result
        assert (result.code, result.line) == (expected["code"], expected["line"])
        assert result.text.endswith(".")
    else:
        assert isinstance(result, Patched), result
        assert result.source == expected["source"]


@given(sources, sources, st.integers(0, 4))
def test_both_modes_turn_the_old_source_into_the_new_one(old, new, context):
    if old == new:
        return
    change = parsed(diff.make(old, new, path="card.html", context=context))

    strict, gnu = patch.apply(old, change), patch.apply_like_gnu(old, change)

    assert isinstance(strict, Patched), strict
    assert strict.source == new
    assert (strict.fuzz, strict.offset) == (0, 0)
    assert gnu == strict


@given(sources, sources, sources, st.integers(0, 4))
def test_strict_success_is_gnu_success_without_fuzz(old, new, other, context):
    if old == new:
        return
    change = parsed(diff.make(old, new, path="card.html", context=context))

    strict = patch.apply(other + old, change)

    if isinstance(strict, Patched):
        assert patch.apply_like_gnu(other + old, change) == strict


def test_placements_say_where_each_hunk_went():
    change = changed("@@ -1,3 +1,3 @@\n a\n-b\n+B\n c\n", "@@ -8,3 +8,3 @@\n g\n-h\n+H\n i\n")
    source = "new\na\nb\nc\n\n\n\n\ng\nh\nchanged\n"

    result = patch.apply_like_gnu(source, change)

    assert result == Patched("new\na\nB\nc\n\n\n\n\ng\nH\nchanged\n", 1, 1, (Placement(0, 2, 1, 0), Placement(1, 9, 1, 1)))


def test_fuzz_is_bounded_by_the_caller():
    change = changed("@@ -1,5 +1,5 @@\n a\n b\n-c\n+C\n d\n e\n")
    source = "x\ny\nc\nz\nw\n"

    assert isinstance(patch.apply_like_gnu(source, change, fuzz=1), Refusal)
    assert isinstance(patch.apply_like_gnu(source, change, fuzz=2), Patched)


def test_context_lines_of_the_source_survive_fuzz():
    change = changed("@@ -1,3 +1,3 @@\n a\n-b\n+B\n c\n")

    result = patch.apply_like_gnu("other\nb\nc\n", change)

    assert isinstance(result, Patched)
    assert result.source == "other\nB\nc\n"


@pytest.mark.parametrize("function", [patch.apply, patch.apply_like_gnu])
def test_limits_hold_for_source_and_result(function):
    line = "x" * (MAX_LINE_CHARACTERS - 1)
    append = changed("@@ -1 +1,2 @@\n-a\n+a\n+b\n")
    grow = changed(f"@@ -1 +1 @@\n-a\n+{'y' * (MAX_LINE_CHARACTERS + 1)}\n")
    full = "a\n" + (line + "\n") * (MAX_SOURCE_BYTES // (len(line) + 1))
    brim = full + "z" * (MAX_SOURCE_BYTES - len(full))

    assert isinstance(function(f"a\n{line}x\n", append), Patched)
    for source, change in ((f"a\n{line}xx\n", append), ("a\n", grow), (brim, append), (brim + "zz", append)):
        result = function(source, change)
        assert isinstance(result, Refusal)
        assert result.code == "LIMIT_EXCEEDED"


@pytest.mark.slow
@pytest.mark.parametrize("function", [patch.apply, patch.apply_like_gnu])
def test_largest_diff_with_equal_lines_everywhere_stays_fast(function):
    source = "same\n" * 100_000
    hunks = [
        f"@@ -{50 * number},9 +{50 * number},9 @@\n" + " same\n" * 4 + "-same\n+other\n" + " same\n" * 4
        for number in range(1, 1800)
    ]
    change = changed(*hunks)

    started = time.process_time()
    result = function(source, change)

    assert isinstance(result, Patched)
    assert result.source.count("other") == 1799
    assert time.process_time() - started < 5


@pytest.mark.slow
def test_hunks_that_nearly_match_everywhere_stay_fast():
    source = "a\n" * 100_000
    hunks = [f"@@ -90000,{100} +90000,{99} @@\n" + " a\n" * 49 + "-b\n" + " a\n" * 50 for _ in range(150)]
    change = changed(*hunks)

    started = time.process_time()

    assert isinstance(patch.apply_like_gnu(source, change), Refusal)
    assert time.process_time() - started < 5
