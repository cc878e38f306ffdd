import pytest

from migration.engine import diff
from migration.engine.translate import BUDGET, translate, translate_sources
from migration.engine.translate.fineness import size
from migration.engine.translate.proof import coarsen, prove
from slots.errors import Refusal
from slots.markup import ops
from slots.markup.compose import compose
from slots.markup.match import match
from slots.markup.tree import parse
from slots.schema import MAX_DEPTH, MAX_NODES

BASE = "".join(f"<p>line {number}</p>\n" for number in range(40))
CUSTOM = BASE.replace("line 3<", "LINE 3<").replace("<p>line 30</p>\n", "")


def made(base, custom):
    return diff.parse(diff.make(base, custom, path="card.html"))


def test_diff_is_translated_and_operations_know_their_hunk():
    found = translate(BASE, made(BASE, CUSTOM))
    assert (found.source, found.proven, found.byte_exact) == (CUSTOM, True, True)
    assert [(operation.kind, operation.hunk) for operation in found.operations] == [("set_text", 0), ("remove", 1)]


def test_operations_know_their_hunk_where_the_diff_was_made_for_another_line():
    moved = "".join(f"<i>head {number}</i>\n" for number in range(30))

    found = translate(moved + BASE, made(BASE, CUSTOM))

    assert [(operation.kind, operation.hunk) for operation in found.operations] == [("set_text", 0), ("remove", 1)]


@pytest.mark.parametrize(
    "added",
    [
        "<i>" * 201 + "x" + "</i>" * 201,
        ("<br>" * 5_000 + "\n") * 4,
        f"<p {' '.join(f'a{number}' for number in range(257))}>x</p>",
        f'<p title="{"x" * 9_000}{("y" * 9_000).join(chr(10) * 8)}">x</p>',
    ],
    ids=["depth", "nodes", "attributes", "value"],
)
def test_diff_that_leads_beyond_the_limits_is_refused(added):
    found = translate(BASE, made(BASE, f"{BASE}{added}\n"))

    assert isinstance(found, Refusal)
    assert (found.code, found.line) == ("LIMIT_EXCEEDED", 0)
    assert "customized template" in found.text


def test_diff_that_does_not_apply_is_refused():
    found = translate(BASE.replace("line 3<", "other<"), made(BASE, CUSTOM))
    assert isinstance(found, Refusal)


def test_equal_sources_need_no_operation():
    found = translate_sources(BASE, BASE)
    assert (found.operations, found.proven, found.byte_exact, found.fineness) == ((), True, True, 1.0)


@pytest.mark.parametrize("patience", range(3))
def test_time_that_is_up_replaces_the_source(patience):
    answers = iter([False] * patience + [True] * 9)
    found = translate_sources(BASE, CUSTOM, expired=lambda: next(answers))
    assert (found.reason, found.replaced_source, found.proven, found.byte_exact) == (BUDGET, True, True, True)
    assert [operation.kind for operation in found.operations] == [ops.REPLACE_SOURCE]
    assert found.fineness == 0.0
    assert compose(BASE, ops.loads(ops.dumps(found.operations))).source == CUSTOM


def test_ids_are_stable_and_distinct():
    found = translate_sources("<p>a</p>" * 3, "<p>b</p>" * 3 + "<i>x</i><i>x</i>")
    again = translate_sources("<p>a</p>" * 3, "<p>b</p>" * 3 + "<i>x</i><i>x</i>")
    assert found.operations == again.operations
    assert len({operation.id for operation in found.operations}) == len(found.operations)


def test_payload_requirements_are_recorded():
    base = "{% load i18n %}<h1>{{ shop.name }}</h1>\n"
    custom = (
        "{% load i18n shop_tags %}<h1>{{ shop.name }}</h1>\n"
        "{% block extra %}{% price product %}{{ shop.city|upper }}{% for n in news %}{{ n.title }}"
        '{% include "n.html" %}{% endfor %}{% endblock %}\n'
    )
    needed = translate_sources(base, custom).requirements
    assert needed.libraries == ("shop_tags",)
    assert needed.blocks == ("extra",)
    assert needed.variables == ("news", "product")
    assert needed.includes == ("n.html",)


def test_displaced_text_takes_an_operation_back():
    found = translate_sources("<p>\n <b>old</b> <i>gone</i></p>", "<p>\n <u>new</u></p>")
    assert [operation.displaced for operation in found.operations if not operation.layout] == [("<b>old</b>", "<i>gone</i>")]


def test_coarsening_frees_the_smallest_node_around_the_mistake():
    base, custom = parse("<div><p>one</p><p>two</p></div><hr>"), parse("<div><p>one</p><p>2</p></div><hr>")
    matching = match(base, custom)
    assert coarsen(matching, "<div><p>one</p><p>wrong</p></div><hr>")
    text = custom.at((0, 1, 0))
    assert matching.source(text) is None
    assert matching.source(custom.at((0, 1))) is not None
    assert coarsen(matching, "<div><p>one</p><p>wrong</p></div><hr>")
    assert matching.source(custom.at((0, 1))) is None
    assert matching.source(custom.at((0, 0))) is not None


def test_coarsening_ends_at_the_root():
    base, custom = parse("<p>one</p><p>two</p>"), parse("<p>1</p><p>2</p>")
    assert not coarsen(match(base, custom), "nothing in common")


def test_proof_fails_for_operations_that_give_something_else():
    base, custom = parse("<p>one</p>"), parse("<p>two</p>")
    wrong = translate_sources("<p>one</p>", "<p>three</p>").operations
    assert not prove(base, custom, list(wrong)).holds
    right = translate_sources("<p>one</p>", "<p>two</p>").operations
    assert prove(base, custom, list(right)).holds


def test_white_space_with_a_meaning_is_not_layout():
    found = translate_sources("<p><b>a</b> <i>b</i></p>", "<p><b>a</b><i>b</i></p>")
    assert [(operation.name, operation.layout) for operation in found.operations] == [("space", False)]


def test_white_space_without_a_meaning_is_layout():
    found = translate_sources("<div>\n<p>a</p></div>", "<div><p>a</p></div>")
    assert [(operation.name, operation.layout) for operation in found.operations] == [("space", True)]


def test_fineness_is_one_for_a_smallest_edit_and_falls_with_waste():
    assert translate_sources(BASE, CUSTOM).fineness == pytest.approx(1.0, abs=0.01)
    coarse = translate_sources("<p>one two three four</p>", "<p>one two three five</p>")
    assert 0.0 < coarse.fineness < 1.0


def test_size_counts_bytes_without_white_space():
    assert size(" é\n a") == 3


HOSTILE = {
    "openers": ("{%" * 20_000, "{%" * 20_000 + "x"),
    "depth": ("<div>" * 8_000 + "</div>" * 8_000, "<div>" * 8_000 + "x" + "</div>" * 8_000),
    "unclosed depth": ("<div>" * 8_000, "x" + "<div>" * 8_000),
    "attributes": ("<a " + 'x="1" ' * 30_000 + ">", "<a " + 'x="1" ' * 30_000 + "y>"),
    "distinct attributes": (
        "<a " + " ".join(f"x{n}" for n in range(5_000)) + ">",
        "<a " + " ".join(f"y{n}" for n in range(5_000)) + ">",
    ),
    "twins": ("<li>x</li>" * 6_000, "<li>x</li>" * 5_990),
    "strangers": ("".join(f"<li>{n}</li>" for n in range(3_000)), "".join(f"<b>x{n}</b>" for n in range(3_000))),
    "lines": ("".join(f"{n}\n" for n in range(9_000)), "".join(f"{n}x\n" for n in range(9_000))),
}


@pytest.mark.slow
@pytest.mark.parametrize(("base", "custom"), HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_sources_translate_in_bounded_time(base, custom):
    found = translate_sources(base, custom)
    assert (found.proven, found.byte_exact) == (True, True)


@pytest.mark.parametrize(
    ("large", "reason"),
    [
        ("<br>" * MAX_NODES, ""),
        ("<br>" * (MAX_NODES + 1), BUDGET),
        ("<b>" * MAX_DEPTH + "</b>" * MAX_DEPTH, ""),
        ("<b>" * (MAX_DEPTH + 1) + "</b>" * (MAX_DEPTH + 1), BUDGET),
    ],
    ids=["nodes allowed", "too many nodes", "depth allowed", "too deep"],
)
def test_more_than_a_template_may_have_is_not_matched(large, reason):
    for base, custom in ((large, large.replace("b", "i", 1)), ("<hr>", large), (large, "<hr>")):
        found = translate_sources(base, custom)
        assert (found.reason, found.proven) == (reason, True)
