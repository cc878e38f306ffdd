"""Make the asserts of the laws say what they compared."""

import pytest

pytest.register_assert_rewrite("tests.fuzz.laws")
