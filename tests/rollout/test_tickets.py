"""By when a ticket has to be answered, and when that is near: a table of severities and times."""

from datetime import UTC, datetime, timedelta

import pytest

from rollout.gates import Severity
from rollout.tickets import RESPONSE, Urgency, deadline, notice_of, respond_by

REPORTED = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)  # in the night in which Europe's clocks go back
TARGETS = {
    Severity.CRITICAL: timedelta(minutes=15),
    Severity.HIGH: timedelta(hours=1),
    Severity.MEDIUM: timedelta(hours=4),
    Severity.LOW: timedelta(hours=24),
}
SECOND = timedelta(seconds=1)
TABLE = [
    ("critical", "0:00:00", Urgency.NEAR, "15 minutes left"),
    ("critical", "0:14:01", Urgency.NEAR, "less than a minute left"),
    ("critical", "0:15:00", Urgency.NEAR, "less than a minute left"),
    ("critical", "0:15:01", Urgency.OVERDUE, "overdue by less than a minute"),
    ("critical", "0:17:00", Urgency.OVERDUE, "overdue by 2 minutes"),
    ("high", "0:29:59", Urgency.AHEAD, "30 minutes left"),
    ("high", "0:30:00", Urgency.NEAR, "30 minutes left"),
    ("high", "1:00:00", Urgency.NEAR, "less than a minute left"),
    ("high", "1:00:01", Urgency.OVERDUE, "overdue by less than a minute"),
    ("medium", "1:59:59", Urgency.AHEAD, "2 hours left"),
    ("medium", "2:00:00", Urgency.NEAR, "2 hours left"),
    ("medium", "4:00:01", Urgency.OVERDUE, "overdue by less than a minute"),
    ("low", "11:59:59", Urgency.AHEAD, "12 hours left"),
    ("low", "12:00:00", Urgency.NEAR, "12 hours left"),
    ("low", "24:00:00", Urgency.NEAR, "less than a minute left"),
    ("low", "49:30:00", Urgency.OVERDUE, "overdue by 1 day 1 hour"),
]


def test_the_response_times_are_those_of_the_plan():
    assert dict(RESPONSE) == TARGETS
    assert [respond_by(severity, REPORTED) - REPORTED for severity in Severity] == list(TARGETS.values())


@pytest.mark.parametrize(("severity", "after", "urgency", "words"), TABLE)
def test_how_pressing_an_answer_is(severity, after, urgency, words):
    hours, minutes, seconds = map(int, after.split(":"))
    at = REPORTED + timedelta(hours=hours, minutes=minutes, seconds=seconds)

    found = deadline(Severity(severity), respond_by(Severity(severity), REPORTED), at=at)

    assert (found.urgency, found.in_words) == (urgency, words)
    assert found.at - at == found.left


@pytest.mark.parametrize("severity", Severity)
def test_near_begins_at_an_instant_and_ends_at_the_deadline(severity):
    due = respond_by(severity, REPORTED)
    begins = due - notice_of(severity)

    assert begins >= REPORTED
    assert [deadline(severity, due, at=at).urgency for at in (begins - SECOND, begins, due, due + SECOND)] == [
        Urgency.AHEAD,
        Urgency.NEAR,
        Urgency.NEAR,
        Urgency.OVERDUE,
    ]
