"""The process that has the rollout: makes the people, takes them back by the command, asks the flag."""

import io
import json
import os
import resource
import time
from pathlib import Path
from statistics import median
from typing import Any, Final

import waffle
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connection
from django.http import HttpRequest
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext

from migration.models import Person
from rollout.models import SLOTS_FLAG, ensure_flag, standing_query
from slots.schema import PersonKey

ASKED: Final = 2_000  # people whose pages the web processes serve
REQUESTS: Final = 200
CALLS: Final = 10_000  # looks at the flag that was asked already in the request
# Tables that have a row for each person here: none of them may be read from one end to the other.
MANY: Final = ("migration_person", "rollout_enrolment", "rollout_snapshot")


def prepare() -> dict[str, Any]:
    """Make the tables."""
    call_command("migrate", verbosity=0)
    ensure_flag()
    return {"database": connection.vendor}


def seed(count: int, number: int) -> dict[str, Any]:
    """Make so many people of a seed who are on slots, and name some of them."""
    started = time.monotonic()
    made = _run("seed_people", str(count), "--seed", str(number), "--switched")
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")  # as autovacuum does some time after a bulk load
    people = Person.objects.filter(user__startswith=f"seed-{number}-").order_by("pk").values_list("user", flat=True)
    names = list(people[:: max(1, count // ASKED)])
    return {**made, "seconds": round(time.monotonic() - started, 1), "names": names}


def roll_back(*words: str) -> dict[str, Any]:
    """Take people back by the command, and say when it was given (by the machine's monotonic clock)."""
    given = time.monotonic()
    own, database = time.process_time(), _database_seconds()
    done = _run("rollback_users", *words, "--reason", "benchmark")
    ended = _database_seconds()
    return {
        "given": given,
        **done,
        "own_s": time.process_time() - own,
        "database_s": None if database is None or ended is None else ended - database,
        "memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        "load": round(os.getloadavg()[0], 1),
    }


def _database_seconds() -> float | None:
    """Return the processor time that this connection's PostgreSQL process has used; None where it cannot be looked at.

    Wherever the server runs on another machine there is no such process here, or another one of that number.
    """
    if connection.vendor != "postgresql":
        return None
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        process = Path("/proc", str(cursor.fetchone()[0]))
    try:
        if not (process / "comm").read_text().startswith("postgres"):
            return None
        fields = (process / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def flag(name: str) -> dict[str, Any]:
    """Ask the flag about one person on slots: its plan, its queries, and what the first and a further look of a request take."""
    user = User(pk=1, username=name)
    with CaptureQueriesContext(connection) as captured:
        request = _request(user)
        if not (waffle.flag_is_active(request, SLOTS_FLAG) and waffle.flag_is_active(request, SLOTS_FLAG)):
            raise RuntimeError(f"{name} is not on slots")
    first = [_look_us(_request(user), 1) for _ in range(REQUESTS)]
    again = [_look_us(request, CALLS) for _ in range(5)]
    plan = standing_query(PersonKey("default", name)).explain()
    return {
        "queries": len(captured),
        "first_us": round(median(first), 1),
        "again_us": round(min(again), 3),
        "indexed": not full_scans(plan),
        "plan": plan.splitlines(),
    }


def full_scans(plan: str) -> list[str]:
    """Return the lines of a plan that read a table of people from one end to the other."""
    scans = [line.strip() for line in plan.splitlines() if "Seq Scan" in line or ("SCAN" in line and "USING INDEX" not in line)]
    return [line for line in scans if any(table in line for table in MANY)]


def _request(user: User) -> HttpRequest:
    request: HttpRequest = RequestFactory().get("/")
    request.user = user
    return request


def _look_us(request: HttpRequest, calls: int) -> float:
    """Return what one of so many looks at the flag takes; many of them, which wait for nobody, by processor time."""
    clock = time.perf_counter if calls == 1 else time.process_time
    started = clock()
    for _ in range(calls):
        waffle.flag_is_active(request, SLOTS_FLAG)
    return (clock() - started) / calls * 1_000_000


def _run(*words: str) -> dict[str, Any]:
    out = io.StringIO()
    call_command(*words, "--json", stdout=out)
    said: dict[str, Any] = json.loads(out.getvalue())
    return said
