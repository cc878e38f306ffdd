"""Finding the components and versions that records name."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from slots.models import Component, ComponentVersion


@dataclass(slots=True)
class Catalogue:
    """Know components by key and versions by (key, version); reads what it does not know yet, in two queries."""

    components: dict[str, Component | None] = field(default_factory=dict)
    versions: dict[tuple[str, str], ComponentVersion | None] = field(default_factory=dict)

    def learn(self, names: Iterable[tuple[str, str]]) -> None:
        """Look up the components and versions of these (key, version) that were not asked for before.

        Sources are left where they are: an import needs none.
        """
        asked = set(names)
        keys = {key for key, _version in asked} - self.components.keys()
        self.components.update(dict.fromkeys(keys))
        self.components.update({row.key: row for row in Component.objects.filter(key__in=keys)})
        unknown = asked - self.versions.keys()
        self.versions.update(dict.fromkeys(unknown))
        rows = ComponentVersion.objects.filter(
            component__key__in={key for key, _version in unknown}, version__in={version for _key, version in unknown}
        )
        for row in rows.select_related("component").only("version", "component__key", "component__current_version"):
            if (row.component.key, row.version) in unknown:
                self.versions[row.component.key, row.version] = row

    def forget(self) -> None:
        """Read everything again when it is asked for next."""
        self.components.clear()
        self.versions.clear()
