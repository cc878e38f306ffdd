"""What a diff changes, without how it is spelled: the same change has the same digest, whoever exported it.

File names and times, the positions of hunks and how much context stands around them say nothing about what is changed. *Where* it
is changed, the operations say that were made of the diff.
"""

import json
from hashlib import sha256
from itertools import groupby

from migration.engine import diff
from slots.errors import Refusal


def change_digest(text: str) -> str:
    """Return the SHA-256 of the runs of changed lines, in order; of a text that is no diff, that of the text itself."""
    read = diff.parse(text)
    if isinstance(read, Refusal):
        return sha256(text.encode(errors="surrogatepass")).hexdigest()
    runs = [run for hunk in read.hunks for run in _runs(hunk, crlf=read.crlf)]
    spelled = json.dumps(runs, separators=(",", ":"))
    return sha256(spelled.encode()).hexdigest()


def _runs(hunk: diff.Hunk, *, crlf: bool) -> list[list[tuple[str, str]]]:
    """Return the runs of changed lines of a hunk, each line as its sign and its content."""
    runs = groupby(hunk.lines, lambda line: line.sign == " ")
    return [[(line.sign, _content(line, crlf=crlf)) for line in lines] for is_context, lines in runs if not is_context]


def _content(line: diff.Line, *, crlf: bool) -> str:
    """Return a line with its line feed, without the carriage return that the whole diff took on."""
    return line.content.replace("\r\n", "\n") if crlf else line.content
