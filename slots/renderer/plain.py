"""Make contexts plain: texts, numbers, dates, lists and dictionaries, and nothing that a customization could call."""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from django.utils.functional import Promise

from slots.errors import SlotsError

MAX_CONTEXT_DEPTH: Final = 20
_SCALARS: Final = frozenset({str, int, float, bool, type(None), Decimal, date, datetime, time, timedelta, UUID})


class ContextNotPlain(SlotsError):
    """A page handed a component something else than plain values."""

    code = "CONTEXT_NOT_PLAIN"

    def __init__(self, place: str, type_name: str) -> None:
        """Keep where in the context (`product.owner`) and the type that stood there."""
        super().__init__(
            f"{place} is a {type_name}. Components are given plain values only (texts, numbers, dates, lists, dictionaries, data "
            f"classes), since customizations must not reach methods or other rows. Pass a dictionary of what is shown."
        )
        self.place = place
        self.type_name = type_name


def plain_context(context: Mapping[str, Any], names: frozenset[str]) -> dict[str, Any]:
    """Return the context's values under the contract's names, as plain values.

    Raises:
        ContextNotPlain: an object with methods of its own was passed.
    """
    return {name: value if is_plain(value) else plain(value, name) for name, value in context.items() if name in names}


def is_plain(value: Any, depth: int = 0) -> bool:
    """Say whether a value is made of plain values already; the quick way for what nearly every page passes."""
    kind = type(value)
    if kind in _SCALARS:
        return True
    if depth > MAX_CONTEXT_DEPTH:
        return False
    if kind is dict:
        entries = value.values()
    elif kind is list or kind is tuple:
        entries = value
    else:
        return False
    for entry in entries:  # noqa: SIM110 - the generator of all() costs more than what it looks at, for every card
        if type(entry) not in _SCALARS and not is_plain(entry, depth + 1):
            return False
    return True


def plain(value: Any, place: str, depth: int = 0) -> Any:
    """Return a value made of texts, numbers, dates, lists and dictionaries only; the same object where it already is.

    Safe strings lose their mark: what a customization may print unescaped is not for the caller to say.
    """
    kind = type(value)
    if kind in _SCALARS:
        return value
    if depth > MAX_CONTEXT_DEPTH:
        raise ContextNotPlain(place, f"nesting deeper than {MAX_CONTEXT_DEPTH}")
    if kind is dict:
        return _plain_items(value, place, depth)
    if kind is list or kind is tuple:
        entries = [plain(entry, f"{place}.{index}", depth + 1) for index, entry in enumerate(value)]
        return value if all(map(_is, entries, value)) else entries
    if isinstance(value, str | Promise):
        return str.__str__(str(value))
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return _plain_items(value._asdict(), place, depth)
    if is_dataclass(value) and not isinstance(value, type):
        return _plain_items({each.name: getattr(value, each.name) for each in fields(value)}, place, depth)
    if isinstance(value, Mapping):
        return _plain_items(dict(value), place, depth)
    if isinstance(value, int | float | Decimal):  # enumerations and other subclasses
        return value + 0
    if isinstance(value, list | tuple | set | frozenset | range):
        return [plain(entry, f"{place}.{index}", depth + 1) for index, entry in enumerate(value)]
    raise ContextNotPlain(place, kind.__name__)


def _plain_items(value: dict[Any, Any], place: str, depth: int) -> dict[Any, Any]:
    items = {name: plain(entry, f"{place}.{name}", depth + 1) for name, entry in value.items()}
    return value if all(items[name] is entry for name, entry in value.items()) else items


def _is(left: object, right: object) -> bool:
    return left is right
