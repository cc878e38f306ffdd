"""Marking what differs in a page: what is equal stays as it is, what is not says what it is."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migration.engine.compare import marking
from migration.engine.compare.marking import mark


@pytest.mark.parametrize(
    ("left", "right", "marked"),
    [
        ("<p>one two</p>", "<p>one two</p>", "<p>one two</p>"),
        ("<p>one two</p>", "<p>one three</p>", "<p>one <del>two</del><ins>three</ins></p>"),
        ("<p>one</p>", "<p>one two</p>", "<p>one <ins>two</ins></p>"),
        ('<p class="a b">x</p>', '<p class="b a">x</p>', '<p class="b a">x</p>'),
        (
            '<p class="a">x</p>',
            '<p class="a wide" id="i">x</p>',
            '<p class="a wide" id="i" data-difference="changed" title="class: a → a wide; id: nothing → i">x</p>',
        ),
        (
            "<p>x</p>",
            "<p>x</p><b>y</b>",
            '<p>x</p><b data-difference="added" title="only on slots"><ins>y</ins></b>',
        ),
        ("<p>x</p><b>y</b>", "<p>x</p>", "<p>x</p><del>y</del>"),
        (
            '<p>x<img src="/a.png"></p>',
            "<p>x</p>",
            '<p>x<img src="/a.png" data-difference="removed" title="only on the old system"></p>',
        ),
        (
            '<img src="/a.png">',
            '<img src="/b.png">',
            '<img src="/b.png" data-difference="changed" title="src: /a.png → /b.png">',
        ),
        ("<style>a{}</style>", "<style>b{}</style>", "<style>b{}</style>"),
        ("<select><option>a</select>", "<select><option>b</select>", "<select><option>b</option></select>"),
        ("<!-- a -->x", "<!-- b -->x", "x"),
        ("a &lt; b", "a &lt; c", "a &lt; <del>b</del><ins>c</ins>"),
    ],
)
def test_marks(left: str, right: str, marked: str) -> None:
    assert mark(left, right) == marked


def test_attribute_cannot_break_out_of_the_title() -> None:
    found = mark("<p title='x'>a</p>", """<p title='"><script>alert(1)</script>'>a</p>""")

    assert found is not None
    assert "<script" not in found
    assert found.count("<") == 2


def test_too_large_pages_are_not_marked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(marking, "MOST", 3)

    assert mark("<p>a</p>", "<p>a b</p>") is None


PIECES = st.lists(
    st.sampled_from(
        ["<p>", "</p>", "<b>", "</b>", "<br>", '<i class="x">', "</i>", "word ", "other ", "&amp;", "<td>", "<!-- c -->"]
    )
).map("".join)


MARKS = re.compile(
    r'<del>[^<]*</del>|</?ins>|<[a-z]+[^>]* data-difference="removed"[^>]*>| data-difference="[^"]*" title="[^"]*"'
)


@given(PIECES, PIECES)
def test_right_page_is_left_when_the_marks_are_taken_off(left: str, right: str) -> None:
    plain, marked = mark(right, right), mark(left, right)

    assert plain is not None
    assert marked is not None
    assert MARKS.search(plain) is None
    assert " ".join(MARKS.sub("", marked).split()) == " ".join(plain.split())
