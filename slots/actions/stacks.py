"""Compose stacks: a component version with the bodies of its layers laid over it, once for everybody who shares them."""

import json
import logging
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from hashlib import sha256
from typing import Final

from django.db import DatabaseError, transaction

from slots.actions.fitting import Fitter
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

BASES: Final = 16  # trees kept in a thread; one of 20,000 nodes, the most there may be, takes about 10 MB
_bases = threading.local()
LOCKING: Final = frozenset({Layer.DEFAULT, Layer.SITE})
LAYER_RANK: Final[Mapping[str, int]] = {layer: rank for rank, layer in enumerate(Layer.values)}


@dataclass(frozen=True, slots=True)
class VersionRow:
    """Hold what a request needs to know of a component version."""

    pk: int
    name: str
    content_digest: str


@dataclass(frozen=True, slots=True)
class StackLayer:
    """Name one layer of a stack and the digest of its body; `made_for` is its version where the stack shows another one."""

    layer: str
    key: str
    priority: int
    body: str
    made_for: VersionRow | None = None

    @property
    def rank(self) -> tuple[int, int, str]:
        """Return what layers are sorted by, weakest first; the same order as the merger's."""
        return LAYER_RANK[self.layer], self.priority, self.key

    @property
    def digest(self) -> str:
        """Return what tells the layer's part in a stack from others, in 64 hex digits."""
        if self.made_for is None:
            return self.body
        return sha256(f"{self.body}{self.made_for.content_digest}".encode()).hexdigest()


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
        return stack_digest(self.version.content_digest, tuple(layer.digest for layer in self.layers))


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

    The version is that of the most specific layer above the default, which ships with the component and pins nobody. Layers
    that were made for another one are carried to it when the stack is composed.
    """
    ordered = sorted(rows, key=lambda row: row[0].rank)
    version = ordered[-1][1] if ordered and ordered[-1][0].layer != Layer.DEFAULT else current
    return Stack(version, tuple(layer if row.pk == version.pk else replace(layer, made_for=row) for layer, row in ordered))


def layer_row(configuration: SlotConfiguration) -> tuple[StackLayer, VersionRow]:
    """Return a configuration (with its version at hand) as a layer of a stack."""
    version = configuration.component_version
    return (
        StackLayer(configuration.layer, configuration.key, configuration.priority, configuration.body_id),
        VersionRow(version.pk, version.version, version.content_digest),
    )


def base_tree(source: str) -> Tree:
    """Return the tree of a base; a thread composes many configurations of few bases, so the last ones stay read.

    Each thread has trees of its own: what is noted down in a tree's memo on the way is no matter of two threads.
    """
    read: Callable[[str], Tree] | None = getattr(_bases, "read", None)
    if read is None:
        read = _bases.read = lru_cache(maxsize=BASES)(parse)
    return read(source)


def forget_bases() -> None:
    """Forget the bases that this thread has read."""
    _bases.read = None


def compose_stacks(stacks: Iterable[Stack], *, at: datetime) -> dict[str, Material]:
    """Compose and store those stacks that are not stored yet; return the material of each that was missing, by digest.

    Three queries for any number of stacks, one more where issues were found, and one for each layer that was made for another
    version than its stack shows. Issues are kept with the template. What several stacks share is read once.
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
    used = {stack.version.pk for stack in missing.values()}
    strays = {layer.made_for.pk for stack in missing.values() for layer in stack.layers if layer.made_for is not None}
    versions = ComponentVersion.objects.in_bulk(used | strays)
    bases = {pk: base_tree(versions[pk].source) for pk in used}
    reader = _Reader(bodies, Fitter(versions))
    made: dict[str, Material] = {}
    rows: list[ComposedTemplate] = []
    found: list[FoundIssue] = []
    for digest, stack in missing.items():
        version = versions[stack.version.pk]
        layers, issues = reader.read(stack)
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
        found.extend(FoundIssue(version.pk, digest, issue) for issue in (*issues, *composed.issues))
    _store(rows, found, at)
    return made


def compose_layers(
    base: str | Tree, layers: Sequence[StackLayer], bodies: Mapping[str, str], *, is_strict: bool = False
) -> ComposedPayloads:
    """Return the base with the layers' bodies (operations JSON by digest) composed into it, all issues and all payloads.

    The layers were made for this base.
    """
    return _composed(base, [_read(layer, bodies[layer.body]) for layer in layers], is_strict=is_strict)


class _Reader:
    """Read the layers of stacks, each that several stacks share once."""

    def __init__(self, bodies: Mapping[str, str], fitter: Fitter) -> None:
        """Take the bodies' JSON by digest, and what fits layers to other versions."""
        self._bodies = bodies
        self._fitter = fitter
        self._shared: dict[tuple[StackLayer, int], tuple[LayerConfiguration | Issue, tuple[Issue, ...]]] = {}

    def read(self, stack: Stack) -> tuple[list[LayerConfiguration | Issue], list[Issue]]:
        """Return the layers of a stack, and what does not fit the version that it shows."""
        layers: list[LayerConfiguration | Issue] = []
        issues: list[Issue] = []
        for layer in stack.layers:
            known = self._shared.get((layer, stack.version.pk))
            if known is None:
                known = self._fitted(layer, stack.version.pk)
                if layer.layer != Layer.USER:  # a person's own is in no other stack
                    self._shared[layer, stack.version.pk] = known
            layers.append(known[0])
            issues.extend(known[1])
        return layers, issues

    def _fitted(self, layer: StackLayer, shown: int) -> tuple[LayerConfiguration | Issue, tuple[Issue, ...]]:
        body = self._bodies[layer.body]
        if layer.made_for is None:
            return _read(layer, body), ()
        try:
            document = ops.loads_document(body)
            fitting, issues = self._fitter.fit(layer.layer, layer.body, document, made_for=layer.made_for.pk, shown=shown)
        except OperationsInvalid as fault:
            return _unreadable(layer, fault), ()
        return layer_configuration(Provenance(layer.layer, layer.key), fitting, layer.priority), issues


def _read(layer: StackLayer, body: str) -> LayerConfiguration | Issue:
    """Return what a layer says, or why that cannot be read."""
    try:
        document = ops.loads_document(body)
    except OperationsInvalid as fault:
        return _unreadable(layer, fault)
    return layer_configuration(Provenance(layer.layer, layer.key), document, layer.priority)


def _unreadable(layer: StackLayer, fault: OperationsInvalid) -> Issue:
    return Issue(
        IssueCode.SCHEMA_INVALID,
        f"The {layer.layer} layer's operations cannot be read and are left out: {fault}",
        place=layer.key,
        suggestion="Install the configuration again, or restore an earlier revision.",
    )


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
