"""Telling which version of a component a diff was made against, where the recorded one cannot be it.

A version fits if the diff applies to it strictly. One where every hunk stands on the line that it states is the exact preimage,
as far as anybody can tell, and goes before one where hunks had to be looked for. Costs one strict application a version.
"""

from collections.abc import Iterable
from typing import NamedTuple

from migration.engine import patch
from migration.engine.diff import Diff


class Version(NamedTuple):
    """Name a version, and hold its source."""

    name: str
    source: str


class Fit(NamedTuple):
    """Hold a version that a diff applies to; `is_exact` says that every hunk stands on its stated line."""

    version: Version
    is_exact: bool


def find_fits(read: Diff, versions: Iterable[Version]) -> tuple[Fit, ...]:
    """Return the versions that the diff applies to: exact ones first, each kind in the order given, equal sources once."""
    fits: dict[str, Fit] = {}
    for version in versions:
        patched = None if version.source in fits else patch.apply(version.source, read)
        if isinstance(patched, patch.Patched):
            fits[version.source] = Fit(version, all(placement.offset == 0 for placement in patched.placements))
    return tuple(sorted(fits.values(), key=lambda fit: not fit.is_exact))
