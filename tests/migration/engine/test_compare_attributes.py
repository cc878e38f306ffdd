"""Canonical attributes and styles."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migration.engine.compare.attributes import DEFAULT_MASKS, canonical_attributes, canonical_style

SAME = [
    ("color:red", " COLOR : red ; "),
    ("color:red;color:blue", "color:blue"),
    ("color:red!important;color:blue", "color:red !important"),
    ("color:red;color:blue!important", "color:blue!important;color:red"),
    ("color:red;margin:0", "margin:0;color:red"),
    ("margin-top:1px;margin-left:2px", "margin-left:2px;margin-top:1px"),
    ("top:0;left:0", "left:0;top:0"),
    ("border-top:1px solid;border-left:0", "border-left:0;border-top:1px solid"),
    ("text-align:left;text-transform:none", "text-transform:none;text-align:left"),
    ("font-size:1em;font-weight:bold", "font-weight:bold;font-size:1em"),
    ("align-items:center;justify-content:end", "justify-content:end;align-items:center"),
    ("width:1px;height:2px;max-width:3px", "max-width:3px;height:2px;width:1px"),
    ("margin:0   4px/**/", "margin:0 4px"),
    ("background:url( 'a;b' )", "background:url( 'a;b' );"),
    ("--a:1;--b:2", "--b:2;--a:1"),
    ("border-radius:1px;border-collapse:collapse", "border-collapse:collapse;border-radius:1px"),
]
DIFFERENT = [
    ("margin:0;margin-left:1px", "margin-left:1px;margin:0"),
    ("margin-left:1px;margin-inline:0", "margin-inline:0;margin-left:1px"),
    ("font:1em a;line-height:2", "line-height:2;font:1em a"),
    ("font:1em a;font-size:2em", "font-size:2em;font:1em a"),
    ("inset:0;top:1px", "top:1px;inset:0"),
    ("border-color:red;border-left:0", "border-left:0;border-color:red"),
    ("border:0;border-top:1px", "border-top:1px;border:0"),
    ("flex-flow:row;flex-wrap:wrap", "flex-wrap:wrap;flex-flow:row"),
    ("gap:0;row-gap:1px", "row-gap:1px;gap:0"),
    ("grid-gap:0;row-gap:1px", "row-gap:1px;grid-gap:0"),
    ("place-items:end;align-items:center", "align-items:center;place-items:end"),
    ("width:1px;inline-size:2px", "inline-size:2px;width:1px"),
    ("-webkit-transform:none;transform:none", "transform:none;-webkit-transform:none"),
    ("columns:2;column-count:3", "column-count:3;columns:2"),
    ("all:unset;color:red", "color:red;all:unset"),
    ("grid-row:1;grid-area:a", "grid-area:a;grid-row:1"),
    ("color:red", "color:red!important"),
    ("content:'a  b'", "content:'a b'"),
    ("--a:1", "--A:1"),
    ("color:red", "color:Red"),
    ("color:red", "background:red"),
]


@pytest.mark.parametrize(("left", "right"), SAME)
def test_style_that_shows_the_same(left, right):
    assert canonical_style(left) == canonical_style(right)


@pytest.mark.parametrize(("left", "right"), DIFFERENT)
def test_style_that_may_show_otherwise(left, right):
    assert canonical_style(left) != canonical_style(right)


@pytest.mark.parametrize("style", ["color", "{a:b}", "color:red;}", "@media x{}", "a b:c"])
def test_style_that_does_not_parse_stays_as_it_is(style):
    assert canonical_style(f" {style} ") == style


@given(st.lists(st.sampled_from(["color:red", "margin:0", "margin-left:1px", "top:0", "left:0", "font:a", "x"]), max_size=6))
def test_canonical_style_is_stable(parts):
    once = canonical_style(";".join(parts))

    assert canonical_style(once) == once


def test_attributes_are_sorted_lowered_and_first_ones_win():
    attributes, masked = canonical_attributes("a", [("TITLE", "x"), ("href", "/"), ("title", "y")], DEFAULT_MASKS)

    assert attributes == (("href", "/"), ("title", "x"))
    assert masked == 0


@pytest.mark.parametrize(
    ("tag", "items", "masked"),
    [
        ("input", [("name", "csrfmiddlewaretoken"), ("value", "x")], 1),
        ("input", [("value", "x"), ("NAME", "csrfmiddlewaretoken")], 1),
        ("input", [("name", "other"), ("value", "x")], 0),
        ("button", [("name", "csrfmiddlewaretoken"), ("value", "x")], 0),
        ("input", [("name", "csrfmiddlewaretoken"), ("value", "")], 0),
        ("meta", [("name", "csrf-token"), ("content", "x")], 1),
        ("link", [("nonce", "x")], 1),
    ],
)
def test_masks_cover_what_they_name(tag, items, masked):
    assert canonical_attributes(tag, items, DEFAULT_MASKS)[1] == masked


def test_names_that_others_begin_with_are_found_among_very_many():
    many = [f"margin-a{number}" for number in range(20_000)]  # each with each other would not end

    assert canonical_style(";".join(f"{name}:0" for name in reversed(many))) == ";".join(f"{name}:0" for name in sorted(many))
    entangled = f"{many[7]}-b:0;{many[7]}:1"
    assert canonical_style(entangled) == entangled


@pytest.mark.parametrize(("count", "canonical"), [(200, "a:{};b:1"), (201, "b:1;a:{}"), (100_000, "b:1;a:{}")])
def test_style_of_very_many_brackets_stays_as_it_is(count, canonical):
    nested = "(" * count + ")" * count

    assert canonical_style(f"b:1;a:{nested}") == canonical.format(nested)
