"""Unified diffs as values: read strictly, printed back to the character.

A customization is one unified diff against one template. `parse` cuts it into what stands before the hunks, the hunks and what
stands after them, and keeps every character, so that `print_diff(parse(text)) == text` for each accepted text. Lines end at
line feeds only: U+2028, form feeds and lone carriage returns are content. Time and space are linear in the text.

Diffs come in by `accept`, which has unidiff read each hunk a second time; the two have to agree (docs/decisions/0007 says why
it does not do the whole work). What was accepted once is read by `parse` alone, however often it is translated.

It stops at one file: several files, combined and binary diffs, and diffs that create or remove a file are refused.
"""

import difflib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple, NoReturn

from unidiff.errors import UnidiffParseError
from unidiff.patch import PatchSet

from migration.errors import DiffPathInvalid
from slots.errors import Refusal

MAX_DIFF_BYTES: Final = 1024 * 1024
MAX_DIFF_LINES: Final = 20_000
MAX_HUNKS: Final = 2_000

BOM: Final = "\ufeff"
MARKER: Final = "\\ No newline at end of file"

_SIGNS: Final = frozenset(" -+")
_HUNK_HEADER: Final = re.compile(r"@@ -([0-9]{1,9})(?:,([0-9]{1,9}))? \+([0-9]{1,9})(?:,([0-9]{1,9}))? @@(.*)", re.DOTALL)
_BINARY: Final = re.compile(r"GIT binary patch\r?$|Binary files? .* differ\r?$")
_COMBINED: Final = re.compile(r"diff --(?:cc|combined) |@@@+ ")
_CREATES_OR_REMOVES: Final = re.compile(r"(?:new|deleted) file mode |(?:---|\+\+\+) /dev/null(?:[\t\r]|$)")
_NEXT_FILE: Final = re.compile(r"diff --git |Index: |Only in ")
_SIGNATURE: Final = re.compile(r"-- \r?$")
_QUOTED: Final = re.compile(rb'\\([0-7]{1,3}|[abtnvfr"\\])')
_ESCAPES: Final = dict(zip(b'abtnvfr"\\', b'\a\b\t\n\v\f\r"\\', strict=True))


class Line(NamedTuple):
    """Hold one line of a hunk.

    `sign` is " ", "-" or "+"; `text` is the content without its line feed. `bare` says that the blank of a context line was lost
    on the way. `marker` is the line that says that the file ends here without a line feed, or empty.
    """

    sign: str
    text: str
    bare: bool = False
    marker: str = ""

    @property
    def content(self) -> str:
        """Return the line as it stands in the file, with its line feed where it has one."""
        return self.text if self.marker else self.text + "\n"


@dataclass(frozen=True, slots=True)
class Hunk:
    """Hold one hunk; starts count from 1 (0 where the side has no line before), `line` is where its header stands in the diff."""

    source_start: int
    source_length: int
    target_start: int
    target_length: int
    lines: tuple[Line, ...]
    header: str
    line: int

    @property
    def signs(self) -> str:
        """Return the signs of the lines as one text, such as "  -+ "."""
        return "".join([line.sign for line in self.lines])

    @property
    def before(self) -> tuple[str, ...]:
        """Return the lines that the hunk expects, with their line feeds."""
        return tuple([text if marker else text + "\n" for sign, text, _, marker in self.lines if sign != "+"])

    @property
    def after(self) -> tuple[str, ...]:
        """Return the lines that the hunk leaves, with their line feeds."""
        return tuple([text if marker else text + "\n" for sign, text, _, marker in self.lines if sign != "-"])

    @property
    def leading(self) -> int:
        """Return how many context lines stand before the first change."""
        return len(self.lines) - len(self.signs.lstrip(" "))

    @property
    def trailing(self) -> int:
        """Return how many context lines stand after the last change."""
        return len(self.lines) - len(self.signs.rstrip(" "))


@dataclass(frozen=True, slots=True)
class Diff:
    """Hold one file's diff; the paths come without time stamps and without the prefixes `a/` and `b/`.

    `crlf` says that the headers end in CR LF, which means that the whole text took on carriage returns on its way.
    `preamble` holds the lines before the file headers, `trailer` those after the last hunk, each without its line feed.
    """

    source_path: str
    target_path: str
    hunks: tuple[Hunk, ...]
    headers: tuple[str, str]
    preamble: tuple[str, ...] = ()
    trailer: tuple[str, ...] = ()
    bom: bool = False
    crlf: bool = False
    ended: bool = True


class _Refused(Exception):
    """Carry a refusal up to `parse`."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(str(refusal))
        self.refusal = refusal


def accept(text: str | bytes) -> Diff | Refusal:
    """Return the diff of a text from outside, or why it is not taken: as `parse`, and a second parser has to agree."""
    read = parse(text)
    return read if isinstance(read, Refusal) else _disagreement(read) or read


def parse(text: str | bytes) -> Diff | Refusal:
    """Return the diff that `text` holds, or why it is not taken.

    Codes: DIFF_EMPTY, DIFF_NOT_UTF8, DIFF_WRONG_COUNTS, DIFF_SEVERAL_FILES, DIFF_BINARY, DIFF_COMBINED, DIFF_MALFORMED,
    LIMIT_EXCEEDED. Lines in refusals count from 1 in the text.
    """
    try:
        return _read(_decoded(text))
    except _Refused as refused:
        return refused.refusal


def print_diff(diff: Diff) -> str:
    """Return the text that the diff was read from."""
    lines = [*diff.preamble, *diff.headers]
    for hunk in diff.hunks:
        lines.append(hunk.header)
        for line in hunk.lines:
            lines.append(line.text if line.bare else line.sign + line.text)
            if line.marker:
                lines.append(line.marker)
    lines += diff.trailer
    return (BOM if diff.bom else "") + "\n".join(lines) + ("\n" if diff.ended else "")


def make(old: str, new: str, *, path: str, context: int = 3) -> str:
    """Return the unified diff from `old` to `new` as text, empty when they are equal.

    Raises:
        DiffPathInvalid: if the header cannot carry the path.
    """
    if not path or not path.isprintable():
        raise DiffPathInvalid(path)
    lines = difflib.unified_diff(split_lines(old), split_lines(new), f"a/{path}", f"b/{path}", n=context)
    return "".join([line if line.endswith("\n") else f"{line}\n{MARKER}\n" for line in lines])


def split_lines(text: str) -> list[str]:
    """Return the lines of a text with their line feeds; nothing but a line feed ends a line."""
    *ended, rest = text.split("\n")
    lines = [line + "\n" for line in ended]
    if rest:
        lines.append(rest)
    return lines


def _refuse(code: str, line: int, text: str) -> NoReturn:
    raise _Refused(Refusal(code, line, text))


def _decoded(text: str | bytes) -> str:
    """Return the text as str, within the limits, free of NUL."""
    try:
        size = len(text) if isinstance(text, bytes) else len(text.encode())
        text = text.decode() if isinstance(text, bytes) else text
    except UnicodeEncodeError as error:
        line = error.object.count("\n", 0, error.start) + 1
        _refuse("DIFF_NOT_UTF8", line, "The diff holds half of a surrogate pair; export it again as UTF-8.")
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        text = f"Byte {error.start + 1} (from 1) is not UTF-8; convert the diff to UTF-8 and import it again."
        _refuse("DIFF_NOT_UTF8", line, text)
    if size > MAX_DIFF_BYTES:
        _refuse("LIMIT_EXCEEDED", 0, f"The diff has {size:,} bytes; split it so that each has at most {MAX_DIFF_BYTES:,}.")
    count = text.count("\n") + (not text.endswith("\n"))
    if count > MAX_DIFF_LINES:
        _refuse("LIMIT_EXCEEDED", 0, f"The diff has {count:,} lines; split it so that each has at most {MAX_DIFF_LINES:,}.")
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        _refuse("DIFF_BINARY", line, "The diff holds a NUL character; make it from text files in UTF-8.")
    return text


def _read(text: str) -> Diff:
    bom = text.startswith(BOM)
    body = text[1:] if bom else text
    if not body.strip():
        _refuse("DIFF_EMPTY", 0, "The diff is empty; export the customization again, or drop the record.")
    ended = body.endswith("\n")
    lines = (body[:-1] if ended else body).split("\n")
    start = _find_headers(lines)
    source, target = lines[start], lines[start + 1]
    crlf = target.endswith("\r")
    hunks, rest = _read_hunks(lines, start + 2, crlf)
    return Diff(
        source_path=_path(source),
        target_path=_path(target),
        hunks=hunks,
        headers=(source, target),
        preamble=tuple(lines[:start]),
        trailer=tuple(lines[rest:]),
        bom=bom,
        crlf=crlf,
        ended=ended,
    )


def _find_headers(lines: list[str]) -> int:
    """Return the index of the `---` line that a `+++` line follows."""
    files = 0
    for index, line in enumerate(lines):
        number = index + 1
        _check_kind(line, number)
        files += line.startswith("diff --git ")
        if files > 1:
            _refuse("DIFF_SEVERAL_FILES", number, "A second file begins here; split the diff into one per template.")
        following = lines[index + 1] if number < len(lines) else ""
        if line.startswith("*** ") and following.startswith("--- "):
            _refuse("DIFF_MALFORMED", number, "This is a context diff; make a unified one with `diff -u`.")
        if line.startswith("@@ -"):
            _refuse("DIFF_MALFORMED", number, "A hunk stands before the file headers; put the `---` and `+++` lines above it.")
        if line.startswith("--- ") and following.startswith("+++ "):
            _check_kind(following, number + 1)
            return index
    if files:
        _refuse("DIFF_EMPTY", 1, "The diff has headers but changes no line; drop the record, or export it with its hunks.")
    _refuse("DIFF_MALFORMED", 1, "No `---` line followed by a `+++` line is in it; make a unified diff with `diff -u`.")


def _check_kind(line: str, number: int) -> None:
    """Refuse the kinds of diff that are about something else than the lines of one template."""
    if _COMBINED.match(line):
        _refuse("DIFF_COMBINED", number, "This is a combined diff of a merge; make a diff against one parent.")
    if _BINARY.match(line):
        _refuse("DIFF_BINARY", number, "The diff is about a binary file; a customization is about a text template.")
    if _CREATES_OR_REMOVES.match(line):
        _refuse("DIFF_MALFORMED", number, "The diff creates or removes a file; make it against the component's template.")


def _read_hunks(lines: list[str], start: int, crlf: bool) -> tuple[tuple[Hunk, ...], int]:
    """Return the hunks and the index of the first line after them."""
    hunks: list[Hunk] = []
    index = start
    while index < len(lines) and lines[index].startswith("@@"):
        if len(hunks) == MAX_HUNKS:
            _refuse("LIMIT_EXCEEDED", index + 1, f"More than {MAX_HUNKS:,} hunks; split the customization.")
        hunk, index = _read_hunk(lines, index, crlf)
        hunks.append(hunk)
    _check_trailer(lines, index, begun=bool(hunks))
    if not hunks:
        _refuse("DIFF_EMPTY", start, "The diff names a file but changes no line; drop the record, or export it with its hunks.")
    return tuple(hunks), index


def _read_hunk(lines: list[str], index: int, crlf: bool) -> tuple[Hunk, int]:
    """Return the hunk whose header stands at `index`, and the index after its last line."""
    header, number = lines[index], index + 1
    _check_kind(header, number)
    match = _HUNK_HEADER.fullmatch(header)
    if match is None:
        _refuse("DIFF_MALFORMED", number, "This hunk header is not `@@ -start,count +start,count @@`; export the diff again.")
    source_start, source_length, target_start, target_length = (1 if part is None else int(part) for part in match.groups()[:4])
    if (source_length and not source_start) or (target_length and not target_start):
        _refuse("DIFF_MALFORMED", number, "This hunk starts at line 0 although it has lines there; lines count from 1.")
    body, index = _read_body(lines, index + 1, number, (source_length, target_length), crlf)
    if all(line.sign == " " for line in body):
        _refuse("DIFF_MALFORMED", number, "This hunk changes nothing; remove it, or export the diff again.")
    return Hunk(source_start, source_length, target_start, target_length, tuple(body), header, number), index


def _read_body(lines: list[str], index: int, header: int, lengths: tuple[int, int], crlf: bool) -> tuple[list[Line], int]:
    """Return the lines of the hunk of line `header`, which begin at `index`, and the index after the last one."""
    source_length, target_length = lengths
    body: list[Line] = []
    old = new = 0
    while old < source_length or new < target_length:
        if index == len(lines):
            _refuse_short(header, index, old, lengths, new)
        text = lines[index]
        sign, bare = text[:1], False
        if sign in _SIGNS:
            text = text[1:]
        elif not text or sign == "\t" or (crlf and text == "\r"):
            sign, bare = " ", True
        elif sign == "\\":
            _refuse("DIFF_MALFORMED", index + 1, "This marker stands where the file cannot end; export the diff again.")
        else:
            _refuse_short(header, index + 1, old, lengths, new)
        old += sign != "+"
        new += sign != "-"
        if old > source_length or new > target_length:
            _refuse("DIFF_WRONG_COUNTS", index + 1, f"The hunk of line {header} has more lines than announced; export it again.")
        index += 1
        marker = ""
        if index < len(lines) and lines[index].startswith("\\ "):
            last = (old == source_length or sign == "+") and (new == target_length or sign == "-")
            if last and text and not (crlf and text == "\r"):
                marker = lines[index]
                index += 1
        body.append(Line(sign, text, bare, marker))
    return body, index


def _refuse_short(header: int, line: int, old: int, lengths: tuple[int, int], new: int) -> NoReturn:
    _refuse(
        "DIFF_WRONG_COUNTS",
        line,
        f"The hunk of line {header} announces {lengths[0]} old and {lengths[1]} new lines, but {old} and {new} are there; "
        "export the diff again.",
    )


def _check_trailer(lines: list[str], start: int, *, begun: bool) -> None:
    """Accept blank lines and a mail signature after the last hunk, refuse everything else."""
    for index in range(start, len(lines)):
        line, number = lines[index], index + 1
        if _SIGNATURE.match(line) and not any(later.startswith(("@@", "--- ", "+++ ", "diff ")) for later in lines[index:]):
            return
        _check_kind(line, number)
        named = line.startswith("--- ") and number < len(lines) and lines[number].startswith("+++ ")
        if named or _NEXT_FILE.match(line):
            _refuse("DIFF_SEVERAL_FILES", number, "A second file begins here; split the diff into one per template.")
        if begun and line.startswith((" ", "-", "+", "@@")):
            _refuse(
                "DIFF_WRONG_COUNTS", number, "Lines are left over after the last hunk; its counts are wrong, export it again."
            )
        if line.strip():
            _refuse("DIFF_MALFORMED", number, "This line belongs to no hunk; remove it, or export the diff again.")


def _path(header: str) -> str:
    """Return the path that a `---` or `+++` line names."""
    named = header[4:].removesuffix("\r").split("\t", 1)[0]
    if len(named) > 1 and named.startswith('"') and named.endswith('"'):
        named = _QUOTED.sub(_unquoted, named[1:-1].encode()).decode(errors="replace")
    return named[2:] if named.startswith(("a/", "b/")) else named


def _unquoted(match: re.Match[bytes]) -> bytes:
    code = match[1]
    return bytes([int(code, 8) & 0xFF if code.isdigit() else _ESCAPES[code[0]]])


def _disagreement(diff: Diff) -> Refusal | None:
    """Let unidiff read the hunks too; return what it reads differently as a refusal.

    It gets plain headers: the real ones, time stamps, quotes and git's extended lines are ours to read.
    """
    line = diff.hunks[0].line
    try:
        files = PatchSet(list(_spelled_out(diff)))
    except UnidiffParseError as error:
        return Refusal("DIFF_MALFORMED", line, f"A second parser refuses the diff ({error}); export it again.")
    ours = [[(line.sign, line.text + "\n") for line in hunk.lines] for hunk in diff.hunks]
    theirs = [[(line.line_type, line.value) for line in hunk if line.line_type != "\\"] for hunk in files[0]]
    if ours != theirs:
        return Refusal("DIFF_MALFORMED", line, "A second parser reads the hunks differently; export the diff again.")
    return None


def _spelled_out(diff: Diff) -> Iterator[str]:
    yield "--- a\n"
    yield "+++ b\n"
    for hunk in diff.hunks:
        yield f"@@ -{hunk.source_start},{hunk.source_length} +{hunk.target_start},{hunk.target_length} @@\n"
        for line in hunk.lines:
            yield f"{line.sign}{line.text}\n"
            if line.marker:
                yield MARKER + "\n"
