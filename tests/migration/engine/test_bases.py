from hypothesis import given, settings
from hypothesis import strategies as st

from migration.engine.bases import TREES, Bases
from migration.engine.translate import translate_sources
from slots.markup import rebase
from slots.markup.tree import parse, serialize
from slots.markup.tree.nodes import Node
from tests.conftest import examples
from tests.slots.markup.sources import edits, soup_edits

# What a node is, its kin by their places.
MEMBERS = [name for name in Node.__slots__ if name not in ("parent", "kids")]


def shapes(tree):
    return [
        ([getattr(node, name) for name in MEMBERS], node.parent and node.parent.order, [kid.order for kid in node.kids])
        for node in tree.nodes
    ]


def test_a_base_is_read_once_and_the_one_not_asked_for_longest_goes():
    bases = Bases()
    first = bases.read("<p>first</p>")
    others = [bases.read(f"<p>{number}</p>") for number in range(TREES - 1)]
    assert bases.read("<p>first</p>") is first
    bases.read("<p>one more</p>")
    assert bases.read("<p>first</p>") is first
    assert bases.read("<p>0</p>") is not others[0]


def test_a_pairing_is_made_once_of_the_trees_that_are_there():
    bases = Bases()
    old = bases.read("<p>old</p>")
    pairing = bases.prepare("<p>old</p>", "<p>new</p>")
    assert bases.prepare("<p>old</p>", "<p>new</p>") is pairing
    assert pairing.old is old
    assert pairing.new is bases.read("<p>new</p>")


@settings(max_examples=examples(60), deadline=None)
@given(st.lists(st.one_of(edits(), soup_edits), min_size=1, max_size=3))
def test_a_base_at_hand_translates_and_carries_as_one_that_is_read_anew(pairs):
    base, custom = pairs[0]
    tree = parse(base)
    before = shapes(tree)
    for other in [custom, *[source for pair in pairs for source in pair], custom]:
        translated = translate_sources(base, other)
        assert translate_sources(tree, other) == translated
        carried = rebase.rebase(translated.operations, rebase.prepare(base, custom))
        assert rebase.rebase(translated.operations, rebase.prepare(tree, custom)) == carried
    assert shapes(tree) == before
    assert serialize(tree) == base
