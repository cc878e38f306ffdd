"""Compose stacks: a component version with the bodies of its layers laid over it, once for everybody who shares them."""

import json
import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Final

from django.db import DatabaseError, transaction

from slots.actions.issues import FoundIssue, record_issues
from slots.errors import Issue, IssueCode, OperationsInvalid
from slots.markup import ops, payloads
from slots.markup.locks import Locks
from slots.markup.payloads import ComposedPayloads, PayloadSpan, compose_payloads
from slots.markup.tree import Tree, parse
from slots.merger import ConfigMerger, LayerConfiguration, Provenance
from slots.models import Body, ComponentVersion, ComposedTemplate, Layer, SlotConfiguration
from slots.renderer import stack_digest
from slots.schema import STRICT

logger = logging.getLogger(__name__)

BASES: Final = 16  # trees kept in a process; one of 20,000 nodes, the most there may be, takes about 10 MB
LOCKING: Final = frozenset({Layer.DEFAULT, Layer.SITE})
LAYER_RANK: Final[Mapping[str, int]] = {layer: rank for rank, layer in enumerate(Layer.values)}


@dataclass(frozen=True, slots=True)
class StackLayer:
    """Name one layer of a stack and the digest of its body."""

    layer: str
    key: str
    priority: int
    body: str

    @property
    def rank(self) -> tuple[int, int, str]:
        """Return what layers are sorted by, weakest first; the same order as the merger's."""
        return LAYER_RANK[self.layer], self.priority, self.key


@dataclass(frozen=True, slots=True)
class VersionRow:
    """Hold what a request needs to know of a component version."""

    pk: int
    name: str
    content_digest: str


@dataclass(frozen=True, slots=True)
class Stack:
    """Hold the version that somebody sees and the layers over it, weakest first."""

    version: VersionRow
    layers: tuple[StackLayer, ...] = ()

    @property
    def digest(self) -> str:
        """Return the digest of the composed source; the version's own where nothing lies over it."""
        if not self.layers:
            return self.version.content_digest
        return stack_digest(self.version.content_digest, tuple(layer.body for layer in self.layers))


@dataclass(frozen=True, slots=True)
class Material:
    """Hold a source that is ready to compile, the names that its context may hold, and where its payloads stand."""

    source: str
    names: frozenset[str]
    spans: tuple[PayloadSpan, ...] = ()
    is_strict: bool = False

    @classmethod
    def of(cls, source: str, contract: str, spans: str) -> "Material":
        """Return the material of a source and the JSON texts of contract and spans."""
        terms = json.loads(contract)
        names = frozenset(terms.get("names", ()))
        return cls(source, names, payloads.loads(spans), terms.get("policy") == STRICT)


def build_stack(current: VersionRow, rows: Iterable[tuple[StackLayer, VersionRow]]) -> Stack:
    """Return the stack of one component for one person.

    The version is that of the most specific layer above the default, which ships with the component and pins nobody.
    """
    ordered = sorted(rows, key=lambda row: row[0].rank)
    version = ordered[-1][1] if ordered and ordered[-1][0].layer != Layer.DEFAULT else current
    return Stack(version, tuple(layer for layer, _ in ordered))


def layer_row(configuration: SlotConfiguration) -> tuple[StackLayer, VersionRow]:
    """Return a configuration (with its version at hand) as a layer of a stack."""
    version = configuration.component_version
    return (
        StackLayer(configuration.layer, configuration.key, configuration.priority, configuration.body_id),
        VersionRow(version.pk, version.version, version.content_digest),
    )


@lru_cache(maxsize=BASES)
def base_tree(source: str) -> Tree:
    """Return the tree of a base; a process composes many configurations of few bases, so the last ones stay read."""
    return parse(source)


def compose_stacks(stacks: Iterable[Stack], *, at: datetime) -> dict[str, Material]:
    """Compose and store those stacks that are not stored yet; return the material of each that was missing, by digest.

    Three queries for any number of stacks, and one more where issues were found. Issues are kept with the template. A version
    and a layer that several stacks share are read once.
    """
    wanted = {stack.digest: stack for stack in stacks if stack.layers}
    stored = ComposedTemplate.objects.usable().filter(digest__in=wanted)
    known = set(stored.values_list("digest", flat=True)) if wanted else set()
    missing = {digest: stack for digest, stack in wanted.items() if digest not in known}
    if not missing:
        return {}
    bodies = dict(
        Body.objects.filter(digest__in={layer.body for stack in missing.values() for layer in stack.layers}).values_list(
            "digest", "operations"
        )
    )
    versions = ComponentVersion.objects.in_bulk({stack.version.pk for stack in missing.values()})
    bases = {pk: base_tree(version.source) for pk, version in versions.items()}
    read: dict[StackLayer, LayerConfiguration | Issue] = {}
    made: dict[str, Material] = {}
    rows: list[ComposedTemplate] = []
    found: list[FoundIssue] = []
    for digest, stack in missing.items():
        version = versions[stack.version.pk]
        layers: list[LayerConfiguration | Issue] = []
        for layer in stack.layers:
            layers.append(read.get(layer) or _read(layer, bodies[layer.body]))
            if layer.layer != Layer.USER:  # a person's own is in no other stack
                read[layer] = layers[-1]
        terms = version.terms
        composed = _composed(bases[version.pk], layers, is_strict=terms.policy == STRICT)
        made[digest] = Material(composed.source, terms.names, composed.spans, terms.policy == STRICT)
        rows.append(
            ComposedTemplate(
                digest=digest,
                component_version=version,
                source=composed.source,
                spans=payloads.dumps(composed.spans),
                created_at=at,
            )
        )
        found.extend(FoundIssue(version.pk, digest, issue) for issue in composed.issues)
    _store(rows, found, at)
    return made


def compose_layers(
    base: str | Tree, layers: Sequence[StackLayer], bodies: Mapping[str, str], *, is_strict: bool = False
) -> ComposedPayloads:
    """Return the base with the layers' bodies (operations JSON by digest) composed into it, all issues and all payloads."""
    return _composed(base, [_read(layer, bodies[layer.body]) for layer in layers], is_strict=is_strict)


def _read(layer: StackLayer, body: str) -> LayerConfiguration | Issue:
    """Return what a layer says, or why that cannot be read."""
    try:
        document = ops.loads_document(body)
    except OperationsInvalid as fault:
        return Issue(
            IssueCode.SCHEMA_INVALID,
            f"The {layer.layer} layer's operations cannot be read and are left out: {fault}",
            place=layer.key,
            suggestion="Install the configuration again, or restore an earlier revision.",
        )
    return layer_configuration(Provenance(layer.layer, layer.key), document, layer.priority)


def _composed(base: str | Tree, layers: Sequence[LayerConfiguration | Issue], *, is_strict: bool) -> ComposedPayloads:
    """Return the base with the layers that could be read composed into it; under the strict policy all payloads are marked."""
    unread = [layer for layer in layers if isinstance(layer, Issue)]
    tree = base_tree(base) if isinstance(base, str) else base
    merger = ConfigMerger(Locks(tree).holder)
    effective = merger.merge(layer for layer in layers if isinstance(layer, LayerConfiguration))
    composed = compose_payloads(tree, effective.operations, static=is_strict)
    spans = composed.spans
    if spans:
        layer_of = {operation: provenance.layer for operation, provenance in effective.provenance.items()}
        spans = tuple(span._replace(layer=layer_of.get(span.operation, "")) for span in spans)
    return ComposedPayloads(composed.source, (*unread, *effective.issues, *composed.issues), spans)


def layer_configuration(provenance: Provenance, document: ops.Document, priority: int) -> LayerConfiguration:
    """Return a layer to merge; only the default and the site layer may lock."""
    locked = document.locked if provenance.layer in LOCKING else ()
    return LayerConfiguration(provenance, document.operations, priority, frozenset(locked))


def _store(rows: list[ComposedTemplate], found: list[FoundIssue], at: datetime) -> None:
    """Keep composed templates where the database takes them; a page does not depend on it, they can be composed again."""
    rows.sort(key=lambda row: row.digest)  # two processes that store the same ones wait for each other, not in a circle
    try:
        with transaction.atomic():
            ComposedTemplate.objects.bulk_create(
                rows, update_conflicts=True, unique_fields=["digest"], update_fields=["source", "spans"]
            )
            record_issues(found, at=at)
    except DatabaseError:  # a read-only replica, a full disk: the page goes on with what was composed in memory
        logger.exception("Composed templates could not be stored")
