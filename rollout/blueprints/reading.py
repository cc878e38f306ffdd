"""Read a blueprint from TOML, and refuse whatever could not be made into a plan, with its place."""

import re
import tomllib
from collections.abc import Callable, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any, Final, TypeVar

from rollout.audiences import Audience
from rollout.blueprints.days import LAST_WEEK, WEEKDAYS, Day, is_zone
from rollout.blueprints.tables import Table
from rollout.blueprints.values import (
    CHANNELS,
    CHECKS,
    MOMENTS,
    SHARES_OF,
    Blueprint,
    NoticeEntry,
    PhaseEntry,
    PolicyEntry,
    TaskEntry,
    WaveEntry,
    WindowEntry,
)
from rollout.errors import AudienceInvalid, BlueprintInvalid, PolicyInvalid, WindowInvalid
from rollout.gates import Action, Compare, Metric, NoData, Policy, Purpose, Response, Severity, Window

Entry = TypeVar("Entry")
FORMAT: Final = 1
MOST: Final = 32_767  # what a small whole number of the tables holds
NAME: Final = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
ALL: Final = Decimal(100)


def read(text: str) -> Blueprint:
    """Return the blueprint that a text is.

    Raises:
        BlueprintInvalid: it is no TOML, or no blueprint; with the place.
    """
    try:
        data = tomllib.loads(text, parse_float=Decimal)
    except (tomllib.TOMLDecodeError, RecursionError, ValueError) as malformed:
        raise BlueprintInvalid(
            "", f"It is no TOML: {malformed}.", "Correct it there; toml.io says how TOML is written."
        ) from None
    table = Table(data)
    if (given := table.required("format")) != FORMAT or isinstance(given, bool):
        raise table.refuse("format", f"It is {FORMAT}.", "Another format needs another version of this software.")
    return _blueprint(table)


def _blueprint(table: Table) -> Blueprint:
    name = table.text("name", longest=80)
    if not NAME.fullmatch(name):
        raise table.refuse("name", "It is small letters, digits and single hyphens, such as eight-weeks.")
    found = Blueprint(
        name=name,
        version=table.whole("version", least=1),
        title=table.text("title", "", longest=200),
        time_zone=_zone(table, "time_zone", "UTC"),
        max_deferrals=table.whole("max_deferrals", 1, most=MOST),
        deferral_limit=table.duration("deferral_limit", timedelta(days=14)),
        certificate_valid_for=table.duration("certificate_valid_for", timedelta(days=7), is_empty_allowed=False),
        signoffs=table.texts("signoffs", longest=100),
        windows=_entries(table, "windows", _window),
        notices=_entries(table, "notices", _notice),
        policies=_entries(table, "policies", _policy),
        phases=_entries(table, "phases", _phase),
    )
    table.close()
    if not found.phases:
        raise table.refuse("phases", "A plan has at least one phase.", "Add [[phases]].")
    _require_different_names(table, found)
    _require_locked_in_time(table, found)
    return found


def _entries(table: Table, key: str, read_one: Callable[[Table], Entry]) -> tuple[Entry, ...]:
    found = []
    for each in table.tables(key):
        found.append(read_one(each))
        each.close()
    return tuple(found)


def _phase(table: Table) -> PhaseEntry:
    share = table.percent("share")
    found = PhaseEntry(
        name=table.text("name", longest=200),
        objective=table.text("objective", ""),
        starts=_day(table, "starts"),
        share=share,
        share_of=table.one_of("share_of", SHARES_OF, "customized"),
        soak=table.duration("soak", timedelta()),
        needs_certificate=table.flag("needs_certificate", default=False),
        signoffs=table.texts("signoffs", longest=100),
        windows=_entries(table, "windows", _window),
        notices=_entries(table, "notices", _notice),
        policies=_entries(table, "policies", _policy),
        tasks=_entries(table, "tasks", _task),
        waves=_entries(table, "waves", _wave),
    )
    for number, wave in enumerate(found.waves):
        if wave.share is not None and share is None:
            raise table.refuse(f"waves[{number}].share", "A share of what? Its phase has none.", "Give the phase a share.")
    total = sum((wave.share for wave in found.waves if wave.share is not None), Decimal())
    if total > ALL:
        raise table.refuse("waves", f"Their shares are {total} per cent together.", "They are of the phase: 100 at most.")
    return found


def _wave(table: Table) -> WaveEntry:
    share = table.percent("share")
    audience = _plain(table.raw("audience", {}))
    try:
        audience = Audience.from_json(audience, has_share=share is not None).as_json()
    except AudienceInvalid as invalid:
        raise table.refuse("audience", str(invalid), "") from invalid
    found = WaveEntry(
        name=table.text("name", longest=200),
        starts=_day(table, "starts"),
        audience=audience,
        share=share,
        lock_lead=table.maybe_duration("lock_lead"),
        soak=table.duration("soak", timedelta(days=1)),
        checks=table.durations("checks", CHECKS),
        rate=table.whole("rate", least=1) if table.has("rate") else None,
        max_workers=table.whole("max_workers", 4, least=1, most=MOST),
        batch_size=table.whole("batch_size", 100, least=1),
        max_batch=table.whole("max_batch", 100, least=1),
    )
    for number, (earlier, later) in enumerate(zip((timedelta(), *found.checks), found.checks, strict=False)):
        if earlier >= later:
            raise table.refuse(f"checks[{number}]", "Each check comes later than the one before it.")
        if later % timedelta(seconds=1):
            raise table.refuse(f"checks[{number}]", "A check comes after whole seconds.")
    return found


def _window(table: Table) -> WindowEntry:
    zone = _zone(table, "zone", "")
    days = [_weekday(table, f"days[{number}]", each) for number, each in enumerate(table.listed("days"))]
    found = WindowEntry(zone=zone, opens=table.wall_time("opens"), closes=table.wall_time("closes"), days=tuple(days or range(7)))
    try:
        Window(zone or "UTC", found.opens, found.closes, found.days)
    except WindowInvalid as invalid:
        raise BlueprintInvalid(table.place(), str(invalid), "") from invalid
    return found


def _notice(table: Table) -> NoticeEntry:
    moment = table.one_of("moment", MOMENTS, "before_start")
    found = NoticeEntry(
        name=table.text("name", longest=200),
        channel=table.one_of("channel", CHANNELS, "email"),
        moment=moment,
        lead=table.duration("lead"),
        subject=table.text("subject", longest=200),
        body=table.text("body"),
        is_required=table.flag("is_required", default=moment == "before_start"),
    )
    if found.is_required and moment != "before_start":
        raise table.refuse("is_required", "No wave can wait for what is told after the switch.", "Write false, or leave it out.")
    return found


def _policy(table: Table) -> PolicyEntry:
    name = table.text("name", longest=200)
    purpose = table.one_of("purpose", tuple(Purpose), "guard")
    given: dict[str, Any] = {
        "metric": Metric(table.one_of("metric", tuple(Metric))),
        "trip": table.number("trip") if purpose == Purpose.GUARD or table.has("trip") else table.number("clear"),
        "clear": table.number("clear"),
        "window": table.duration("window", timedelta(hours=24), is_empty_allowed=False),
        "purpose": Purpose(purpose),
        "compare": Compare(table.one_of("compare", tuple(Compare), "absolute")),
        "min_sample": table.whole("min_sample", 20, least=1),
        "sustained": table.duration("sustained", timedelta()),
        "no_data": NoData(table.one_of("no_data", tuple(NoData), "hold")),
        "severity": Severity(table.one_of("severity", tuple(Severity), "high")),
        "respond_within": table.maybe_duration("respond_within"),
        "responses": _entries(table, "responses", _response),
        "needs_revalidation": table.flag("needs_revalidation", default=False),
    }
    try:
        return PolicyEntry(name=name, policy=Policy(**given))
    except PolicyInvalid as invalid:
        raise BlueprintInvalid(table.place(), str(invalid), "") from invalid


def _response(table: Table) -> Response:
    action = Action(table.one_of("action", tuple(Action)))
    return Response(action, table.duration("after", timedelta()), table.texts("roles", longest=100))


def _task(table: Table) -> TaskEntry:
    return TaskEntry(
        text=table.text("text", longest=300), due=_day(table, "due"), is_required=table.flag("is_required", default=True)
    )


def _day(table: Table, key: str) -> Day | None:
    if not table.has(key):
        return None
    inner = Table(table.raw(key), table.place(key))
    week = inner.whole("week", least=1, most=LAST_WEEK)
    if inner.has("day") == inner.has("weekday"):
        raise BlueprintInvalid(inner.place(), "It has a `day` (1 to 7) or a `weekday`, and not both.")
    day = inner.whole("day", least=1, most=7) if inner.has("day") else None
    weekday = None if day else _weekday(inner, "weekday", inner.raw("weekday"))
    at = inner.wall_time("at") if inner.has("at") else None
    inner.close()
    return Day(week, day, weekday, at)


def _weekday(table: Table, key: str, value: Any) -> int:
    if not isinstance(value, str) or value not in WEEKDAYS:
        raise table.refuse(key, f"It is one of: {', '.join(WEEKDAYS)}.")
    return WEEKDAYS.index(value)


def _zone(table: Table, key: str, default: str) -> str:
    zone = table.text(key, default, longest=60)
    if not is_zone(zone or "UTC"):
        raise table.refuse(key, f"{zone!r} is no IANA zone, such as Europe/Berlin or UTC.")
    return zone


def _plain(value: Any) -> Any:
    """Return a value as JSON has it: numbers with a point are floats."""
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    return [_plain(each) for each in value] if isinstance(value, list) else value


def _require_different_names(table: Table, found: Blueprint) -> None:
    """Refuse a policy named twice in the plan, and a notice, phase or wave named twice where it stands."""
    policies = [("policies", found.policies), *((f"phases[{i}].policies", each.policies) for i, each in enumerate(found.phases))]
    _require_unique(table, [(f"{place}[{i}]", each.name) for place, rows in policies for i, each in enumerate(rows)])
    places: list[tuple[str, Sequence[Any]]] = [("notices", found.notices), ("phases", found.phases)]
    for number, phase in enumerate(found.phases):
        places += [(f"phases[{number}].notices", phase.notices), (f"phases[{number}].waves", phase.waves)]
    for place, rows in places:
        _require_unique(table, [(f"{place}[{i}]", each.name) for i, each in enumerate(rows)])


def _require_unique(table: Table, named: Sequence[tuple[str, str]]) -> None:
    seen: dict[str, str] = {}
    for place, name in named:
        if name in seen:
            raise table.refuse(f"{place}.name", f"{name!r} is the name of {seen[name]} already.", "Choose another name.")
        seen[name] = place


def _require_locked_in_time(table: Table, found: Blueprint) -> None:
    """Refuse a wave that is locked after people are to be told of it."""
    for number, phase in enumerate(found.phases):
        longest = found.longest_lead(phase)
        for position, wave in enumerate(phase.waves):
            if wave.lock_lead is not None and wave.lock_lead < longest:
                place = f"phases[{number}].waves[{position}].lock_lead"
                raise table.refuse(
                    place, f"Its people are told {longest} before it starts.", "Lock it earlier, or tell them later."
                )
