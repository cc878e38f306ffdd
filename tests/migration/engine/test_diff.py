"""Reading and printing of unified diffs: samples, laws and limits."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from unidiff import PatchSet

from migration.engine import diff
from migration.engine.diff import MAX_DIFF_BYTES, MAX_DIFF_LINES, MAX_HUNKS, Diff, Line
from migration.errors import DiffPathInvalid
from slots.errors import Refusal

SAMPLES = sorted((Path(__file__).parents[2] / "samples" / "diff").iterdir())
HEADERS = "--- a/card.html\n+++ b/card.html\n"

PIECES = ("--- a/x|+++ b/x|@@ -1,2 +1,2 @@|@@ -5 +5 @@| a|-b|+c||\\ No newline at end of file|-- |\r|diff --git a/x b/x|x").split(
    "|"
)

lines = st.text(st.sampled_from("ab \t\r\x0c\x85\u2028\ufeff-+@\\é"), max_size=4)
texts = st.builds(lambda parts, ended: "\n".join(parts) + ("\n" if ended else ""), st.lists(lines, max_size=12), st.booleans())


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda path: path.name)
def test_sample(sample):
    data = (sample / "input.diff").read_bytes()
    expected = json.loads((sample / "expected.json").read_text(encoding="utf-8"))

    result = diff.accept(data)

    if "code" in expected:
        assert isinstance(result, Refusal)
        assert (result.code, result.line) == (expected["code"], expected["line"])
        assert result.text.endswith(".")
    else:
        assert isinstance(result, Diff), result
        assert (result.source_path, result.target_path, len(result.hunks)) == (
            expected["source"],
            expected["target"],
            expected["hunks"],
        )
        assert diff.print_diff(result).encode() == data


def test_samples_refuse_more_than_they_accept():
    refused = [sample for sample in SAMPLES if sample.name.startswith("refused_")]

    assert len(refused) > len(SAMPLES) / 2


def test_str_and_bytes_read_alike():
    text = diff.make("a\nä\n", "a\nö\n", path="card.html")

    assert diff.parse(text) == diff.parse(text.encode())


def test_str_with_half_a_surrogate_pair_is_refused_at_its_line():
    result = diff.parse(f"{HEADERS}@@ -1 +1 @@\n-a\n+\ud800\n")

    assert isinstance(result, Refusal)
    assert (result.code, result.line) == ("DIFF_NOT_UTF8", 5)


@example("", "\r", 0)
@given(texts, texts, st.integers(0, 4))
def test_what_make_writes_parse_reads_and_print_gives_back(old, new, context):
    text = diff.make(old, new, path="card.html", context=context)

    result = diff.parse(text)

    if old == new:
        assert text == ""
    else:
        assert isinstance(result, Diff), result
        assert diff.accept(text) == result
        assert diff.print_diff(result) == text
        assert [line for hunk in result.hunks for line in hunk.before] != [] or old == "" or context == 0


@given(st.lists(st.sampled_from(PIECES), max_size=14), st.booleans(), st.booleans())
def test_whatever_is_accepted_prints_back_to_the_character(parts, ended, mark):
    text = ("\ufeff" if mark else "") + "\n".join(parts) + ("\n" if ended else "")

    result = diff.parse(text)

    assert isinstance(result, Refusal) or diff.print_diff(result) == text


@given(st.binary(max_size=200))
def test_any_bytes_give_a_value(data):
    assert isinstance(diff.parse(data), Diff | Refusal)


@given(texts)
def test_lines_join_to_the_text_and_end_at_line_feeds_only(text):
    split = diff.split_lines(text)

    assert "".join(split) == text
    assert all(line.endswith("\n") for line in split[:-1])
    assert all("\n" not in line[:-1] for line in split)


def test_hunk_that_a_second_parser_reads_otherwise_is_refused():
    accepted = diff.parse(f"{HEADERS}@@ -1 +1 @@\n-a\n+b\n")
    assert isinstance(accepted, Diff)
    longer = replace(accepted.hunks[0], source_length=2)
    other = replace(accepted.hunks[0], lines=(Line("-", "a"), Line("+", "b"), Line(" ", "")), source_length=1)

    for hunk in (longer, other):
        refusal = diff._disagreement(replace(accepted, hunks=(hunk,)))
        assert refusal is not None
        assert (refusal.code, refusal.line) == ("DIFF_MALFORMED", 3)


def test_second_parser_is_asked_where_a_diff_comes_in_and_not_where_it_is_read_again(monkeypatch):
    text = f"{HEADERS}@@ -1 +1 @@\n-a\n+b\n"
    read = diff.accept(text)
    monkeypatch.setattr(diff, "PatchSet", lambda lines: PatchSet([line.replace("+b", "+c") for line in lines]))

    refusal = diff.accept(text)

    assert isinstance(refusal, Refusal)
    assert (refusal.code, refusal.line) == ("DIFF_MALFORMED", 3)
    assert diff.parse(text) == read


@given(st.lists(st.sampled_from(PIECES), max_size=14), st.booleans())
def test_both_parsers_read_whatever_we_accept_alike(parts, ended):
    text = "\n".join([HEADERS.rstrip("\n"), *parts]) + ("\n" if ended else "")

    assert diff.accept(text) == diff.parse(text)


def test_hunk_tells_sides_and_context():
    result = diff.parse(f"{HEADERS}@@ -1,4 +1,3 @@ name\n a\n b\n-c\n+d\n-e\n\\ No newline at end of file\n")

    assert isinstance(result, Diff)
    hunk = result.hunks[0]
    assert (hunk.source_start, hunk.source_length, hunk.target_start, hunk.target_length, hunk.line) == (1, 4, 1, 3, 3)
    assert hunk.before == ("a\n", "b\n", "c\n", "e")
    assert hunk.after == ("a\n", "b\n", "d\n")
    assert (hunk.leading, hunk.trailing) == (2, 0)
    assert hunk.lines[-1] == Line("-", "e", marker="\\ No newline at end of file")


@pytest.mark.parametrize("path", ["", "a\nb", "a\tb", "a\rb"])
def test_make_refuses_a_path_that_no_header_carries(path):
    with pytest.raises(DiffPathInvalid) as caught:
        diff.make("a", "b", path=path)

    assert caught.value.path == path


def test_limit_of_bytes():
    line = "x" * (MAX_DIFF_BYTES // 2)
    text = f"{HEADERS}@@ -1 +1 @@\n-{line}\n+{line}\n"

    assert _code(text) == "LIMIT_EXCEEDED"
    assert _code(text.replace("x" * 200, "", 2)) == ""


def test_limit_of_lines():
    def text(count):
        return f"{HEADERS}@@ -0,0 +1,{count - 3} @@\n" + "+\n" * (count - 3)

    assert _code(text(MAX_DIFF_LINES)) == ""
    assert _code(text(MAX_DIFF_LINES + 1)) == "LIMIT_EXCEEDED"


def test_limit_of_hunks():
    def text(count):
        return HEADERS + "".join([f"@@ -{number} +{number} @@\n-a\n+b\n" for number in range(1, count + 1)])

    assert _code(text(MAX_HUNKS)) == ""
    assert _code(text(MAX_HUNKS + 1)) == "LIMIT_EXCEEDED"


def _code(text):
    result = diff.parse(text)
    return result.code if isinstance(result, Refusal) else ""
