"""Pages of people: taken through the site's own door, compared to the byte and by meaning."""

import pytest

from phoenix.demo.run.pages import changed, contexts_of, digest_of, pages_of, resemblance
from phoenix.demo.shelf import read_shelf
from tests.phoenix.demo.conftest import AT

ONE = {("bob", "card", "plain"): "<p class='a b'>one</p>"}


def test_contexts_of_are_those_of_the_newest_versions():
    shelf = read_shelf()
    found = contexts_of(shelf)
    assert {key: len(samples) for key, samples in found.items()} == {key: len(each[-1].samples) for key, each in shelf.items()}


@pytest.mark.django_db
def test_pages_of_holds_every_person_component_and_sample(shop, bob):
    contexts = contexts_of(read_shelf())
    pages = pages_of(["bob", ""], contexts, at=AT)
    assert len(pages) == 2 * sum(map(len, contexts.values()))
    assert "Harbour mug" in pages["bob", "shop.product_card", "in-stock"]
    assert (
        changed(
            {key[1:]: page for key, page in pages.items() if key[0] == "bob"},
            {key[1:]: page for key, page in pages.items() if key[0] == ""},
        )
        == []
    )


def test_digest_of_changes_with_a_byte_and_with_a_name():
    assert digest_of(ONE) == digest_of(dict(ONE))
    assert digest_of(ONE) != digest_of({key: page + " " for key, page in ONE.items()})
    assert digest_of(ONE) != digest_of({("eve", *key[1:]): page for key, page in ONE.items()})


def test_changed_names_pages_that_differ_or_are_missing():
    assert changed(ONE, ONE) == []
    assert changed(ONE, {}) == ["bob / card / plain"]
    assert changed(ONE, {("bob", "card", "plain"): '<p class="a b">one</p>'}) == ["bob / card / plain"]


@pytest.mark.parametrize(
    ("right", "identical", "equal", "different"),
    [
        ("<p class='a b'>one</p>", 1, 0, 0),
        ('<p class="b a">one</p>', 0, 1, 0),
        ("<p class='a b'>two</p>", 0, 0, 1),
    ],
)
def test_resemblance_tells_bytes_meaning_and_difference_apart(right, identical, equal, different):
    found = resemblance(ONE, dict.fromkeys(ONE, right))
    assert (found.identical, found.equal, len(found.different)) == (identical, equal, different)
    assert all(text.startswith("bob / card / plain: ") for text in found.different)
