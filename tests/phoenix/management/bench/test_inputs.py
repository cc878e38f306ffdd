"""What is measured on has the size that was asked for, is seeded, and comes from where it says."""

import json

import pytest
from django.conf import settings

from migration.engine.compare import compare
from migration.management.corpus.synthetic.cases import generate
from phoenix.management.bench.growth import grow
from phoenix.management.bench.pages import make_pages, make_pairs
from phoenix.management.bench.samples import InputRefused, lineages_in, of_cases, of_records, read_corpus

COMPONENTS = settings.BASE_DIR / "phoenix/demo/components"


@pytest.mark.parametrize("nodes", [200, 1_000, 2_000])
def test_a_template_has_the_nodes_that_were_asked_for(nodes):
    grown = grow(nodes, seed=1)

    assert nodes - 20 <= grown.nodes <= nodes
    assert len({grown.base, grown.customized, grown.later}) == 3
    assert grow(nodes, seed=1) == grown != grow(nodes, seed=2)


def test_the_share_of_what_is_changed_is_the_same_at_every_size():
    small, large = grow(1_000, seed=1), grow(4_000, seed=1)

    few, many = (each.customized.count('class="own ') for each in (small, large))
    assert 4 * few <= many <= 5 * few


def test_pages_have_the_elements_that_were_asked_for():
    pages = make_pages(900, seed=1)

    assert 900 <= pages.elements <= 920
    assert pages.left != pages.right
    assert make_pages(900, seed=1) == pages != make_pages(900, seed=2)


def test_pairs_differ_as_much_as_their_names_say():
    pairs = make_pairs(900, seed=1)
    found = {name: compare(pages.left, pages.right) for name, pages in pairs.items()}

    assert len({pages.left for pages in pairs.values()}) == 1
    assert [found[name].proven for name in pairs] == [True, False, False, False]
    assert pairs["spelling"].left != pairs["spelling"].right
    assert 1 > found["one"].similarity > found["few"].similarity > found["half"].similarity > 0.5


def test_every_card_of_the_pair_in_another_spelling_is_spelled_otherwise():
    pages = make_pairs(900, seed=1)["spelling"]
    cards, others = (page.split("<li")[1:] for page in (pages.left, pages.right))

    assert len(cards) == len(others) == 100
    assert all(card != other for card, other in zip(cards, others, strict=True))


def test_the_lineages_of_the_sample_shop_start_at_each_version_but_the_last():
    found = lineages_in(COMPONENTS)

    cards = [lineage for lineage in found if lineage.name.startswith("shop.product_card")]
    sources = [
        (COMPONENTS / "shop.product_card" / version / "template.html").read_text()
        for version in ("1.0", "1.1", "2.0", "2.1", "2.2")
    ]
    assert [lineage.sources for lineage in cards] == [tuple(sources[start:]) for start in range(4)]


def test_a_folder_that_is_no_version_is_refused(tmp_path):
    (tmp_path / "card" / "1.0").mkdir(parents=True)
    (tmp_path / "card" / "1.0" / "template.html").write_bytes(b"\xff")

    with pytest.raises(InputRefused, match="NOT_UTF8"):
        lineages_in(tmp_path)


def test_synthetic_edits_serve_as_customizations():
    (case,) = generate(lineages_in(COMPONENTS), seed=1, count=1)

    (sample,) = of_cases([case])

    assert (sample.base, sample.customized, sample.later) == (case.old, case.edited, case.new)
    assert sample.diff.startswith("--- a/template.html\n+++ b/template.html\n@@ ")


def test_records_serve_as_customizations_and_a_bad_line_is_refused(tmp_path):
    record = {
        "id": "1", "kind": "override", "base_version": "1.0", "base_source": "a\n", "diff": "d", "customized_source": "b\n",
        "upgrades": [{"version": "2.0", "source": "c\n"}],
    }  # fmt: skip
    corpus = tmp_path / "corpus.jsonl"
    corpus.write_text(json.dumps(record) + "\n" + json.dumps({**record, "upgrades": []}) + "\n")

    assert [tuple(sample) for sample in of_records(read_corpus(corpus))] == [
        ("a\n", "d", "b\n", "c\n"),
        ("a\n", "d", "b\n", None),
    ]

    corpus.write_text("{}\n")
    with pytest.raises(InputRefused, match="RECORD_INCOMPLETE"):
        read_corpus(corpus)
