"""Write a blueprint as TOML, so that reading it gives the same blueprint; what is as it is by itself is left out."""

from collections.abc import Mapping
from dataclasses import fields
from datetime import timedelta
from typing import Any, Final

from rollout.blueprints.days import WEEKDAYS, Day
from rollout.blueprints.durations import duration_text
from rollout.blueprints.reading import FORMAT
from rollout.blueprints.toml import toml_of
from rollout.blueprints.values import Blueprint, NoticeEntry, PolicyEntry, WindowEntry
from rollout.gates import Policy, Purpose

NESTED: Final = ("windows", "notices", "policies", "phases", "tasks", "waves")


def written(blueprint: Blueprint) -> str:
    """Return the blueprint as TOML, which `read` reads."""
    return toml_of({"format": FORMAT, **_table(blueprint)}, NESTED)


def _table(entry: Any) -> dict[str, Any]:
    """Return an entry as a table."""
    if isinstance(entry, PolicyEntry):
        return {"name": entry.name, **_policy(entry.policy)}
    said = _said(entry)
    if isinstance(entry, WindowEntry):
        said["days"] = [WEEKDAYS[day] for day in entry.days]
    if isinstance(entry, NoticeEntry) and entry.moment != "before_start":
        said.pop("is_required", None)
    return said


def _policy(policy: Policy) -> dict[str, Any]:
    said = _said(policy)
    if policy.purpose == Purpose.GATE and policy.trip == policy.clear:
        del said["trip"]
    return said


def _said(entry: Any) -> dict[str, Any]:
    """Return the fields of a value that are not as they are by themselves, as TOML has them."""
    found = {each.name: (getattr(entry, each.name), each.default) for each in fields(entry)}
    return {name: _value(value) for name, (value, default) in found.items() if value != default and value not in (None, {})}


def _value(value: Any) -> Any:
    if isinstance(value, timedelta):
        return duration_text(value)
    if isinstance(value, Day):
        return _said(value) | ({} if value.weekday is None else {"weekday": WEEKDAYS[value.weekday]})
    if isinstance(value, tuple):
        return [_value(each) for each in value]
    if isinstance(value, (str, Mapping, int, float)) or not hasattr(value, "__dataclass_fields__"):
        return str(value) if isinstance(value, str) else value
    return _table(value)
