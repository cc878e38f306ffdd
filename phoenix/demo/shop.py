"""Fill the sample shop: components with their defaults, people with accounts, customizations as files."""

import uuid
from dataclasses import dataclass
from datetime import datetime

from phoenix.demo.shelf import Shelf
from slots.actions import Outcome, import_component, initialise_defaults, set_current_version
from slots.errors import Refusal
from slots.models import Component


class ShopBroken(Exception):
    """The shop's own components were refused; its data and its code do not belong together."""

    code = "SAMPLE_SHOP_BROKEN"

    def __init__(self, key: str, version: str, refusal: Refusal) -> None:
        """Keep what was refused and why."""
        super().__init__(f"{key}@{version} was refused. {refusal} Remove the sample shop's data, or check out its code again.")
        self.refusal = refusal


@dataclass(frozen=True, slots=True)
class LoadedComponents:
    """Count what loading the components did; `defaults` is how many have a default layer now."""

    components: int
    versions: int
    imported: int
    updated: int
    defaults: int


def load_components(shelf: Shelf, *, by: str, at: datetime, reason: str, act: uuid.UUID | None = None) -> LoadedComponents:
    """Store every version, show the newest one of each component, and initialise its default layer.

    Raises:
        ShopBroken: a version is refused, for instance because another source is stored under its number.
    """
    outcomes: list[Outcome] = []
    for key, versions in shelf.items():
        for record in versions:
            found = import_component(record, at=at, by=by)
            if isinstance(found, Refusal):
                raise ShopBroken(key, record.version, found)
            outcomes.append(found.outcome)
        component = Component.objects.get(key=key)
        set_current_version(component, versions[-1].version, at=at, by=by)
        initialise_defaults(component, by=by, at=at, reason=reason, act=act)
    return LoadedComponents(
        components=len(shelf),
        versions=len(outcomes),
        imported=outcomes.count(Outcome.IMPORTED),
        updated=outcomes.count(Outcome.UPDATED),
        defaults=len(shelf),
    )
