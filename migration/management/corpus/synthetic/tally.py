"""Count trials: for each tool in all, and by distance, edit and kind of identity."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from migration.management.corpus.synthetic.trial import TOOLS, Trial, Verdict
from migration.management.corpus.tables import share


@dataclass
class Tally:
    """Hold the verdicts counted so far, by group and tool."""

    seed: int
    groups: dict[str, dict[str, Counter[str]]] = field(default_factory=dict)

    def add(self, trial: Trial) -> None:
        """Count a trial in each of its groups."""
        case = trial.case
        kind = "named" if case.identity.is_keyed else "unnamed"
        for group in ("all", f"+{case.releases}", case.edit, kind):
            tools = self.groups.setdefault(group, {name: Counter() for name in TOOLS})
            for name, verdict in trial.verdicts.items():
                if verdict is not None:
                    tools[name][verdict] += 1

    def as_json(self) -> dict[str, Any]:
        """Return counts, not shares; a tool that is not installed is None."""
        whole = self._group("all") if "all" in self.groups else {"cases": 0}
        names = [name for name in self.groups if name != "all"]
        return {"seed": self.seed, **whole, "groups": {name: self._group(name) for name in sorted(names)}}

    def _group(self, name: str) -> dict[str, Any]:
        tools = self.groups[name]
        counted = {
            tool: {verdict.value: counts[verdict] for verdict in Verdict} if counts else None for tool, counts in tools.items()
        }
        return {"cases": tools["phoenix"].total(), **counted}


def lines(found: dict[str, Any]) -> Iterator[str]:
    """Yield the table for people: right and silently wrong, the engine first."""
    yield f"Synthetic edits with known answer (seed {found['seed']})"
    yield f"  {'':<16}{'cases':>6}" + "".join(f"{tool + ' right':>16}{'wrong':>8}" for tool in TOOLS)
    for name, group in [("all", found), *found["groups"].items()]:
        cells = (_cells(group.get(tool), group["cases"]) for tool in TOOLS)
        yield f"  {name:<16}{group['cases']:>6}" + "".join(cells)


def _cells(counts: dict[str, int] | None, cases: int) -> str:
    right, wrong = (counts["right"], counts["wrong"]) if counts else (None, None)
    return f"{share(right, cases):>16}{share(wrong, cases):>8}"
