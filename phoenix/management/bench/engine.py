"""The engine, part by part: translation, upgrade, growth, comparison of pages, synthetic edits.

Each part returns plain JSON; times are milliseconds of processor time, a ratio below 1 says that the engine is the faster one.
A peer that this machine lacks leaves None, and a sentence in `notes`.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any, Final, TextIO

from migration.engine import diff as diffs
from migration.engine.compare import compare
from migration.engine.translate import Translation, translate, translate_sources
from migration.management.corpus import peers, tree_diff
from migration.management.corpus.report import percentile
from migration.management.corpus.synthetic import cases, tally, trial
from phoenix.management.bench import diffdom
from phoenix.management.bench.clock import cpu_ms, in_turn, still_heap
from phoenix.management.bench.growth import grow
from phoenix.management.bench.pages import Pages, make_pairs
from phoenix.management.bench.samples import Sample
from slots.errors import Refusal
from slots.markup import rebase
from slots.markup.ops import Operation

SIZES: Final = (1_000, 2_000, 4_000, 8_000, 16_000)
PAGE_ELEMENTS: Final = 10_000
PATIENCE_MS: Final = 5_000  # what takes longer to compare two pages is asked once, not every round
# What xmldiff gets to see of a template, by the name of the figure.
READINGS: Final[dict[str, tree_diff.TreeOf]] = {"xmldiff": tree_diff.template_tree, "xmldiff_html": tree_diff.html_tree}
TREES: Final = {"xmldiff": tree_diff.template_tree, "xmldiff_html": tree_diff.html_tree}

Figures = dict[str, Any]


class SampleRefused(Exception):
    """The engine refused a customization that it is measured on."""


@dataclass
class Run:
    """Hold what one run measures on, and the sentences about what it could not measure."""

    samples: Sequence[Sample]
    lineages: Sequence[cases.Lineage]
    seed: int
    cases: int
    rounds: int
    details: TextIO | None = None
    tools: peers.Tools = field(default_factory=peers.find_tools)
    notes: list[str] = field(default_factory=list)

    def note(self, text: str) -> None:
        """Remember a sentence, once."""
        if text not in self.notes:
            self.notes.append(text)


def translation(run: Run) -> Figures:
    """Time translation with proof against xmldiff's fast mode on the same pairs, trees handed to xmldiff.

    `xmldiff` works on trees that hold the template constructs, `xmldiff_html` on what an HTML parser makes of the source.
    """
    times: dict[str, list[float]] = {"ours": [], **{name: [] for name in READINGS}}
    ratios: dict[str, list[float]] = {name: [] for name in READINGS}
    for sample in run.samples:
        contestants: dict[str, Callable[[], Any]] = {"ours": partial(_translated, sample)}
        for name, reading in READINGS.items():
            peer = _xmldiff(run, reading, sample.base, sample.customized)
            if peer is not None:
                contestants[name] = peer
        taken = in_turn(contestants, rounds=run.rounds)
        for name, time in taken.items():
            times[name].append(time)
            if name in ratios:
                ratios[name].append(taken["ours"] / time)
    figures: Figures = {"samples": len(times["ours"]), **_spread("", times["ours"])}
    for name in READINGS:
        figures |= _spread(f"{name}_", times[name])
        figures[f"{name}_ratio_median"] = _rounded(percentile(ratios[name], 0.5))
        figures[f"{name}_ratio_p95"] = _ratio(percentile(times["ours"], 0.95), percentile(times[name], 0.95))
    return figures


def upgrade(run: Run) -> Figures:
    """Time an upgrade to the next release, matching of the two bases included, against the translation before it."""
    upgrades: list[float] = []
    translations: list[float] = []
    for sample in run.samples:
        if sample.later is None:
            continue
        operations = _translated(sample).operations
        taken = in_turn(
            {
                "translation": partial(_translated, sample),
                "upgrade": partial(_upgraded, operations, sample.base, sample.later),
            },
            rounds=run.rounds,
        )
        upgrades.append(taken["upgrade"])
        translations.append(taken["translation"])
    return {
        "pairs": len(upgrades),
        **_spread("", upgrades),
        "ratio_median": _ratio(percentile(upgrades, 0.5), percentile(translations, 0.5)),
    }


def scaling(run: Run) -> Figures:
    """Time translation and upgrade of templates of growing size, and say by how much each doubling grows them."""
    grown = [grow(size, seed=run.seed) for size in SIZES]
    contestants: dict[str, Callable[[], Any]] = {}
    for size, source in zip(SIZES, grown, strict=True):
        operations = translate_sources(source.base, source.customized).operations
        contestants[f"translate {size}"] = partial(translate_sources, source.base, source.customized)
        contestants[f"rebase {size}"] = partial(_upgraded, operations, source.base, source.later)
    taken = in_turn(contestants, rounds=run.rounds)
    figures: Figures = {"nodes": [source.nodes for source in grown]}
    for name in ("translate", "rebase"):
        times = [taken[f"{name} {size}"] for size in SIZES]
        figures[f"{name}_ms"] = [_rounded(each) for each in times]
        figures[f"{name}_doubling"] = [_ratio(after, before) for before, after in pairwise(times)]
    return figures


def comparison(run: Run) -> Figures:
    """Time the comparison of large pages, reading them included, against tools that get trees they need not read.

    The figures beside `pairs` are those of its pair `few`.
    """
    pairs = make_pairs(PAGE_ELEMENTS, seed=run.seed)
    with TemporaryDirectory() as scratch:
        folder: Path | None = Path(scratch)
        try:
            diffdom.install(Path(scratch))
        except diffdom.PeerAbsent as absent:
            run.note(str(absent))
            folder = None
        measured = {name: _compared(run, pages, folder) for name, pages in pairs.items()}
    few = measured["few"]
    return {
        "elements": pairs["few"].elements,
        **few,
        **{f"times_faster_than_{name}": _ratio(few[f"{name}_ms"], few["ms"]) for name in ("xmldiff", "diffdom", "diffdom_warm")},
        "pairs": {name: {**times, "times_faster": _times_faster(times)} for name, times in measured.items()},
    }


def _compared(run: Run, pages: Pages, folder: Path | None) -> Figures:
    """Return what one pair takes us and the peers; `folder` is where diff-dom is installed, if it is."""
    contestants: dict[str, Callable[[], Any]] = {"ms": lambda: compare(pages.left, pages.right)}
    peer = _xmldiff(run, tree_diff.html_tree, pages.left, pages.right)
    if peer is not None:
        contestants["xmldiff_ms"] = peer
    times: dict[str, list[float]] = {"ms": [], "xmldiff_ms": [], "diffdom_ms": [], "diffdom_warm_ms": []}
    for _ in range(run.rounds):
        for name, call in contestants.items():
            if max(times[name], default=0) < PATIENCE_MS:
                times[name].append(cpu_ms(call))
        if folder is None:
            continue
        try:
            found = diffdom.measure(folder, pages.left, pages.right)
        except diffdom.PeerAbsent as absent:
            run.note(str(absent))
            continue
        times["diffdom_ms"].append(found.first)
        times["diffdom_warm_ms"].append(found.warm)
    return {name: _rounded(median(each)) if each else None for name, each in times.items()}


def _times_faster(times: Figures) -> float | None:
    """Return how many times as long the faster peer takes, of those that compare one pair and end."""
    peers = [times[name] for name in ("xmldiff_ms", "diffdom_ms") if times[name] is not None]
    return _ratio(min(peers), times["ms"]) if peers else None


def synthetic(run: Run) -> Figures:
    """Carry edits with a known answer over one, two and three releases, beside git merge-file and GNU patch."""
    counted = tally.Tally(run.seed)
    drawn = cases.generate(run.lineages, seed=run.seed, count=run.cases)
    for each in trial.run_all(drawn, run.tools):
        counted.add(each)
        if run.details:
            run.details.write(trial.as_line(each))
    for name, found in (("git merge-file", run.tools.git), ("GNU patch", run.tools.patch)):
        if found is None:
            run.note(f"{name} is left out: it is not installed.")
    return counted.as_json()


PARTS: Final[dict[str, Callable[[Run], Figures]]] = {
    "translation": translation,
    "upgrade": upgrade,
    "scaling": scaling,
    "comparison": comparison,
    "synthetic": synthetic,
}


def measure(run: Run, parts: Iterable[str]) -> Figures:
    """Return the figures of the parts by name, with the notes."""
    found: Figures = {}
    for name in parts:
        with still_heap():
            found[name] = PARTS[name](run)
    return {**found, "notes": run.notes}


def _xmldiff(run: Run, reading: tree_diff.TreeOf, left: str, right: str) -> Callable[[], bool] | None:
    """Return a call of xmldiff's fast mode with the trees already built; None where it is missing or cannot do the pair."""
    if not tree_diff.is_installed():
        run.note("xmldiff is left out: it is not installed.")
    return tree_diff.comparison(reading, left, right)


def _translated(sample: Sample) -> Translation:
    diff = diffs.parse(sample.diff)
    found = diff if isinstance(diff, Refusal) else translate(sample.base, diff)
    if isinstance(found, Refusal):
        raise SampleRefused(str(found))
    return found


def _upgraded(operations: Sequence[Operation], old: str, new: str) -> rebase.Rebased:
    """Carry operations over, matching of the two bases included."""
    return rebase.rebase(operations, rebase.prepare(old, new))


def _spread(prefix: str, times: Sequence[float]) -> Figures:
    return {
        f"{prefix}ms_median": _rounded(percentile(times, 0.5)),
        f"{prefix}ms_p95": _rounded(percentile(times, 0.95)),
    }


def _ratio(one: float | None, other: float | None) -> float | None:
    return _rounded(one / other) if one is not None and other else None


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)
