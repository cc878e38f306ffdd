"""Bring people to a proof, and turn proofs into what is to be installed."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from migration.actions.proofs import Proof
from migration.actions.translations import translate_customizations
from migration.actions.validations import validate_customizations
from migration.models import Customization, Person
from slots.actions.configurations import Placement
from slots.models import ComponentVersion, Layer, Origin

REASON = "rollout"


def translate_people(people: Iterable[Person], *, by: str, at: datetime) -> None:
    """Translate what the people's proofs still lack; what was translated before costs a look."""
    translate_customizations(_active(people), by=by, at=at, reason=REASON)


def validate_people(people: Iterable[Person], *, by: str, at: datetime) -> None:
    """Compare the pages that the people's proofs still lack; what was compared before costs a look."""
    validate_customizations(_active(people), by=by, at=at, reason=REASON)


def placements_of(people: Iterable[Person], proofs: Mapping[int, Proof]) -> dict[int, list[Placement]]:
    """Return what is to be installed for each person, by primary key; one query."""
    versions = ComponentVersion.objects.defer("source", "samples", "slot_map").in_bulk(
        {item.version for proof in proofs.values() for item in proof.items}
    )
    return {
        person.pk: [
            Placement(person.tenant, Layer.USER, person.user, versions[item.version], item.body, Origin.TRANSLATION)
            for item in proofs[person.pk].items
        ]
        for person in people
    }


def _active(people: Iterable[Person]) -> list[int]:
    rows = Customization.objects.active().filter(person__in=list(people)).order_by("pk")
    return list(rows.values_list("pk", flat=True))
