"""The sample customers: reproducible, of every kind, and in the format that the importer reads."""

from collections import Counter

import pytest

from migration.engine import diff
from phoenix.demo.customers import FEWEST, INTERNAL, REGIONS, TooFewPeople, customers
from phoenix.demo.edits.hopeless import BROKEN_DIFFS
from phoenix.demo.edits.hostile import HOSTILE
from phoenix.demo.records import Category
from phoenix.demo.shelf import read_shelf
from slots.errors import Refusal

PEOPLE = 1250


@pytest.fixture(scope="module")
def shelf():
    return read_shelf()


@pytest.fixture(scope="module")
def everybody(shelf):
    return tuple(customers(shelf, seed=2026, people=PEOPLE))


@pytest.fixture(scope="module")
def records(everybody):
    return [record for customer in everybody for record in customer.records]


def test_customers_same_seed_gives_the_same_people(shelf, everybody):
    assert tuple(customers(shelf, seed=2026, people=PEOPLE)) == everybody


def test_customers_other_seed_gives_other_people(shelf, everybody):
    assert tuple(customers(shelf, seed=7, people=PEOPLE)) != everybody


def test_customers_more_people_only_adds_some(shelf, everybody):
    assert tuple(customers(shelf, seed=2026, people=FEWEST)) == everybody[:FEWEST]


def test_customers_too_few_are_refused(shelf):
    with pytest.raises(TooFewPeople):
        next(customers(shelf, seed=2026, people=FEWEST - 1))


def test_customers_fewest_hold_every_category_but_rare_ones(shelf):
    found = {record.category for customer in customers(shelf, seed=2026, people=FEWEST) for record in customer.records}
    assert {Category.CURRENT, Category.CARRIED, Category.HOSTILE, Category.BROKEN, Category.UNKNOWN} <= found


def test_customers_are_told_apart_by_name(everybody, records):
    assert len({customer.user for customer in everybody}) == PEOPLE
    assert len({record.external_id for record in records}) == len(records)


def test_customers_come_from_every_region_with_its_zones_and_languages(everybody):
    regions = {region.name: region for region in REGIONS}
    assert {customer.region for customer in everybody} == regions.keys()
    for customer in everybody:
        assert customer.time_zone in regions[customer.region].time_zones
        assert customer.language in regions[customer.region].languages


def test_customers_colleagues_made_only_edits_that_cannot_fail(everybody):
    colleagues = [customer for customer in everybody if customer.internal]
    assert len(colleagues) == INTERNAL >= 10
    categories = {record.category for customer in colleagues for record in customer.records if record.active}
    assert categories == {Category.CURRENT}


def test_customers_have_one_to_five_active_records_one_a_component(everybody):
    counts = Counter(sum(record.active for record in customer.records) for customer in everybody)
    assert counts.keys() == {1, 2, 3, 4, 5}
    for customer in everybody:
        active = [record.component for record in customer.records if record.active]
        assert len(active) == len(set(active))


def test_customers_signed_up_before_they_changed_anything(everybody):
    assert all(customer.signed_up_at < record.created_at for customer in everybody for record in customer.records)


def test_customers_total_and_shares_are_like_a_real_shop(records):
    counts = Counter(record.category for record in records)
    assert set(counts) == set(Category)
    assert 2_300 <= len(records) <= 2_700
    assert counts[Category.CURRENT] > len(records) * 0.55
    assert counts[Category.CARRIED] > len(records) * 0.1
    assert counts[Category.HOSTILE] == len(HOSTILE)
    assert counts[Category.BROKEN] == len(BROKEN_DIFFS)


def test_customers_many_people_share_a_diff(records):
    shared = Counter((record.component, record.base_version, record.diff) for record in records)
    assert 120 <= len(shared) <= 260
    assert max(shared.values()) >= 40


def test_records_broken_diffs_are_refused_with_their_code(records):
    codes = {record.label: record.code for record in records if record.category is Category.BROKEN}
    parsed = {record.label: diff.parse(record.diff) for record in records if record.category is Category.BROKEN}
    refused = {label: found.code for label, found in parsed.items() if isinstance(found, Refusal)}
    assert refused == {label: code for label, code in codes.items() if code != "HUNK_DOES_NOT_APPLY"}


def test_records_diffs_of_customers_are_well_formed(records):
    usable = [record for record in records if record.category is not Category.BROKEN]
    assert [record.label for record in usable if isinstance(diff.parse(record.diff), Refusal)] == []


def test_records_were_made_while_their_version_was_current(shelf, records):
    plain = {Category.CURRENT, Category.CARRIED, Category.FUZZED, Category.FORGOTTEN}
    for record in records:
        if record.category in plain:
            index, edition = next(
                (index, each) for index, each in enumerate(shelf[record.component]) if each.version == record.base_version
            )
            later = shelf[record.component][index + 1 :]
            assert edition.released_at <= record.created_at
            assert not later or record.created_at < later[0].released_at
