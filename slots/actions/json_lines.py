"""Read UTF-8 JSON Lines as a stream: a bad line is a refusal with its number, and the rest goes on."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NoReturn

from slots.errors import Refusal

MAX_LINE_BYTES: Final = 8 * 1024 * 1024
_BOM: Final = b"\xef\xbb\xbf"


def read_lines(path: Path) -> Iterator[tuple[int, bytes, Any | Refusal]]:
    """Yield the number (from 1), the bytes and the decoded value or refusal of each line that is not blank.

    A line beyond `MAX_LINE_BYTES` is refused and skipped without being held in memory; its bytes are the beginning.
    """
    with path.open("rb") as file:
        number = 0
        while raw := file.readline(MAX_LINE_BYTES + 1):
            number += 1
            if len(raw) > MAX_LINE_BYTES:
                rest = raw
                while rest and not rest.endswith(b"\n"):
                    rest = file.readline(MAX_LINE_BYTES)
                text = f"The line has more than {MAX_LINE_BYTES} bytes. Split the file or shorten the record."
                yield number, raw, Refusal("LIMIT_EXCEEDED", number, text)
                continue
            if number == 1:
                raw = raw.removeprefix(_BOM)
            if raw.strip():
                yield number, raw, decode(raw, line=number)


def decode(raw: bytes, *, line: int = 0) -> Any | Refusal:
    """Return the value of one JSON text in UTF-8, or why it is none."""
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        return Refusal(
            "NOT_UTF8", line, f"Byte {error.start + 1} (from 1) is not UTF-8. Save the file as UTF-8 and import it again."
        )
    try:
        return json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        return Refusal("NOT_JSON", line, f"This is not one JSON value: {error}. Mend it and import it again.")


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")
