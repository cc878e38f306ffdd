"""Lengths of time as people write them."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollout.blueprints.durations import duration_of, duration_text


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("7 days", timedelta(days=7)),
        ("48 hours", timedelta(hours=48)),
        ("1 hour 30 minutes", timedelta(minutes=90)),
        ("1 day 1 second", timedelta(days=1, seconds=1)),
        ("0 seconds", timedelta()),
        ("5 microseconds", timedelta(microseconds=5)),
    ],
)
def test_a_text_says_a_length_of_time(text, length):
    assert duration_of(text) == length


@pytest.mark.parametrize(
    "text",
    ["", "7", "days", "7days", "-1 days", "1.5 hours", "7 weeks", "7  days", " 7 days", "7 days 3", "٧ days", "9" * 15 + " days"],
)
def test_anything_else_says_none(text):
    assert duration_of(text) is None


@given(st.timedeltas(min_value=timedelta(), max_value=timedelta(days=100_000)))
def test_every_length_is_read_as_it_was_written(length):
    assert duration_of(duration_text(length)) == length
