"""Where no browser is: a developer is told which package to install, CI fails."""

import pytest

from tests.e2e.conftest import find_browser


def test_without_a_browser_the_tests_are_skipped_and_say_what_to_install():
    with pytest.raises(pytest.skip.Exception, match="apt-get install chromium"):
        find_browser({"PATH": "/nowhere"})


def test_in_ci_a_missing_browser_is_a_failure():
    with pytest.raises(pytest.fail.Exception, match="BROWSER_MISSING"):
        find_browser({"PATH": "/nowhere", "CI": "true"})


def test_a_browser_is_found_by_any_of_its_names(tmp_path):
    program = tmp_path / "google-chrome"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)

    assert find_browser({"PATH": str(tmp_path), "CI": "true"}) == str(program)
