"""Reading a corpus: pairs, and lines that cannot be used."""

import json

import pytest

from migration.management.corpus.records import Record, read, read_line
from slots.errors import Refusal

GOOD = {
    "id": "one",
    "kind": "override",
    "base_version": "1.0",
    "base_source": "a\n",
    "diff": "",
    "customized_source": "b\n",
    "upgrades": [{"version": "1.1", "source": "c\n"}],
}


def line(**changes):
    return json.dumps({**GOOD, **changes}).encode()


@pytest.mark.parametrize(
    ("count", "expected"),
    [
        (0, []),
        (1, [(0, ("next", "last"))]),
        (2, [(0, ("next",)), (1, ("second", "last"))]),
        (3, [(0, ("next",)), (1, ("second",)), (2, ("last",))]),
        (4, [(0, ("next",)), (1, ("second",)), (3, ("fourth", "last"))]),
        (6, [(0, ("next",)), (1, ("second",)), (3, ("fourth",)), (5, ("last",))]),
    ],
)
def test_pairs_are_next_second_fourth_and_last_each_once(count, expected):
    record = read_line(1, line(upgrades=[{"version": str(n), "source": str(n)} for n in range(count)]))

    assert [(pair.index, pair.labels) for pair in record.pairs()] == expected


def test_bad_lines_are_refused_with_their_number_and_the_rest_goes_on():
    lines = [
        line(),
        b"{",
        b"",
        b"[]",
        b"\xff",
        json.dumps({"id": "x"}).encode(),
        line(upgrades=[{"version": "1"}]),
        line(diff=3),
        line(),
    ]

    found = list(read(lines))

    assert [each.id for each in found if isinstance(each, Record)] == ["one", "one"]
    assert [(each.code, each.line) for each in found if isinstance(each, Refusal)] == [
        ("RECORD_NOT_JSON", 2),
        ("RECORD_NOT_JSON", 4),
        ("RECORD_NOT_UTF8", 5),
        ("RECORD_INCOMPLETE", 6),
        ("RECORD_INCOMPLETE", 7),
        ("RECORD_INCOMPLETE", 8),
    ]
    assert "base_source" in next(each for each in found if isinstance(each, Refusal) and each.line == 6).text


@pytest.mark.parametrize(("changes", "rewrite"), [({"similarity": 0.29}, True), ({"similarity": 0.3}, False), ({}, False)])
def test_rewrite_is_what_keeps_less_than_a_third(changes, rewrite):
    assert read_line(1, line(**changes)).is_rewrite is rewrite


def test_page_that_extends_itself_is_a_rewrite():
    assert read_line(1, line(similarity=0.9, flags=["extends-itself"])).is_rewrite
