"""Sources of hostile size and shape end soon, in little memory, in a process of their own."""

import json
import subprocess
import sys

import pytest

from tests.fuzz.hostile import BUDGET_SECONDS, SHAPES, STEPS

MOST_MEGABYTES = 200


@pytest.mark.fuzz
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("step", STEPS)
def test_it_ends_within_the_limits(step, shape, repository):
    ran = subprocess.run(
        [sys.executable, "-m", "tests.fuzz.hostile", shape, step], cwd=repository, capture_output=True, text=True
    )

    assert ran.returncode == 0, ran.stderr[-2000:]
    cost = json.loads(ran.stdout)
    assert cost["seconds"] <= BUDGET_SECONDS, cost
    assert cost["megabytes"] <= MOST_MEGABYTES, cost
