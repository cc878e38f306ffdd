"""What a pairing tells about its two bases, and about pieces of source beside them."""

from slots.markup.rebase import Pairing, prepare

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


def test_kids_are_looked_at_once_however_many_gaps_are_asked_for(monkeypatch):
    old = "<ul>" + "".join(f"<li>item number {number}</li>" for number in range(600)) + "</ul>"
    new = "<ul>" + "".join(f"<li>item number {number}</li>" for number in reversed(range(600)) if number % 3) + "</ul>"
    pairing = prepare(old, new)
    parent = pairing.old.nodes[1]
    asked = []
    partner = Pairing.partner
    monkeypatch.setattr(Pairing, "partner", lambda self, node: asked.append(node) or partner(self, node))

    gaps = [pairing.gap(parent, index, index + 1) for index in range(600)]

    assert len(asked) == 600 + 600
    for index, gap in enumerate(gaps):
        places = [there.index if (there := partner(pairing, kid)) is not None else -1 for kid in parent.kids]
        left = next((place for place in reversed(places[:index]) if place >= 0), -1)
        right = next((place for place in places[index + 1 :] if place > left), 400)
        assert (gap.start, gap.stop) == (left + 1, right)
