from slots.markup.address import labels
from slots.markup.rebase import prepare, search


def items(numbers):
    return "<main>" + "".join(f'<p id="p{number}">text {number}</p>' for number in numbers) + "</main>"


def test_keys_are_read_once_however_many_nodes_are_looked_for(monkeypatch):
    pairing = prepare(items(range(200)), items(range(200, 400)))
    gone = [node for node in pairing.old.nodes if node.name == "p" and pairing.partner(node) is None]
    read = []
    key = labels.key
    monkeypatch.setattr(labels, "key", lambda tree, node: read.append(node) or key(tree, node))

    for node in gone:
        search.counterpart(pairing, node)

    assert len(read) <= len(gone) + len(pairing.old.nodes) + len(pairing.new.nodes)


def test_key_that_is_found_twice_leads_nowhere():
    pairing = prepare('<b id="a">x</b>', '<div><b id="a">y</b><b id="a">z</b></div>')
    pairing.matching.to_right[1] = -1
    pairing.matching.to_left[:] = [0] + [-1] * (len(pairing.new.nodes) - 1)

    assert search._by_key(pairing, pairing.old.nodes[1]) is None
