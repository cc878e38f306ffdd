"""The checkout is a package that another project can install."""

import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
APPS = ("phoenix", "slots", "migration", "rollout")
LEFT_OUT = shutil.ignore_patterns("__pycache__", "*.pyc")
IMPORTS = """
import django, slots
from django.conf import settings
settings.configure(INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth", "slots"])
django.setup()
from slots import jobs
print(slots.__file__)
"""


def files_of(folder):
    return {
        path.relative_to(folder) for app in APPS for path in (folder / app).rglob("*") if path.is_file() and path.suffix != ".pyc"
    }


@pytest.mark.slow
@pytest.mark.skipif(find_spec("setuptools") is None, reason="builds a package: `.venv/bin/python -m pip install setuptools`")
def test_package_holds_every_file_of_the_apps_and_slots_can_be_imported_from_it(tmp_path):
    checkout, built = tmp_path / "checkout", tmp_path / "built"
    for app in APPS:
        shutil.copytree(REPOSITORY / app, checkout / app, ignore=LEFT_OUT)
    for name in ("pyproject.toml", "README.md", "LICENSE", "requirements.txt"):
        shutil.copy(REPOSITORY / name, checkout)
    (checkout / "var").mkdir()  # a second folder beside the apps, as in every checkout

    command = [sys.executable, "-c", "import setuptools; setuptools.setup()", "--quiet", "build", "--build-lib", str(built)]
    done = subprocess.run(command, cwd=checkout, capture_output=True, text=True)

    assert done.returncode == 0, done.stderr
    assert files_of(built) == files_of(checkout)
    asked = subprocess.run(
        [sys.executable, "-c", IMPORTS], cwd=tmp_path, env={"PYTHONPATH": str(built)}, capture_output=True, text=True
    )
    assert (asked.stdout, asked.stderr) == (f"{built / 'slots' / '__init__.py'}\n", "")
