"""What tests of notices, dates and the agenda share: notices, waves with a date, a mail server that does what it is told."""

from contextlib import contextmanager
from datetime import timedelta

from rollout.errors import TransportAway
from rollout.models import Channel, Moment, Notice, Wave
from tests.rollout.conftest import AT

DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)


def write_notice(plan, name="A week before", *, lead=7 * DAY, **changes):
    """Return a notice of the plan."""
    fields = {
        "plan": plan,
        "name": name,
        "lead": lead,
        "subject": "Your shop moves",
        "body": "Dear {user}, {wave} moves at {starts_at}. Ask {support}.",
        "is_required": changes.get("moment", Moment.BEFORE_START) == Moment.BEFORE_START,
        **changes,
    }
    return Notice.objects.create(**fields)


def in_app(plan, name="Shown a week before", **changes):
    """Return a notice that is shown in the application."""
    return write_notice(plan, name, channel=Channel.IN_APP, **changes)


def survey(plan, **changes):
    """Return a notice after the switch."""
    return write_notice(plan, "Survey", **{"moment": Moment.AFTER_SWITCH, "lead": 2 * HOUR, **changes})


def dated(wave, starts_at=AT + 8 * DAY, **changes):
    """Give a planned wave its date."""
    Wave.objects.filter(pk=wave.pk).update(starts_at=starts_at, **changes)
    wave.refresh_from_db()
    return wave


class Server:
    """A mail server that keeps what it takes, and raises what it is told to for a recipient, or at every session."""

    is_real = False

    def __init__(self, troubles=None, away=""):
        self.sent, self.troubles, self.away, self.sessions = [], dict(troubles or {}), away, 0

    @contextmanager
    def session(self):
        if self.away:
            raise TransportAway(self.away)
        self.sessions += 1
        yield self._take

    def _take(self, message):
        trouble = self.troubles.get(message.to)
        if trouble is not None:
            raise trouble
        self.sent.append(message)

    @property
    def recipients(self):
        return [message.to for message in self.sent]
