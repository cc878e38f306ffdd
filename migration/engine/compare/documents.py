"""What a page is before it is parsed: whole or a fragment, its doctype, its characters.

A fragment is read as the content of the element that it needs around it, so that no parser moves a leading script into a head or
drops a leading table row.
"""

import re
from typing import Final

from migration.engine.compare.attributes import Attributes

_BEFORE: Final = r"(?:\s|<!--.*?-->)*+"
_DOCUMENT: Final = re.compile(_BEFORE + r"<(?:!doctype|html|head|body)[\s>]", re.DOTALL | re.IGNORECASE)
_DOCTYPE: Final = re.compile(_BEFORE + r"<!doctype([^>]*)>", re.DOTALL | re.IGNORECASE)
_FIRST_TAG: Final = re.compile(_BEFORE + r"<([a-z]+)[\s/>]", re.DOTALL | re.IGNORECASE)
_CONTEXT: Final = {
    "tr": "tbody",
    "td": "tr",
    "th": "tr",
    "tbody": "table",
    "thead": "table",
    "tfoot": "table",
    "caption": "table",
    "colgroup": "table",
    "col": "colgroup",
}


def normalized(html: str) -> str:
    """Return the page as HTML's input preprocessing leaves it: without a byte order mark, every line end a line feed."""
    return html.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")


def context(html: str) -> str | None:
    """Return the tag that a fragment is content of, or None for a whole document."""
    if _DOCUMENT.match(html):
        return None
    first = _FIRST_TAG.match(html)
    return _CONTEXT.get(first[1].lower(), "div") if first else "div"


def kind(html: str) -> Attributes:
    """Return what the root says of the page: whole or fragment, and its doctype, which decides how browsers lay it out."""
    doctype = _DOCTYPE.match(html)
    return (("context", context(html) or "document"), ("doctype", " ".join(doctype[1].lower().split()) if doctype else ""))
