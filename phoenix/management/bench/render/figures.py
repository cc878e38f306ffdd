"""What only Phoenix has: finding out what a request is to see, a cold start, many configurations, layers that are merged.

All times are microseconds of processor time.
"""

import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from importlib import import_module, util
from os import sysconf
from pathlib import Path
from statistics import mean, median
from typing import Any, Final

from django.db import connection
from django.template import Template, engines
from django.test.utils import CaptureQueriesContext

from phoenix.management.bench.clock import cpu_ms, still_heap
from phoenix.management.bench.render import card, own
from phoenix.management.bench.render.scenes import us_in_turn
from slots.actions import (
    PersonPage,
    Placement,
    StackLayer,
    compose_layers,
    forget_bases,
    forget_compiled,
    install_configurations,
    renderer,
    save_bodies,
    system_resolver,
)
from slots.actions.asking import page_query
from slots.markup import ops
from slots.merger import ConfigMerger, LayerConfiguration, Provenance
from slots.models import ComponentVersion, Origin
from slots.schema import PersonKey

FEW: Final = 10
BLOCK: Final = 100  # pages in a sample of the sweep over all configurations
CHUNK: Final = 500  # configurations installed at once
PRODUCT: Final = card.product(1)
MEMORY: Final = Path("/proc/self/statm")
Figures = dict[str, Any]


class FigureWrong(Exception):
    """Something that a figure rests on is not so."""


def request(version: ComponentVersion, rounds: int) -> Figures:
    """Time what a request pays once: one query for system, layers and versions, beside the same query built anew."""
    resolver = system_resolver()
    with CaptureQueriesContext(connection) as captured:
        _resolved(own.SLOTS)
    if len(captured) != 1:
        raise FigureWrong(f"finding out what a request is to see took {len(captured)} queries, not one")
    taken = us_in_turn(
        {"us": lambda: _resolved(own.SLOTS), "us_built_anew": lambda: list(page_query(own.SLOTS, resolver))}, rounds=rounds
    )
    return {"queries": len(captured), **_rounded(taken)}


def cold(version: ComponentVersion, rounds: int) -> Figures:
    """Time a configuration from its stored texts to a compiled template, beside compiling the fork.

    A process keeps the bases that it read last, as it composes many configurations of few bases; `first_us` is with the base
    read anew, as it is for the first one.
    """
    body = ops.dumps(own.overriding(card.OVERRIDES))
    layer = StackLayer("user", own.SLOTS.user, 0, "body")
    base, fork = card.base(), card.fork()
    engine = engines["django"].engine  # type: ignore[attr-defined]
    composed = compose_layers(base, [layer], {"body": body})
    if composed.issues or composed.source != card.customized():
        raise FigureWrong(f"composing does not give the customized card: {composed.issues}")

    def compiled() -> Template:
        made = compose_layers(base, [layer], {"body": body})
        return renderer.quick_template(made.source, made.spans)

    def first() -> Template:
        forget_bases()
        return compiled()

    taken = us_in_turn(
        {
            "us": compiled,
            "compose_us": lambda: compose_layers(base, [layer], {"body": body}),
            "compile_us": lambda: renderer.quick_template(composed.source, composed.spans),
            "first_us": first,
            "fork_us": lambda: Template(fork, engine=engine),
        },
        rounds=rounds,
    )
    ratios = {"ratio_to_fork": "us", "first_ratio_to_fork": "first_us"}
    return {**_rounded(taken), **{name: round(taken[ours] / taken["fork_us"], 3) for name, ours in ratios.items()}}


def merge(version: ComponentVersion, rounds: int) -> Figures:
    """Time merging four layers that each fill all six slots, beside deepmerge on the same values without provenance.

    Ours says for every value which layer, revision, person and instant it is from. A layer is merged for many people, so what
    deepmerge is given is copied first: all of it (safe), or only the lowest layer (safe as long as no layer brings a new slot).
    `us_first` is ours where the layers were only just read, `us_report` with what was shadowed by what, in sentences.
    """
    named = (("default", ""), ("site", ""), ("segment", "partners"), ("user", own.SLOTS.user))
    layers = [
        LayerConfiguration(Provenance(layer, key, f"{layer}-1", own.BY, own.AT), own.overriding(_texts(layer)))
        for layer, key in named
    ]
    merger = ConfigMerger()

    def reported() -> Any:
        effective = merger.merge(layers)
        return effective.values, effective.issues

    calls: dict[str, Callable[[], Any]] = {
        "us": lambda: _merged(layers),
        "us_first": lambda: _merged([LayerConfiguration(each.provenance, each.operations) for each in layers]),
        "us_report": reported,
    }
    calls |= _deepmerge([_texts(layer) for layer, _ in named], list(_texts("user").values()))
    if {each.text for each in _merged(layers)[0]} != set(_texts("user").values()):
        raise FigureWrong("the highest layer does not win")
    taken = us_in_turn(calls, rounds=rounds)
    figures: Figures = {"deepmerge_us": None, "deepmerge_us_least_copied": None, **_rounded(taken)}
    for name, peer in (("times_faster", "deepmerge_us"), ("times_faster_least_copied", "deepmerge_us_least_copied")):
        figures[name] = round(taken[peer] / taken["us"], 2) if peer in taken else None
    return figures


def configurations(version: ComponentVersion, rounds: int, count: int) -> Figures:
    """Time pages of `count` people with a configuration each, beside pages of ten of them.

    A page is the request's one query and a card. Its template is in the cache (hit), or is fetched and compiled (miss). There
    is room for fewer templates than there are configurations, and people come in an order in which nobody is in the cache. The
    ten are timed before and after all the others.
    """
    capacity = renderer.compiled.capacity
    people = list(_install(version, count))
    before = _few(people[:FEW], rounds)
    memory = [memory_mb()]
    misses: list[float] = []
    for group in (people[:capacity], people[capacity:]):
        misses += _sweep(group)
        memory.append(memory_mb())
    if len(renderer.compiled) > capacity:
        raise FigureWrong(f"{len(renderer.compiled)} templates are kept where there is room for {capacity}")
    many_hit, many_miss = _hit_us(people[-FEW:], rounds), median(misses)
    entries = len(renderer.compiled)
    few_hit, few_miss = map(mean, zip(before, _few(people[:FEW], rounds), strict=True))
    return {
        "distinct": count,
        "capacity": capacity,
        "entries": entries,
        **_rounded({"hit_us": many_hit, "miss_us": many_miss, "hit_us_of_ten": few_hit, "miss_us_of_ten": few_miss}),
        "hit_ratio": round(many_hit / few_hit, 3),
        "miss_ratio": round(many_miss / few_miss, 3),
        "memory_mb_filling": _growth(memory[0], memory[1]),
        "memory_mb_after": _growth(memory[1], memory[2]),
    }


def _merged(layers: Sequence[LayerConfiguration]) -> tuple[tuple[ops.Operation, ...], Mapping[str, Provenance]]:
    effective = ConfigMerger().merge(layers)
    return effective.operations, effective.provenance


def _texts(layer: str) -> dict[str, str]:
    return {name: f'<p class="{layer}">{layer} {name}</p>' for name in card.OVERRIDES}


def _deepmerge(layers: Sequence[Mapping[str, str]], expected: Sequence[str]) -> dict[str, Callable[[], Any]]:
    """Return the two ways to use deepmerge; none where it is not installed."""
    if util.find_spec("deepmerge") is None:
        return {}
    merger = import_module("deepmerge").Merger([(dict, ["merge"])], ["override"], ["override"])
    given = [{"slots": {name: {"kind": "replace", "value": text} for name, text in texts.items()}} for texts in layers]

    def all_copied() -> Any:
        merged: dict[str, Any] = {}
        for layer in given:
            merger.merge(merged, copy.deepcopy(layer))
        return merged

    def least_copied() -> Any:
        merged = copy.deepcopy(given[0])
        for layer in given[1:]:
            merger.merge(merged, layer)
        return merged

    for call in (all_copied, least_copied):
        if [slot["value"] for slot in call()["slots"].values()] != list(expected):
            raise FigureWrong("deepmerge does not give the highest layer's values")
    return {"deepmerge_us": all_copied, "deepmerge_us_least_copied": least_copied}


def _install(version: ComponentVersion, count: int) -> Iterator[PersonKey]:
    """Give each of `count` people a configuration that nobody else has."""
    for start in range(0, count, CHUNK):
        people = [PersonKey("default", f"person-{number}") for number in range(start, min(start + CHUNK, count))]
        texts = ({**card.OVERRIDES, "summary": f'<p class="summary">For {person.user}</p>'} for person in people)
        bodies = save_bodies([own.overriding(each) for each in texts], at=own.AT)
        install_configurations(
            [
                Placement("default", "user", person.user, version, body.digest, Origin.HAND)
                for person, body in zip(people, bodies, strict=True)
            ],
            by=own.BY,
            at=own.AT,
            reason="benchmark",
        )
        yield from people


def _resolved(person: PersonKey) -> PersonPage:
    page = PersonPage(person, at=own.AT)
    page.stacks  # noqa: B018 - reads the one query
    return page


def _visit(person: PersonKey) -> str:
    return PersonPage(person, at=own.AT).render(card.KEY, {"product": PRODUCT})


def _visit_cold(people: Sequence[PersonKey]) -> None:
    for person in people:
        forget_compiled()
        _visit(person)


def _visit_all(people: Sequence[PersonKey]) -> None:
    for person in people:
        _visit(person)


def _hit_us(people: Sequence[PersonKey], rounds: int) -> float:
    """Return the time of a page of one of these people, all of whose templates are in the cache."""
    _visit_all(people)
    with still_heap():  # else each sample starts just after a collection has pushed thousands of templates through the caches
        return us_in_turn({"all": partial(_visit_all, people)}, rounds=rounds)["all"] / len(people)


def _few(people: Sequence[PersonKey], rounds: int) -> tuple[float, float]:
    """Return the times of a hit and of a miss where nobody else comes, and leave the cache empty."""
    forget_compiled()
    hit = _hit_us(people, rounds)
    miss = us_in_turn({"all": partial(_visit_cold, people)}, rounds=rounds)["all"] / len(people)
    forget_compiled()
    return hit, miss


def _sweep(people: Sequence[PersonKey]) -> list[float]:
    """Return the times of pages that each come once, as means of blocks."""
    blocks = [people[start : start + BLOCK] for start in range(0, len(people), BLOCK)]
    return [cpu_ms(partial(_visit_all, block)) * 1000 / len(block) for block in blocks]


def memory_mb() -> float | None:
    """Return what of this process is in memory; None where the system does not say."""
    if not MEMORY.exists():
        return None
    return int(MEMORY.read_text().split()[1]) * sysconf("SC_PAGE_SIZE") / 1_000_000


def _growth(before: float | None, after: float | None) -> float | None:
    return None if before is None or after is None else round(after - before, 1)


def _rounded(taken: Mapping[str, float]) -> Figures:
    return {name: round(us, 1) for name, us in taken.items()}
