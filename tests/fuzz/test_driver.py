"""The fuzzer finds what is planted, makes it small, says how to see it again, and stops in time."""

import random
import time
from types import SimpleNamespace

import pytest

from migration.engine.compare import compare
from slots.markup import rebase
from slots.markup.tree import parse
from tests.fuzz import driver, grammar
from tests.fuzz.laws import LAWS


def planted(base, ours, theirs):
    """Fail where a source holds two lists and a variable."""
    assert not ("<ul>" in base and "{{ name }}" in ours), "planted"


def slow(base, ours, theirs):
    """Hold, slowly."""
    time.sleep(0.05)


@pytest.fixture(scope="module")
def found():
    return driver.hunt(planted, seed=1, seconds=60)[0]


def test_what_is_planted_is_found_and_made_as_small_as_it_gets(found):
    assert ["".join(pieces) for pieces in found.sample] == ["<ul>", "{{ name }}", ""]
    assert found.error.startswith("AssertionError: planted")


def test_what_was_found_is_found_again_by_its_number(found):
    again, tried = driver.hunt(planted, seed=1, seconds=0, only=found.number)

    assert again == found
    assert tried == 1


def test_the_message_says_how_to_see_it_again(found):
    text = str(found)

    assert f"FUZZ_SEED=1 FUZZ_CASE={found.number}" in text
    assert "planted(\n    '<ul>',\n    '{{ name }}',\n    '',\n)" in text


def test_a_law_that_holds_is_tried_until_the_time_is_up():
    started = time.monotonic()

    assert driver.hunt(slow, seed=1, seconds=0.3)[0] is None
    assert 0.3 <= time.monotonic() - started < 5


def test_equal_seeds_draw_equal_input():
    assert driver.draw(1, 5) == driver.draw(1, 5)
    assert driver.draw(1, 5) != driver.draw(2, 5)


def test_the_grammar_reaches_what_it_is_made_of():
    drawn = "".join("".join(grammar.template(random.Random(seed))) for seed in range(400))

    missing = [
        text
        for text in (*grammar.LEAVES, *(head for head, _ in grammar.BLOCKS), *filter(None, grammar.ATTRIBUTES))
        if text not in drawn
    ]
    assert missing == []


# A defect for each law: what it would be to have that part of the engine broken.
DEFECTS = {
    "lossless": ("serialize", lambda tree: ""),
    "translated": ("compose", lambda base, *_, **__: SimpleNamespace(source=base, issues=())),
    "carried": ("compose", lambda base, *_, **__: SimpleNamespace(source=base, issues=())),
    "stays": ("rebase.prepare", lambda old, new: rebase.Pairing(parse(old), parse(new.replace("x", "y")))),
    "arrives": ("canonical.equal", lambda left, right: False),
    "compared": ("compare", lambda left, right: compare(left, left[:3] + right)),
    "read": ("diffs.print_diff", lambda diff: ""),
}


@pytest.mark.parametrize("name", LAWS)
def test_every_law_holds_on_a_small_card_and_fails_on_a_broken_engine(name, monkeypatch):
    sources = ('<p class="a">x</p>', '<p class="a b">x</p>', '<p class="a" id="c">x</p>')
    target, broken = DEFECTS[name]

    LAWS[name](*sources)
    monkeypatch.setattr(f"tests.fuzz.laws.{target}", broken)
    with pytest.raises(AssertionError):
        LAWS[name](*sources)
