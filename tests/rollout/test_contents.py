"""One content, one text, one hash."""

from datetime import time, timedelta
from decimal import Decimal

import pytest

from rollout.contents import as_content, canonical, hash_of, unordered


def test_values_have_one_spelling():
    row = {"soak": timedelta(hours=1), "share": Decimal("25.000"), "whole": Decimal(100), "opens": time(2), "rate": None}

    assert as_content(row) == {"soak": 3600.0, "share": "25", "whole": "100", "opens": "02:00:00", "rate": None}


def test_the_order_of_keys_means_nothing_and_that_of_a_list_does():
    assert hash_of({"a": 1, "b": [1, 2]}) == hash_of({"b": [1, 2], "a": 1})
    assert hash_of([1, 2]) != hash_of([2, 1])
    assert unordered([{"b": 1}, {"a": 1}]) == unordered([{"a": 1}, {"b": 1}])


def test_text_stays_text():
    assert canonical({"name": "Größe – “x”"}) == '{"name":"Größe – “x”"}'


def test_what_is_no_number_is_no_content():
    with pytest.raises(ValueError):
        canonical({"trip": float("nan")})
