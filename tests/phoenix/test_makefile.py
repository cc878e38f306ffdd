"""The Makefile keeps its promises: it lists itself, refuses what it cannot use, and its checks can fail."""

import re
import shutil
import subprocess

import pytest


def make(folder, *arguments, **environment):
    return subprocess.run(
        ["make", "--no-print-directory", *arguments],
        cwd=folder, capture_output=True, text=True, env={"PATH": "/usr/bin:/bin", **environment},
    )  # fmt: skip


@pytest.fixture
def clone(repository, tmp_path):
    for name in ("Makefile", "requirements.txt", "requirements-dev.txt"):
        shutil.copy(repository / name, tmp_path)
    return tmp_path


def test_help_is_the_default_and_lists_every_public_target(repository):
    declared = re.findall(r"^([a-z0-9-]+):", (repository / "Makefile").read_text(), flags=re.MULTILINE)
    public = [target for target in declared if not target.startswith("check-")]

    listed = re.findall(r"^  \S*?([a-z0-9]+)\x1b\[0m|^  \x1b\[1m([a-z0-9-]+)", make(repository).stdout, flags=re.MULTILINE)

    assert [first or second for first, second in listed] == public
    assert "test" in public


def test_every_check_is_part_of_check(repository):
    text = (repository / "Makefile").read_text()
    (listed,) = re.findall(r"^check: (.*?) ##", text, flags=re.MULTILINE)

    assert sorted(listed.split()) == sorted(re.findall(r"^(check-[a-z]+):", text, flags=re.MULTILINE))


def test_a_missing_python_is_an_error_with_a_next_step(clone):
    outcome = make(clone, "install", "PYTHON=python-that-is-not-there")

    assert outcome.returncode != 0
    assert "INSTALL_PYTHON: python-that-is-not-there is missing or older than 3.11" in outcome.stderr


def test_a_newer_python_beside_an_old_one_is_found(clone):
    folder = clone / "bin"
    folder.mkdir()
    for name, script in (("python3", "exit 1"), ("python3.12", "exit 0")):
        (folder / name).write_text(f"#!/bin/sh\n{script}\n")
        (folder / name).chmod(0o755)

    outcome = make(clone, "--just-print", "install", PATH=f"{folder}:/usr/bin:/bin")

    assert "python3.12 -m venv .venv" in outcome.stdout


def test_a_python_that_cannot_make_environments_is_an_error_with_a_next_step(clone):
    python = clone / "python-of-a-minimal-system"
    python.write_text('#!/bin/sh\ncase "$2" in *ensurepip*) exit 1;; esac\nexit 0\n')
    python.chmod(0o755)

    outcome = make(clone, "install", f"PYTHON={python}")

    assert outcome.returncode != 0
    assert "INSTALL_VENV" in outcome.stderr
    assert "apt-get install python3-venv" in outcome.stderr


def test_requirements_with_their_comments_pass(clone):
    assert make(clone, "check-requirements").returncode == 0


@pytest.mark.parametrize("line", ["left-pad==1.0", "left-pad>=1.0  # pads", "left-pad  # pads", "left-pad==1.0  #"])
def test_a_requirement_without_a_pin_or_a_reason_is_refused(clone, line):
    with (clone / "requirements.txt").open("a") as file:
        file.write(f"{line}\n")

    outcome = make(clone, "check-requirements")

    assert outcome.returncode != 0
    assert line in outcome.stderr
    assert "REQUIREMENT_BARE" in outcome.stderr
