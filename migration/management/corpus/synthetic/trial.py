"""Carry one case with the engine and with its peers, and say how each fared.

right: the result has the canonical form of the expected one. reported: it has not, and the tool says that a person has to
look. wrong: it has not, and the tool says nothing.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from migration.engine import diff as diffs
from migration.engine.translate import translate
from migration.management.corpus import peers
from migration.management.corpus.synthetic.cases import Case
from slots.errors import Refusal
from slots.markup import rebase
from slots.markup.canonical import equal

TOOLS: Final = ("phoenix", "git", "patch")
# As much as GNU patch takes with three lines of context: it applies more, and is wrong more often.
PATCH_FUZZ: Final = 3


class EditRefused(Exception):
    """The engine refused an edit that cannot be refused."""

    def __init__(self, case: Case, refusal: Refusal) -> None:
        """Keep the case and what the engine says."""
        super().__init__(f"Case {case.number} ({case.template}, {case.edit}): {refusal}")
        self.case = case
        self.refusal = refusal


class Verdict(StrEnum):
    """Say how a tool fared; the values are part of the JSON of `bench`."""

    RIGHT = "right"
    REPORTED = "reported"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Trial:
    """Hold a case, the verdict on each tool (None: not installed), and what the engine made of it."""

    case: Case
    verdicts: dict[str, Verdict | None]
    source: str
    statuses: tuple[str, ...]
    reasons: tuple[str, ...]
    kinds: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """Return the trial with all its sources, for whoever wants to judge it with other tools."""
        case = self.case
        return {
            "case": case.number,
            "template": case.template,
            "releases": case.releases,
            "edit": case.edit,
            "identity": list(case.identity),
            "on_lines": case.on_lines,
            "verdicts": {name: verdict and verdict.value for name, verdict in self.verdicts.items()},
            "statuses": list(self.statuses),
            "reasons": list(self.reasons),
            "kinds": list(self.kinds),
            "old": case.old,
            "edited": case.edited,
            "new": case.new,
            "expected": case.expected,
            "result": self.source,
        }


def run_all(cases: Iterable[Case], tools: peers.Tools) -> Iterator[Trial]:
    """Yield the trial of every case."""
    with TemporaryDirectory() as scratch:
        for case in cases:
            yield run(case, tools, Path(scratch))


def run(case: Case, tools: peers.Tools, scratch: Path) -> Trial:
    """Carry one case over; the folder is scratch space.

    Raises:
        EditRefused: if the engine refuses a diff that was made from the very source that it is applied to.
    """
    text = diffs.make(case.old, case.edited, path="template.html")
    parsed = diffs.parse(text)
    translation = parsed if isinstance(parsed, Refusal) else translate(case.old, parsed)
    if isinstance(translation, Refusal):
        raise EditRefused(case, translation)
    rebased = rebase.rebase(translation.operations, _prepared(case.old, case.new))
    statuses = tuple(outcome.status.value for outcome in rebased.outcomes)
    merged = peers.merge_file(tools, scratch, base=case.old, ours=case.edited, theirs=case.new)
    patched = peers.patch_file(tools, scratch, diff=text, theirs=case.new, fuzz=PATCH_FUZZ)
    return Trial(
        case=case,
        verdicts={
            "phoenix": _own_verdict(case, rebased),
            "git": _verdict(case, merged),
            "patch": _verdict(case, patched),
        },
        source=rebased.source,
        statuses=statuses,
        reasons=tuple(outcome.reason for outcome in rebased.outcomes if outcome.reason),
        kinds=tuple(operation.kind for operation in translation.operations),
    )


@lru_cache(maxsize=8)
def _prepared(old: str, new: str) -> rebase.Pairing:
    return rebase.prepare(old, new)


def _own_verdict(case: Case, rebased: rebase.Rebased) -> Verdict:
    """Judge the engine: an operation that a person has to decide on is reported even where the result happens to be right."""
    conflict = any(outcome.status is rebase.Status.CONFLICT for outcome in rebased.outcomes)
    if equal(rebased.source, case.expected) and not conflict:
        return Verdict.RIGHT
    return Verdict.WRONG if rebased.automatic else Verdict.REPORTED


def _verdict(case: Case, merged: peers.Merged | None) -> Verdict | None:
    if merged is None:
        return None
    if not merged.clean or merged.source is None:
        return Verdict.REPORTED
    return Verdict.RIGHT if equal(merged.source, case.expected) else Verdict.WRONG


def as_line(trial: Trial) -> str:
    """Return the trial as one line of JSON, with its line feed."""
    return json.dumps(trial.as_json(), ensure_ascii=False, sort_keys=True, separators=(",", ":")) + "\n"
