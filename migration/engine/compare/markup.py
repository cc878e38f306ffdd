"""Markup as both parsers hand it over: as in canonical XML, without comments but for conditional ones.

Every element has an end tag, no `<` stands but at the beginning of a tag, so that what `split("<")` gives are *pieces*: a tag
without its `<`, and the text behind it. A conditional comment is an element called COMMENT.
"""

import re
from typing import Final

COMMENT: Final = "#comment"
NAME: Final = r'[^\s\x00-\x1f"&/!?<>]+'
ATTRIBUTE_NAME: Final = r'[^\s\x00-\x1f"&<=>]+'

COMMENTED: Final = re.compile(r"<!--(.*?)-->", re.DOTALL)
_NAME: Final = re.compile(NAME)
_ATTRIBUTE_NAME: Final = re.compile(ATTRIBUTE_NAME)
_ODD: Final = re.compile(r'[\s\x00-\x1f"&/!?<=>]')
_CONDITIONAL: Final = re.compile(r"\s*\[(?:if\b|endif\])|.*<!\[endif\]\s*$", re.DOTALL | re.IGNORECASE)


def escaped(text: str) -> str:
    """Return a text as markup spells it."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def quoted(value: str) -> str:
    """Return the value of an attribute as markup spells it between its quotes."""
    return escaped(value).replace('"', "&quot;")


def tag_name(name: str) -> str:
    """Return the name of a tag; if something in it ends or begins tags elsewhere, references stand for that."""
    return name if _NAME.fullmatch(name) else _ODD.sub(_reference, name)


def attribute_name(name: str) -> str:
    """Return the name of an attribute, likewise."""
    return name if _ATTRIBUTE_NAME.fullmatch(name) else _ODD.sub(_reference, name)


def _reference(found: re.Match[str]) -> str:
    return f"&#{ord(found[0])};"


def comment(text: str) -> str:
    """Return the markup of a comment; only conditional ones have any."""
    return f"<{COMMENT}>{escaped(text)}</{COMMENT}>" if _CONDITIONAL.match(text) else ""


def is_deeper(markup: str, limit: int) -> bool:
    """Say whether elements of balanced markup are nested deeper than that.

    Depth is looked up every so many characters, in which no more tags fit than are missing to the limit.
    """
    depth = start = 0
    while start < len(markup):
        room = limit - depth
        if room < 0:
            return True
        end = markup.find("<", start + max(1, 3 * room))
        end = len(markup) if end < 0 else end
        depth += markup.count("<", start, end) - 2 * markup.count("</", start, end)
        start = end
    return False
