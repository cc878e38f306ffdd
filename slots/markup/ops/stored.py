"""Write lists of operations as canonical JSON and read them back strictly.

Equal lists give equal texts, so the digest of the text names a stored body. Reading refuses what it does not know: a list
that a later release wrote must not be half understood.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
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

_MEMBERS: Final = frozenset(Operation.__slots__)


def dumps(operations: Iterable[Operation]) -> str:
    """Return the canonical JSON text: sorted keys, no white space, ASCII; equal lists give equal texts."""
    body = {"schema": SCHEMA, "ops": [operation.as_json() for operation in operations]}
    return json.dumps(body, ensure_ascii=True, sort_keys=True, separators=(",", ":"))


def digest(operations: Iterable[Operation]) -> str:
    """Return the hex SHA-256 of `dumps(operations)`, the digest under which a body is stored."""
    return sha256(dumps(operations).encode()).hexdigest()


def loads(text: str) -> tuple[Operation, ...]:
    """Read the JSON text of a list of operations.

    Raises:
        OperationsInvalid: the text is not JSON or does not follow the schema; the place is such as `ops[3].payload[0]`.
    """
    try:
        body = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise OperationsInvalid("body", f"is not JSON: {error}") from error
    if not isinstance(body, dict) or set(body) != {"schema", "ops"}:
        raise OperationsInvalid("body", 'must be an object with the members "schema" and "ops"')
    if body["schema"] != SCHEMA:
        raise OperationsInvalid("schema", f"must be {SCHEMA}; a later release of Phoenix may have written this list")
    if not isinstance(body["ops"], list):
        raise OperationsInvalid("ops", "must be a list")
    return tuple(_read(data, f"ops[{index}]") for index, data in enumerate(body["ops"]))


def _read(data: object, place: str) -> Operation:
    """Return one operation of its JSON object."""
    if not isinstance(data, Mapping):
        raise OperationsInvalid(place, "an operation must be an object")
    unknown = sorted(set(data) - _MEMBERS)
    if unknown:
        raise OperationsInvalid(place, f"an operation has no member {unknown[0]!r}")
    kind = data.get("kind")
    if kind not in KINDS:
        raise OperationsInvalid(f"{place}.kind", f"must be one of {', '.join(KINDS)}")
    position = _text(data, "place", "", place)
    if position not in PLACES:
        raise OperationsInvalid(f"{place}.place", "must be before, after, prepend or append")
    hunk = data.get("hunk")
    if hunk is not None and (type(hunk) is not int or hunk < 0):
        raise OperationsInvalid(f"{place}.hunk", "must be an index from 0")
    layout = data.get("layout", False)
    if type(layout) is not bool:
        raise OperationsInvalid(f"{place}.layout", "must be true or false")
    operation = Operation(
        kind=kind,
        address=Address.from_json(data.get("address"), f"{place}.address"),
        payload=_payload(data.get("payload", []), f"{place}.payload"),
        name=_text(data, "name", "", place),
        place=position,
        targets=tuple(Address.from_json(item, f"{place}.targets[{i}]") for i, item in enumerate(_list(data, "targets", place))),
        parent=Address.from_json(data["parent"], f"{place}.parent") if "parent" in data else None,
        near=_near(data.get("near", [None, None]), f"{place}.near"),
        after=_text(data, "after", "", place) if "after" in data else None,
        quote=_text(data, "quote", '"', place),
        at=_indexes(data, place),
        displaced=_texts(data, "displaced", place),
        hunk=hunk,
        requires=_requirements(data.get("requires", {}), f"{place}.requires"),
        layout=layout,
        id=_text(data, "id", "", place),
    )
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


def _list(data: Mapping[str, Any], member: str, place: str) -> list[Any]:
    """Return a member that must be a list."""
    value = data.get(member, [])
    if not isinstance(value, list):
        raise OperationsInvalid(f"{place}.{member}", "must be a list")
    return value


def _text(data: Mapping[str, Any], member: str, default: str, place: str) -> str:
    """Return a member that must be a string."""
    value = data.get(member, default)
    if not isinstance(value, str):
        raise OperationsInvalid(f"{place}.{member}", "must be a string")
    return value


def _texts(data: Mapping[str, Any], member: str, place: str) -> tuple[str, ...]:
    """Return a member that must be a list of strings."""
    value = _list(data, member, place)
    if not all(isinstance(item, str) for item in value):
        raise OperationsInvalid(f"{place}.{member}", "must be a list of strings")
    return tuple(value)


def _indexes(data: Mapping[str, Any], place: str) -> tuple[int, ...]:
    """Return the member `at`."""
    value = _list(data, "at", place)
    if not all(type(item) is int and item >= TAIL for item in value):
        raise OperationsInvalid(f"{place}.at", f"must be a list of indexes, {TAIL} for the tail")
    return tuple(value)


def _payload(value: object, place: str) -> Payload:
    """Return the pieces of a payload."""
    if not isinstance(value, list):
        raise OperationsInvalid(place, "must be a list of strings and holes")
    pieces: list[str | Hole] = []
    for index, piece in enumerate(value):
        if isinstance(piece, str):
            pieces.append(piece)
        elif isinstance(piece, Mapping) and set(piece) == {"hole"}:
            pieces.append(Hole(Address.from_json(piece["hole"], f"{place}[{index}].hole")))
        else:
            raise OperationsInvalid(f"{place}[{index}]", 'must be a string or {"hole": address}')
    return tuple(pieces)


def _near(value: object, place: str) -> tuple[Address | None, Address | None]:
    """Return the two siblings around a gap."""
    if not isinstance(value, Sequence) or isinstance(value, str) or len(value) != 2:
        raise OperationsInvalid(place, "must hold two addresses or nulls")
    before, after = (None if item is None else Address.from_json(item, f"{place}[{i}]") for i, item in enumerate(value))
    return (before, after)


def _requirements(value: object, place: str) -> Requirements:
    """Return what a payload needs."""
    if not isinstance(value, Mapping) or set(value) - set(Requirements.__slots__):
        raise OperationsInvalid(place, f"must be an object with some of {', '.join(Requirements.__slots__)}")
    return Requirements(**{member: _texts(value, member, place) for member in value})
