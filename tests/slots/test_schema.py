"""Contracts read from data and written back."""

from datetime import date
from decimal import Decimal

import pytest

from slots.schema import Contract


def test_contract_survives_a_round_trip_through_json():
    contract = Contract.from_mapping({"names": ["product"], "tags": ["if"], "policy": "strict"})

    assert Contract.from_mapping(contract.as_json()) == contract


def test_types_survive_the_round_trip_and_name_what_they_are_about():
    contract = Contract.from_mapping({"types": {"product": "object", "count": "number"}})

    assert contract.names == {"product", "count"}
    assert Contract.from_mapping(contract.as_json()) == contract
    assert hash(contract) == hash(Contract.from_mapping(contract.as_json()))


@pytest.mark.parametrize(
    ("kind", "fitting", "misfitting"),
    [
        ("text", "x", 1),
        ("number", 1, "1"),
        ("number", Decimal("1.5"), True),
        ("boolean", False, 0),
        ("date", date(2026, 11, 29), 20261129),
        ("date", "2026-11-29", ["2026"]),
        ("list", [1], {"a": 1}),
        ("object", {"a": 1}, [1]),
    ],
)
def test_values_are_held_to_their_types(kind, fitting, misfitting):
    contract = Contract.from_mapping({"types": {"value": kind}})

    assert contract.misfits({"value": fitting}) == []
    assert contract.misfits({}) == contract.misfits({"value": None}) == []
    assert contract.misfits({"value": misfitting}) == [
        f"`value` is of the type {type(misfitting).__name__}; the contract says {kind}."
    ]
