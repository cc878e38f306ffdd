"""Processes that are started together end together."""

import signal
import subprocess
import sys
import time

import pytest

from phoenix.processes import Program, run_together, running

SLEEPER = "import time; time.sleep(60)"
ENDER = "import sys, time; time.sleep(0.3); sys.exit(3)"


def python(name: str, text: str, *arguments: str) -> Program:
    return Program(name, (sys.executable, "-c", text, *arguments))


def process_list() -> str:
    return subprocess.run(["ps", "-ewwo", "args"], capture_output=True, text=True, check=True).stdout


def test_a_program_runs_inside_the_block_only():
    with running(python("sleeper", SLEEPER)) as process:
        assert process.poll() is None

    assert process.returncode == -signal.SIGTERM


def test_a_program_is_asked_once_and_may_finish(tmp_path):
    text = (
        "import pathlib, signal, sys, time\n"
        "def finish(*_): time.sleep(0.3); pathlib.Path(sys.argv[1]).write_text('finished'); sys.exit(0)\n"
        "signal.signal(signal.SIGTERM, finish); pathlib.Path(sys.argv[1]).touch()\n"
        "while True: time.sleep(0.05)\n"  # one long sleep would miss a signal that comes just before it
    )
    with running(python("worker", text, str(tmp_path / "work"))) as process:
        while not (tmp_path / "work").exists():
            time.sleep(0.01)

    assert (process.returncode, (tmp_path / "work").read_text()) == (0, "finished")


def test_what_a_killed_program_leaves_behind_is_ended_too(tmp_path):
    text = "import subprocess, sys; subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)', sys.argv[1]])"
    with running(python("parent", text, str(tmp_path))) as process:
        process.wait()
        assert str(tmp_path) in process_list()

    deadline = time.monotonic() + 10
    while str(tmp_path) in process_list() and time.monotonic() < deadline:  # whoever collects orphans takes a moment
        time.sleep(0.01)
    assert str(tmp_path) not in process_list()


def test_the_one_that_ends_is_returned_and_the_rest_is_ended():
    said = []

    ended = run_together([python("sleeper", SLEEPER), python("ender", ENDER)], say=said.append)

    assert ended is not None
    assert ended.name == "ender"
    assert [line.split(": process ")[0] for line in said] == ["sleeper", "ender"]


def test_being_asked_to_stop_ends_all_and_names_none():
    before = signal.getsignal(signal.SIGTERM)

    def ask(line: str) -> None:
        signal.raise_signal(signal.SIGTERM)

    assert run_together([python("sleeper", SLEEPER)], say=ask) is None
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_program_that_cannot_start_leaves_none_running(tmp_path):
    said = []

    with pytest.raises(FileNotFoundError):
        run_together([python("sleeper", SLEEPER, str(tmp_path)), Program("nothing", ("/no/such/program",))], say=said.append)

    assert said == []
    assert str(tmp_path) not in process_list()
