"""Diffs that cannot be used at all, each with the code it has to be refused with.

They come from the places such diffs come from: wrong files, hand edits, broken exports, other tools.
"""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class BrokenDiff:
    """Name a way in which a diff is broken; `text` makes one that claims to be about the component of that key."""

    name: str
    code: str
    text: Callable[[str], str]


def _headers(key: str) -> str:
    return f"--- a/{key}/template.html\n+++ b/{key}/template.html\n"


def _another_template(key: str) -> str:
    return _headers(key) + '@@ -3,3 +3,3 @@\n <dialog class="wishlist">\n-  <h1>Wishes</h1>\n+  <h1>My wishes</h1>\n   <ol>\n'


def _another_place(key: str) -> str:
    return _headers(key) + '@@ -40,3 +40,3 @@\n   </table>\n-  <tfoot>\n+  <tfoot class="sums">\n   </tfoot>\n'


def _two_files(key: str) -> str:
    return _another_template(key) + _another_template("shop.other")


def _binary(key: str) -> str:
    photo = f"{key}/photo.png"
    return f"diff --git a/{photo} b/{photo}\nindex 2f1a..9c3e 100644\nBinary files a/{photo} and b/{photo} differ\n"


def _wrong_counts(key: str) -> str:
    return _headers(key) + "@@ -1,9 +1,2 @@\n {% load i18n %}\n+<hr>\n"


def _left_over(key: str) -> str:
    return _headers(key) + "@@ -1,1 +1,2 @@\n {% load i18n %}\n+<hr>\n+<hr>\n+<hr>\n"


def _combined(key: str) -> str:
    return f"diff --cc {key}/template.html\nindex 1,2..3\n--- a/{key}\n+++ b/{key}\n@@@ -1,2 -1,2 +1,3 @@@\n  x\n++y\n"


def _prose(_key: str) -> str:
    return "Please make the button green and a bit larger.\n"


def _empty(_key: str) -> str:
    return ""


def _too_many_lines(key: str) -> str:
    count = 20_001
    return f"{_headers(key)}@@ -1,1 +1,{count + 1} @@\n {{% load i18n %}}\n" + "+\n" * count


BROKEN_DIFFS = (
    BrokenDiff("for another template", "HUNK_DOES_NOT_APPLY", _another_template),
    BrokenDiff("for another place", "HUNK_DOES_NOT_APPLY", _another_place),
    BrokenDiff("two files", "DIFF_SEVERAL_FILES", _two_files),
    BrokenDiff("binary", "DIFF_BINARY", _binary),
    BrokenDiff("counts too large", "DIFF_WRONG_COUNTS", _wrong_counts),
    BrokenDiff("lines left over", "DIFF_WRONG_COUNTS", _left_over),
    BrokenDiff("combined", "DIFF_COMBINED", _combined),
    BrokenDiff("prose", "DIFF_MALFORMED", _prose),
    BrokenDiff("empty", "DIFF_EMPTY", _empty),
    BrokenDiff("too many lines", "LIMIT_EXCEEDED", _too_many_lines),
)
