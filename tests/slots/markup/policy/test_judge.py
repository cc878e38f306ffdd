"""What payloads may bring: samples by reason, and rules that need more than a fragment."""

from pathlib import Path

import pytest

from slots.errors import IssueCode
from slots.markup import edits, ops
from slots.markup.address import describe
from slots.markup.policy import judge, rules
from slots.markup.tree import parse
from slots.schema import Contract
from tests.slots.conftest import identified

SAMPLES = Path(__file__).parents[3] / "samples" / "policy"
BASE = (SAMPLES / "base.html").read_text("utf-8")
CONTRACT = Contract(names=frozenset({"product"}))
SUMMARY = '<p class="summary">'
REFUSED = sorted(path for path in SAMPLES.glob("*/*.html") if path.parent.name != "accepted")
ACCEPTED = sorted(SAMPLES.glob("accepted/*.html"))


def operation(kind, own, *payload, base=BASE, **members):
    tree = parse(base)
    node = next(node for node in tree.nodes if tree.open(node) == own)
    return identified(ops.Operation(kind, describe(tree, node), payload=payload, **members))


def inserted(fragment, own=SUMMARY, place="append"):
    return operation(ops.INSERT, own, fragment, place=place)


def codes(*operations, contract=CONTRACT, base=BASE):
    return {issue.code for issue in judge(operations, contract, base)}


@pytest.mark.parametrize("path", REFUSED, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_hostile_payload_is_refused_for_its_reason(path):
    code = (path.parent / "code").read_text("utf-8").strip()

    assert IssueCode(code) in codes(inserted(path.read_text("utf-8").removesuffix("\n")))


@pytest.mark.parametrize("path", ACCEPTED, ids=lambda path: path.stem)
def test_harmless_payload_is_accepted(path):
    assert judge([inserted(path.read_text("utf-8").removesuffix("\n"))], CONTRACT, BASE) == ()


def test_refusals_outnumber_what_is_accepted():
    assert len(REFUSED) > 5 * len(ACCEPTED)


def test_issue_names_the_operation_its_place_and_a_next_step():
    good = operation(ops.SET_TEXT, "Summary", "Text")
    bad = operation(ops.SET_ATTR, '<button class="buy" type="button">', "alert(1)", name="onclick", quote='"')

    (issue,) = judge([good, bad], CONTRACT, BASE)

    assert (issue.code, issue.operation, issue.place) == (IssueCode.UNSAFE_HTML, bad.id, bad.address.name)
    assert issue.suggestion


@pytest.mark.parametrize("text", ["x", "article"])
def test_issue_stands_under_the_operation_that_brought_it_and_not_under_one_with_a_like_text(text):
    tree = parse("<div><h2>Hi</h2><p>there</p></div>")
    root, heading, paragraph = tree.root.kids[0], tree.root.kids[0].kids[0], tree.root.kids[0].kids[1]
    harmless = edits.attribute(tree, root, "title", text)
    first, second = (edits.attribute(tree, node, "zzz", text) for node in (heading, paragraph))

    issues = judge([harmless, first, second], CONTRACT, tree.source)

    assert [issue.operation for issue in issues] == [first.id, second.id]
    assert [issue.place for issue in issues] == [first.address.name, second.address.name]


def test_base_is_trusted_whatever_it_holds():
    assert judge([operation(ops.SET_TEXT, "Summary", "Text")], CONTRACT, BASE) == ()


def test_replaced_source_is_judged_against_the_base():
    root = describe(parse(BASE), parse(BASE).root)
    same = identified(ops.Operation(ops.REPLACE_SOURCE, root, payload=(BASE.replace("Summary", "Text"),)))
    more = identified(ops.Operation(ops.REPLACE_SOURCE, root, payload=(f"{BASE}<script>shop.ready()</script>",)))

    assert judge([same], CONTRACT, BASE) == ()
    assert codes(more) == {IssueCode.UNSAFE_HTML}


@pytest.mark.parametrize(
    "changed",
    [
        BASE.replace("shop.ready()", "shop.ready();alert(1)"),
        BASE.replace("<script>", '<script src="https://evil.example/x.js">'),
        BASE.replace("select(this)", "select(that)"),
        BASE.replace('action="/cart/"', 'action="https://evil.example/"'),
        BASE.replace('<h3 class="title">', '<h3 class="title" onclick="select(this)">'),
        BASE.replace("Summary", "shop.ready()").replace("<script>shop.ready()</script>", "<script>Summary</script>"),
        BASE.replace("<script>shop.ready()</script>", "<script>{{ product.name }}</script>"),
        BASE.replace("{{ product.name }}", "{% autoescape off %}{{ product.name }}{% endautoescape %}"),
    ],
)
def test_sealed_and_trusted_parts_of_the_base_may_not_be_bent(changed):
    root = describe(parse(BASE), parse(BASE).root)

    assert codes(identified(ops.Operation(ops.REPLACE_SOURCE, root, payload=(changed,))))


def test_attributes_of_the_base_stay_trusted_beside_a_new_class():
    article = '<article class="card" onclick="select(this)">'

    assert judge([operation(ops.ADD_CLASS, article, "wide")], CONTRACT, BASE) == ()
    assert judge([operation(ops.ADD_CLASS, '<form action="/cart/">', "wide")], CONTRACT, BASE) == ()


ALIASED = '{% load i18n %}{% translate "Buy" as label %}<b>1</b><a href="{{ label }}">x</a>'


@pytest.mark.parametrize(
    "rebinding",
    [
        '{% firstof "javascript:alert(1)" as label %}',
        "{% firstof product.name as label %}",
        "{% blocktranslate asvar label %}javascript:alert(1){% endblocktranslate %}",
        '<i title="{% firstof product.name as label %}">2</i>',
    ],
)
def test_name_that_the_base_shows_may_not_be_bound_to_something_else(rebinding):
    assert codes(operation(ops.INSERT, "<b>", rebinding, place="after", base=ALIASED), base=ALIASED) == {IssueCode.UNSAFE_HTML}


def test_label_of_the_base_may_be_reworded():
    root = describe(parse(ALIASED), parse(ALIASED).root)
    reworded = ALIASED.replace('"Buy"', '"Add to basket!"')

    assert judge([identified(ops.Operation(ops.REPLACE_SOURCE, root, payload=(reworded,)))], CONTRACT, ALIASED) == ()


def test_address_of_the_base_is_not_vouched_for_where_one_of_its_names_can_be_bound_anew():
    base = '{% with other="/" %}<a href="{{ product.url|default:other }}">x</a>{% endwith %}<p class="x">y</p>'
    again = '{% with other="javascript:alert(1)" %}<a href="{{ product.url|default:other }}">x</a>{% endwith %}'

    assert codes(operation(ops.INSERT, '<p class="x">', again, place="append", base=base), base=base) == {IssueCode.UNSAFE_HTML}


def test_ends_that_are_those_of_the_base_stay_trusted():
    base = '{% if product.sale %}<div class="x">{% else %}<div class="y">{% endif %}z</div>'

    assert judge([operation(ops.ADD_CLASS, '<div class="x">', "wide", base=base)], CONTRACT, base) == ()


def test_close_tag_of_the_base_may_not_be_taken_away():
    base = "{% if product.sale %}<div>{% endif %}z{% if product.sale %}</div>{% endif %}"
    root = describe(parse(base), parse(base).root)
    open_ended = base.replace("</div>", "")

    assert codes(identified(ops.Operation(ops.REPLACE_SOURCE, root, payload=(open_ended,))), base=base) == {IssueCode.UNSAFE_HTML}


def test_two_operations_cannot_make_together_what_each_may_not_bring():
    base = "<div>{{ product.name }}</div>\n<p>x</p>\n"
    opened = operation(ops.INSERT, "{{ product.name }}", "<scr", place="before", base=base)
    rest = operation(ops.INSERT, "{{ product.name }}", "ipt>", place="after", base=base)

    assert IssueCode.UNSAFE_HTML in codes(opened, rest, base=base)


def test_braces_that_meet_across_the_border_are_seen():
    base = "<p>{</p>"

    assert codes(operation(ops.INSERT, "{", "{ product.name|safe }}", place="after", base=base), base=base)


def test_payload_inside_a_block_that_switches_escaping_off_is_refused():
    base = '{% autoescape off %}<div class="x">y</div>{% endautoescape %}'

    assert codes(operation(ops.INSERT, '<div class="x">', "{{ product.name }}", place="append", base=base), base=base) == {
        IssueCode.UNSAFE_HTML
    }


def test_base_text_moved_into_such_a_block_is_refused():
    base = "{{ product.name }}<i>1</i>{% autoescape off %}<b>2</b>{% endautoescape %}"
    root = describe(parse(base), parse(base).root)
    moved = "<i>1</i>{% autoescape off %}{{ product.name }}<b>2</b>{% endautoescape %}"

    assert codes(identified(ops.Operation(ops.REPLACE_SOURCE, root, payload=(moved,))), base=base) == {IssueCode.UNSAFE_HTML}


def test_address_of_a_loop_variable_is_not_vouched_for_outside_its_loop():
    base = '{% for p in products %}<a href="{{ p.url }}">x</a>{% endfor %}<p class="x">y</p>'
    contract = Contract(names=frozenset({"products", "p"}))

    assert judge([operation(ops.INSERT, '<p class="x">', "z", place="append", base=base)], contract, base) == ()
    unnamed = Contract(names=frozenset({"products"}))
    again = '{% for p in products %}<a href="{{ p.url }}">z</a>{% endfor %}'
    assert codes(operation(ops.INSERT, '<p class="x">', again, place="append", base=base), contract=unnamed, base=base) == {
        IssueCode.UNSAFE_HTML
    }


def test_style_of_the_base_stays_beside_a_new_declaration():
    base = '<p style="color: {{ product.colour }}; margin: 0">x</p>'
    contract = Contract(names=frozenset({"product"}))
    own = '<p style="color: {{ product.colour }}; margin: 0">'

    assert judge([operation(ops.SET_STYLE, own, "2px", name="margin", base=base)], contract, base) == ()
    assert codes(operation(ops.SET_STYLE, own, "url(//evil.example)", name="background", base=base), base=base) == {
        IssueCode.UNSAFE_HTML
    }


def test_strict_policy_refuses_styles_and_addresses_made_of_expressions():
    strict = Contract(names=frozenset({"product"}), policy="strict")

    assert codes(inserted('<b style="color: red">x</b>'), contract=strict) == {IssueCode.KIND_NOT_ALLOWED}
    assert codes(inserted('<a href="/x/{{ product.name }}">x</a>'), contract=strict) == {IssueCode.KIND_NOT_ALLOWED}
    assert codes(inserted("<b>x</b>"), contract=strict) == set()


@pytest.mark.parametrize(
    ("before", "policy", "expected"),
    [
        ("<div>{{ product.name }}", "strict", {IssueCode.KIND_NOT_ALLOWED}),
        ('<div title="{{ product.name }}">', "strict", {IssueCode.KIND_NOT_ALLOWED}),
        ('<div>{% if product.name %}{% firstof "x" %}{% endif %}', "strict", {IssueCode.KIND_NOT_ALLOWED}),
        ("<div>{% if product.name %}x{% endif %}{# note #}", "strict", set()),
        ("<div>{{ product.name }}", "standard", set()),
    ],
)
def test_strict_policy_refuses_values_around_something_of_the_base(before, policy, expected):
    contract = Contract(names=frozenset({"product"}), policy=policy)
    tree = parse(BASE)
    target = describe(tree, next(node for node in tree.nodes if tree.open(node).startswith("<p")))
    wrap = identified(ops.Operation(ops.WRAP, target, payload=(before, ops.Hole(target), "</div>")))

    assert codes(wrap, contract=contract) == expected


def test_contract_widens_but_never_beyond_what_is_always_refused():
    wide = Contract(
        names=frozenset({"product"}),
        tags=frozenset({"now", "include", "debug"}),
        filters=frozenset({"linebreaks", "safe", "center"}),
        libraries=frozenset({"static"}),
    )

    assert codes(inserted('{% load static %}{% now "Y" %}{{ product.name|linebreaks }}'), contract=wide) == set()
    for refused in ('{% include "x" %}', "{% debug %}", "{{ product.name|safe }}", '{{ product.name|center:"9" }}'):
        assert codes(inserted(refused), contract=wide) == {IssueCode.KIND_NOT_ALLOWED}


def test_translation_needs_its_library():
    base = '<p class="summary">x</p>'

    found = codes(operation(ops.INSERT, SUMMARY, '{% translate "x" %}', place="append", base=base), base=base)

    assert found == {IssueCode.REQUIREMENT_MISSING}


@pytest.mark.parametrize(
    "operations",
    [
        [inserted("<b>x</b>")] * 1_001,
        [inserted("x" * 300_000)],
        [inserted("<b>" * 250 + "</b>" * 250)],
        [inserted("<b>x</b>" * 12_000)],
        [inserted(f"<b {' '.join(f'data-a{n}' for n in range(300))}>x</b>")],
    ],
    ids=["operations", "payload", "depth", "nodes", "attributes"],
)
def test_limits_are_refused(operations):
    assert IssueCode.LIMIT_EXCEEDED in codes(*operations)


def test_data_of_a_slot_may_be_used_inside_it_and_nowhere_else():
    base = '<ul>{% for tag in product.tags %}{% slot "tag" data="item=tag" %}<li>x</li>{% endslot %}{% endfor %}</ul><p>y</p>'
    contract = Contract(names=frozenset({"product"}))
    inside, outside = (operation(ops.REPLACE, own, "{{ item }}", base=base) for own in ("x", "y"))

    assert codes(inside, contract=contract, base=base) == set()
    assert codes(outside, contract=contract, base=base) == {IssueCode.REQUIREMENT_MISSING}


def test_payload_may_not_declare_a_slot_that_binds_names():
    refused = codes(inserted('{% slot "mine" data="item=product" %}{{ item }}{% endslot %}'))

    assert IssueCode.KIND_NOT_ALLOWED in refused


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ('product|floatformat:"2"', set()),
        ('product|floatformat:"-2g"', set()),
        ('product|floatformat:"9_9"', {IssueCode.KIND_NOT_ALLOWED}),
        ('product|floatformat:"9_9_9_9_9_9"', {IssueCode.KIND_NOT_ALLOWED}),
        ('product|floatformat:"x"', {IssueCode.KIND_NOT_ALLOWED}),
        ('product|slice:":3"', set()),
        ('product|slice:":1_0"', {IssueCode.KIND_NOT_ALLOWED}),
    ],
)
def test_numbers_in_arguments_are_written_out(expression, expected):
    assert codes(inserted(f"<p>{{{{ {expression} }}}}</p>"), contract=Contract(names=frozenset({"product"}))) == expected


def test_remarks_beyond_what_anybody_reads_are_not_looked_for():
    many = "".join(f'<p onclick{number}="x">a</p>\n' for number in range(rules.MAX_REMARKS + 200))

    assert len(judge([inserted(many)], CONTRACT, BASE)) == rules.MAX_REMARKS
