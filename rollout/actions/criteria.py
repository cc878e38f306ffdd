"""Which rows a command or a request of the API means, as a query and in words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Final

from django.db.models import Q, QuerySet

from rollout.actions.bulk import MODELS
from rollout.errors import SelectionInvalid
from rollout.models import Subject
from rollout.selecting import LABELS
from slots.schema import DEFAULT_TENANT

_WAY: Final[Mapping[str, Mapping[str, str]]] = {
    Subject.ENROLMENT: {"wave": "wave", "phase": "wave__phase", "plan": "plan"},
    Subject.WAVE: {"wave": "pk", "phase": "phase", "plan": "phase__plan"},
    Subject.PHASE: {"phase": "pk", "plan": "plan"},
}


@dataclass(frozen=True, slots=True)
class Criteria:
    """Say which rows are meant: those that meet all that is given. `users` are names, tenant/user outside the default tenant."""

    wave: int | None = None
    phase: int | None = None
    plan: int | None = None
    states: Sequence[str] = ()
    codes: Sequence[str] = ()
    users: Sequence[str] = ()

    def __bool__(self) -> bool:
        """Say whether anything is given."""
        return any(getattr(self, each.name) not in (None, ()) and getattr(self, each.name) != [] for each in fields(self))

    def __str__(self) -> str:
        """Return what is given, in words."""
        places = [f"{name} {value}" for name in ("wave", "phase", "plan") if (value := getattr(self, name)) is not None]
        states = [f"state {' or '.join(LABELS.get(state, state) for state in self.states)}"] if self.states else []
        codes = [f"code {' or '.join(self.codes)}"] if self.codes else []
        users = [f"{len(self.users)} named people"] if self.users else []
        return ", ".join([*places, *states, *codes, *users])


def rows_meant(subject: str, criteria: Criteria) -> QuerySet[Any]:
    """Return the rows of a kind that the criteria mean.

    Raises:
        SelectionInvalid: nothing is given, or something that rows of this kind do not have.
    """
    if subject not in MODELS:
        raise SelectionInvalid(f"Nothing of the kind {subject!r} is selected.", f"There are: {', '.join(MODELS)}.")
    if not criteria:
        raise SelectionInvalid("It means nobody in particular.", "Give a wave, a phase, a plan, states, codes or names.")
    ways = _WAY[subject]
    met = Q()
    for name in ("wave", "phase", "plan"):
        if (value := getattr(criteria, name)) is None:
            continue
        if name not in ways:
            raise SelectionInvalid(f"A {subject} is not in a {name}.", f"Give {' or '.join(ways)}.")
        met &= Q(**{ways[name]: value})
    if unknown := [state for state in criteria.states if state not in LABELS]:
        raise SelectionInvalid(f"There is no state {unknown[0]!r}.", "`rollout status` shows those that occur.")
    if subject != Subject.ENROLMENT and (criteria.codes or criteria.users):
        raise SelectionInvalid("Codes and names are of people.", "Leave them out.")
    met &= Q(state__in=criteria.states) if criteria.states else Q()
    met &= Q(code__in=criteria.codes) if criteria.codes else Q()
    met &= _named(criteria.users) if criteria.users else Q()
    rows: QuerySet[Any] = MODELS[subject]._default_manager.filter(met)
    return rows


def _named(users: Sequence[str]) -> Q:
    """Return the condition on places that their person is one of these."""
    by_tenant: dict[str, list[str]] = {}
    for name in users:
        tenant, slash, user = name.partition("/")
        by_tenant.setdefault(tenant if slash else DEFAULT_TENANT, []).append(user if slash else name)
    found = Q(pk__in=[])
    for tenant, names in by_tenant.items():
        found |= Q(person__tenant=tenant, person__user__in=names)
    return found
