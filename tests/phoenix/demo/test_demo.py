"""The demo as people run it: a fresh database, real worker processes, a second run; and that it fails when it should."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from phoenix.demo.customers import FEWEST

pytestmark = pytest.mark.slow
MANAGE = Path(__file__).resolve().parents[3] / "manage.py"
SMALL = ("--people", str(2 * FEWEST), "--wave", "6", "--workers", "1")


@pytest.fixture
def manage(tmp_path):
    environment = {name: value for name, value in os.environ.items() if name not in {"DATABASE_URL", "REDIS_URL"}}
    environment |= {"PHOENIX_VAR": str(tmp_path / "var"), "RQ_KEY_PREFIX": "phoenix-test", "NO_COLOR": "1"}

    def run(*words):
        command = [sys.executable, str(MANAGE), *words]
        return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=240)

    run("migrate", "--verbosity", "0").check_returncode()
    return run


def test_demo_meets_every_expectation_the_first_and_the_second_time(manage):
    first = manage("demo", "--json", *SMALL)
    assert first.returncode == 0, first.stderr
    report = json.loads(first.stdout)
    assert report["failed"] == 0
    assert sum(len(step["checks"]) for step in report["steps"]) > 40
    manage("rollback_users", "--all", "--reason", "somebody tried it out").check_returncode()
    second = manage("demo", *SMALL)
    assert second.returncode == 0, second.stdout + second.stderr
    for text in ("the kill switch was on and is released", "make serve", "http://127.0.0.1:8000/", "Everything is as expected."):
        assert text in second.stdout


def test_demo_fails_where_an_expectation_is_not_met(manage):
    done = manage("demo", "--json", "--people", str(FEWEST), "--wave", "55", "--workers", "1")
    assert done.returncode == 1
    report = json.loads(done.stdout)
    failed = [check["text"] for step in report["steps"] for check in step["checks"] if not check["holds"]]
    assert failed == ["people of the wave"]
    assert report["failed"] == 1


@pytest.mark.parametrize("words", [("--people", "10"), ("--wave", "1"), ("--workers", "0")])
def test_demo_with_impossible_numbers_is_wrong_usage(manage, words):
    assert manage("demo", *words).returncode == 2
