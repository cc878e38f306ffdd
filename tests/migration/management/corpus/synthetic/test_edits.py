"""Each edit writes what it says, where it says, and nothing else."""

import pytest

from migration.management.corpus.synthetic.edits import EDITS, Stroke, has_lines, is_possible
from migration.management.corpus.synthetic.locator import elements

CARD = '<div class="card">\n  <p id="a">x</p>\n</div>\n'


def made(edit, source, tag, *, on_lines=False, form=0):
    element = next(each for each in elements(source) if each.name == tag)
    return EDITS[edit](source, element, Stroke("n-1", form, on_lines))


@pytest.mark.parametrize(
    ("edit", "tag", "expected"),
    [
        ("add_class", "p", '<div class="card">\n  <p class="n-1" id="a">x</p>\n</div>\n'),
        ("add_class", "div", '<div class="card n-1">\n  <p id="a">x</p>\n</div>\n'),
        ("set_attribute", "p", '<div class="card">\n  <p data-note="n-1" id="a">x</p>\n</div>\n'),
        ("insert_before", "p", '<div class="card">\n  <p class="n-1">Note n-1</p><p id="a">x</p>\n</div>\n'),
        ("insert_after", "p", '<div class="card">\n  <p id="a">x</p><p class="n-1">Note n-1</p>\n</div>\n'),
        ("prepend", "div", '<div class="card"><p class="n-1">Note n-1</p>\n  <p id="a">x</p>\n</div>\n'),
        ("append", "p", '<div class="card">\n  <p id="a">x<p class="n-1">Note n-1</p></p>\n</div>\n'),
        ("remove", "p", '<div class="card">\n  \n</div>\n'),
        ("wrap", "p", '<div class="card">\n  <div class="n-1"><p id="a">x</p></div>\n</div>\n'),
    ],
)
def test_an_edit_in_a_line(edit, tag, expected):
    assert made(edit, CARD, tag) == expected


@pytest.mark.parametrize(
    ("edit", "tag", "expected"),
    [
        ("insert_before", "p", '<div class="card">\n  <p class="n-1">Note n-1</p>\n  <p id="a">x</p>\n</div>\n'),
        ("insert_after", "p", '<div class="card">\n  <p id="a">x</p>\n  <p class="n-1">Note n-1</p>\n</div>\n'),
        ("prepend", "div", '<div class="card">\n  <p class="n-1">Note n-1</p>\n  <p id="a">x</p>\n</div>\n'),
        ("append", "div", '<div class="card">\n  <p id="a">x</p>\n  <p class="n-1">Note n-1</p>\n</div>\n'),
        ("remove", "p", '<div class="card">\n</div>\n'),
        ("remove", "div", ""),
        ("wrap", "p", '<div class="card">\n  <div class="n-1">\n  <p id="a">x</p>\n  </div>\n</div>\n'),
    ],
)
def test_an_edit_on_lines_of_its_own(edit, tag, expected):
    assert made(edit, CARD, tag, on_lines=True) == expected


def test_an_attribute_that_is_there_gets_another_value():
    assert made("set_attribute", "<p title='old'>x</p>", "p", form=1) == "<p title='n-1'>x</p>"


@pytest.mark.parametrize(
    ("source", "tag", "edit", "expected"),
    [
        ("<ul><li>x</li></ul>", "li", "insert_after", '<ul><li>x</li><li class="n-1">Note n-1</li></ul>'),
        ("<ul><li>x</li></ul>", "ul", "append", '<ul><li>x</li><li class="n-1">Note n-1</li></ul>'),
        ("<tr><td>x</td></tr>", "tr", "insert_after", '<tr><td>x</td></tr><tr class="n-1"><td>Note n-1</td></tr>'),
        ("<b>x</b>", "b", "wrap", '<span class="n-1"><b>x</b></span>'),
        ('<link rel="x">', "link", "insert_after", '<link rel="x"><meta name="n-1" content="note">'),
    ],
)
def test_what_is_new_fits_its_place(source, tag, edit, expected):
    assert made(edit, source, tag) == expected


@pytest.mark.parametrize(
    ("source", "tag", "refused"),
    [
        ("<br>" + "x" * 9, "br", {"prepend", "append"}),
        ("<textarea>x</textarea>" + "x" * 99, "textarea", {"prepend", "append"}),
        ("<td>x</td>" + "x" * 99, "td", {"wrap"}),
        ("<p>more than half</p>", "p", {"remove"}),
        ('<p{% if a %} class="b"{% endif %}>x</p>' + "x" * 99, "p", {"add_class"}),
        ("<p title=bare>x</p>" + "x" * 99, "p", {"set_attribute"}),
    ],
)
def test_edits_that_make_no_sense_are_not_possible(source, tag, refused):
    element = next(each for each in elements(source) if each.name == tag)

    assert {edit for edit in EDITS if not is_possible(edit, source, element)} == refused


def test_lines_are_those_of_the_tag_next_to_which_the_edit_goes():
    source = "<ul><li>x</li>\n</ul>\n"
    (item, items) = elements(source)

    assert [has_lines(edit, source, item) for edit in ("insert_after", "append")] == [False, False]
    assert [has_lines(edit, source, items) for edit in ("insert_after", "prepend", "append")] == [True, False, True]
