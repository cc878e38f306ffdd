"""Reading what the old system exports: JSON Lines, and folders of diffs.

One record at a time is in memory. Whatever cannot be read comes out as a `Refusal` beside its bytes, so that the caller can keep
both; nothing here stops at a bad record.
"""

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, BinaryIO, Final, NoReturn

from slots.errors import Refusal

MAX_RECORD_BYTES: Final = 8 * 1024 * 1024  # a diff of 1 MB fits, however it is escaped
KEPT_BYTES: Final = 1024 * 1024
DIFF_SUFFIX: Final = ".diff"

_BOM: Final = b"\xef\xbb\xbf"
_WHITE: Final = b" \t\r\n"


@dataclass(frozen=True, slots=True)
class Raw:
    """Hold one record as it came: `line` counts from 1 in the file, 0 for a file of its own; `content` is cut at the limit."""

    source: str
    line: int
    content: bytes
    digest: str
    size: int

    @property
    def is_whole(self) -> bool:
        """Say whether the content is all there is."""
        return self.size == len(self.content)


def source_of(path: Path, *, root: Path | None = None) -> str:
    """Return where a record came from, as text that can be stored: a relative path as given, of an absolute one the name.

    For a file below a given folder `root`, the name of an absolute folder comes before the rest. Bytes of a file name that are
    no UTF-8 become question marks.
    """
    given = root or path
    named = path.relative_to(given.parent) if given.is_absolute() else path
    return str(named).encode(errors="replace").decode()


def read_lines(stream: BinaryIO, *, source: str) -> Iterator[Raw]:
    """Yield the lines of a file that hold more than white space; a byte order mark at the beginning is dropped."""
    number = 0
    while part := stream.readline(MAX_RECORD_BYTES):
        number += 1
        size = len(part)
        digest = sha256(part)
        rest = part
        while not rest.endswith(b"\n") and (rest := stream.readline(MAX_RECORD_BYTES)):
            size += len(rest)
            digest.update(rest)
        content = part.removeprefix(_BOM) if number == 1 else part
        if size > len(part) or content.strip(_WHITE):
            yield Raw(source, number, content, digest.hexdigest(), size - (len(part) - len(content)))


def read_file(path: Path, *, source: str) -> Raw:
    """Return a file as one record."""
    with path.open("rb") as stream:
        content = stream.read(MAX_RECORD_BYTES)
        digest = sha256(content)
        size = len(content)
        while part := stream.read(MAX_RECORD_BYTES):
            digest.update(part)
            size += len(part)
    return Raw(source, 0, content, digest.hexdigest(), size)


def find_files(folder: Path) -> Iterator[Path]:
    """Yield every file below a folder, its own before those of its folders, by name, without following links out of it."""
    for directory, names, files in os.walk(folder, followlinks=False):
        names.sort()
        for name in sorted(files):
            yield Path(directory) / name


def read_object(raw: Raw) -> Mapping[str, Any] | Refusal:
    """Return the JSON object that a line holds, or why it is none.

    Codes: LIMIT_EXCEEDED, NOT_UTF8, NOT_JSON, NOT_OBJECT.
    """
    if not raw.is_whole:
        text = f"The record has {raw.size:,} bytes; the limit is {MAX_RECORD_BYTES:,}. Split it or import it by hand."
        return Refusal("LIMIT_EXCEEDED", raw.line, text)
    try:
        text = raw.content.decode()
    except UnicodeDecodeError as error:
        text = f"Byte {error.start + 1} of the line (from 1) is not UTF-8; export the file as UTF-8."
        return Refusal("NOT_UTF8", raw.line, text)
    try:
        found = json.loads(text, parse_constant=_no_constant, object_pairs_hook=_distinct)
    except RecursionError:
        return Refusal("NOT_JSON", raw.line, "The line is nested too deeply; a record is one flat JSON object.")
    except ValueError as error:
        return Refusal("NOT_JSON", raw.line, f"The line is not JSON ({error}); write one JSON object a line.")
    if not isinstance(found, Mapping):
        return Refusal("NOT_OBJECT", raw.line, "The line is JSON but no object; write one JSON object a line.")
    return found


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _value in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the field {twice!r} occurs twice")
    return found
