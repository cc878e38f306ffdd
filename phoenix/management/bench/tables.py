"""Print what was measured for people."""

from collections.abc import Iterator
from typing import Any

from migration.management.corpus.synthetic import tally

Figures = dict[str, Any]


def lines(found: Figures) -> Iterator[str]:
    """Yield the lines of the printed report; parts that were not measured leave none."""
    engine = found.get("engine", {})
    if "translation" in engine:
        yield from _translation(engine["translation"])
    if "upgrade" in engine:
        yield from _upgrade(engine["upgrade"])
    if "scaling" in engine:
        yield from _scaling(engine["scaling"])
    if "comparison" in engine:
        yield from _comparison(engine["comparison"])
    if "synthetic" in engine:
        yield from tally.lines(engine["synthetic"])
    yield from engine.get("notes", ())


def _translation(found: Figures) -> Iterator[str]:
    yield f"Translation with proof, {found['samples']} customizations (processor time)"
    yield f"  {'':<24}{'median ms':>12}{'p95 ms':>12}{'median of ratios':>20}{'ratio of p95s':>16}"
    yield f"  {'phoenix':<24}{_number(found['ms_median']):>12}{_number(found['ms_p95']):>12}"
    for title, name in (("xmldiff, template trees", "xmldiff"), ("xmldiff, HTML trees", "xmldiff_html")):
        times = f"{_number(found[f'{name}_ms_median']):>12}{_number(found[f'{name}_ms_p95']):>12}"
        ratios = f"{_number(found[f'{name}_ratio_median']):>20}{_number(found[f'{name}_ratio_p95']):>16}"
        yield f"  {title:<24}{times}{ratios}"


def _upgrade(found: Figures) -> Iterator[str]:
    times = f"median {_number(found['ms_median'])} ms, p95 {_number(found['ms_p95'])} ms"
    yield f"Upgrade to the next release, {found['pairs']} pairs: {times}; against translation {_number(found['ratio_median'])}"


def _scaling(found: Figures) -> Iterator[str]:
    yield "Growth"
    yield f"  {'nodes':>8}{'translate ms':>14}{'× before':>10}{'rebase ms':>14}{'× before':>10}"
    rows = zip(
        found["nodes"], found["translate_ms"], [None, *found["translate_doubling"]],
        found["rebase_ms"], [None, *found["rebase_doubling"]], strict=True,
    )  # fmt: skip
    for nodes, translate, more, rebase, again in rows:
        yield f"  {nodes:>8}{_number(translate):>14}{_number(more):>10}{_number(rebase):>14}{_number(again):>10}"


def _comparison(found: Figures) -> Iterator[str]:
    yield f"Comparison of two pages of {found['elements']} elements"
    peers = (("xmldiff", "xmldiff"), ("diff-dom, first call", "diffdom"), ("diff-dom, warm", "diffdom_warm"))
    yield f"  {'phoenix':<22}{_number(found['ms']):>10} ms"
    for title, name in peers:
        yield f"  {title:<22}{_number(found[f'{name}_ms']):>10} ms{_number(found[f'times_faster_than_{name}']):>8} times as long"


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:g}"
