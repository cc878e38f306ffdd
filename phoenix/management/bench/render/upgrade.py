"""What a new version of a component costs where very many people have configured it."""

import time
from collections.abc import Callable
from typing import Any, Final

from django.db import connection
from django.test.utils import CaptureQueriesContext

from phoenix.management.bench.clock import cpu_ms
from phoenix.management.bench.render import card, own
from phoenix.management.bench.render.figures import Figures, FigureWrong, memory_mb
from slots.actions import PersonPage, Placement, import_component, save_bodies, set_current_version
from slots.actions.upgrades import activate_upgrade, impact, plan_upgrade
from slots.errors import Refusal
from slots.markup.rebase import prepare
from slots.models import ComponentVersion, Origin, SlotConfiguration
from slots.registry import ComponentRecord
from slots.schema import PersonKey

BATCH: Final = 5_000  # rows written at once
DEED: Final[dict[str, Any]] = {"by": own.BY, "at": own.AT, "reason": "benchmark"}


KEY: Final = "bench.upgraded"


def upgrade(_version: ComponentVersion, rounds: int, count: int, distinct: int) -> Figures:
    """Carry `count` configurations with `distinct` bodies to a release that changes what stands around the slots, and one slot.

    One in ten of the bodies fills that slot too: there the customization's version is kept, and waits for a person. `plan_s` is
    what everybody's page is safe from: nobody's changes until `activate_s`, after which the kept ones are there to decide.
    Seconds are of processor time, of this process: the database is SQLite in memory.
    """
    version = _release("1.0", card.base())
    set_current_version(version.component, version, at=own.AT, by=own.BY)
    people = _lay(version, count, distinct)
    source = version.source.replace("Add to cart", "Add to basket")
    newer = _release("2.0", source.replace("</article>", '  <p class="release-note">New</p>\n</article>'))
    before = memory_mb()
    with CaptureQueriesContext(connection) as captured:
        planned = _Timed(lambda: plan_upgrade(version.component, newer, **DEED))
    found = impact(planned.result)
    activated = _Timed(lambda: activate_upgrade(planned.result, **DEED))
    after = memory_mb()
    ready = found.ready
    if not 0 < activated.result == ready < count:
        raise FigureWrong(f"{activated.result} configurations moved where {ready} of {count} were ready")
    if "release-note" in _page(people[0]) or "release-note" not in _page(people[1]):
        raise FigureWrong("who was ready does not see the new version, or who waits does")
    return {
        "configurations": count,
        "distinct": distinct,
        "moved": ready,
        "waiting": found.waiting,
        "plan_s": round(planned.ms / 1000, 2),
        "plan_queries": len(captured),
        "activate_s": round(activated.ms / 1000, 2),
        "pairing_ms": round(min(cpu_ms(lambda: prepare(version.source, newer.source)) for _ in range(rounds)), 2),
        "memory_mb": None if before is None or after is None else round(after - before, 1),
    }


class _Timed:
    """Run a call once and keep its result and its milliseconds of processor time."""

    def __init__(self, call: Callable[[], Any]) -> None:
        started = time.process_time()
        self.result = call()
        self.ms = (time.process_time() - started) * 1000


def _lay(version: ComponentVersion, count: int, distinct: int) -> list[PersonKey]:
    """Give `count` people a configuration each; nine of every ten bodies leave the actions as they are."""
    texts = [{**card.OVERRIDES, "summary": f'<p class="summary">For {number}</p>'} for number in range(distinct)]
    lists = [
        [each for each in own.overriding(text) if number % 10 == 0 or "slot:actions" not in each.address.blocks]
        for number, text in enumerate(texts)
    ]
    bodies = save_bodies(lists, at=own.AT)
    people = [PersonKey("default", f"upgraded-{number}") for number in range(count)]
    rows = []
    for number, person in enumerate(people):
        placement = Placement.for_person(person, version, bodies[number % distinct], origin=Origin.HAND)
        rows.append(placement.empty_row())
        placement.fill(rows[-1], own.AT)
    SlotConfiguration.objects.bulk_create(rows, batch_size=BATCH)
    return people


def _release(name: str, source: str) -> ComponentVersion:
    imported = import_component(ComponentRecord(KEY, name, source, contract={"names": ["product"]}), at=own.AT, by=own.BY)
    if isinstance(imported, Refusal):
        raise FigureWrong(str(imported))
    return imported.version


def _page(person: PersonKey) -> str:
    return PersonPage(person, at=own.AT).render(KEY, {"product": card.product(1)})
