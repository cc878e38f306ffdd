"""All acts of `manage.py rollout`: a module of a noun lists its own, this is where a noun is added."""

from rollout.management import breaches, calendar, holds, notices, status, waves
from rollout.management.acts import Act

ACTS: tuple[Act, ...] = (
    *status.ACTS,
    *waves.ACTS,
    *breaches.ACTS,
    *holds.ACTS,
    *notices.ACTS,
    *calendar.ACTS,
)
