"""Components as code declares them: values only, held in memory.

An app declares components in a module `slots.py` as a list `COMPONENTS`; an installable package names such a list under the entry
point group `phoenix.components`. Whoever starts the process hands the values in (`slots/apps.py`), and reading the files they
name is left to the edge, so a registry can be made for a test in one line.
"""

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from math import isfinite
from typing import Any, Final

from slots.errors import ComponentUnknown, Refusal, SlotsError
from slots.schema import TYPES, Contract

ENTRY_POINTS: Final = "phoenix.components"
KEY_PATTERN: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.:/@+-]{0,199}")
POLICIES: Final = frozenset({"standard", "strict"})
KEPT: Final = frozenset({"review", "live"})
_LIST_KEYS: Final = ("names", "tags", "filters", "libraries")


class ComponentDuplicate(SlotsError):
    """Two definitions claim one key."""

    code = "COMPONENT_DUPLICATE"

    def __init__(self, key: str) -> None:
        """Keep the key that was claimed twice."""
        super().__init__(f"Component {key!r} is declared twice. Rename one of the two or remove it.")
        self.key = key


@dataclass(frozen=True, slots=True)
class ComponentRecord:
    """Hold one version of one component as it is imported.

    `contract` and `samples` are JSON values that were checked; `released_at` is aware or None.
    """

    key: str
    version: str
    source: str
    released_at: datetime | None = None
    contract: Mapping[str, Any] = field(default_factory=dict)
    samples: Sequence[Mapping[str, Any]] = ()
    title: str = ""


@dataclass(frozen=True, slots=True)
class ComponentDefinition:
    """Declare a component in code: either a `folder` that holds `VERSION/template.html` and so on, or `versions` written inline.

    `defaults` are the operations of the component's default layer, as JSON objects; usually none, since a component's own
    template is its default.
    """

    key: str
    title: str = ""
    folder: str = ""
    versions: tuple[ComponentRecord, ...] = ()
    defaults: tuple[Mapping[str, Any], ...] = ()


class SlotRegistry:
    """Hold every component that code declares, by key."""

    def __init__(self, definitions: Iterable[ComponentDefinition] = ()) -> None:
        """Take the definitions; `ComponentDuplicate` where two claim one key."""
        self._definitions: dict[str, ComponentDefinition] = {}
        for definition in definitions:
            self.register(definition)

    def register(self, definition: ComponentDefinition) -> None:
        """Add one definition; the same one twice is one."""
        known = self._definitions.get(definition.key)
        if known is not None and known != definition:
            raise ComponentDuplicate(definition.key)
        self._definitions[definition.key] = definition

    def get(self, key: str) -> ComponentDefinition:
        """Return the definition of a key, else raise `ComponentUnknown`."""
        try:
            return self._definitions[key]
        except KeyError:
            raise ComponentUnknown(key) from None

    def __contains__(self, key: object) -> bool:
        """Say whether a component of that key is declared."""
        return key in self._definitions

    def __iter__(self) -> Iterator[ComponentDefinition]:
        """Yield the definitions by key."""
        return iter(sorted(self._definitions.values(), key=lambda each: each.key))

    def __len__(self) -> int:
        """Return the number of components."""
        return len(self._definitions)


def read_record(data: object, *, line: int = 0) -> ComponentRecord | Refusal:
    """Check one record of the import format and return it as a value; limits of the source are for `slots.markup.limits`.

    `line` is where the record stood in its file, from 1; 0 for a folder.
    """
    if not isinstance(data, Mapping):
        return Refusal("RECORD_NOT_OBJECT", line, "A component is one JSON object with key, version and source.")
    unstorable = _unstorable(data)
    if unstorable:
        return Refusal("NOT_STORABLE", line, f"The record holds {unstorable}, which databases do not store. Remove it.")
    for name, limit in (("key", 200), ("version", 100)):
        if not isinstance(data.get(name), str) or not 0 < len(data[name]) <= limit:
            return Refusal("FIELD_INVALID", line, f"`{name}` has to be a text of 1 to {limit} characters.")
    if not KEY_PATTERN.fullmatch(data["key"]):
        return Refusal("FIELD_INVALID", line, "`key` takes letters, digits and _ . : / @ + - only, such as shop.product_card.")
    if not isinstance(data.get("source"), str):
        return Refusal("FIELD_INVALID", line, "`source` has to be the template's text.")
    refusal = _contract_refusal(data.get("contract", {}), line)
    if refusal is not None:
        return refusal
    contract = Contract.from_mapping(data.get("contract", {}))
    refusal = _samples_refusal(data.get("samples", []), contract, line)
    if refusal is not None:
        return refusal
    released_at = _instant(data.get("released_at"))
    if isinstance(released_at, str):
        return Refusal("FIELD_INVALID", line, f"`released_at` is no instant: {released_at}. Write 2026-08-18T09:00:00Z.")
    title = data.get("title", "")
    if not isinstance(title, str) or len(title) > 200:
        return Refusal("FIELD_INVALID", line, "`title` has to be a text of at most 200 characters.")
    return ComponentRecord(
        key=data["key"],
        version=data["version"],
        source=data["source"],
        released_at=released_at,
        contract=contract.as_json(),
        samples=tuple({"name": each["name"], "context": each["context"]} for each in data.get("samples", [])),
        title=title,
    )


def read_folder(
    *, key: str, version: str, template: str, contract_toml: str, samples: Mapping[str, object]
) -> ComponentRecord | Refusal:
    """Build a record of the texts of one folder `KEY/VERSION`; `samples` maps names to decoded JSON.

    The contract file may also hold `title` and `released_at`.
    """
    try:
        table = tomllib.loads(contract_toml)
    except tomllib.TOMLDecodeError as error:
        return Refusal("CONTRACT_NOT_TOML", 0, f"{key}/{version}/contract.toml cannot be read: {error}")
    return read_record(
        {
            "key": key,
            "version": version,
            "source": template,
            "title": table.get("title", ""),
            "released_at": table.get("released_at"),
            "contract": table.get("contract", {}),
            "samples": [{"name": name, "context": context} for name, context in samples.items()],
        }
    )


def _contract_refusal(contract: object, line: int) -> Refusal | None:
    if not isinstance(contract, Mapping):
        return Refusal(
            "CONTRACT_INVALID", line, "`contract` has to be an object with names, types, tags, filters, libraries, policy, kept."
        )
    for name in _LIST_KEYS:
        entries = contract.get(name, [])
        if not isinstance(entries, list | tuple) or not all(isinstance(entry, str) for entry in entries):
            return Refusal("CONTRACT_INVALID", line, f"`contract.{name}` has to be a list of texts.")
    if contract.get("policy", "standard") not in POLICIES:
        return Refusal("CONTRACT_INVALID", line, f"`contract.policy` is one of {', '.join(sorted(POLICIES))}.")
    if contract.get("kept", "review") not in KEPT:
        return Refusal("CONTRACT_INVALID", line, f"`contract.kept` is one of {', '.join(sorted(KEPT))}.")
    types = contract.get("types", {})
    if not isinstance(types, Mapping) or not all(isinstance(kind, str) and kind in TYPES for kind in types.values()):
        return Refusal("CONTRACT_INVALID", line, f"`contract.types` says of names which of these they are: {', '.join(TYPES)}.")
    unknown = set(contract) - {*_LIST_KEYS, "policy", "kept", "types"}
    if unknown:
        return Refusal(
            "CONTRACT_INVALID", line, f"`contract` has no {', '.join(sorted(unknown))}. Remove it or mend the spelling."
        )
    return None


def _samples_refusal(samples: object, contract: Contract, line: int) -> Refusal | None:
    if not isinstance(samples, list | tuple):
        return Refusal("SAMPLES_INVALID", line, "`samples` has to be a list of {name, context}.")
    seen: set[str] = set()
    for each in samples:
        if not isinstance(each, Mapping) or not isinstance(each.get("name"), str) or not isinstance(each.get("context"), Mapping):
            return Refusal("SAMPLES_INVALID", line, "Each sample has to be an object with a text `name` and an object `context`.")
        if each["name"] in seen:
            return Refusal("SAMPLES_INVALID", line, f"Two samples are called {each['name']!r}. Rename one.")
        seen.add(each["name"])
        misfits = contract.misfits(each["context"])
        if misfits:
            return Refusal(
                "SAMPLES_INVALID", line, f"The sample {each['name']!r} breaks the contract: {misfits[0]} Mend one of them."
            )
    return None


def _instant(value: object) -> datetime | str | None:
    """Return an aware instant, None for none, or the text that is no instant; a bare date is its first moment in UTC."""
    if value is None or value == "":
        return None
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            return str(value)
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=UTC)
    if isinstance(value, date):
        return datetime.combine(value, time.min, UTC)
    return str(value)


def _unstorable(data: object) -> str:
    """Return what PostgreSQL's JSON and text columns do not take, wherever it is in the record; empty where all is well."""
    waiting: list[object] = [data]
    while waiting:
        value = waiting.pop()
        if isinstance(value, Mapping):
            waiting.extend(value)
            waiting.extend(value.values())
        elif isinstance(value, list | tuple):
            waiting.extend(value)
        elif isinstance(value, str):
            if "\0" in value:
                return "a null character"
            if any("\ud800" <= character <= "\udfff" for character in value):
                return "half of a surrogate pair"
        elif isinstance(value, float) and not isfinite(value):
            return "a number that is not finite"
    return ""
