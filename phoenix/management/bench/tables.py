"""Print what was measured for people."""

from collections.abc import Iterator
from typing import Any

from migration.management.corpus.synthetic import tally

Figures = dict[str, Any]


def lines(found: Figures) -> Iterator[str]:
    """Yield the lines of the printed report; parts that were not measured leave none."""
    engine = found.get("engine", {})
    if "translation" in engine:
        yield from _translation(engine["translation"])
    if "upgrade" in engine:
        yield from _upgrade(engine["upgrade"])
    if "scaling" in engine:
        yield from _scaling(engine["scaling"])
    if "comparison" in engine:
        yield from _comparison(engine["comparison"])
    if "synthetic" in engine:
        yield from tally.lines(engine["synthetic"])
    yield from engine.get("notes", ())
    if "render" in found:
        yield from _render(found["render"])
    if "rollout" in found:
        yield from _rollout(found["rollout"])


def _translation(found: Figures) -> Iterator[str]:
    yield f"Translation with proof, {found['samples']} customizations (processor time)"
    yield f"  {'':<24}{'median ms':>12}{'p95 ms':>12}{'median of ratios':>20}{'ratio of p95s':>16}"
    for title, name in (("phoenix, base at hand", "at_hand_"), ("phoenix, base read anew", "")):
        yield f"  {title:<24}{_number(found[f'{name}ms_median']):>12}{_number(found[f'{name}ms_p95']):>12}"
    for title, name in (("xmldiff, template trees", "xmldiff_"), ("xmldiff, HTML trees", "xmldiff_html_")):
        times = f"{_number(found[f'{name}ms_median']):>12}{_number(found[f'{name}ms_p95']):>12}"
        yield f"  {title:<24}{times}"
        for sharing, ours in (("base at hand", "at_hand_"), ("base read anew", "")):
            ratios = f"{_number(found[f'{name}{ours}ratio_median']):>20}{_number(found[f'{name}{ours}ratio_p95']):>16}"
            yield f"    {sharing:<46}{ratios}"


def _upgrade(found: Figures) -> Iterator[str]:
    yield f"Upgrade to the next release, {found['pairs']} pairs, against translation"
    for title, prefix, ratio in (
        ("pairing and base at hand", "carried_", "ratio_to_translation"),
        ("paired and read anew", "", "ratio_to_translation_anew"),
    ):
        times = f"median {_number(found[f'{prefix}ms_median'])} ms, p95 {_number(found[f'{prefix}ms_p95'])} ms"
        yield f"  {title}: {times}; {_number(found[ratio])}"


def _scaling(found: Figures) -> Iterator[str]:
    yield "Growth"
    yield f"  {'nodes':>8}{'translate ms':>14}{'× before':>10}{'rebase ms':>14}{'× before':>10}"
    rows = zip(
        found["nodes"], found["translate_ms"], [None, *found["translate_doubling"]],
        found["rebase_ms"], [None, *found["rebase_doubling"]], strict=True,
    )  # fmt: skip
    for nodes, translate, more, rebase, again in rows:
        yield f"  {nodes:>8}{_number(translate):>14}{_number(more):>10}{_number(rebase):>14}{_number(again):>10}"


def _comparison(found: Figures) -> Iterator[str]:
    yield f"Comparison of two pages of {found['elements']} elements"
    peers = (("xmldiff", "xmldiff"), ("diff-dom, first call", "diffdom"), ("diff-dom, warm", "diffdom_warm"))
    yield f"  {'phoenix':<22}{_number(found['ms']):>10} ms"
    for title, name in peers:
        yield f"  {title:<22}{_number(found[f'{name}_ms']):>10} ms{_number(found[f'times_faster_than_{name}']):>8} times as long"
    titles = f"{'phoenix ms':>12}{'xmldiff ms':>12}{'diff-dom ms':>13}{'warm':>9}"
    yield f"  {'what differs':<14}{titles}{'times as long, the faster':>27}"
    for name, pair in found["pairs"].items():
        times = f"{_number(pair['ms']):>12}{_number(pair['xmldiff_ms']):>12}{_number(pair['diffdom_ms']):>13}"
        yield f"  {name:<14}{times}{_number(pair['diffdom_warm_ms']):>9}{_number(pair['times_faster']):>27}"


def _render(found: Figures) -> Iterator[str]:
    grid = found["grid"]
    yield f"One card with six overridden slots, and a grid of {grid['cards']} (processor time, warm)"
    yield f"  {'':<20}{'card us':>10}{'× fork':>9}{'× direct':>9}{'grid us':>11}{'× fork':>9}{'× direct':>9}  same page"
    for name in sorted(found["us"], key=lambda name: (found["us"][name] is None, found["us"][name])):
        cells = [
            f"{_number(scene['us'][name]):>{width}}{_number(scene['ratio_to_fork'][name]):>9}"
            f"{_number(scene['ratio_to_direct'][name]):>9}"
            for scene, width in ((found, 10), (grid, 11))
        ]
        yield f"  {name:<20}{''.join(cells)}  {found['equal'][name] or '–'}"
    asked, cold, merge, many = (found[name] for name in ("request", "cold", "merge", "configurations"))
    yield f"A request: {_number(asked['us'])} us for {asked['queries']} query; built anew {_number(asked['us_built_anew'])} us"
    yield (
        f"Cold: {_number(cold['us'])} us to compose ({_number(cold['compose_us'])}) and compile ({_number(cold['compile_us'])}), "
        f"{_number(cold['ratio_to_fork'])} times compiling the fork ({_number(cold['fork_us'])}); the first of a base "
        f"{_number(cold['first_us'])} us, {_number(cold['first_ratio_to_fork'])} times"
    )
    yield (
        f"Merging four layers of six slots: {_number(merge['us'])} us with provenance; deepmerge without it "
        f"{_number(merge['deepmerge_us'])} us, {_number(merge['times_faster'])} times as long"
    )
    yield (
        f"{many['distinct']} configurations, room for {many['capacity']}: hit {_number(many['hit_us'])} us, "
        f"miss {_number(many['miss_us'])} us; {_number(many['hit_ratio'])} and {_number(many['miss_ratio'])} times those of ten"
    )
    filling, after = _number(many["memory_mb_filling"]), _number(many["memory_mb_after"])
    yield f"  memory grows by {filling} MB while the cache fills, and by {after} MB after"
    moved = found["upgrade"]
    yield (
        f"An upgrade of {moved['configurations']} configurations, {moved['distinct']} distinct: planned in "
        f"{_number(moved['plan_s'])} s, of which matching {_number(moved['pairing_ms'])} ms, once"
    )
    yield (
        f"  live in {_number(moved['activate_s'])} s, {moved['moved']} moved and {moved['waiting']} to decide; "
        f"memory grows by {_number(moved['memory_mb'])} MB, the database's own included"
    )
    yield from found["notes"]


def _rollout(found: Figures) -> Iterator[str]:
    yield f"Taking people back while two web processes serve pages ({found['database']})"
    titles = f"{'last slots page s':>19}{'effective ms':>14}{'restored s':>12}{'page ms':>10}{'p99':>9}"
    yield f"  {'':<12}{'people':>10}{titles}"
    for name in ("wave", "everybody"):
        done = found[name]
        cells = f"{_number(done['effective_ms']):>14}{_number(done['reconciled_s']):>12}"
        pages = f"{_number(done['page_ms_median']):>10}{_number(done['page_ms_p99']):>9}"
        yield f"  {name:<12}{done['people']:>10}{_number(done['last_slots_s']):>19}{cells}{pages}"
    for name in ("wave", "everybody"):
        done = found[name]
        spent = f"{_number(done['database_ms_each'])} ms of the database and {_number(done['own_ms_each'])} ms of Python for each"
        yield f"  {name:<12}processor time: {spent}; at most {done['memory_mb']} MB; machine load {_number(done['load'])}"
    flag = found["flag"]
    indexed = "by indexes alone" if flag["indexed"] else "WITH A SCAN OF A WHOLE TABLE"
    yield (
        f"The flag of one of {found['people']}: {flag['queries']} query a request, {indexed}, {_number(flag['first_us'])} us; "
        f"asked again {_number(flag['again_us'])} us, waffle's own {_number(flag['stock_us'])} us, {flag['times_faster']} times"
    )


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:g}"
