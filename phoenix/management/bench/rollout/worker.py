"""One process of the benchmark: takes an order a line, `[what, …]`, and answers a JSON object a line."""

import json
import os
import sys
from collections.abc import Callable, Mapping
from functools import partial
from importlib import import_module
from typing import Any, Final

import django

OWN, WEB, STOCK = "own", "web", "stock"
_HERE: Final = "phoenix.management.bench.rollout"


def main(name: str) -> None:
    """Set up, say that the process is ready, and answer until there are no more orders."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what a library prints is no answer

    def say(answer: Mapping[str, Any]) -> None:
        answers.write(json.dumps(answer) + "\n")
        answers.flush()

    django.setup()
    orders = _orders(name, say)
    say({"ready": [name]})
    while line := sys.stdin.readline():
        what, *rest = json.loads(line)
        answer = orders[what](*rest)
        say(answer)


def _orders(name: str, say: Callable[[Mapping[str, Any]], None]) -> dict[str, Callable[..., Mapping[str, Any]]]:
    module = import_module(f"{_HERE}.{name.partition('-')[0]}")
    if name.startswith(WEB):
        return {"serve": partial(_serve, module.Web(), say)}
    if name == STOCK:
        return {"check": module.check}
    return {each.__name__: each for each in (module.prepare, module.seed, module.roll_back, module.flag)}


def _serve(web: Any, say: Callable[[Mapping[str, Any]], None], names: list[str], seed: int) -> Mapping[str, Any]:
    """Say that serving begins; the line that ends it is the next order, and its answer is what was served."""
    say({"serving": True})
    served: Mapping[str, Any] = web.serve(names, seed)
    sys.stdin.readline()
    return served


if __name__ == "__main__":
    main(sys.argv[1])
