"""Tokens of pages: what cannot be spelled, what is shared, what must be balanced."""

import pytest

from migration.engine.compare import DEFAULT_MASKS, compare
from migration.engine.compare.page import Shelf
from migration.engine.compare.tokens import Unreadable, Vocabulary


def vocabulary() -> Vocabulary:
    return Vocabulary(Shelf(DEFAULT_MASKS))


def test_equal_subtrees_are_one_object() -> None:
    words = vocabulary()
    left, _ = words.read(['<p class="a b">x</p>', "<div>", '<p class="b  a">x</p>', "</div>"], ())
    right, _ = words.read(["<div>", "\n", '<p class="a b">x</p>', "\n", "</div>"], ())

    assert left.children[1] is right.children[0]
    assert left.children[0] is right.children[0].children[0]
    assert left is not right


def test_same_tokens_mean_something_else_where_white_space_counts() -> None:
    root, _ = vocabulary().read(["<p>a  b</p>", "<pre>", "<p>a  b</p>", "</pre>"], ())

    assert [root.children[0].children[0].text, root.children[1].children[0].children[0].text] == ["a b", "a  b"]


def test_digest_tells_where_an_element_ends() -> None:
    words = vocabulary()
    nested, _ = words.read(["<div>", "<b>x</b>", "<b>y</b>", "</div>"], ())
    apart, _ = words.read(["<div>", "<b>x</b>", "</div>", "<b>y</b>"], ())

    assert nested.digest != apart.digest


def test_masks_count_each_time_a_token_occurs() -> None:
    _, masked = vocabulary().read(['<b nonce="1">x</b>', '<b nonce="1">x</b>', '<i nonce="1">', "<b>x</b>", "</i>"], ())

    assert masked == 3


@pytest.mark.parametrize("tokens", [["<p>"], ["</p>"], ["<p>", "</b>"], ["<p>x</b>"]])
def test_tokens_out_of_balance_are_refused(tokens: list[str]) -> None:
    with pytest.raises(Unreadable, match="PARSER_LIMIT"):
        vocabulary().read(tokens, ())


@pytest.mark.parametrize(
    ("left", "right", "equal"),
    [
        ('<p "x">a</p>', '<P "x">a</P>', True),
        ('<p "x">a &amp; b</p>', '<p "y">a &amp; b</p>', False),
        ('<p "x">a &amp;lt; b</p>', '<p "x">a &lt; b</p>', False),
        ('<a title="</a>">b</a>', "<a title='</a>'>b</a>", True),
        ('<a title="</a>">b</a>', '<a title="</i>">b</a>', False),
        ('<p"x>a</p"x>', '<p"y>a</p"y>', False),
        ("<script>a &amp; b</script>", "<script>a & b</script>", False),
        ("<svg><br></svg><style>a > b</style>", "<svg><BR></svg><style>a > c</style>", False),
        ('<!doctype html PUBLIC "-//W3C//DTD XHTML 1.0 Strict//EN" "x"><p>a<br>b', "<!doctype html><p>a<br>b", False),
    ],
)
def test_odd_spellings(left: str, right: str, equal: bool) -> None:
    assert compare(left, right).equal is equal
