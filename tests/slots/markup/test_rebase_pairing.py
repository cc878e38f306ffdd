"""What a pairing tells about its two bases, and about pieces of source beside them."""

from slots.markup.rebase import prepare

OLD = "<ul>\n<li>one</li>\n<li>two</li>\n</ul>\n<p>{{ text }}</p>"
NEW = "<ul>\n<li>one</li>\n<li>two</li>\n<li>three</li>\n</ul>\n<p>{{ text }}</p>"


def test_fragment_compares_with_nodes_of_both_bases():
    pairing = prepare(OLD, NEW)
    fragment = pairing.fragment("<li>two</li>")
    numbers = fragment.prints.subtree[fragment.kids[0].order]
    assert numbers == pairing.old_prints.subtree[pairing.old.at((0, 1)).order]
    assert numbers == pairing.new_prints.subtree[pairing.new.at((0, 1)).order]


def test_fragment_that_neither_base_holds_equals_no_node_of_them():
    pairing = prepare(OLD, NEW)
    fragment = pairing.fragment("<dl><dt>a</dt><dd>b</dd></dl><i>c</i><b>d</b><u>e</u>")
    bases = ((pairing.old, pairing.old_prints), (pairing.new, pairing.new_prints))
    equal = [
        (mine, node)
        for tree, prints in bases
        for node in tree.nodes
        for mine in fragment.tree.nodes
        if fragment.equals(mine, tree, node, prints)
    ]
    assert equal == []


def test_fragments_do_not_add_to_what_is_known_of_the_bases():
    pairing = prepare(OLD, NEW)
    known = len(pairing.table.numbers)
    pairing.fragment("<dl><dt>a</dt><dd>b</dd></dl>")
    assert len(pairing.table.numbers) == known
