"""Who is waited for: what keeps customizations on the old system, named so that somebody can go and look."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any, Final

from migration.actions.facts import Fact, facts_about
from migration.actions.people import CHUNK, in_chunks
from migration.actions.settling import KEPT
from migration.models import Person
from migration.states import CustomizationState

NOT_TRANSLATED: Final = "NOT_TRANSLATED"
_WAITING: Final = frozenset({CustomizationState.IMPORTED, CustomizationState.NEEDS_REVIEW, CustomizationState.REJECTED}) - KEPT


@dataclass(frozen=True, slots=True)
class Need:
    """Name a customization that waits for a person and the first finding that says why; `more` counts the other ones.

    `line` counts the diff's lines from 1 and is 0 where none is to blame.
    """

    customization: int
    user: str
    component: str
    code: str
    line: int
    place: str
    text: str
    more: int = 0

    def __str__(self) -> str:
        """Return it as one line of a command."""
        where = f" (diff line {self.line})" if self.line else f" ({self.place})" if self.place else ""
        more = f" And {self.more} more finding{'s' if self.more > 1 else ''}." if self.more else ""
        return f"{self.user} {self.component} {self.code}{where}: {self.text}{more}"

    def as_json(self) -> dict[str, Any]:
        """Return the object under `needs_person`."""
        return asdict(self)


def needs_of(primary_keys: Iterable[int]) -> list[Need]:
    """Return what these customizations wait for, in their order: a blocking finding, or a translation."""
    found: list[Need] = []
    for chunk in in_chunks(primary_keys, CHUNK):
        waiting = [fact for fact in facts_about(chunk) if fact.customization.state in _WAITING]
        people = Person.objects.only("tenant", "user").in_bulk({fact.customization.person_id for fact in waiting})
        found.extend(_need(fact, str(people[fact.customization.person_id])) for fact in waiting)
    return found


def _need(fact: Fact, user: str) -> Need:
    row = fact.customization
    if not fact.blocking:
        text = "There are no operations for this diff and the current version. Translate it."
        return Need(row.pk, user, row.component_key, NOT_TRANSLATED, 0, "", text)
    first, *others = fact.blocking
    return Need(row.pk, user, row.component_key, first.code, first.line, first.place, first.text, len(others))
