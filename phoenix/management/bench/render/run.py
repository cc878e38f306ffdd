"""Start every contestant, check that all show the same page, then ask each in turn what a page costs."""

import re
from collections.abc import Mapping
from contextlib import ExitStack
from importlib import metadata, util
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any, Final

from migration.engine.compare import compare
from phoenix.management.bench.process import Worker, started
from phoenix.management.bench.render import card
from phoenix.management.bench.render.peers import PEERS, Peer
from phoenix.management.bench.render.scenes import Scenes
from phoenix.management.bench.render.worker import OWN

CONFIGURATIONS: Final = 10_000
COMPILED_TEMPLATES: Final = 2_000
UPGRADED: Final = 100_000
DISTINCT: Final = 1_000
FORK: Final = "fork"
DIRECT: Final = "fork_direct"
MERGE_PEER: Final = "deepmerge"
# django-components marks each component's element for its own scripts; that is left out of the comparison.
MARKS: Final = re.compile(r' data-djc-id-\w+=""')
Figures = dict[str, Any]


class ContestantDiffers(Exception):
    """A contestant shows another page than the fork, so its time would mean nothing."""


def measure(*, rounds: int) -> Figures:
    """Return the figures of rendering as one JSON object."""
    notes: list[str] = []
    present = {name: peer for name, peer in PEERS.items() if _is_there(peer.module, peer.distribution, notes)}
    _is_there(MERGE_PEER, MERGE_PEER, notes)
    with TemporaryDirectory(prefix="phoenix-bench-") as scratch, ExitStack() as stack:
        folder = Path(scratch)
        card.write(folder)
        own = stack.enter_context(started(OWN, folder, _own_environment(folder)))
        workers = [own, *(stack.enter_context(started(name, folder, {})) for name in present)]
        by_contestant = {contestant: worker for worker in workers for contestant in worker.contestants}
        pages = {scene: _same_pages(by_contestant, scene) for scene in Scenes._fields}
        found = {scene: _timed(by_contestant, scene, rounds) for scene in Scenes._fields}
        figures: Figures = {
            **found["card"],
            "grid": {"cards": card.CARDS, **found["grid"]},
            "equal": pages["grid"],
            "request": own.ask("figure", "request", rounds),
            "cold": own.ask("figure", "cold", rounds),
            "merge": own.ask("figure", "merge", rounds),
            "configurations": own.ask("figure", "configurations", rounds, CONFIGURATIONS),
            "upgrade": own.ask("figure", "upgrade", rounds, UPGRADED, DISTINCT),
        }
    return {**figures, "versions": _versions(present), "notes": notes}


def _is_there(module: str, distribution: str, notes: list[str]) -> bool:
    if util.find_spec(module) is not None:
        return True
    notes.append(f"{distribution} is left out: it is not installed.")
    return False


def _own_environment(folder: Path) -> dict[str, str]:
    return {
        "DJANGO_SETTINGS_MODULE": "phoenix.management.bench.render.settings",
        "PHOENIX_VAR": str(folder),
        "LOG_LEVEL": "ERROR",
        "BENCH_COMPILED_TEMPLATES": str(COMPILED_TEMPLATES),
    }


def _same_pages(workers: Mapping[str, Worker], scene: str) -> dict[str, str | None]:
    """Say of each contestant how its page is the fork's: to the `byte` but for white space, or in `canonical` form.

    Raises:
        ContestantDiffers: it is not.
    """
    shown = {name: MARKS.sub("", worker.ask("html", name, scene)["html"]) for name, worker in workers.items()}
    found: dict[str, str | None] = dict.fromkeys(PEERS)
    for name, html in shown.items():
        if _squeezed(html) == _squeezed(shown[FORK]):
            found[name] = "byte"
            continue
        comparison = compare(shown[FORK], html)
        if not comparison.equal:
            raise ContestantDiffers(f"{name} does not show the fork's {scene}: {comparison.first_difference}.")
        found[name] = "canonical"
    return found


def _squeezed(html: str) -> str:
    return re.sub(r">\s+<", "><", re.sub(r"\s+", " ", html)).strip()


def _timed(workers: Mapping[str, Worker], scene: str, rounds: int) -> Figures:
    """Time one scene of all contestants in turn; those that are not there are None."""
    calls = {name: worker.ask("calls", name, scene)["calls"] for name, worker in workers.items()}
    taken: dict[str, list[float]] = {name: [] for name in workers}
    for _ in range(rounds):
        for name, worker in workers.items():
            taken[name].append(worker.ask("time", name, scene, calls[name])["us"])
    us = {name: median(times) for name, times in taken.items()}
    absent = dict.fromkeys(PEERS)
    return {
        "us": {**absent, **{name: round(each, 1) for name, each in us.items()}},
        "ratio_to_fork": {**absent, **{name: round(each / us[FORK], 3) for name, each in us.items()}},
        "ratio_to_direct": {**absent, **{name: round(each / us[DIRECT], 3) for name, each in us.items()}},
    }


def _versions(present: Mapping[str, Peer]) -> dict[str, str]:
    names = ["django", *(peer.distribution for peer in present.values()), MERGE_PEER]
    return {name: metadata.version(name) for name in names if name != MERGE_PEER or util.find_spec(MERGE_PEER)}
