"""Replacements over what upstream changed in their place: they stand unasked only with all of that, and nothing that went."""

from dataclasses import replace

import pytest

from slots.markup import ops
from slots.markup.address import describe
from slots.markup.ops import Operation
from slots.markup.rebase import Status, prepare, rebase
from slots.markup.tree import nodes, parse

BASE = "<ul><li>{{ product.name }}</li><li>{{ product.price }}</li></ul><p>{{ shop.address }}</p>"


def status(fragment, theirs, *, base=BASE):
    tree = parse(base)
    made = Operation(ops.REPLACE, describe(tree, tree.root.kids[0]), (fragment,))
    result = rebase([replace(made, id=made.identifier())], prepare(base, theirs))
    return result.outcomes[0].status


@pytest.mark.parametrize(
    ("fragment", "theirs", "expected"),
    [
        # upstream changed the order
        (
            "<ol><li>{{ product.name }}</li><li>{{ product.price }}</li></ol>",
            BASE.replace(
                "<li>{{ product.name }}</li><li>{{ product.price }}</li>",
                "<li>{{ product.price }}</li><li>{{ product.name }}</li>",
            ),
            Status.KEPT,
        ),
        # upstream took bare tags away that the fragment has
        ("<ol><li>Sale</li></ol>", BASE.replace("<li>", "").replace("</li>", " "), Status.KEPT),
        ("<ol><b>Sale</b></ol>", BASE.replace("<li>", "").replace("</li>", " "), Status.ADAPTED),
        # upstream added something that the fragment has, here and elsewhere
        (
            "<ol><li data-sku='{{ product.sku }}'>Sale</li></ol>",
            BASE.replace("<li>{{ product.name", "<li data-sku='{{ product.sku }}'>{{ product.name"),
            Status.ADAPTED,
        ),
        (
            "<ol><li>Sale</li></ol><i data-sku='{{ product.sku }}'></i>",
            BASE.replace("<ul>", "<ul data-sku='{{ product.sku }}'>"),
            Status.KEPT,
        ),
        # a comment is one thing, and what is in it is not said
        ("<ol>{# a note about the list #}</ol>", BASE.replace("<ul>", "<ul>{# a note about the list #}"), Status.ADAPTED),
        ("<ol>{# {% url 'catalogue' %} #}</ol>", BASE.replace("<ul>", "<ul>{% url 'catalogue' %}"), Status.KEPT),
    ],
)
def test_replacement_of_a_list(fragment, theirs, expected):
    assert status(fragment, theirs) is expected


LESS = '<b class="empty">{{ shop.nothing_here }}</b>'
MORE = '<b class="empty" role="status">{{ shop.nothing_here }}</b>'
REST = "<p>{{ shop.address }}</p>"


@pytest.mark.parametrize(("fragment", "there", "expected"), [(LESS, MORE, Status.ABSORBED), (MORE, LESS, Status.ADAPTED)])
def test_of_two_replacements_the_one_with_all_of_the_other_stands(fragment, there, expected):
    assert status(fragment, there + REST) is expected


def test_two_replacements_of_which_none_has_all_of_the_other_are_kept():
    assert status(MORE.replace("empty", "none"), LESS + REST) is Status.KEPT


def test_no_node_of_very_many_is_looked_for_in_all_others(monkeypatch):
    base = [f"<li>{number}</li>\n" for number in range(1_000)]
    tree = parse("".join(base))
    addresses = [describe(tree, node) for node in tree.root.kids if node.name == "li"]
    made = Operation(ops.REPLACE, addresses[0], ("<p>none</p>",), targets=tuple(addresses[1:]))
    theirs = "".join(line.replace("9", "x") for line in reversed(base))
    asked, contains = [], nodes.Node.contains
    monkeypatch.setattr(nodes.Node, "contains", lambda *both: asked.append(both) or contains(*both))
    result = rebase([replace(made, id=made.identifier())], prepare(tree.source, theirs))

    assert result.outcomes[0].status is Status.KEPT
    assert len(asked) < 10 * len(base)
