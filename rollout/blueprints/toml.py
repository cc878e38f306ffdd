"""Write nested tables as TOML (toml.io, version 1.0), which `tomllib` reads and does not write.

Strings, whole and decimal numbers, booleans, local times, lists of these and of small tables; a list of tables under one of the
`nested` keys becomes an array of tables of its own, `[[phases.waves]]`.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import time
from decimal import Decimal
from typing import Any


def toml_of(table: Mapping[str, Any], nested: Collection[str], path: str = "") -> str:
    """Return the lines of a table, then those of the arrays of tables in it."""
    lines = [f"{key} = {_value(value)}" for key, value in table.items() if key not in nested]
    text = "".join(f"{line}\n" for line in lines)
    for key in (key for key in table if key in nested):
        name = f"{path}.{key}" if path else key
        text += "".join(f"\n[[{name}]]\n{toml_of(each, nested, name)}" for each in table[key])
    return text


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return _string(value)
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, time):
        return value.isoformat()
    if isinstance(value, Mapping):
        inside = ", ".join(f"{_key(key)} = {_inline(each)}" for key, each in value.items())
        return f"{{ {inside} }}" if inside else "{}"
    if isinstance(value, Sequence):
        return f"[{', '.join(_inline(each) for each in value)}]"
    return repr(value)


def _inline(value: Any) -> str:
    """Return a value without line ends of its own, as inline tables demand it."""
    return _line(value) if isinstance(value, str) else _value(value)


def _string(text: str) -> str:
    if "\n" not in text:
        return _line(text)
    lines = "\n".join(_line(each)[1:-1] for each in text.split("\n"))
    return f'"""\n{lines}"""'


def _line(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _key(key: str) -> str:
    return key if key.isascii() and key.replace("_", "").replace("-", "").isalnum() else _line(key)
