"""What a payload may do to the component around it while it renders: nothing. The policy is not asked here."""

import pytest
from django.template import Library
from django.template.base import Node
from django.utils.functional import lazy
from django.utils.safestring import SafeString, mark_safe
from hypothesis import given
from hypothesis import strategies as st

from slots.errors import IssueCode
from slots.markup import ops
from slots.markup.address import describe
from slots.markup.compose import compose
from slots.markup.ops import Hole, Operation
from slots.markup.payloads import compose_payloads
from slots.markup.tree import parse
from slots.renderer import RenderLimits, SlotRenderer, render_template
from slots.renderer.payload_nodes import AddressNode, LoopBody, PayloadNode
from tests.slots.conftest import identified

BASE = '<article class="card"><h3 title="t">{{ p.name }}</h3><p>old</p>{% if p.name %}<b>{{ p.name }}</b>{% endif %}</article>'
NAMES = frozenset({"p", "label"})
VALUES = {"p": {"name": "<Mug>", "tags": ["a", "b"], "pairs": [[1, 2], [3]], "url": "/mug", "n": 900_000_000}}
HEAD, OLD, WHEN, BOLD = (0, 0), (0, 1), (0, 2), (0, 2, 0)
NAME = "&lt;Mug&gt;"

hostile = Library()


class Unprintable:
    """Something that cannot be printed."""

    def __str__(self):
        """Fail."""
        raise ValueError("no text")


def unprintable_error(value):
    """Fail with an error that cannot be printed."""
    raise OSError(Unprintable())


def stop(value):
    """End the process."""
    raise KeyboardInterrupt


def recurse(value):
    """Call itself for ever."""
    return recurse(value)


class Pushing(Node):
    """Leave the context in another state than it was in, and fail."""

    def render(self, context):
        """Push values and fail."""
        context.push(label="pushed", p={"name": "pushed"})
        context.autoescape = context.use_tz = context.use_l10n = False
        raise ValueError("half way")


hostile.tag("push", lambda parser, token: Pushing())
hostile.filter("unprintable", lambda value: Unprintable())
hostile.filter("lazily", lambda value: lazy(lambda: 1 / 0, str)())
hostile.filter("error", unprintable_error)
hostile.filter("stop", stop)
hostile.filter("recurse", recurse)
hostile.filter("live", lambda value: mark_safe("<script>alert(1)</script>"))


def at(*path):
    tree = parse(BASE)
    return describe(tree, tree.at(path))


def insertion(text, path=OLD, place="after"):
    return identified(Operation(ops.INSERT, at(*path), (text,), place=place))


def replacement(text, path=OLD):
    return identified(Operation(ops.REPLACE, at(*path), (text,)))


def attribute(name, value):
    return identified(Operation(ops.SET_ATTR, at(*HEAD), (value,), name=name))


def make(limits=None):
    renderer = SlotRenderer(limits=limits or RenderLimits())
    renderer.engine.template_builtins.append(hostile)
    return renderer


def shown(*operations, limits=None, base=BASE, is_strict=False, values=VALUES):
    """Render operations on a base as a page does."""
    renderer = make(limits)
    composed = compose_payloads(parse(base), operations, static=is_strict)
    assert composed.issues == ()
    compiled = renderer.compile("x", lambda: composed.source, NAMES, composed.spans, is_strict=is_strict)
    plain = renderer.compile("base", lambda: base, NAMES)
    return renderer.render_or_base(compiled, lambda: plain, values, place="shop.card")


def base_html(values=VALUES):
    return render_template(make().template(BASE), dict(values))


ATTACKS = {
    "error": ("{% widthratio p.n 0 'x' %}", "RENDER_ERROR"),
    "error after output": ("<i>half</i>{{ p.name }}{% widthratio p.n 0 'x' %}", "RENDER_ERROR"),
    "error in a condition": ("{% if p.name %}half{% widthratio p.n 0 'x' %}{% endif %}", "RENDER_ERROR"),
    "loop that unpacks what cannot be": ("{% for a, b in p.pairs %}{{ a }}{% endfor %}", "RENDER_ERROR"),
    "value that cannot be printed": ("half{{ p.name|unprintable }}", "RENDER_ERROR"),
    "error that cannot be printed": ("half{{ p.name|error }}", "RENDER_ERROR"),
    "lazy value that fails": ("half{{ p.name|lazily }}", "RENDER_ERROR"),
    "recursion without end": ("half{{ p.name|recurse }}", "RENDER_ERROR"),
    "context left pushed": ("half{% push %}", "RENDER_ERROR"),
    "escaping left off": ("{% autoescape off %}{{ p.name }}{% widthratio p.n 0 'x' %}{% endautoescape %}", "RENDER_ERROR"),
    "file": ('half{% include "admin/base.html" %}', "RENDER_ERROR"),
    "padding": ('{{ "a"|center:"900000000" }}', "LIMIT_EXCEEDED"),
    "padding by a value": ('{{ "a"|ljust:p.n }}', "LIMIT_EXCEEDED"),
    "padding by a format": ('{{ 1|stringformat:"0900000000d" }}', "LIMIT_EXCEEDED"),
    "padding in a condition": ('{% if "a"|rjust:"900000000" %}x{% endif %}', "LIMIT_EXCEEDED"),
    "decimals": ("{{ 1|floatformat:900000000 }}", "LIMIT_EXCEEDED"),
    "decimals with underscores": ('{{ 1|floatformat:"9_9_9_9_9_9" }}', "LIMIT_EXCEEDED"),
    "script in an address": ('<a href="{{ p.name|default:"x" }}{{ p.js }}">x</a><a href="{{ p.js }}">x</a>', "UNSAFE_HTML"),
}
SCRIPTED = {"p": {**VALUES["p"], "js": "javascript:alert(1)"}}


@pytest.mark.parametrize(("text", "code"), ATTACKS.values(), ids=ATTACKS.keys())
def test_payload_that_fails_shows_its_default_and_nothing_of_it(text, code):
    operation = replacement(f"<p>new {text}</p>")

    html, issues = shown(operation, values=SCRIPTED)

    assert html == base_html()
    (issue,) = issues
    assert (issue.code, issue.operation, issue.place) == (code, operation.id, f"card/p ({operation.id})")
    assert all(part in issue.text for part in ("shop.card", operation.id, "card/p"))
    assert issue.suggestion


@pytest.mark.parametrize(("text", "code"), ATTACKS.values(), ids=ATTACKS.keys())
def test_insertion_that_fails_shows_nothing(text, code):
    html, issues = shown(insertion(f"<p>new {text}</p>"), values=SCRIPTED)

    assert html == base_html()
    assert [issue.code for issue in issues] == [code]


def test_end_of_the_process_is_no_error_of_a_payload():
    composed = compose_payloads(parse(BASE), [replacement("{{ p.name|stop }}")])

    for template in (make().template(composed.source, composed.spans), make().quick_template(composed.source, composed.spans)):
        with pytest.raises(KeyboardInterrupt):
            render_template(template, dict(VALUES))


def test_settings_cannot_be_reached():
    html, issues = shown(
        insertion("[{{ settings.SECRET_KEY }}{{ request.user }}{% debug %}{{ p.__class__.__name__|default:1 }}]")
    )

    assert "could not be rendered" in issues[0].text  # a name with `_` in front does not compile
    assert html == base_html()
    assert "[]" in shown(insertion("[{{ settings.SECRET_KEY }}{{ request.user }}{% debug %}]")).html


@pytest.mark.parametrize(
    ("operation", "expected"),
    [
        (attribute("title", "{{ p.name|unprintable }}"), base_html()),
        (attribute("lang", "{{ p.name|unprintable }}"), base_html()),
        (identified(Operation(ops.ADD_CLASS, at(0), ("{{ p.name|unprintable }}",))), base_html()),
        (attribute("href", "{{ p.js }}"), base_html()),
        (identified(Operation(ops.SET_TEXT, at(*OLD, 0), ("new {{ p.name|unprintable }}",))), base_html()),
        (identified(Operation(ops.SET_TAG_ARGS, at(*HEAD, 0), ("{{ p.name|unprintable }}",))), base_html()),
    ],
    ids=["value", "new attribute", "class", "address", "text", "variable"],
)
def test_single_facet_that_fails_shows_the_bases(operation, expected):
    html, issues = shown(operation, insertion("<i>other {{ p.name }}</i>"), values=SCRIPTED)

    assert html == expected.replace("<p>old</p>", f"<p>old</p><i>other {NAME}</i>")
    assert [issue.operation for issue in issues] == [operation.id]


def test_other_payloads_stand_where_one_fails():
    good, bad = insertion("<i>{{ p.name }}</i>", HEAD), replacement("{{ p.name|unprintable }}")

    html, issues = shown(good, bad, insertion("<u>{{ label }}{{ p.name }}</u>"))

    assert f"<i>{NAME}</i><p>old</p><u>{NAME}</u>" in html
    assert len(issues) == 1


def test_context_and_escaping_are_put_back_for_what_comes_after():
    html, _ = shown(insertion("{% push %}"), insertion("{% for a, b in p.pairs %}{% endfor %}", HEAD))

    assert html == base_html()


def test_payload_with_holes_that_fails_takes_the_component_to_its_base():
    wrap = identified(Operation(ops.WRAP, at(*OLD), ("<div>{{ p.name|unprintable }}", Hole(at(*OLD)), "</div>")))

    html, issues = shown(wrap, insertion("<i>other</i>", HEAD))

    assert html == base_html()
    assert [(issue.code, issue.operation) for issue in issues] == [("RENDER_ERROR", "")]


def test_head_of_a_block_that_fails_takes_the_component_to_its_base():
    html, issues = shown(identified(Operation(ops.SET_TAG_ARGS, at(*WHEN), ("{% if p.name|error %}",))))

    assert html == base_html()
    assert len(issues) == 1


def test_payload_that_is_no_whole_number_of_nodes_is_not_isolated():
    begin, end = insertion("{% if p.name %}", HEAD), insertion("{{ p.name|unprintable }}{% endif %}")

    html, issues = shown(begin, end)

    assert html == base_html()
    assert "could not be rendered" in issues[0].text


def test_code_that_only_its_surroundings_complete_is_not_isolated():
    base = "<p>|lower }}</p>"
    tree = parse(base)
    payload = identified(Operation(ops.INSERT, describe(tree, tree.root.kids[0]), ("{% firstof 1 %}{{ p.name",), place="prepend"))
    composed = compose_payloads(tree, [payload])

    template = make().template(composed.source, composed.spans)

    assert render_template(template, dict(VALUES)) == "<p>1&lt;mug&gt;</p>"
    assert template.nodelist.get_nodes_by_type(PayloadNode) == []


def test_text_inside_a_translation_stays_a_part_of_its_message():
    base = "{% load i18n %}<p>{% blocktranslate with n=p.name %}Hello {{ n }}{% endblocktranslate %}</p>"
    tree = parse(base)
    node = next(node for node in tree.nodes if tree.open(node) == "Hello")
    operation = identified(Operation(ops.SET_TEXT, describe(tree, node), ("Dear {{ n }} and",)))

    html, issues = shown(operation, base=base)

    assert (html, issues) == (f"<p>Dear {NAME} and {NAME}</p>", ())


def test_default_may_use_the_libraries_that_the_base_loads():
    base = '{% load l10n %}<p>{{ p.n|unlocalize }}</p><i>{% slot "x" %}default{% endslot %}</i>'
    tree = parse(base)
    operations = [
        identified(Operation(ops.REPLACE, describe(tree, tree.root.kids[index]), ("{{ p.name|unprintable }}",)))
        for index in (1, 2)
    ]

    html, issues = shown(*operations, base=base)

    assert html == "<p>900000000</p><i>default</i>"
    assert [issue.operation for issue in issues] == [operation.id for operation in operations]


def test_default_that_fails_too_takes_the_component_to_its_base_which_may_raise():
    base = "<p>{% widthratio p.n 0 'x' %}</p>"
    tree = parse(base)

    with pytest.raises(Exception, match="widthratio"):
        shown(identified(Operation(ops.REPLACE, describe(tree, tree.root.kids[0]), ("{{ p.name|error }}",))), base=base)


def test_payload_that_failed_once_is_tried_again():
    renderer = make()
    composed = compose_payloads(parse(BASE), [replacement("{% widthratio 1 1 p.n %}")])
    compiled = renderer.compile("x", lambda: composed.source, NAMES, composed.spans)
    plain = renderer.compile("base", lambda: BASE, NAMES)

    pages = [
        renderer.render_or_base(compiled, lambda: plain, {"p": {**VALUES["p"], "n": n}}, place="shop.card") for n in (1, "x", 1)
    ]

    assert ["old" in page.html for page in pages] == [False, True, False]
    assert [len(page.issues) for page in pages] == [0, 1, 0]
    assert compiled.is_isolating
    assert len(compiled.template.nodelist.get_nodes_by_type(PayloadNode)) == 1


def test_payload_begins_and_ends_with_notes():
    html, issues = shown(replacement("{# a #}{{ p.name|unprintable }}{# b #}"))

    assert (html, bool(issues[0].operation)) == (base_html(), True)


def test_nesting_that_no_stack_can_hold_shows_the_base():
    html, issues = shown(insertion("{% if p.name %}" * 3_000 + "x" + "{% endif %}" * 3_000))

    assert (html, issues[0].code) == (base_html(), IssueCode.RENDER_ERROR)


def test_names_bound_before_an_error_are_not_known_to_the_second_render():
    html, _ = shown(insertion("[{{ label }}{% firstof 'bound' as label %}]", HEAD), replacement("{{ p.name|unprintable }}"))

    assert "[]" in html


def test_payload_in_a_loop_of_the_base_makes_one_issue():
    base = "<ul>{% for tag in p.tags %}<li>{{ tag }}</li>{% endfor %}</ul>"
    tree = parse(base)
    node = next(node for node in tree.nodes if tree.open(node) == "{{ tag }}")
    operation = identified(Operation(ops.SET_TAG_ARGS, describe(tree, node), ("{{ tag|unprintable }}",)))

    html, issues = shown(operation, base=base)

    assert (html, len(issues)) == ("<ul><li>a</li><li>b</li></ul>", 1)


LOOP = "{% for a in p.tags %}x{% endfor %}"
NESTED = "{% for a in p.tags %}{% for b in p.tags %}x{% endfor %}{% endfor %}"
DEEP = "{% for a in p.tags %}{% for b in p.tags %}{% for c in p.tags %}x{% endfor %}{% endfor %}{% endfor %}"
LONG = "{% for a in p.tags %}0123456789{% endfor %}"


@pytest.mark.parametrize(
    ("text", "limits", "is_shown"),
    [
        (LOOP, RenderLimits(rounds=2), True),
        (LOOP, RenderLimits(rounds=1), False),
        (NESTED, RenderLimits(rounds=6), True),
        (NESTED, RenderLimits(rounds=5), False),
        (DEEP, RenderLimits(loop_depth=3), True),
        (DEEP, RenderLimits(loop_depth=2), False),
        ('<i title="{% for a in p.tags %}x{% endfor %}"></i>', RenderLimits(rounds=1), False),
        (LONG, RenderLimits(payload_characters=20), True),
        (LONG, RenderLimits(payload_characters=19), False),
        (LONG, RenderLimits(component_characters=20), True),
        (LONG, RenderLimits(component_characters=19), False),
        (LONG, RenderLimits(component_characters=9), False),
        (NESTED, RenderLimits(component_characters=4), True),
        (NESTED, RenderLimits(component_characters=3), False),
        ("{{ p.name }}", RenderLimits(payload_characters=11), True),
        ("{{ p.name }}", RenderLimits(payload_characters=10), False),
    ],
)
def test_loops_and_size_are_bounded(text, limits, is_shown):
    html, issues = shown(replacement(text), limits=limits)

    assert ("old" not in html) == is_shown
    assert [issue.code for issue in issues] == [IssueCode.LIMIT_EXCEEDED] * (not is_shown)


def test_limits_of_a_component_are_for_all_its_payloads():
    limits = RenderLimits(rounds=3, component_characters=1_000)

    html, issues = shown(insertion(f"<i>{LOOP}</i>", HEAD), insertion(f"<u>{LOOP}</u>"), limits=limits)

    assert ("<i>xx</i>" in html, "<u>" in html, len(issues)) == (True, False, 1)


def test_payloads_are_bounded_together():
    limits = RenderLimits(payload_characters=17, component_characters=20)

    html, issues = shown(insertion("{{ p.name }}", HEAD), insertion("<u>{{ p.n }}</u>"), limits=limits)

    assert (f"</h3>{NAME}" in html, "<u>" in html, [issue.code for issue in issues]) == (True, False, ["LIMIT_EXCEEDED"])


def test_payload_that_made_too_much_leaves_room_for_others():
    limits = RenderLimits(payload_characters=15, component_characters=22)

    html, issues = shown(insertion(LONG, HEAD), insertion("<u>{{ p.name }}</u>"), limits=limits)

    assert (f"<u>{NAME}</u>" not in html, len(issues)) == (True, 2)
    html, issues = shown(insertion(LONG, HEAD), insertion("{{ p.name }}"), limits=limits)
    assert (f"</p>{NAME}" in html, len(issues)) == (True, 1)


def test_wrap_that_loops_is_bounded_too():
    wrap = identified(Operation(ops.WRAP, at(*OLD), ("{% for a in p.tags %}", Hole(at(*OLD)), "{% endfor %}")))

    html, issues = shown(wrap, limits=RenderLimits(rounds=1))

    assert (html, issues[0].code) == (base_html(), IssueCode.LIMIT_EXCEEDED)
    assert shown(wrap, limits=RenderLimits(rounds=2)).html.count("old") == 2


def test_base_is_not_bounded():
    base = f"{DEEP}{'{{ '}'a'|center:'20000'{' }}'}<p>x</p>"
    tree = parse(base)
    limits = RenderLimits(rounds=1, loop_depth=1, payload_characters=12, component_characters=12)

    html, issues = shown(
        identified(Operation(ops.INSERT, describe(tree, tree.root), ("{{ p.name }}",), place="append")), base=base, limits=limits
    )

    assert (len(html), issues) == (8 + 20_000 + 8 + 11, ())


@pytest.mark.parametrize(
    "value",
    [
        "javascript:alert(1)", " \x01 javascript:alert(1)", "java\tscript:alert(1)", "java\nscript:a", "JAVASCRIPT:a",
        "javascript :a",
        "vbscript:a", "data:text/html,<script>alert(1)</script>", "data:image/svg+xml,<svg>", "\x00javascript:a",
    ],
)  # fmt: skip
def test_address_that_runs_is_refused_however_it_is_put_together(value):
    values = {"p": {**VALUES["p"], "js": value, "half": value[:5], "rest": value[5:]}}
    wholes = ['<a href="{{ p.js }}">x</a>', "<a href='{{ p.half }}{{ p.rest }}'>x</a>", "<img src={{ p.js }}>"]
    parts = [
        '<a HREF = "{% if p.name %}{{ p.js }}{% endif %}">x</a>',
        '<a href="&#32;{{ p.js }}">x</a>',
        '<a ping="{{ p.js }}">x</a>',
        '<a href="{{ p.js }}#top">x</a>',
        '<a href="{{ p.js|default:"x" }}?a={{ p.name }}">x</a>',
        '<a href="{{ p.js }}{{ p.name }}">x</a>',
    ]

    assert [shown(insertion(text), values=values).html for text in wholes + parts] == [base_html()] * 9


@pytest.mark.parametrize(
    "value", ["/a", "//x/", "https://x/", "myapp:open", "data:image/png;base64,x", "a:b", "", "?javascript:", "#"]
)
def test_address_that_leads_somewhere_is_shown(value):
    html, issues = shown(insertion('<a href="{{ p.js }}">x</a>'), values={"p": {**VALUES["p"], "js": value}})

    assert (f'<a href="{value}">x</a>' in html, issues) == (True, ())


def test_payload_that_goes_well_costs_no_node_but_for_addresses_and_loops():
    composed = compose_payloads(
        parse(BASE), [replacement('<i>{{ p.name }}</i><a href="{{ p.url }}">x</a>'), insertion(LOOP, HEAD)]
    )
    renderer = make()

    quick, isolating = (
        renderer.quick_template(composed.source, composed.spans),
        renderer.template(composed.source, composed.spans),
    )

    kinds = (PayloadNode, AddressNode, LoopBody)
    assert [len(quick.nodelist.get_nodes_by_type(kind)) for kind in kinds] == [0, 1, 1]
    assert [len(isolating.nodelist.get_nodes_by_type(kind)) for kind in kinds] == [2, 1, 1]
    assert type(renderer.quick_template(BASE, ())).__name__ == "ComponentTemplate"


@pytest.mark.parametrize(
    ("value", "is_guarded"),
    [
        ("{{ p.url }}", True),
        ("{{ p.url|default:'/' }}", True),
        ("{{ p.url }}#top", True),
        ("{{ p.url }}?a={{ p.name }}", True),
        ("{{ p.url }}{{ p.name }}", False),
        ("{{ p.url }}x", False),
        ("/a/{{ p.url }}", False),
        ("{% if p.name %}{{ p.url }}{% endif %}", False),
    ],
)
def test_address_that_begins_with_a_variable_is_looked_at_behind_it(value, is_guarded):
    """What can make a scheme is that variable alone; else the whole value is looked at, by a node."""
    composed = compose_payloads(parse(BASE), [insertion(f'<a href="{value}">x</a>')])

    template = make().quick_template(composed.source, composed.spans)

    assert type(template).__name__ == ("GuardedTemplate" if is_guarded else "PayloadTemplate")
    assert template.source == composed.source


def test_failure_is_logged_once_and_told_each_time(caplog):
    renderer = make()
    composed = compose_payloads(parse(BASE), [insertion("{% widthratio p.n 0 'x' %}")])
    compiled = renderer.compile("x", lambda: composed.source, NAMES, composed.spans)
    plain = renderer.compile("base", lambda: BASE, NAMES)

    told = [renderer.render_or_base(compiled, lambda: plain, VALUES, place="shop.card").issues for _ in range(3)]

    assert [len(issues) for issues in told] == [1, 1, 1]
    assert caplog.text.count("failed to render") == 1


def test_address_inside_a_tag_that_reads_its_content_as_text_is_left_to_it():
    text = '{% load i18n %}{% blocktranslate with url=p.url %}<a href="{{ url }}">x</a>{% endblocktranslate %}'
    composed = compose_payloads(parse(BASE), [insertion(text)])
    renderer = make()

    quick, isolating = (
        render_template(made, VALUES)
        for made in (renderer.quick_template(composed.source, composed.spans), renderer.template(composed.source, composed.spans))
    )

    assert quick == isolating
    assert f'href="{VALUES["p"]["url"]}"' in quick


GOOD = st.sampled_from(
    ["x", "{{ p.name }}", "{% if p.name %}a{% else %}b{% endif %}", LOOP, "{# n #}", "  ",
     '<a href="{{ p.url }}">{{ p.name }}</a>',
     "{% with x=p.name %}{{ x }}{% endwith %}", "{% firstof p.no p.name %}", "{% load i18n %}", "{% comment %}{{{% endcomment %}",
     "{% firstof p.name as label %}", "{{ label }}", "<i title='{{ p.name }}'>", "</i>", "{", "{{ '}' }}",
     "{% verbatim %}{{ x }}{% endverbatim %}"]
)  # fmt: skip


@given(st.lists(GOOD, max_size=4).map("".join), st.lists(GOOD, max_size=4).map("".join), st.lists(GOOD, max_size=3).map("".join))
def test_isolated_page_is_to_the_byte_that_of_the_plain_composition(first, second, third):
    operations = [insertion(first, HEAD), replacement(second), insertion(third, BOLD, "prepend")]
    composed = compose_payloads(parse(BASE), operations)
    renderer = make()
    assert composed.source == compose(BASE, operations).source
    try:
        plain = render_template(renderer.template(composed.source), dict(VALUES))
    except Exception:  # what does not compile or render plainly is no page to compare with
        return

    isolating, quick = (
        renderer.template(composed.source, composed.spans),
        renderer.quick_template(composed.source, composed.spans),
    )

    assert [render_template(each, dict(VALUES)) for each in (isolating, quick)] == [plain, plain]
    assert isinstance(render_template(isolating, dict(VALUES)), SafeString)
