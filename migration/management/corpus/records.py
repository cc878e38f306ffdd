"""Records of a corpus: one JSON object a line, read one at a time.

A line that cannot be used becomes a `Refusal` with its number; reading goes on behind it.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from slots.errors import Refusal

# Where a later version stands in the list of distinct later versions, by the name the report gives it.
DISTANCES: Final = (("next", 0), ("second", 1), ("fourth", 3))

REQUIRED: Final = ("id", "kind", "base_version", "base_source", "diff", "customized_source", "upgrades")
# Below this share of common lines an override is a page of its own, and is reported apart.
REWRITE_BELOW: Final = 0.3


@dataclass(frozen=True, slots=True)
class Release:
    """Name one later version of a base template and hold its source."""

    version: str
    source: str


@dataclass(frozen=True, slots=True)
class Pair:
    """Say which later release a customization is carried to; `index` counts the distinct later releases from 0."""

    index: int
    labels: tuple[str, ...]
    release: Release


@dataclass(frozen=True, slots=True)
class Record:
    """Hold one recorded customization: base, diff, what the diff made of it, and the later releases of the base."""

    line: int
    id: str
    kind: str
    subkind: str
    component: str
    base_version: str
    base: str
    diff: str
    customized: str
    similarity: float
    flags: frozenset[str]
    releases: tuple[Release, ...]

    @property
    def is_rewrite(self) -> bool:
        """Tell whether so little of the base is left that the record counts as a page of its own."""
        return self.similarity < REWRITE_BELOW or "extends-itself" in self.flags

    def pairs(self) -> tuple[Pair, ...]:
        """Return the releases to measure (next, second, fourth, last), each once, in order of release."""
        last = len(self.releases) - 1
        labels: dict[int, list[str]] = {index: [name] for name, index in DISTANCES if index <= last}
        if last >= 0:
            labels.setdefault(last, []).append("last")
        return tuple(Pair(index, tuple(names), self.releases[index]) for index, names in sorted(labels.items()))


def read(lines: Iterable[bytes]) -> Iterator[Record | Refusal]:
    """Yield a record or a refusal for every line that is not blank; lines are counted from 1."""
    for number, line in enumerate(lines, start=1):
        if line.strip():
            yield read_line(number, line)


def read_line(number: int, line: bytes) -> Record | Refusal:
    """Return the record on one line, or why it is none: `RECORD_NOT_UTF8`, `RECORD_NOT_JSON`, `RECORD_INCOMPLETE`."""
    try:
        data = json.loads(line.decode("utf-8"))
    except UnicodeDecodeError as error:
        return Refusal("RECORD_NOT_UTF8", number, f"Byte {error.start} of the line is not UTF-8; write the corpus as UTF-8.")
    except (json.JSONDecodeError, RecursionError) as error:
        return Refusal("RECORD_NOT_JSON", number, f"The line is not a JSON object ({error}); mend or leave out the record.")
    if not isinstance(data, dict):
        return Refusal("RECORD_NOT_JSON", number, "The line holds JSON, but not an object; write one object a line.")
    absent = [name for name in REQUIRED if name not in data]
    if absent:
        return Refusal("RECORD_INCOMPLETE", number, f"The record has no {', '.join(absent)}; add what is missing.")
    wrong = _wrong_type(data)
    if wrong:
        return Refusal("RECORD_INCOMPLETE", number, f"The field {wrong} has the wrong type; see the corpus format.")
    return _record(number, data)


def _wrong_type(data: dict[str, Any]) -> str:
    for name in REQUIRED[:-1]:
        if not isinstance(data[name], str):
            return name
    if not isinstance(data["upgrades"], list):
        return "upgrades"
    for index, release in enumerate(data["upgrades"]):
        if not isinstance(release, dict) or not all(isinstance(release.get(key), str) for key in ("version", "source")):
            return f"upgrades[{index}]"
    if not isinstance(data.get("similarity", 1.0), int | float):
        return "similarity"
    if not isinstance(data.get("flags", []), list):
        return "flags"
    return ""


def _record(number: int, data: dict[str, Any]) -> Record:
    return Record(
        line=number,
        id=data["id"],
        kind=data["kind"],
        subkind=str(data.get("subkind", "")),
        component=f"{data.get('base_package', '')}:{data.get('component', '')}",
        base_version=data["base_version"],
        base=data["base_source"],
        diff=data["diff"],
        customized=data["customized_source"],
        similarity=float(data.get("similarity", 1.0)),
        flags=frozenset(map(str, data.get("flags", []))),
        releases=tuple(Release(release["version"], release["source"]) for release in data["upgrades"]),
    )
