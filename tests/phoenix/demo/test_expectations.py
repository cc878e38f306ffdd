"""Expectations: a record is judged by its category, and each way of missing it is told."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from migration.models import LegacyOutcome
from migration.states import CustomizationState
from phoenix.demo.expectations import MOVES, Expectation, Outcome, expected_of, mismatch
from phoenix.demo.records import Category, Record

AT = datetime(2026, 10, 1, tzinfo=UTC)
RECORD = Record("bob/card@2.2", "bob", "shop.product_card", "2.2", "", True, AT, Category.CURRENT, "order-now")
CLEAN = Expectation(CustomizationState.VALIDATED, LegacyOutcome.CLEAN)


def test_expected_of_every_category_is_written_down():
    for category in set(Category) - {Category.INACTIVE, Category.UNKNOWN}:
        assert expected_of(replace(RECORD, category=category)) is not None


def test_expected_of_an_inactive_record_is_nothing():
    assert expected_of(replace(RECORD, category=Category.INACTIVE)) is None


def test_expected_of_a_record_with_a_code_asks_for_that_code():
    expected = expected_of(replace(RECORD, category=Category.BROKEN, code="DIFF_EMPTY"))
    assert expected == Expectation(CustomizationState.REJECTED, None, frozenset({"DIFF_EMPTY"}))


def test_moves_are_the_categories_that_end_validated():
    validated = {
        category
        for category in set(Category) - {Category.INACTIVE, Category.UNKNOWN}
        if expected_of(replace(RECORD, category=category)).state is CustomizationState.VALIDATED
    }
    assert validated == MOVES


@pytest.mark.parametrize(
    ("expected", "found", "words"),
    [
        (CLEAN, Outcome("validated", "clean", set(), set()), ""),
        (CLEAN, Outcome("needs_review", "clean", set(), set()), "state needs_review instead of validated"),
        (CLEAN, Outcome("validated", "fuzz", set(), set()), "legacy fuzz instead of clean"),
        (CLEAN, Outcome("validated", "clean", {"UNSAFE_HTML"}, {"UNSAFE_HTML"}), "the policy refused it: UNSAFE_HTML"),
        (replace(CLEAN, codes=frozenset({"FUZZED"})), Outcome("validated", "clean", {"OTHER"}, set()), "no finding FUZZED"),
        (replace(CLEAN, refused_by_policy=True), Outcome("validated", "clean", {"OTHER"}, set()), "the policy let it pass"),
    ],
)
def test_mismatch_tells_where_the_outcome_differs(expected, found, words):
    assert mismatch(expected, found) == words
