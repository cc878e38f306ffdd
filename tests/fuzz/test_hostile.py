"""Sources of hostile size and shape end soon, in little memory, in a process of their own."""

import json
import subprocess
import sys

import pytest

from tests.fuzz.hostile import BOMB_STEPS, BOMBS, BUDGET_SECONDS, SHAPES, STEPS

MOST_MEGABYTES = 200


@pytest.mark.fuzz
@pytest.mark.parametrize("name", [*SHAPES, *BOMBS])
def test_every_step_ends_within_the_limits(name, repository):
    ran = subprocess.run([sys.executable, "-m", "tests.fuzz.hostile", name], cwd=repository, capture_output=True, text=True)

    assert ran.returncode == 0, ran.stderr[-2000:]
    costs = [json.loads(line) for line in ran.stdout.splitlines()]
    assert [cost["step"] for cost in costs] == list(BOMB_STEPS if name in BOMBS else STEPS)
    assert [cost for cost in costs if cost["seconds"] > BUDGET_SECONDS or cost["megabytes"] > MOST_MEGABYTES] == []
