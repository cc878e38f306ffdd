"""Cases are seeded, spread evenly, and their answer is right by construction."""

from collections import Counter

import pytest

from migration.management.corpus.records import Record, Release
from migration.management.corpus.synthetic.cases import Lineage, generate, lineages, suffixes

FIRST = """<section id="top" class="wide">
  <h2>Recently viewed</h2>
  <ul class="items">
    <li><a class="more" href="/all">Everything there is</a></li>
  </ul>
  <p>Some content without a key</p>
</section>
<footer class="end">
  <p class="legal">All prices with tax</p>
</footer>
"""
SECOND = FIRST.replace("<h2>Recently viewed</h2>", "<h3>Seen before</h3>\n  <hr>")
THIRD = SECOND.replace('<ul class="items">', '<ul class="items" data-new>').replace(
    '<p class="legal">', '<hr>\n  <p class="legal">'
)
FOURTH = f"{{% block all %}}\n{THIRD}{{% endblock %}}\n"
LINEAGE = Lineage("shop", (FIRST, SECOND, THIRD, FOURTH))


@pytest.fixture(scope="module")
def cases():
    return list(generate([LINEAGE], seed=3, count=120))


def test_equal_seeds_give_equal_cases(cases):
    assert list(generate([LINEAGE], seed=3, count=120)) == cases
    assert list(generate([LINEAGE], seed=4, count=120)) != cases


def test_cases_are_numbered_and_as_many_as_asked_for(cases):
    assert [case.number for case in cases] == list(range(120))


def test_distances_and_edits_have_their_turns(cases):
    assert Counter(case.releases for case in cases) == {1: 40, 2: 40, 3: 40}
    assert set(Counter(case.edit for case in cases[:48]).values()) == {6}
    assert Counter(case.identity.is_keyed for case in cases[:48]) == {True: 24, False: 24}


def test_no_case_is_drawn_twice():
    every = list(generate([LINEAGE], seed=3, count=10_000))

    assert len({(case.releases, case.edit, case.identity) for case in every}) == len(every) < 10_000


def test_the_answer_differs_from_the_new_release_as_the_edit_from_the_old(cases):
    for case in cases:
        mark = f"note-3-{case.number}"
        assert case.old == FIRST
        assert case.new == LINEAGE.sources[case.releases]
        assert case.edited != case.old
        assert case.expected != case.new
        if case.edit == "remove":
            assert len(case.expected) < len(case.new)
        else:
            assert mark.replace("-", "_") in case.expected.replace("-", "_")
            assert len(case.expected) > len(case.new)


def test_on_an_unchanged_release_the_answer_is_the_edited_source():
    same = Lineage("same", (FIRST, FIRST, FIRST, FIRST))

    for case in generate([same], seed=1, count=60):
        assert case.expected == case.edited


def test_a_lineage_starts_at_each_base_of_a_corpus_and_holds_each_source_once():
    def record(line, base, *later):
        releases = tuple(Release(str(number), source) for number, source in enumerate(later))
        return Record(line, str(line), "override", "", "shop:card", "1.0", base, "", "", 1.0, frozenset(), releases)

    found = lineages([record(1, "a", "b", "b", "c"), record(2, "a", "b", "c"), record(3, "b", "c")])

    assert found == [Lineage("shop:card@1.0", ("a", "b", "c")), Lineage("shop:card@1.0", ("b", "c"))]


def test_versions_of_a_component_give_a_lineage_from_each_but_the_last():
    assert suffixes("card", ["a", "b", "c"]) == [Lineage("card#0", ("a", "b", "c")), Lineage("card#1", ("b", "c"))]
