"""Take one record through translation, every upgrade, the checks and the peers.

The row that comes out is plain JSON and holds all sources and outcomes: whoever doubts a figure can recompute it from
`--details` with tools of their own. Times are milliseconds of processor time of the engine alone, each of the first run. What a
job does once for many customizations is timed apart, `read_ms` for making a base ready and `prepare_ms` for pairing two versions,
and is part of `ms`; nothing else is shared.
"""

import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, TypeVar

from migration.engine import diff as diffs
from migration.engine.translate import Translation, translate
from migration.management.corpus import checks, classes, peers, tree_diff
from migration.management.corpus.records import Pair, Record
from slots.errors import Refusal
from slots.markup import ops, rebase
from slots.markup.canonical import equal
from slots.markup.compose import compose
from slots.markup.match import ready
from slots.markup.tree import Tree

AUTOMATIC: Final = frozenset({"clean", "adapted", "absorbed"})
# A payload that makes up more than this share of the result is a page with another name.
ALMOST_ALL: Final = 0.9

Row = dict[str, Any]
_T = TypeVar("_T")


def measure(record: Record, tools: peers.Tools) -> Row | Refusal:
    """Return the row of one record, or why it cannot be measured; the refusal names the record's line in the corpus."""
    base, read = _timed(lambda: ready(record.base))
    translation, took = _timed(lambda: _translate(record, base))
    if isinstance(translation, Refusal):
        return translation
    composed = compose(record.base, translation.operations)
    if translation.source != record.customized:
        text = "The diff applies, but not to what the record calls its result; mend `customized_source`."
        return Refusal("RECORD_INCONSISTENT", record.line, text)
    row: Row = {
        "line": record.line,
        "id": record.id,
        "kind": record.kind,
        "subkind": record.subkind,
        "component": record.component,
        "base_version": record.base_version,
        "similarity": record.similarity,
        "rewrite": record.is_rewrite,
        "complexity": classes.complexity(record),
        "similarity_class": classes.similarity_class(record),
        "translation": {"read_ms": read, "ms": read + took, **_translation_row(record, translation, composed.source)},
        "pairs": [],
    }
    with TemporaryDirectory() as scratch:
        row["pairs"] = [_pair_row(record, translation, pair, tools, Path(scratch)) for pair in record.pairs()]
    return row


def _timed(call: Callable[[], _T]) -> tuple[_T, float]:
    started = time.process_time()
    value = call()
    return value, (time.process_time() - started) * 1000


def _translate(record: Record, base: Tree) -> Translation | Refusal:
    parsed = diffs.parse(record.diff)
    translation = parsed if isinstance(parsed, Refusal) else translate(base, parsed)
    if isinstance(translation, Refusal):
        place = f" (line {translation.line} of the diff)" if translation.line else ""
        return Refusal(translation.code, record.line, translation.text + place)
    return translation


def _translation_row(record: Record, translation: Translation, source: str) -> Row:
    meant = [operation for operation in translation.operations if not operation.layout]
    payloads = [operation.payload_bytes for operation in meant]
    added = sum(len(line[1:].encode()) + 1 for line in record.diff.split("\n")[2:] if line.startswith("+"))
    return {
        "proven": translation.proven and equal(source, record.customized),
        "byte_exact": source == record.customized,
        "replaced_source": translation.replaced_source,
        "fineness": translation.fineness,
        "coarsened": translation.coarsened,
        "reason": translation.reason,
        "one_payload_over_90": max(payloads, default=0) > ALMOST_ALL * len(record.customized.encode()),
        "payload_bytes": sum(payloads),
        "added_bytes": added,
        "xmldiff_ms": tree_diff.milliseconds(tree_diff.template_tree, base=record.base, customized=record.customized),
        "xmldiff_html_ms": tree_diff.milliseconds(tree_diff.html_tree, base=record.base, customized=record.customized),
        "operations": [operation.as_json() for operation in translation.operations],
        "digest": ops.digest(translation.operations),
        "source": source,
    }


def _pair_row(record: Record, translation: Translation, pair: Pair, tools: peers.Tools, scratch: Path) -> Row:
    base, ours, theirs = record.base, record.customized, pair.release.source
    pairing, prepared = _timed(lambda: rebase.prepare(base, theirs))
    rebased, carried = _timed(lambda: rebase.rebase(translation.operations, pairing))
    kept = [checks.Place(*outcome.texts) for outcome in rebased.outcomes if outcome.status == "kept"]
    found = checks.inspect(base, ours, theirs, rebased.source, kept=kept)
    git = peers.merge_file(tools, scratch, base=base, ours=ours, theirs=theirs)
    patched = peers.patch_file(tools, scratch, diff=record.diff, theirs=theirs)
    return {
        "index": pair.index,
        "labels": list(pair.labels),
        "version": pair.release.version,
        "status": _status(rebased, found),
        "outcomes": [outcome.as_json() for outcome in rebased.outcomes],
        "problems": [str(problem) for problem in rebased.problems],
        "operations": [operation.as_json() for operation in rebased.operations],
        "source": rebased.source,
        "checks": found.as_json(),
        "contains_edit": checks.contains_edit(base, ours, theirs),
        "exact": rebased.source == theirs,
        "prepare_ms": prepared,
        "ms": prepared + carried,
        "git": git and {"clean": git.clean, "source": git.source, "exact": git.source == theirs},
        "patch": patched and {"clean": patched.clean, "source": patched.source, "exact": patched.source == theirs},
    }


def _status(rebased: rebase.Rebased, found: checks.Found) -> str:
    """Return automatic, kept or conflict; `incomplete` is a kept result that lacks an upstream change elsewhere."""
    statuses = {outcome.status for outcome in rebased.outcomes}
    if "conflict" in statuses or (rebased.problems and not rebased.automatic and "kept" not in statuses):
        return "conflict"
    if rebased.automatic and statuses <= AUTOMATIC:
        return "automatic"
    return "incomplete" if found.upstream_missing or found.upstream_undone else "kept"
