"""Bring what a plan demands into one canonical text, and name it by its hash.

Pure: values in, text out. The same demands give the same text on every database and in every release that knows the same
columns: keys are sorted, lists whose order means nothing are sorted by their own text, and every kind of value has one spelling.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from datetime import time, timedelta
from decimal import Decimal
from typing import Any


def plain(value: Any) -> Any:
    """Return a column's value as JSON has it: durations in seconds, per cents and hours of the day as text."""
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    if isinstance(value, time):
        return value.isoformat()
    return value


def as_content(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return the columns of a row as JSON has them."""
    return {name: plain(value) for name, value in row.items()}


def canonical(content: Any) -> str:
    """Return the one text of a content."""
    return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def unordered(contents: Iterable[Any]) -> list[Any]:
    """Return contents whose order means nothing in the order of their texts."""
    return sorted(contents, key=canonical)


def hash_of(content: Any) -> str:
    """Return the hex SHA-256 of the canonical text."""
    return hashlib.sha256(canonical(content).encode()).hexdigest()
