"""Contracts read from data and written back."""

from slots.schema import Contract


def test_contract_survives_a_round_trip_through_json():
    contract = Contract.from_mapping({"names": ["product"], "tags": ["if"], "policy": "strict"})

    assert Contract.from_mapping(contract.as_json()) == contract
