"""Values that describe a component: what its template may be given and what payloads may use.

Everything here is plain data: read from `contract.toml`, from JSON Lines or from `slots.py`, and written back unchanged.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any, Final, Protocol

# Limits of engine.md section 7; each is refused with LIMIT_EXCEEDED.
MAX_SOURCE_BYTES: Final = 512 * 1024
MAX_LINE_CHARACTERS: Final = 20_000
MAX_NODES: Final = 20_000
MAX_DEPTH: Final = 200
MAX_ATTRIBUTES: Final = 256
MAX_VALUE_BYTES: Final = 64 * 1024
MAX_OPERATIONS: Final = 1_000
MAX_PAYLOAD_BYTES: Final = 256 * 1024

# Filters and tags that neither pad output, nor mark it safe, nor reach outside the given context.
DEFAULT_FILTERS: Final = frozenset(
    {
        "capfirst", "date", "default", "default_if_none", "first", "floatformat", "join", "last", "length", "lower",
        "pluralize", "slice", "time", "title", "truncatechars", "truncatewords", "upper", "urlencode", "yesno",
    }
)  # fmt: skip
DEFAULT_TAGS: Final = frozenset({"if", "for", "with", "comment", "trans", "translate", "blocktrans", "blocktranslate", "firstof"})
DEFAULT_LIBRARIES: Final = frozenset({"i18n"})

# What a context value may be said to be. A date is a text as `date.isoformat` writes it, or a date; anything may be missing.
TYPES: Final[Mapping[str, tuple[type, ...]]] = {
    "text": (str,),
    "number": (int, float, Decimal),
    "boolean": (bool,),
    "date": (str, date),
    "list": (list, tuple),
    "object": (Mapping,),
}


STRICT: Final = "strict"


@dataclass(frozen=True, slots=True)
class Contract:
    """State what a component's template is given and what payloads may use.

    `names` are the context variables that rendering passes; nothing else is visible to a payload. `types` says of some of them
    what they are, as pairs of a name and a key of `TYPES`; samples are held to it. `policy` is `standard` or `strict`; under
    `strict` payloads bring no styles, and no addresses made of expressions.
    """

    names: frozenset[str] = frozenset()
    tags: frozenset[str] = DEFAULT_TAGS
    filters: frozenset[str] = DEFAULT_FILTERS
    libraries: frozenset[str] = DEFAULT_LIBRARIES
    policy: str = "standard"
    kept: str = "review"
    types: tuple[tuple[str, str], ...] = ()

    @classmethod
    def from_mapping(cls, data: Mapping[str, Any]) -> "Contract":
        """Return the contract of a `contract` JSON object or TOML table; absent keys take the defaults."""
        types: Mapping[str, str] = data.get("types", {})
        return cls(
            names=frozenset((*data.get("names", ()), *types)),
            tags=frozenset(data.get("tags", DEFAULT_TAGS)),
            filters=frozenset(data.get("filters", DEFAULT_FILTERS)),
            libraries=frozenset(data.get("libraries", DEFAULT_LIBRARIES)),
            policy=str(data.get("policy", "standard")),
            kept=str(data.get("kept", "review")),
            types=tuple(sorted(types.items())),
        )

    def misfits(self, context: Mapping[str, Any]) -> list[str]:
        """Say of each value that is not what `types` says what is wrong, in sentences; a value may be missing or None."""
        found: list[str] = []
        for name, kind in self.types:
            value = context.get(name)
            is_number = kind == "number" and isinstance(value, bool)  # which Python counts as one
            if value is not None and (is_number or not isinstance(value, TYPES[kind])):
                found.append(f"`{name}` is of the type {type(value).__name__}; the contract says {kind}.")
        return found

    def as_json(self) -> dict[str, Any]:
        """Return the contract as the JSON object of the import format, lists sorted; `kept` and `types` where they say more."""
        more: dict[str, Any] = {} if self.kept == "review" else {"kept": self.kept}
        if self.types:
            more["types"] = dict(self.types)
        return {
            "names": sorted(self.names),
            "tags": sorted(self.tags),
            "filters": sorted(self.filters),
            "libraries": sorted(self.libraries),
            "policy": self.policy,
            **more,
        }


@dataclass(frozen=True, slots=True)
class Sample:
    """Name one context that a component is shown with in previews and validated over."""

    name: str
    context: Mapping[str, Any] = field(default_factory=dict)


DEFAULT_TENANT: Final = "default"


@dataclass(frozen=True, slots=True, order=True)
class PersonKey:
    """Name an end user: an opaque external id, unique within a tenant."""

    tenant: str
    user: str

    def __str__(self) -> str:
        """Return `tenant/user`, or only the user in the default tenant."""
        return self.user if self.tenant == DEFAULT_TENANT else f"{self.tenant}/{self.user}"


class OtherSystem(Protocol):
    """Render a person's components instead of slots; made once a request, so it may keep what it has read."""

    name: str

    def render(self, component: str, version: str, source: str, context: Mapping[str, Any]) -> str:
        """Return the component's HTML as this system shows it.

        `source` is the template of `version`, the component's current version; `context` holds plain values under the
        contract's names. A system that may show less than it should has an attribute `fell_back` that says so of its last
        render.
        """
        ...


# How a render ended: as it should; with less than it should show; not at all.
OK: Final = "ok"
FELL_BACK: Final = "fell_back"
RAISED: Final = "raised"


class RenderObserver(Protocol):
    """Hear of each render; `SLOTS_RENDER_OBSERVER` names a callable by dotted path.

    It is called while a page is made, so it is quick, asks no database, and keeps what it hears for later. What it raises is
    logged and goes no further. `system` is `slots` or the other system's name, `outcome` one of the three above; `seconds` leaves
    out the query that a page has in common.
    """

    def __call__(self, component: str, person: PersonKey | None, system: str, seconds: float, outcome: str) -> None:
        """Take note of one render."""
        ...


StandingRow = tuple[str | None, str | None, str | None, str | None, str | None]


class SystemResolver(Protocol):
    """Say which system a person is on; `SLOTS_SYSTEM_RESOLVER` names an implementation by dotted path.

    Where `standing_query` is the same for everybody but for the values of tenant and user, and looks at neither clock nor
    database while it is built, a resolver says so by an attribute `is_query_fixed = True`. Slots then builds it once in a
    process, and a page costs a tenth of a millisecond instead of five. One that knows the people may have a method
    `knows(person) -> bool`; `slots explain` asks it about names that no row of slots has.
    """

    def __hash__(self) -> int:
        """Return what slots keeps the query under."""
        ...

    def standing_query(self, person: PersonKey) -> Any:
        """Return a queryset of rows of five text columns about the person.

        Slots joins it by UNION ALL into the one query of the request and hands the rows back to `choose`.
        """
        ...

    def choose(self, person: PersonKey, rows: Sequence[StandingRow]) -> OtherSystem | None:
        """Return the system that renders for the person, or None where that is slots."""
        ...
