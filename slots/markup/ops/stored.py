"""Write lists of operations as canonical JSON and read them back strictly.

Equal lists give equal texts, so the digest of the text names a stored body. Reading refuses what it does not know: a list
that a later release wrote must not be half understood.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

from slots.errors import OperationsInvalid
from slots.markup.address import Address
from slots.markup.ops.operation import (
    INSERT,
    KINDS,
    MOVE,
    NAMED,
    PLACES,
    SCHEMA,
    SET_TEXT,
    SPACE,
    STRUCTURAL,
    TAIL,
    Hole,
    Operation,
    Payload,
    Requirements,
)


@dataclass(frozen=True, slots=True)
class Document:
    """Hold what one layer stores: its operations, and the slots that no layer above may change."""

    operations: tuple[Operation, ...]
    locked: tuple[str, ...] = ()


def dumps(operations: Iterable[Operation], *, locked: Iterable[str] = ()) -> str:
    """Return the canonical JSON text: sorted keys, no white space, ASCII; equal lists give equal texts.

    The member `locked` is left out where nothing is, so that most bodies are what they were before there were locks.
    """
    body: dict[str, Any] = {"schema": SCHEMA, "ops": [operation.as_json() for operation in operations]}
    names = sorted(set(locked))
    if names:
        body["locked"] = names
    return json.dumps(body, ensure_ascii=True, sort_keys=True, separators=(",", ":"))


def digest(operations: Iterable[Operation], *, locked: Iterable[str] = ()) -> str:
    """Return the hex SHA-256 of `dumps(operations)`, the digest under which a body is stored."""
    return sha256(dumps(operations, locked=locked).encode()).hexdigest()


def loads(text: str) -> tuple[Operation, ...]:
    """Read the operations of a body's JSON text.

    Raises:
        OperationsInvalid: as `loads_document`.
    """
    return loads_document(text).operations


def loads_document(text: str) -> Document:
    """Read the JSON text of a body.

    Raises:
        OperationsInvalid: the text is not JSON or does not follow the schema; the place is such as `ops[3].payload[0]`.
    """
    try:
        body = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise OperationsInvalid("body", f"is not JSON: {error}") from error
    if not isinstance(body, dict) or set(body) - {"locked"} != {"schema", "ops"}:
        raise OperationsInvalid("body", 'must be an object with the members "schema" and "ops"')
    if body["schema"] != SCHEMA:
        raise OperationsInvalid("schema", f"must be {SCHEMA}; a later release of Phoenix may have written this list")
    if not isinstance(body["ops"], list):
        raise OperationsInvalid("ops", "must be a list")
    locked = body.get("locked", [])
    if not isinstance(locked, list) or not all(isinstance(name, str) and name for name in locked):
        raise OperationsInvalid("locked", "must be a list of names of slots")
    return Document(tuple(_read(data, f"ops[{index}]") for index, data in enumerate(body["ops"])), tuple(locked))


def _read(data: object, place: str) -> Operation:
    """Return one operation of its JSON object."""
    if not isinstance(data, dict):
        raise OperationsInvalid(place, "an operation must be an object")
    if not data.keys() <= _READERS.keys():
        unknown = sorted(data.keys() - _READERS.keys())
        raise OperationsInvalid(place, f"an operation has no member {unknown[0]!r}")
    # Most members are absent: looking at those that are there takes half the time of asking for each that there can be.
    members = {member: _READERS[member](value, f"{place}.{member}") for member, value in data.items()}
    for required in ("kind", "address"):
        if required not in members:
            _READERS[required](None, f"{place}.{required}")
    operation = Operation(**members)
    _check(operation, place)
    return operation


def _check(operation: Operation, place: str) -> None:
    """Refuse an operation whose members do not fit its kind."""
    kind = operation.kind
    if not operation.id:
        raise OperationsInvalid(f"{place}.id", "must not be empty")
    if kind in NAMED and not operation.name:
        raise OperationsInvalid(f"{place}.name", f"{kind} needs the name of what it changes")
    if operation.quote not in ('"', "'", ""):
        raise OperationsInvalid(f"{place}.quote", "must be a quote or empty")
    if kind not in STRUCTURAL and operation.holes:
        raise OperationsInvalid(f"{place}.payload", f"{kind} takes text only")
    if operation.place and kind not in (INSERT, MOVE):
        raise OperationsInvalid(f"{place}.place", f"{kind} has no place")
    if kind == INSERT and not operation.place:
        raise OperationsInvalid(f"{place}.place", "insert needs before, after, prepend or append")
    if operation.name == SPACE and kind == SET_TEXT:
        spaces = operation.payload
        if len(operation.at) != len(spaces) or operation.text.strip():
            raise OperationsInvalid(f"{place}.payload", "must hold one run of white space for each member of `at`")
    elif kind not in STRUCTURAL and len(operation.payload) > 1:
        raise OperationsInvalid(f"{place}.payload", f"{kind} takes one string")


def _kind(value: object, place: str) -> str:
    if not isinstance(value, str) or value not in KINDS:
        raise OperationsInvalid(place, f"must be one of {', '.join(KINDS)}")
    return value


def _position(value: object, place: str) -> str:
    position = _text(value, place)
    if position not in PLACES:
        raise OperationsInvalid(place, "must be before, after, prepend or append")
    return position


def _hunk(value: object, place: str) -> int | None:
    if value is not None and (type(value) is not int or value < 0):
        raise OperationsInvalid(place, "must be an index from 0")
    return value


def _flag(value: object, place: str) -> bool:
    if type(value) is not bool:
        raise OperationsInvalid(place, "must be true or false")
    return value


def _list(value: object, place: str) -> list[Any]:
    if not isinstance(value, list):
        raise OperationsInvalid(place, "must be a list")
    return value


def _text(value: object, place: str) -> str:
    if not isinstance(value, str):
        raise OperationsInvalid(place, "must be a string")
    return value


def _texts(value: object, place: str) -> tuple[str, ...]:
    items = _list(value, place)
    if not all(isinstance(item, str) for item in items):
        raise OperationsInvalid(place, "must be a list of strings")
    return tuple(items)


def _indexes(value: object, place: str) -> tuple[int, ...]:
    items = _list(value, place)
    if not all(type(item) is int and item >= TAIL for item in items):
        raise OperationsInvalid(place, f"must be a list of indexes, {TAIL} for the tail")
    return tuple(items)


def _addresses(value: object, place: str) -> tuple[Address, ...]:
    return tuple([Address.from_json(item, f"{place}[{index}]") for index, item in enumerate(_list(value, place))])


def _payload(value: object, place: str) -> Payload:
    if not isinstance(value, list):
        raise OperationsInvalid(place, "must be a list of strings and holes")
    pieces: list[str | Hole] = []
    for index, piece in enumerate(value):
        if isinstance(piece, str):
            pieces.append(piece)
        elif isinstance(piece, dict) and set(piece) == {"hole"}:
            pieces.append(Hole(Address.from_json(piece["hole"], f"{place}[{index}].hole")))
        else:
            raise OperationsInvalid(f"{place}[{index}]", 'must be a string or {"hole": address}')
    return tuple(pieces)


def _near(value: object, place: str) -> tuple[Address | None, Address | None]:
    if not isinstance(value, Sequence) or isinstance(value, str) or len(value) != 2:
        raise OperationsInvalid(place, "must hold two addresses or nulls")
    before, after = (None if item is None else Address.from_json(item, f"{place}[{i}]") for i, item in enumerate(value))
    return (before, after)


def _requirements(value: object, place: str) -> Requirements:
    if not isinstance(value, dict) or set(value) - set(Requirements.__slots__):
        raise OperationsInvalid(place, f"must be an object with some of {', '.join(Requirements.__slots__)}")
    return Requirements(**{member: _texts(items, f"{place}.{member}") for member, items in value.items()})


# What each member may be: given the JSON value and its place, the value of the operation.
_READERS: Final[Mapping[str, Callable[[object, str], Any]]] = {
    "id": _text,
    "kind": _kind,
    "address": Address.from_json,
    "payload": _payload,
    "name": _text,
    "place": _position,
    "targets": _addresses,
    "parent": Address.from_json,
    "near": _near,
    "after": _text,
    "quote": _text,
    "at": _indexes,
    "displaced": _texts,
    "hunk": _hunk,
    "requires": _requirements,
    "layout": _flag,
}
