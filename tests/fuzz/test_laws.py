"""`make fuzz`: every law, for its share of FUZZ_SECONDS."""

import os

import pytest

from tests.fuzz.driver import hunt
from tests.fuzz.laws import LAWS

SECONDS = float(os.environ.get("FUZZ_SECONDS", "60"))
SEED = int(os.environ.get("FUZZ_SEED", "1"))
ONLY = os.environ.get("FUZZ_CASE")


@pytest.mark.fuzz
@pytest.mark.parametrize("name", LAWS)
def test_the_law_holds(name, record_property):
    found, tried = hunt(LAWS[name], seed=SEED, seconds=SECONDS / len(LAWS), only=int(ONLY) if ONLY else None)

    record_property("tried", tried)
    assert tried
    if found:
        pytest.fail(str(found), pytrace=False)
