"""Components that come along with records of the corpus.

Such a record names no release date, so versions order by their numbers, and the highest is the current one.
"""

import re
from collections.abc import Sequence
from datetime import datetime

from migration.actions.entries import Release
from slots.actions import import_component, set_current_version
from slots.errors import Refusal
from slots.models import Component, ComponentVersion
from slots.registry import ComponentRecord


def import_releases(bundles: Sequence[tuple[str, tuple[Release, ...]]], *, at: datetime, by: str) -> bool:
    """Write the components and versions that are not there yet; say whether any was written.

    `bundles` holds (component key, releases). A version that is there keeps its source. A source beyond the limits is left
    out: its customization then says that the version is unknown.
    """
    wanted: dict[str, dict[str, str]] = {}
    for key, releases in bundles:
        wanted.setdefault(key, {}).update({release.version: release.source for release in releases})
    known = set(ComponentVersion.objects.filter(component__key__in=wanted).values_list("component__key", "version"))
    changed: set[str] = set()
    for key, sources in wanted.items():
        for version in sorted(sources, key=by_number):
            if (key, version) in known:
                continue
            done = import_component(ComponentRecord(key=key, version=version, source=sources[version]), at=at, by=by)
            if not isinstance(done, Refusal):
                changed.add(key)
    for component in Component.objects.filter(key__in=changed):
        versions = component.versions.values_list("version", flat=True)
        set_current_version(component, max(versions, key=by_number), at=at, by=by)
    return bool(changed)


def by_number(version: str) -> tuple[tuple[int, str], ...]:
    """Return what versions of packages sort by: numbers as numbers, words before them."""
    return tuple((int(part), "") if part.isdigit() else (-1, part) for part in re.findall(r"[0-9]+|[a-z]+", version.lower()))
