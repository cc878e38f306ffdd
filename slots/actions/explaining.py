"""Say where every value of a person's component comes from: layer, revision, who, when, and what it displaced."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from slots.actions.asking import STRANGER, system_resolver
from slots.actions.fitting import Fitter
from slots.actions.stacks import layer_configuration
from slots.errors import ComponentUnknown, Issue
from slots.markup import ops
from slots.markup.compose import compose
from slots.markup.locks import Locks
from slots.markup.tree import parse
from slots.merger import ConfigMerger, Effective, LayerConfiguration, Provenance
from slots.models import Component, ComponentVersion, Layer, SlotConfiguration
from slots.schema import PersonKey


@dataclass(frozen=True, slots=True)
class Explanation:
    """Hold a person's effective configuration of one component; `words` says each value's operation in a sentence."""

    component: str
    version: str
    system: str
    layers: tuple[Provenance, ...]
    effective: Effective
    words: tuple[str, ...]
    issues: tuple[Issue, ...]

    def as_json(self) -> dict[str, Any]:
        """Return the JSON object of `slots explain`."""
        return {
            "component": self.component,
            "version": self.version,
            "system": self.system,
            "layers": [layer.as_json() for layer in self.layers],
            "values": [
                {**value.as_json(), "words": words} for value, words in zip(self.effective.values, self.words, strict=True)
            ],
            "issues": [issue.as_json() for issue in self.issues],
        }


def explain(component: str, person: PersonKey | None) -> Explanation:
    """Explain what a person (or a stranger) sees of a component on slots.

    Raises:
        ComponentUnknown: there is no such component, or it has no version to show.
        OperationsInvalid: a stored body cannot be read.
    """
    shown = Component.objects.select_related("current_version").filter(key=component).first()
    if shown is None or shown.current_version is None:
        raise ComponentUnknown(component)
    rows = list(
        SlotConfiguration.objects.for_request(person or STRANGER)
        .filter(component=shown)
        .select_related("component_version", "body")
        .order_by()
    )
    version = _version_of(rows, shown.current_version)
    fitted, strays = layer_configurations(rows, version)
    layers = sorted(fitted, key=lambda layer: layer.rank)
    tree = parse(version.source)
    effective = ConfigMerger(Locks(tree).holder).merge(layers)
    composed = compose(tree, effective.operations)
    return Explanation(
        component=component,
        version=version.version,
        system=_system_name(person),
        layers=tuple(layer.provenance for layer in layers),
        effective=effective,
        words=tuple(ops.describe(operation) for operation in effective.operations),
        issues=(*strays, *effective.issues, *composed.issues),
    )


def layer_configurations(
    rows: Iterable[SlotConfiguration], shown: ComponentVersion
) -> tuple[list[LayerConfiguration], list[Issue]]:
    """Return rows (with version and body at hand) as layers to merge, with the revision that wrote each, and what has no place.

    Layers that were made for another version than `shown` are carried to it, as they are for the page. One query, and one for
    each such layer.
    """
    found = list(rows)
    revisions: dict[int, Any] = {}
    history: Any = SlotConfiguration.history
    for revision in history.filter(id__in=[row.pk for row in found]).order_by("history_date", "history_id"):
        revisions[revision.id] = revision
    fitter = Fitter({shown.pk: shown, **{row.component_version_id: row.component_version for row in found}})
    layers: list[LayerConfiguration] = []
    issues: list[Issue] = []
    for row in found:
        document, strays = fitter.fit(
            row.layer,
            row.body_id,
            ops.loads_document(row.body.operations),
            made_for=row.component_version_id,
            shown=shown.pk,
        )
        layers.append(layer_configuration(_provenance(row, revisions.get(row.pk)), document, row.priority))
        issues.extend(strays)
    return layers, issues


def _provenance(row: SlotConfiguration, revision: Any) -> Provenance:
    if revision is None:
        return Provenance(row.layer, row.key)
    return Provenance(row.layer, row.key, str(revision.history_id), revision.history_user_id or "", revision.history_date)


def _version_of(rows: Iterable[SlotConfiguration], current: ComponentVersion) -> ComponentVersion:
    """Return the version of the most specific layer above the default, else the current one."""
    order = Layer.values
    pinning = [row for row in rows if row.layer != Layer.DEFAULT]
    if not pinning:
        return current
    return max(pinning, key=lambda row: (order.index(row.layer), row.priority, row.key)).component_version


def _system_name(person: PersonKey | None) -> str:
    resolver = system_resolver()
    if resolver is None or person is None:
        return "slots"
    system = resolver.choose(person, list(resolver.standing_query(person)))
    return "slots" if system is None else system.name
