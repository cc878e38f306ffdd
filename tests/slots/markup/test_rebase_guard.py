"""The guard, shown results that are wrong in one way each: it has to see every one, and nothing in the right one."""

import pytest
from hypothesis import given

from migration.engine.translate import translate_sources
from slots.markup.rebase import guard, prepare
from slots.markup.rebase.carry import carry
from slots.markup.rebase.case import Case
from slots.markup.rebase.outcomes import Status
from slots.markup.tree import parse
from tests.slots.markup import plain_guard
from tests.slots.markup.sources import soup_versions, versions

BASE = """{% load i18n %}
<div class="card">
  <h3>{{ product.name }}</h3>
  <p class="teaser">{{ product.teaser }}</p>
</div>
"""
OURS = BASE.replace("  <h3>", '  <b class="badge">{{ product.badge }}</b>\n  <h3>').replace(
    '  <p class="teaser">{{ product.teaser }}</p>\n', ""
)
THEIRS = BASE.replace("</div>", '  <i class="stock">{{ product.stock }}</i>\n</div>')
RIGHT = OURS.replace("</div>", '  <i class="stock">{{ product.stock }}</i>\n</div>')


def objections(result, *, base=BASE, ours=OURS, theirs=THEIRS):
    pairing = prepare(base, theirs)
    case = Case(pairing, translate_sources(base, ours).operations)
    carried = [carry(pairing, operation) for operation in case.operations]
    return guard.objections(case, carried, parse(result), ())


def codes(result, **sources):
    return [objection.issue.code.value for objection in objections(result, **sources)]


def test_right_result_has_no_objection():
    assert objections(RIGHT) == []


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        (RIGHT.replace(' class="badge"', ""), "TARGET_MISSING"),
        (RIGHT.replace("{{ product.badge }}", ""), "TARGET_MISSING"),
        (RIGHT.replace(' class="stock"', ""), "BASE_CHANGED"),
        (RIGHT.replace("{{ product.name }}", ""), "BASE_CHANGED"),
        (RIGHT.replace(' class="card"', ""), "BASE_CHANGED"),
        (RIGHT.replace("</div>", "</div></section>"), "WRAP_CONFLICT"),
        (RIGHT.replace("</div>", "</div>{% endif %}"), "WRAP_CONFLICT"),
        (RIGHT.replace("</b>", ""), "WRAP_CONFLICT"),
        (RIGHT.replace("<h3>", '<h3 id="a">').replace("<i ", '<i id="a" '), "DUPLICATE_ID"),
        (RIGHT + "{% block a %}{% endblock %}{% block a %}{% endblock %}", "DUPLICATE_ID"),
        (RIGHT.replace("{% load i18n %}", ""), "REQUIREMENT_MISSING"),
    ],
    ids=lambda value: value if value.isupper() else "",
)
def test_wrong_result_meets_an_objection(wrong, code):
    assert code in codes(wrong)


def test_removed_node_that_comes_back_at_another_place_meets_an_objection():
    moved = BASE.replace('  <p class="teaser">{{ product.teaser }}</p>\n', "").replace(
        "</div>", '</div>\n<section>{% if product.long %}<p class="teaser">{{ product.teaser }}</p>{% endif %}</section>'
    )
    sources = {"ours": BASE.replace('  <p class="teaser">{{ product.teaser }}</p>\n', ""), "theirs": moved}
    pairing = prepare(BASE, moved)
    node = next(each for each in pairing.old.nodes if pairing.old.open(each).startswith("<p"))
    there = pairing.partner(node)
    if there is not None:  # the matching followed it: unmatch, to see what the guard does without
        for old, new in zip(range(node.order, node.last + 1), range(there.order, there.last + 1), strict=True):
            pairing.matching.to_right[old] = pairing.matching.to_left[new] = -1
    case = Case(pairing, translate_sources(BASE, sources["ours"]).operations)
    carried = [carry(pairing, operation) for operation in case.operations]

    found = guard.objections(case, carried, parse(moved), ())

    assert [objection.issue.text.startswith("The upgrade would bring back") for objection in found] == [True]
    assert found[0].operations == {0}


def test_line_that_both_sides_add_must_not_stand_twice():
    line = '  <p class="note">Free delivery</p>\n'
    ours = theirs = BASE.replace("  <h3>", line + "  <h3>")

    assert codes(theirs, ours=ours, theirs=theirs) == []
    assert codes(theirs.replace(line, line * 2), ours=ours, theirs=theirs) == ["OP_SHADOWED"]


def test_objection_names_the_operation_that_is_to_blame():
    found = objections(RIGHT.replace(' class="badge"', ""))

    operations = translate_sources(BASE, OURS).operations
    assert [{operations[index].kind for index in objection.operations} for objection in found] == [{"insert"}]


def test_upstream_text_inside_a_kept_place_is_excused():
    theirs = BASE.replace('<p class="teaser">', '<p class="teaser" lang="en">')
    ours = BASE.replace('  <p class="teaser">{{ product.teaser }}</p>\n', "")

    assert codes(ours, ours=ours, theirs=theirs) == []


def test_respelling_is_neither_lost_nor_missing():
    base = BASE.replace("{{ product.name }}", "{% trans 'Name' %}")
    theirs = base.replace("{% trans 'Name' %}", '{% translate "Name" %}')
    ours = base.replace("card", "card wide")

    assert codes(ours, base=base, ours=ours, theirs=theirs) == []


def test_what_upstream_removed_must_not_come_back():
    theirs = BASE.replace('  <p class="teaser">{{ product.teaser }}</p>\n', "")
    ours = BASE.replace("  <h3>", "  <b>{{ product.badge }}</b>\n  <h3>")
    right = ours.replace('  <p class="teaser">{{ product.teaser }}</p>\n', "")

    assert codes(right, ours=ours, theirs=theirs) == []
    assert codes(ours, ours=ours, theirs=theirs) == ["BASE_CHANGED"]


def test_class_name_that_stands_together_with_a_condition_is_seen():
    base = BASE.replace('class="teaser"', 'class="teaser-of-product{% if product.new %} teaser-new{% endif %}"')
    ours = base.replace("teaser-of-product", "lead")
    theirs = base.replace("product.new", "product.is_new")

    assert codes(theirs.replace("teaser-of-product", "lead"), base=base, ours=ours, theirs=theirs) == []
    assert codes(theirs.replace("teaser-of-product", "lead teaser-of-product"), base=base, ours=ours, theirs=theirs) == [
        "BASE_CHANGED"
    ]


def check_against_counts(base, ours, theirs, result):
    case = Case(prepare(base, theirs), translate_sources(base, ours).operations)
    carried = [carry(case.pairing, operation) for operation in case.operations]
    living = [each.outcome for each in carried if each.outcome.status is not Status.CONFLICT]
    if len(living) < len(carried) or not living:  # the guard has nothing to say, or looks at a part of the operations
        return
    kept = [outcome.texts for outcome in living if outcome.status is Status.KEPT]

    found = guard.objections(case, carried, parse(result), ())

    said = [(objection.issue.code, objection.tokens) for objection in found]
    assert said == plain_guard.findings(case.pairing, parse(ours), parse(result), kept)


@given(versions())
def test_differences_tell_the_guard_what_counts_of_everything_would(sources):
    check_against_counts(*sources)


@given(soup_versions)
def test_differences_of_broken_sources_tell_the_guard_the_same(sources):
    check_against_counts(*sources)
