"""All acts of `manage.py rollout`: a module of a noun lists its own, this is where a noun is added."""

from rollout.management import (
    audiences,
    breaches,
    calendar,
    holds,
    notices,
    phases,
    plans,
    rehearsals,
    selections,
    signoffs,
    status,
    timelines,
    waves,
)
from rollout.management.acts import Act

ACTS: tuple[Act, ...] = (
    *status.ACTS,
    *plans.ACTS,
    *phases.ACTS,
    *waves.ACTS,
    *audiences.ACTS,
    *breaches.ACTS,
    *holds.ACTS,
    *signoffs.ACTS,
    *notices.ACTS,
    *calendar.ACTS,
    *rehearsals.ACTS,
    *timelines.ACTS,
    *selections.ACTS,
)
