"""Let a layer that was made for one version of a component stand on another one.

After an upgrade a site's layer may be on the new version while somebody above it still waits on the old one, and a restored
revision may be older than what lies under it. People see one version, so the other layers are carried to it: by the body that an
upgrade carried from there, where that is what the layer holds, else by the rebase of an upgrade, in whichever direction.
"""

from collections.abc import Mapping
from typing import Final

from slots.errors import Issue, IssueCode
from slots.markup import ops
from slots.markup.ops import Document
from slots.markup.rebase import Outcome, Pairing, Status, prepare, rebase
from slots.models import ComponentVersion, UpgradeCase

SUGGESTION: Final = "Decide what waits in the component's upgrades, or make the layer anew for the version that shows."


class Fitter:
    """Fit the documents of layers to versions; each pair of versions is matched once."""

    def __init__(self, versions: Mapping[int, ComponentVersion]) -> None:
        """Take the versions that layers were made for and that are shown, by primary key."""
        self._versions = versions
        self._pairings: dict[tuple[int, int], Pairing] = {}

    def fit(self, layer: str, body: str, document: Document, *, made_for: int, shown: int) -> tuple[Document, tuple[Issue, ...]]:
        """Return what a layer says on the version that shows, and an issue for each operation that has no place there.

        `body` is the digest of the layer's document; `made_for` and `shown` are primary keys of versions. One query.
        """
        if made_for == shown:
            return document, ()
        cases = UpgradeCase.objects.filter(new_body=body, from_version=shown, upgrade__version=made_for).order_by()
        originals = list(cases.values_list("body__operations", flat=True).distinct()[:2])
        if len(originals) == 1:  # where upgrades made one body of several, nobody can say which one it was
            return ops.loads_document(originals[0]), ()
        carried = rebase(document.operations, self._pairing(made_for, shown))
        placeless = {each.operation_id: each for each in carried.outcomes if _is_placeless(each)}
        names = [self._versions[each].version for each in (made_for, shown)]
        text = f"The {layer} layer was made for version {names[0]}; {names[1]}, which shows here, has no place for this."
        issues = tuple(Issue(each.texts.code, text, each.place, name, SUGGESTION) for name, each in placeless.items())
        left = tuple(operation for operation in carried.operations if operation.id not in placeless)
        return Document(left, document.locked), issues

    def _pairing(self, made_for: int, shown: int) -> Pairing:
        found = self._pairings.get((made_for, shown))
        if found is None:
            sources = [self._versions[each].source for each in (made_for, shown)]
            found = self._pairings[made_for, shown] = prepare(*sources)
        return found


def _is_placeless(outcome: Outcome) -> bool:
    """Say whether an operation lost its place, or would bring a place along that the version does not have."""
    is_gone = outcome.texts.code is IssueCode.BASE_REMOVED
    return outcome.status is Status.CONFLICT or (outcome.status is Status.KEPT and is_gone)
