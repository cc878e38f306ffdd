"""Canonical trees: equal subtrees are one object, weights are counted, large elements are put together."""

import pytest

from migration.engine.compare.limits import OddNames
from migration.engine.compare.trees import _LARGE, Node, Shelf, _weight


def page(text: str, shelf: Shelf | None = None) -> Node:
    return (shelf or Shelf()).page(f"<#page>{text}</#page>")


def test_equal_subtrees_are_one_object() -> None:
    shelf = Shelf()
    left = page("<p>x</p><div><p>x</p></div>", shelf)
    right = page("<div><p>x</p></div>", shelf)

    assert left.children[1] is right.children[0]
    assert left.children[0] is right.children[0].children[0]
    assert left is not right


def test_large_subtrees_are_one_object() -> None:
    shelf = Shelf()
    large = f"<div><b>{'x' * _LARGE}</b>{'<p>y</p>' * 3}</div>"
    left, right = page(f"<i>a</i>{large}z", shelf), page(large, shelf)

    assert left.children[1] is right.children[0]
    assert [child.label for child in left.children] == ["i", "div", "#text"]
    assert [child.label for child in left.children[1].children] == ["b", "p", "p", "p"]


def outline(node: Node) -> object:
    return (node.label, node.attributes, node.text, node.own, [outline(child) for child in node.children])


def test_what_is_read_does_not_depend_on_the_size(monkeypatch: pytest.MonkeyPatch) -> None:
    text = '<html><body>a<p class="b"> d e <i>f</i></p> <#comment>[if x] y</#comment><br></br><ul><li>g</li></ul>h</body></html>'
    small = page(text)
    monkeypatch.setattr("migration.engine.compare.trees._LARGE", 0)
    large = page(text)

    assert outline(small) == outline(large)
    assert small.weight == large.weight
    assert small.children[0].weight == large.children[0].weight


@pytest.mark.parametrize(
    ("text", "weight"),
    [
        ("<p></p>", 1),
        ("<p>a</p>", 3),
        ("<p>a b</p>", 4),
        ("<p> a b <i> </i></p>", 7),
        ('<p class="a\x01b" id="c">a</p>', 5),
        ("<body><p>a</p></body>", 3),
        ('<body id="a"></body>', 1),
        ("<p><#comment>[if x]</#comment></p>", 4),
    ],
)
def test_weight_is_what_its_nodes_weigh(text: str, weight: int) -> None:
    def summed(node: Node) -> int:
        return node.own + sum(summed(child) for child in node.children)

    assert _weight(text) == weight
    assert summed(page(text)) == weight + 1 == page(text).weight


@pytest.mark.parametrize("text", ["<p>", "</p>", "</#page><p>", "</#page><#page>"])
def test_tags_out_of_balance_are_refused(text: str) -> None:
    with pytest.raises(OddNames):
        page(text)
