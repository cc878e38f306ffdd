"""The process of one library, or of Phoenix with what runs beside it: takes an order a line and answers a JSON object a line.

An order is `[what, …]`: `["html", contestant, scene]`, `["calls", contestant, scene]` (how many make a sample), `["time",
contestant, scene, calls]`, `["figure", name, …]`. `process.Worker` is the other end.
"""

import gc
import json
import os
import sys
from collections.abc import Callable, Mapping
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import django

from phoenix.management.bench.render.peers import PEERS
from phoenix.management.bench.render.scenes import Scenes, calls_in_a_sample, us_a_call

OWN: Final = "own"
Figure = Callable[..., dict[str, Any]]


def main(name: str, folder: str) -> None:
    """Set up the contestant, say that it is ready, and answer until there are no more orders."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what a library prints is no answer
    contestants, figures = _set_up(name, Path(folder))
    gc.collect()
    gc.freeze()  # what is in memory now stays out of the collector's way
    _say(answers, {"ready": list(contestants)})
    for line in sys.stdin:
        what, *rest = json.loads(line)
        _say(answers, figures[rest[0]](*rest[1:]) if what == "figure" else _answer(contestants, what, *rest))


def _set_up(name: str, folder: Path) -> tuple[Mapping[str, Scenes], Mapping[str, Figure]]:
    if name != OWN:
        return {name: PEERS[name].scenes(folder / name)}, {}
    django.setup()
    own, figures, upgrade = (import_module(f"phoenix.management.bench.render.{name}") for name in ("own", "figures", "upgrade"))
    version = own.prepare()
    measures = (figures.request, figures.cold, figures.merge, figures.configurations, upgrade.upgrade)
    return own.contestants(), {measure.__name__: partial(measure, version) for measure in measures}


def _answer(contestants: Mapping[str, Scenes], what: str, contestant: str, scene: str, calls: int = 0) -> dict[str, Any]:
    call: Callable[[], str] = getattr(contestants[contestant], scene)
    if what == "html":
        return {"html": call()}
    if what == "calls":
        return {"calls": calls_in_a_sample(call)}
    return {"us": us_a_call(call, calls)}


def _say(answers: Any, answer: Mapping[str, Any]) -> None:
    answers.write(json.dumps(answer) + "\n")
    answers.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
