"""Reading exports: whatever comes, a reading comes out, and every byte of a file is in exactly one record."""

import io
import json
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from migration.actions.entries import Entry, read_line
from migration.actions.records import MAX_RECORD_BYTES, Raw, read_lines, source_of
from slots.errors import Refusal
from tests.migration.conftest import line

FIELDS = ["external_id", "user", "tenant", "component", "base_version", "diff", "active", "created_at", "id", "base_package"]
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.datetimes().map(str),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


def raw(content: bytes) -> Raw:
    return Raw("file", 1, content, "0" * 64, len(content))


def is_sound(found: object) -> bool:
    """Say whether the reading is an entry or a refusal that helps."""
    if isinstance(found, Refusal):
        return found.line == 1 and found.code.isupper() and len(found.text) > 20
    return isinstance(found, Entry)


@given(st.binary())
@example(b"[" * 100_000)
@example(b"1" * 5_000)
@example(b'{"a": 1e999}')
@example(b'"\\ud800"')
def test_any_bytes_give_a_reading(content: bytes) -> None:
    assert is_sound(read_line(raw(content)).entry)


@given(st.dictionaries(st.sampled_from(FIELDS), VALUES))
def test_any_object_gives_a_reading(data: dict[str, object]) -> None:
    assert is_sound(read_line(raw(json.dumps(data).encode())).entry)


@given(st.sampled_from(FIELDS[:8]), VALUES)
def test_any_value_of_a_field_gives_a_reading(name: str, value: object) -> None:
    reading = read_line(raw(json.dumps(line() | {name: value}).encode()))

    assert is_sound(reading.entry)
    if isinstance(reading.entry, Entry):
        assert (reading.person, reading.external_id) == reading.entry.name


@given(st.lists(st.binary().map(lambda part: part.replace(b"\n", b""))), st.booleans())
def test_every_line_is_one_record(parts: list[bytes], ended: bool) -> None:
    whole = b"\n".join(parts) + (b"\n" if ended else b"")
    found = list(read_lines(io.BytesIO(whole), source="file"))

    lines = whole.split(b"\n")
    expected = [
        (number, text)
        for number, text in enumerate(lines, 1)
        if text.removeprefix(b"\xef\xbb\xbf" * (number == 1)).strip(b" \t\r")
    ]
    assert [(each.line, each.content.removesuffix(b"\n")) for each in found] == [
        (number, text.removeprefix(b"\xef\xbb\xbf" * (number == 1))) for number, text in expected
    ]
    assert all(each.is_whole for each in found)


def test_line_over_the_limit_is_one_record_and_the_next_line_is_read() -> None:
    long = b"x" * (2 * MAX_RECORD_BYTES + 5)
    first, second = read_lines(io.BytesIO(long + b"\n{}\n"), source="file")

    assert (first.line, first.size, first.is_whole, len(first.content)) == (1, len(long) + 1, False, MAX_RECORD_BYTES)
    assert (second.line, second.content) == (2, b"{}\n")


@pytest.mark.parametrize(
    ("path", "root", "source"),
    [
        ("export/records.jsonl", None, "export/records.jsonl"),
        ("/srv/old/export/records.jsonl", None, "records.jsonl"),
        ("export/bob/card@1.diff", "export", "export/bob/card@1.diff"),
        ("/srv/old/export/bob/card@1.diff", "/srv/old/export", "export/bob/card@1.diff"),
        ("export/bob/card\udcff@1.diff", "export", "export/bob/card?@1.diff"),
    ],
)
def test_source_names_the_file_and_not_the_machine(path: str, root: str | None, source: str) -> None:
    assert source_of(Path(path), root=Path(root) if root else None) == source
