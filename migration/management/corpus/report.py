"""Add up the rows of a corpus: counts, medians, percentiles, groups.

Rows come one at a time and only their figures stay in memory, so that a corpus may be larger than it.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from math import ceil
from statistics import fmean, median
from typing import Any, Final

from migration.management.corpus.measure import Row
from slots.errors import Refusal

# Customizations at least this similar to their base are light edits.
LIGHT: Final = 0.9
PEERS: Final = ("xmldiff", "xmldiff_html")  # the two readings of `tree_diff`, as the rows name them
# Checks whose findings on an automatic result are counted, by the name of the figure.
SIGNS: Final = {
    "lost": ("lost", "undone"),
    "doubled": ("doubled", "duplicate_id"),
    "unbalanced": ("unbalanced",),
    "missing_library": ("missing_library",),
}


def percentile(values: Sequence[float], share: float) -> float | None:
    """Return the smallest value that at least this share of the values do not exceed; None when there are none."""
    ordered = sorted(values)
    return ordered[max(0, ceil(share * len(ordered)) - 1)] if ordered else None


def _rounded(value: float | None, digits: int = 3) -> float | None:
    return None if value is None else round(value, digits)


@dataclass
class Report:
    """Hold the figures of the rows added so far."""

    counts: Counter[str] = field(default_factory=Counter)
    upgrades: Counter[str] = field(default_factory=Counter)
    groups: dict[str, Counter[str]] = field(default_factory=dict)
    fineness: dict[str, list[float]] = field(default_factory=lambda: {"overrides": [], "light": []})
    times: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    payload_ratios: list[float] = field(default_factory=list)
    operations: Counter[str] = field(default_factory=Counter)
    rejected: list[Refusal] = field(default_factory=list)
    has_git: bool = True
    has_patch: bool = True

    def reject(self, refusal: Refusal) -> None:
        """Count a line of the corpus that could not be measured."""
        self.counts["records"] += 1
        self.rejected.append(refusal)

    def add(self, row: Row) -> None:
        """Count the row of one record with all its pairs."""
        self._add_translation(row)
        for pair in row["pairs"]:
            self._add_pair(row, pair)

    def _add_translation(self, row: Row) -> None:
        found = row["translation"]
        self.counts.update({"records": 1, "translated": 1})
        for name in ("proven", "byte_exact", "replaced_source", "one_payload_over_90"):
            self.counts[name] += bool(found[name])
        self.counts["coarsened"] += found["coarsened"] > 0
        if row["kind"] == "override" and not row["rewrite"]:
            self.fineness["overrides"].append(found["fineness"])
        if row["similarity"] >= LIGHT:
            self.fineness["light"].append(found["fineness"])
        if found["added_bytes"]:
            self.payload_ratios.append(found["payload_bytes"] / found["added_bytes"])
        taken = {"translate": found["ms"], "at_hand": found["ms"] - found["read_ms"]}
        for name, took in taken.items():
            self.times[name].append(took)
        for peer in PEERS:
            if found[f"{peer}_ms"]:
                self.times[peer].append(found[f"{peer}_ms"])
                for name, took in taken.items():
                    self.times[f"{name}_to_{peer}"].append(took / found[f"{peer}_ms"])
        self.operations.update(operation["kind"] for operation in found["operations"] if not operation.get("layout"))

    def _add_pair(self, row: Row, pair: Row) -> None:
        figures = self._figures(pair)
        self.upgrades.update(figures)
        self.times["upgrade"].append(pair["ms"])
        self.times["carried"].append(pair["ms"] - pair["prepare_ms"])
        self.has_git &= pair["git"] is not None
        self.has_patch &= pair["patch"] is not None
        for name in group_names(row, pair):
            self.groups.setdefault(name, Counter()).update(figures)

    @staticmethod
    def _figures(pair: Row) -> Counter[str]:
        settled = pair["status"] in ("automatic", "kept")
        git = pair["git"] or {"clean": False, "exact": False}
        figures = Counter({"pairs": 1, pair["status"]: 1, "git_clean": int(git["clean"])})
        figures["patch_clean"] = int(bool(pair["patch"] and pair["patch"]["clean"]))
        figures["git_only"] = int(git["clean"] and not settled)
        if pair["status"] == "automatic":
            for name, signs in SIGNS.items():
                figures[name] = int(any(sign in pair["checks"] for sign in signs))
            figures["upstream_missing"] = int("upstream_missing" in pair["checks"] or "upstream_undone" in pair["checks"])
        if pair["contains_edit"]:
            figures["forward_pairs"] = 1
            figures["forward_exact"] = int(pair["exact"] and settled)
            figures["git_forward_exact"] = int(git["exact"])
        return figures

    def as_json(self) -> dict[str, Any]:
        """Return the whole report; counts, not percentages; None where a peer is missing or there was nothing to measure."""
        return {
            "translation": self._translation_json(),
            "upgrades": self._upgrades_json(),
            "rejected": [refusal.as_json() for refusal in self.rejected],
        }

    def _translation_json(self) -> dict[str, Any]:
        names = ("records", "translated", "proven", "byte_exact", "replaced_source", "one_payload_over_90", "coarsened")
        return {
            **{name: self.counts[name] for name in names},
            "fineness_overrides": _rounded(fmean(self.fineness["overrides"]) if self.fineness["overrides"] else None),
            "fineness_light": _rounded(fmean(self.fineness["light"]) if self.fineness["light"] else None),
            "payload_ratio_median": _rounded(median(self.payload_ratios) if self.payload_ratios else None),
            **self._times_json("translate", ""),
            **self._times_json("at_hand", "at_hand_"),
            **{key: value for peer in PEERS for key, value in self._peer_json(peer).items()},
            "ops_by_kind": dict(sorted(self.operations.items())),
        }

    def _times_json(self, name: str, prefix: str) -> dict[str, float | None]:
        times = self.times[name]
        return {f"{prefix}ms_median": _rounded(percentile(times, 0.5)), f"{prefix}ms_p95": _rounded(percentile(times, 0.95))}

    def _ratio(self, one: str, other: str, share: float) -> float | None:
        """Return the ratio of two percentiles."""
        times = percentile(self.times[one], share), percentile(self.times[other], share)
        return _rounded(times[0] / times[1]) if times[0] is not None and times[1] else None

    def _peer_json(self, peer: str) -> dict[str, float | None]:
        return {
            **self._times_json(peer, f"{peer}_"),
            f"{peer}_ratio_median": _rounded(percentile(self.times[f"translate_to_{peer}"], 0.5)),
            f"{peer}_ratio_p95": self._ratio("translate", peer, 0.95),
            f"{peer}_at_hand_ratio_median": _rounded(percentile(self.times[f"at_hand_to_{peer}"], 0.5)),
            f"{peer}_at_hand_ratio_p95": self._ratio("at_hand", peer, 0.95),
        }

    def _upgrades_json(self) -> dict[str, Any]:
        return {
            **self._pair_counts(self.upgrades),
            **self._times_json("upgrade", ""),
            **self._times_json("carried", "carried_"),
            "ratio_to_translation": self._ratio("carried", "at_hand", 0.5),
            "ratio_to_translation_anew": self._ratio("upgrade", "translate", 0.5),
            "groups": {name: self._pair_counts(self.groups[name]) for name in sorted(self.groups)},
        }

    def _pair_counts(self, counts: Counter[str]) -> dict[str, int | None]:
        names = (
            "pairs",
            "automatic",
            "kept",
            "incomplete",
            "conflict",
            *SIGNS,
            "upstream_missing",
            "forward_pairs",
            "forward_exact",
        )
        git = {name: counts[name] if self.has_git else None for name in ("git_clean", "git_only", "git_forward_exact")}
        return {**{name: counts[name] for name in names}, **git, "patch_clean": counts["patch_clean"] if self.has_patch else None}


def group_names(row: Row, pair: Row) -> Iterator[str]:
    """Yield the groups that a pair is counted in."""
    kind = row["kind"] if row["kind"] == "override" else f"{row['kind']} {row['subkind']}".strip()
    for label in pair["labels"]:
        if label in ("next", "last"):
            yield f"{kind}, {label}"
            if row["kind"] == "override" and not row["rewrite"]:
                yield f"{kind} without rewrites, {label}"
    yield row["complexity"]
    if row["kind"] == "override":
        yield f"override, similarity {row['similarity_class']}"
