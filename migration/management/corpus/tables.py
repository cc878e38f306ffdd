"""Print a report for people: two short tables, shares beside the counts, git in the same row."""

from collections.abc import Iterator
from typing import Any


def share(part: int | None, whole: int) -> str:
    """Return `36.7 %`, or a dash where there is nothing to divide."""
    return "–" if part is None or not whole else f"{100 * part / whole:.1f} %"


def lines(report: dict[str, Any]) -> Iterator[str]:
    """Yield the lines of the printed report."""
    yield from _translation(report["translation"])
    yield ""
    yield from _upgrades(report["upgrades"])
    if report["rejected"]:
        yield ""
        yield f"Rejected records: {len(report['rejected'])}"
        for refusal in report["rejected"]:
            yield f"  line {refusal['line']}: {refusal['code']}: {refusal['text']}"


def _translation(found: dict[str, Any]) -> Iterator[str]:
    records = found["records"]
    yield f"Translation of {records} records"
    for name in ("translated", "proven", "byte_exact", "replaced_source", "one_payload_over_90", "coarsened"):
        yield f"  {name:<22}{found[name]:>7}{share(found[name], records):>10}"
    for name in ("fineness_overrides", "fineness_light", "payload_ratio_median"):
        yield f"  {name:<22}{_number(found[name]):>7}"
    yield f"  processor time a record, base at hand: {_times(found, 'at_hand_')}; base read anew: {_times(found)}"
    for peer, trees in (("xmldiff", "template trees"), ("xmldiff_html", "HTML trees")):
        yield f"  xmldiff fast mode, {trees} at hand: {_times(found, f'{peer}_')}"
        for name, sharing in (("at_hand_", "base at hand"), ("", "base read anew")):
            ratios = (_number(found[f"{peer}_{name}ratio_{figure}"]) for figure in ("median", "p95"))
            yield "    {}: median of ratios {}, ratio of p95s {}".format(sharing, *ratios)


def _upgrades(found: dict[str, Any]) -> Iterator[str]:
    heading = ("automatic", "kept", "incomplete", "conflict", "git clean", "patch clean")
    yield f"{'Upgrades':<38}{'pairs':>6}" + "".join(f"{name:>12}" for name in heading)
    for name, group in [("all", found), *found["groups"].items()]:
        pairs = group["pairs"]
        cells = (group[key] for key in ("automatic", "kept", "incomplete", "conflict", "git_clean", "patch_clean"))
        yield f"  {name:<36}{pairs:>6}" + "".join(f"{share(cell, pairs):>12}" for cell in cells)
    yield ""
    forward = found["forward_pairs"]
    yield f"Upstream holds the edit: {forward} pairs; the new base exactly: {share(found['forward_exact'], forward)}"
    yield f"  git merge-file: {share(found['git_forward_exact'], forward)}"
    yield f"git clean where we are not: {_number(found['git_only'])}"
    signs = ", ".join(
        f"{name} {found[name]}" for name in ("lost", "doubled", "unbalanced", "missing_library", "upstream_missing")
    )
    yield f"Signs of a wrong result among the automatic ones: {signs}"
    yield "Processor time an upgrade, against a translation (ratio of medians)"
    yield f"  pairing at hand, and base at hand: {_times(found, 'carried_')}; {_number(found['ratio_to_translation'])}"
    yield f"  bases paired anew, and base read anew: {_times(found)}; {_number(found['ratio_to_translation_anew'])}"


def _times(found: dict[str, Any], prefix: str = "") -> str:
    return f"median {_number(found[f'{prefix}ms_median'])} ms, p95 {_number(found[f'{prefix}ms_p95'])} ms"


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:g}"
