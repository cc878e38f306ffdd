"""Make a database for the run, fill it, and take people back while pages are served."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final
from urllib.parse import urlsplit
from uuid import uuid4

from django.conf import settings
from django.db import connection

from phoenix.management.bench.process import ROLLOUT, Worker, started
from phoenix.management.bench.rollout.worker import OWN, STOCK, WEB

WEBS: Final = 2
BEFORE: Final = 2.0  # seconds of pages before the command, and after it
AFTER: Final = 1.0
ROUNDS: Final = 20
WAVE_SHARE: Final = 10  # one in so many people is in the wave that is taken back, unless its size is given
Figures = dict[str, Any]
Say = Callable[[str], object]


class RolloutWrong(Exception):
    """What was measured is not what the figure is said to be; the text says in what."""


def measure(*, people: int, wave: int | None = None, say: Say = lambda line: None) -> Figures:
    """Return the figures of the rollout as one JSON object: a wave of so many, or a tenth of `people`, then all of them.

    `say` is told what is done next, since very many people take many minutes.

    Raises:
        RolloutWrong: somebody was not taken back, or the pages served do not show it.
        WorkerEnded: a process ended.
    """
    with TemporaryDirectory(prefix="phoenix-bench-") as scratch, _database(Path(scratch)) as url, ExitStack() as stack:
        folder = Path(scratch)
        product = _environment(folder, url)
        own = stack.enter_context(started(OWN, folder, product, ROLLOUT))
        found = own.ask("prepare")
        webs = [stack.enter_context(started(f"{WEB}-{number}", folder, product, ROLLOUT)) for number in range(1, WEBS + 1)]
        stock = stack.enter_context(started(STOCK, folder, _stock_environment(), ROLLOUT))
        size = wave or max(1, people // WAVE_SHARE)
        say(f"making a wave of {size} people")
        seeded = own.ask("seed", size, 1)
        say(f"made in {seeded['seconds']} s; taking the wave back")
        of_wave = _rollback(own, webs, seeded, ["--wave", str(seeded["wave"])])
        say(f"{_line(of_wave)}; making {people} people")
        seeded = own.ask("seed", people, 2)
        say(f"made in {seeded['seconds']} s; asking the flag")
        flag = own.ask("flag", seeded["names"][0])
        stock_us = stock.ask("check", people, ROUNDS)["us"]
        say("taking everybody back")
        of_all = _rollback(own, webs, seeded, ["--all"])
        say(_line(of_all))
        return {
            **found,
            "people": people,
            "wave": of_wave,
            "flag": {**flag, "stock_us": stock_us, "times_faster": round(stock_us / flag["again_us"])},
            "everybody": of_all,
        }


def _line(found: Figures) -> str:
    each = f"{found['database_ms_each']} ms of the database's processor time and {found['own_ms_each']} ms of ours each"
    return (
        f"{found['people']} people: last page from slots after {found['last_slots_s']} s, all restored after"
        f" {found['reconciled_s']} s ({each}, machine load {found['load']})"
    )


def _rollback(own: Worker, webs: list[Worker], seeded: Mapping[str, Any], words: list[str]) -> Figures:
    """Give the command while pages are served, and say when the last page came from slots and when all were restored."""
    for number, web in enumerate(webs):
        web.ask("serve", seeded["names"], number)
    time.sleep(BEFORE)
    done = own.ask("roll_back", *words)
    time.sleep(AFTER)
    served = [web.ask("stop") for web in webs]
    if done["rolled_back"] != seeded["people"] or done["failed"] or done["edited"]:
        raise RolloutWrong(f"{done['rolled_back']} of {seeded['people']} were taken back")
    if not all(0 < each["slots"] < each["pages"] for each in served):
        raise RolloutWrong("a web process did not see both systems")
    times = sorted(each for web in served for each in web["ms"])
    return {
        "people": seeded["people"],
        "configurations": seeded["configurations"],
        "seed_s": seeded["seconds"],
        "last_slots_s": round(max(0.0, *(each["last_slots"] - done["given"] for each in served)), 3),
        "effective_ms": done["effective_ms"],
        "reconciled_s": round(done["reconciled_ms"] / 1000, 1),
        "own_ms_each": round(done["own_s"] * 1000 / seeded["people"], 4),
        "database_ms_each": done["database_s"] and round(done["database_s"] * 1000 / seeded["people"], 4),
        "memory_mb": done["memory_mb"],
        "load": done["load"],
        "pages": sum(each["pages"] for each in served),
        "page_ms_median": round(times[len(times) // 2], 2),
        "page_ms_p99": round(times[len(times) * 99 // 100], 2),
    }


@contextmanager
def _database(folder: Path) -> Iterator[str]:
    """Make a database for the run beside the product's own, and hand out its address; nothing of it stays."""
    if connection.vendor == "sqlite":
        yield f"sqlite:///{folder / 'bench.sqlite3'}"
        return
    name = f"phoenix_bench_{uuid4().hex}"
    with connection._nodb_cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {name}")
    try:
        yield urlsplit(settings.ENVIRONMENT.database_url)._replace(path=f"/{name}").geturl()
    finally:
        with connection._nodb_cursor() as cursor:
            cursor.execute(f"DROP DATABASE {name} WITH (FORCE)")


def _environment(folder: Path, url: str) -> dict[str, str]:
    return {
        "DJANGO_SETTINGS_MODULE": "phoenix.management.bench.rollout.settings",
        "DATABASE_URL": url,
        "PHOENIX_DEMO": "yes",
        "PHOENIX_VAR": str(folder),
        "LOG_LEVEL": "ERROR",
    }


def _stock_environment() -> dict[str, str]:
    return {"DJANGO_SETTINGS_MODULE": "phoenix.management.bench.rollout.stock_settings"}
