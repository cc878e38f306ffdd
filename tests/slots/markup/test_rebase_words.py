"""Merging texts word by word: what one side changed is taken, what touches is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slots.markup.rebase.words import merge

TEXTS = st.lists(st.sampled_from(["one", "two", "three", "four\n"]), max_size=8).map(" ".join)


@pytest.mark.parametrize(
    ("base", "ours", "theirs", "merged"),
    [
        ("send an e-mail to you today", "send an e-mail to me today", "send an email to you today", "send an email to me today"),
        ("a b c", "a b c d", "x b c", "x b c d"),
        ("a b c", "a x c", "a x c", "a x c"),
        ("a b c d", "a x c d", "a x c y", "a x c y"),
    ],
)
def test_changes_of_different_words_merge(base, ours, theirs, merged):
    assert merge(base, ours, theirs) == merged


@pytest.mark.parametrize(
    ("base", "ours", "theirs"),
    [
        ("a b c", "a x c", "a y c"),
        ("a b c", "x b c", "a y c"),  # they touch
        ("a b c", "a b c x", "a b c y"),
    ],
)
def test_changes_of_one_place_do_not_merge(base, ours, theirs):
    assert merge(base, ours, theirs) is None


@given(TEXTS, TEXTS)
def test_change_of_one_side_alone_is_that_side(base, changed):
    assert (merge(base, changed, base) or changed).split() == changed.split()
    assert (merge(base, base, changed) or changed).split() == changed.split()


@given(TEXTS, TEXTS, TEXTS)
def test_sides_may_change_places(base, ours, theirs):
    one, other = merge(base, ours, theirs), merge(base, theirs, ours)

    assert (one is None) is (other is None)
    assert one is None or other is None or one.split() == other.split()
