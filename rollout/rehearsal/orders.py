"""What is to be played: the order that one process gives the other, as JSON."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any, Final

TEMPLATE: Final = "eight-weeks"
START: Final = date(2027, 1, 4)  # a Monday; a template that nobody scheduled begins there, so that its report is always the same


@dataclass(frozen=True, slots=True)
class Order:
    """Say what is played: a plan by its primary key, or a template with so many made-up people; a scenario; the seed."""

    seed: int = 1
    scenario: str = ""
    plan: int | None = None
    people: int | None = None
    template: str = TEMPLATE
    start: str = START.isoformat()

    def as_json(self) -> dict[str, Any]:
        """Return the JSON object."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Order":
        """Read what `as_json` wrote."""
        return cls(**data)
