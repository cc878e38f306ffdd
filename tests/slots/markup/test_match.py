from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from slots.markup.match import match, sequence
from slots.markup.match.likeness import Likeness
from slots.markup.match.prints import Prints, Table
from slots.markup.tree import parse
from tests.slots.markup.sources import edits, soups


def matched(left, right, kind=None):
    """Return the open texts of matched pairs whose texts differ, or of all of one kind."""
    found = match(parse(left), parse(right))
    pairs = [(node, found.partner(node)) for node in found.left.nodes[1:]]
    return [
        (found.left.open(node), found.right.open(partner))
        for node, partner in pairs
        if partner is not None and (kind is None or node.kind == kind)
    ]


@given(edits())
def test_matching_is_one_to_one_and_keeps_kinds(pair):
    found = match(*map(parse, pair))
    assert found.to_right[0] == found.to_left[0] == 0
    for left, right in enumerate(found.to_right):
        if right >= 0:
            assert found.to_left[right] == left
            assert found.left.nodes[left].kind == found.right.nodes[right].kind


@given(soups)
def test_equal_trees_match_completely(source):
    found = match(parse(source), parse(source))
    assert found.to_right == list(range(len(found.left.nodes)))


def test_conditions_do_not_shift_along_a_chain():
    left = "{% if a %}<p>x</p>{% endif %}{% if b %}<p>x</p>{% endif %}{% if c %}<p>x</p>{% endif %}"
    right = "{% if b %}<p>x</p>{% endif %}{% if c %}<p>x</p>{% endif %}{% if d %}<p>x</p>{% endif %}"
    assert matched(left, right, "block") == [("{% if b %}", "{% if b %}"), ("{% if c %}", "{% if c %}")]


def test_condition_that_exists_nowhere_else_may_change():
    pairs = matched("{% if a %}<p>{{ price }}</p>{% endif %}", "{% if b %}<p>{{ price }}</p>{% endif %}", "block")
    assert pairs == [("{% if a %}", "{% if b %}")]


def test_block_names_and_ids_are_identity():
    left = '{% block a %}<p>1</p>{% endblock %}<div id="x">one</div>'
    right = '<div id="x">two</div>{% block a %}<i>2</i>{% endblock %}'
    assert ("{% block a %}", "{% block a %}") in matched(left, right)
    assert ('<div id="x">', '<div id="x">') in matched(left, right)


def test_blocks_of_other_names_never_match():
    assert matched("{% block a %}<p>text</p>{% endblock %}", "{% block b %}<p>text</p>{% endblock %}", "block") == []


def test_block_super_stays_in_its_block():
    left = "{% block a %}{{ block.super }} x{% endblock %}"
    right = "{% block b %}{{ block.super }} y{% endblock %}"
    assert matched(left, right, "variable") == []


def test_small_container_does_not_take_the_counterpart_of_the_large_one_around_it():
    left = '<div class="row"><b>{{ a.errors }}</b><div class="help">{{ field.help_text }}</div></div>'
    right = '<div class="row"><b>{{ a.errors }}</b><p class="help">{{ field.help_text }}</p></div>'
    pairs = matched(left, right, "element")
    assert ('<div class="row">', '<div class="row">') in pairs
    assert ('<div class="help">', '<p class="help">') in pairs


def test_moved_subtree_is_found():
    left = "<ul><li>{{ one.thing }}</li></ul><ol><li>x</li></ol>"
    right = "<ul></ul><ol><li>x</li><li>{{ one.thing }}</li></ol>"
    assert ("{{ one.thing }}", "{{ one.thing }}") in matched(left, right, "variable")


def test_likeness_of_containers_is_the_share_of_their_labels():
    left, right = (
        parse(f"<div>{''.join(f'<br id={number}>' for number in range(first, first + 60))}</div>") for first in (0, 30)
    )
    table = Table()
    likeness = Likeness(Prints(left, table), Prints(right, table))
    assert likeness.of(left.nodes[1], right.nodes[1]) == 0.5 * 30 / 60 + 0.5


@given(st.lists(st.integers(0, 5), max_size=12), st.lists(st.integers(0, 5), max_size=12))
def test_common_subsequence_is_longest(left, right):
    pairs = sequence.common(left, right)
    assert all(left[i] == right[j] for i, j in pairs)
    assert all(a[0] < b[0] and a[1] < b[1] for a, b in pairwise(pairs))
    table = [[0] * (len(right) + 1) for _ in range(len(left) + 1)]
    for i, a in enumerate(left):
        for j, b in enumerate(right):
            table[i + 1][j + 1] = table[i][j] + 1 if a == b else max(table[i][j + 1], table[i + 1][j])
    assert len(pairs) == table[-1][-1]


def test_common_subsequence_of_many_equal_values_is_capped_but_right():
    left = [1] * 500 + [2, 3] + [1] * 500 + [4]
    right = [5] + [1] * 499 + [2, 3] + [1] * 300
    pairs = sequence.common(left, right)
    assert all(left[i] == right[j] for i, j in pairs)
    assert {left[i] for i, _ in pairs} >= {2, 3}


@given(st.permutations(range(7)), st.lists(st.integers(1, 9), min_size=7, max_size=7))
def test_rising_run_is_heaviest(values, weights):
    found = sequence.rising(values, weights)
    assert [values[i] for i in found] == sorted(values[i] for i in found)
    best = 0
    for chosen in range(1 << len(values)):
        run = [i for i in range(len(values)) if chosen >> i & 1]
        if all(values[a] < values[b] for a, b in pairwise(run)):
            best = max(best, sum(weights[i] for i in run))
    assert sum(weights[i] for i in found) == best


def test_slot_that_was_renamed_is_the_same_slot_to_both_sides():
    old = '{% slot "price" %}<b>{{ a }}</b>{% endslot %}<hr>'
    new = '<hr>{% slot "amount" aliases="price" %}<i>{{ b }}</i>{% endslot %}'
    renamed = ('{% slot "price" %}', '{% slot "amount" aliases="price" %}')

    assert matched(old, new, kind="block") == [renamed]
    assert matched(new, old, kind="block") == [renamed[::-1]]
    assert matched(old, new.replace(' aliases="price"', ""), kind="block") == []


def test_of_two_slots_that_became_one_the_first_is_it_whatever_the_order_of_names():
    old = "".join(f'{{% slot "{name}" %}}<b>{{{{ {name} }}}}</b>{{% endslot %}}' for name in ("zeta", "alpha", "mid"))
    new = '{% slot "all" aliases="alpha mid zeta" %}<i>{{ other }}</i>{% endslot %}'

    assert [pair[0] for pair in matched(old, new, kind="block")] == ['{% slot "zeta" %}']
