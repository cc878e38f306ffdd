"""Take components and their versions in, and say which version is shown."""

from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from django.db import transaction
from django.db.models import F, Max

from slots.errors import Refusal, VersionUnknown
from slots.markup import limits
from slots.markup.address import slot_map
from slots.models import Component, ComponentVersion
from slots.registry import ComponentRecord


class Outcome(StrEnum):
    """What an import did with one record."""

    IMPORTED = "imported"
    UPDATED = "updated"
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True)
class ImportedComponent:
    """Hold the version that a record became, and what the import did."""

    version: ComponentVersion
    outcome: Outcome


@transaction.atomic
def import_component(record: ComponentRecord, *, at: datetime, by: str) -> ImportedComponent | Refusal:
    """Store one version of a component; the component itself is made where it is new.

    A version is a release: its source never changes, so another source under the same version is refused. Contract, samples and
    release date may be mended. The first version of a new component becomes its current one; later ones wait for
    `set_current_version`. `at` and `by` belong to every act; versions keep no history of their own yet.
    """
    refusal = limits.refusal(record.source)
    if refusal is not None:
        return refusal
    component, is_new = Component.objects.select_for_update().get_or_create(key=record.key, defaults={"title": record.title})
    if record.title and component.title != record.title:
        component.title = record.title
        component.save(update_fields=["title"])
    known = component.versions.filter(version=record.version).first()
    if known is not None:
        return _updated(known, record)
    last = component.versions.aggregate(last=Max("ordinal"))["last"] or 0
    version = ComponentVersion.objects.create(
        component=component,
        version=record.version,
        ordinal=last + 1,
        source=record.source,
        slot_map=[asdict(entry) for entry in slot_map(record.source)],
        **_terms(record),
    )
    if is_new:
        component.current_version = version
        component.save(update_fields=["current_version"])
    return ImportedComponent(version, Outcome.IMPORTED)


def _terms(record: ComponentRecord) -> dict[str, Any]:
    """Return the fields of a version that may be mended after its release."""
    return {
        "released_at": record.released_at,
        "contract": dict(record.contract),
        "samples": [dict(sample) for sample in record.samples],
    }


def _updated(known: ComponentVersion, record: ComponentRecord) -> ImportedComponent | Refusal:
    if known.source != record.source:
        return Refusal(
            "VERSION_CHANGED",
            0,
            f"{record.key}@{record.version} is stored with another source, and a released version does not change. "
            "Give the new source a new version.",
        )
    terms = _terms(record)
    changed = [name for name, value in terms.items() if getattr(known, name) != value]
    if not changed:
        return ImportedComponent(known, Outcome.UNCHANGED)
    for name in changed:
        setattr(known, name, terms[name])
    known.save(update_fields=changed)
    return ImportedComponent(known, Outcome.UPDATED)


def newest_version(component: Component) -> ComponentVersion | None:
    """Return the version released last, or imported last where no release date is known; None where there is none."""
    return component.versions.order_by(F("released_at").asc(nulls_last=True), "ordinal").last()


def set_current_version(component: Component, version: ComponentVersion | str, *, at: datetime, by: str) -> ComponentVersion:
    """Show `version` to everybody whom no configuration pins to another one.

    Raises:
        VersionUnknown: the component has no such version.
    """
    if isinstance(version, str):
        found = component.versions.filter(version=version).first()
    else:
        found = version if version.component_id == component.pk else None
    if found is None:
        raise VersionUnknown(component.key, str(version))
    component.current_version = found
    component.save(update_fields=["current_version"])
    return found
