"""Carrying configurations over an upgrade: samples, laws, and what must never go unsaid."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migration.engine.translate import translate_sources
from slots.markup import ops
from slots.markup.address import describe
from slots.markup.compose import compose
from slots.markup.ops import Hole, Operation
from slots.markup.rebase import Status, prepare, rebase
from slots.markup.tree import parse

SAMPLES = sorted(path for path in (Path(__file__).parents[2] / "samples" / "rebase").iterdir() if path.is_dir())
CARD = (SAMPLES[0] / "base.html").read_text("utf-8")


def carry(base, ours, theirs):
    return rebase(translate_sources(base, ours).operations, prepare(base, theirs))


def statuses(result):
    return [outcome.status for outcome in result.outcomes]


def node_of(source, text):
    tree = parse(source)
    return describe(tree, next(node for node in tree.nodes[1:] if tree.open(node).startswith(text)))


def operation(kind, address, **members):
    made = Operation(kind, address, **members)
    return replace(made, id=made.identifier())


@pytest.mark.parametrize("sample", SAMPLES, ids=[path.name for path in SAMPLES])
def test_sample_gives_the_expected_result_and_outcomes(sample):
    base, ours, theirs, expected = (
        (sample / f"{name}.html").read_text("utf-8") for name in ("base", "ours", "theirs", "expected")
    )
    wanted = json.loads((sample / "outcomes.json").read_text("utf-8"))
    operations = translate_sources(base, ours).operations

    result = rebase(operations, prepare(base, theirs))

    found = [[each.kind, outcome.status.value] for each, outcome in zip(operations, result.outcomes, strict=True)]
    assert found == wanted["outcomes"]
    assert result.source == expected
    assert result.automatic is wanted["automatic"]


@pytest.mark.parametrize("sample", SAMPLES, ids=[path.name for path in SAMPLES])
def test_outcomes_say_what_a_person_needs(sample):
    base, ours, theirs = ((sample / f"{name}.html").read_text("utf-8") for name in ("base", "ours", "theirs"))
    operations = translate_sources(base, ours).operations

    result = rebase(operations, prepare(base, theirs))

    assert [outcome.operation_id for outcome in result.outcomes] == [each.id for each in operations]
    for outcome in result.outcomes:
        assert outcome.place
        if outcome.status in (Status.KEPT, Status.CONFLICT):
            assert outcome.reason.endswith(".")
            assert any(outcome.texts)


@pytest.mark.parametrize("sample", SAMPLES, ids=[path.name for path in SAMPLES])
def test_result_is_what_the_carried_operations_compose_to_after_a_round_trip(sample):
    base, ours, theirs = ((sample / f"{name}.html").read_text("utf-8") for name in ("base", "ours", "theirs"))

    result = carry(base, ours, theirs)

    composed = compose(theirs, ops.loads(ops.dumps(result.operations)))
    assert composed.source == result.source
    assert composed.issues == ()
    again = rebase(result.operations, prepare(theirs, theirs))
    assert again.source == result.source
    assert again.automatic


@pytest.mark.parametrize("sample", SAMPLES, ids=[path.name for path in SAMPLES])
def test_base_that_becomes_the_customization_absorbs_all_of_it(sample):
    base, ours = ((sample / f"{name}.html").read_text("utf-8") for name in ("base", "ours"))

    result = carry(base, ours, ours)

    assert result.source == ours
    assert result.automatic
    assert set(statuses(result)) == {Status.ABSORBED}


@pytest.mark.parametrize("sample", SAMPLES, ids=[path.name for path in SAMPLES])
def test_base_that_stays_keeps_every_operation_clean(sample):
    base, ours = ((sample / f"{name}.html").read_text("utf-8") for name in ("base", "ours"))

    result = carry(base, ours, base)

    assert result.source == ours
    assert set(statuses(result)) == {Status.CLEAN}


def test_no_operations_give_the_new_base():
    result = rebase((), prepare(CARD, CARD.replace("Buy", "Get")))

    assert result.source == CARD.replace("Buy", "Get")
    assert result.automatic


def test_pairing_serves_many_configurations():
    pairing = prepare(CARD, CARD.replace('class="teaser"', 'class="teaser short"'))

    results = [
        rebase(translate_sources(CARD, CARD.replace("Buy now", text)).operations, pairing) for text in ("One", "Two", "One")
    ]

    assert [text in result.source for result, text in zip(results, ("One", "Two", "One"), strict=True)] == [True] * 3
    assert results[0] == results[2]


def test_pairing_does_not_grow_with_the_configurations_that_it_serves():
    pairing = prepare(CARD, CARD.replace("Buy now", "Buy"))
    known = len(pairing.table.numbers)

    for number in range(100):
        rebase(translate_sources(CARD, CARD.replace("  <footer", f"  <p>{number}</p>\n  <footer")).operations, pairing)

    assert len(pairing.table.numbers) == known


def test_payload_is_not_taken_for_what_stands_in_the_new_base():
    result = carry("<div><p>a</p><b>x</b></div>", "<div><i>y</i></div>", "<div><b>x</b></div>")

    assert (result.source, result.automatic, result.problems) == ("<div><i>y</i></div>", True, ())


def test_conflict_leaves_the_rest_in_the_result():
    ours = CARD.replace('<h3 class="title">', '<h3 class="title" id="name">').replace("Buy now", "Order")
    theirs = CARD.replace('<span class="price">', '<span class="price" id="name">')

    result = carry(CARD, ours, theirs)

    assert result.source == theirs.replace("Buy now", "Order")
    assert sorted(statuses(result)) == [Status.CLEAN, Status.CONFLICT]
    assert not result.automatic
    assert [issue.code.value for issue in result.problems][:1] == ["DUPLICATE_ID"]


def test_result_beyond_the_limits_is_a_conflict_and_the_new_base_stands():
    base = "<div>" * 100 + "<p>x</p>" + "</div>" * 100
    ours = base.replace("<p>x</p>", "<i>" * 60 + "<p>x</p>" + "</i>" * 60)
    theirs = "<main>" * 60 + base + "</main>" * 60

    result = carry(base, ours, theirs)

    assert (result.source, result.automatic) == (theirs, False)
    assert set(statuses(result)) == {Status.CONFLICT}
    assert {issue.code.value for issue in result.problems} == {"LIMIT_EXCEEDED"}
    assert carry(base, ours, theirs.replace("<main>", "", 40).replace("</main>", "", 40)).automatic


def test_new_base_beyond_the_limits_is_not_laid_to_the_customization():
    base = "<p>x</p><b>y</b>"
    theirs = "<i>" * 300 + base + "</i>" * 300

    assert carry(base, base.replace("x", "z"), theirs).source == theirs.replace("x", "z")


def test_operation_that_does_not_fit_its_own_base_is_a_conflict():
    stray = operation(ops.SET_ATTR, node_of("<i><u>x</u></i>", "<u"), name="id", payload=("a",))

    result = rebase([stray], prepare(CARD, CARD))

    assert statuses(result) == [Status.CONFLICT]
    assert result.source == CARD


def test_replaced_document_conflicts_where_upstream_moves_and_lives_where_it_does_not():
    whole = operation(ops.REPLACE_SOURCE, describe(parse(CARD), parse(CARD).root), payload=("mine\n",))

    assert rebase([whole], prepare(CARD, CARD)).source == "mine\n"
    changed = rebase([whole], prepare(CARD, CARD + "<hr>"))
    assert statuses(changed) == [Status.CONFLICT]
    assert statuses(rebase([whole], prepare(CARD, "mine\n"))) == [Status.ABSORBED]


def test_move_whose_place_came_to_stand_inside_it_is_never_made():
    base, theirs = "<main><b>bold</b><i>slanted</i></main>", "<main><b>bold<i>slanted</i></b></main>"
    moved = operation(ops.MOVE, node_of(base, "<i"), payload=(Hole(node_of(base, "<b")),), place=ops.AFTER)

    result = rebase([moved], prepare(base, theirs))

    assert not result.automatic
    assert result.source.count("bold") == result.source.count("slanted") == 1


def test_region_too_large_to_keep_stays_a_conflict():
    base = "<main>{% if a %}<section><p>one</p><p>two</p><p>three</p></section>{% endif %}</main>"
    theirs = "<main>{% cycle 'x' %}</main>"

    result = carry(base, base.replace("two", "2"), theirs)

    assert statuses(result) == [Status.CONFLICT]
    assert result.source == theirs


def test_library_that_upstream_still_needs_stays_loaded():
    base = "{% load humanize i18n %}\n<p>{{ n|intcomma }}</p>\n<b>{% translate 'Total' %}</b>\n"
    ours = base.replace("humanize ", "").replace("|intcomma", "")
    theirs = base + "<i>{{ m|intcomma }}</i>\n"

    result = carry(base, ours, theirs)

    assert "humanize" in result.source
    assert "{{ n }}" in result.source
    assert result.automatic


def test_block_that_both_sides_add_stands_once_and_is_reported():
    base = "{% block content %}<p>{{ text }}</p>{% endblock %}\n"
    ours = base + "{% block footer %}<small>mine</small>{% endblock %}\n"
    theirs = "{% block footer %}<small>theirs</small>{% endblock %}\n" + base

    result = carry(base, ours, theirs)

    assert result.source.count("{% block footer %}") == 1
    assert "mine" in result.source
    assert statuses(result) == [Status.KEPT]
    assert "theirs" in result.outcomes[0].texts.theirs


WORDS = st.sampled_from(["alpha", "beta", "{{ gamma }}", "{% url 'delta' %}"])
ELEMENTS = st.recursive(
    WORDS,
    lambda kids: (
        st.builds(
            lambda name, attribute, inner: f"<{name}{attribute}>{''.join(inner)}</{name}>",
            st.sampled_from(["div", "p", "b", "ul"]),
            st.sampled_from(["", ' class="one"', ' class="one two"', ' id="x"', ' title="{{ t }}"']),
            st.lists(kids, max_size=3),
        )
        | st.builds(lambda inner: f"{{% if ok %}}{''.join(inner)}{{% endif %}}", st.lists(kids, max_size=2))
    ),
    max_leaves=8,
)
PAGES = st.lists(ELEMENTS, min_size=1, max_size=4).map("\n".join)


@given(PAGES, PAGES)
def test_any_customization_stays_what_it_is_on_its_own_base(base, ours):
    result = carry(base, ours, base)

    assert result.source == ours
    assert result.automatic


@given(PAGES, PAGES, PAGES)
def test_any_upgrade_answers_for_every_operation_and_can_be_composed(base, ours, theirs):
    operations = translate_sources(base, ours).operations

    result = rebase(operations, prepare(base, theirs))

    assert [outcome.operation_id for outcome in result.outcomes] == [each.id for each in operations]
    assert compose(theirs, result.operations).source == result.source
    assert result == rebase(operations, prepare(base, theirs))
    if Status.CONFLICT in statuses(result):
        assert not result.automatic


@pytest.mark.parametrize(
    ("theirs", "status", "code"),
    [
        (CARD.replace("Buy", "Get"), "kept", "BASE_CHANGED"),
        (re.sub("<a.*</a>", "", CARD), "kept", "BASE_REMOVED"),
        (CARD.replace("<article", "<article hidden"), "clean", ""),
    ],
)
def test_outcome_says_by_a_code_what_upstream_did(theirs, status, code):
    (outcome,) = carry(CARD, CARD.replace("Buy", "Order"), theirs).outcomes

    assert (outcome.as_json()["status"], outcome.as_json()["code"]) == (status, code)
