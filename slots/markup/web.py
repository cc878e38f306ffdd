"""Tell harmless addresses from those that run code: what browsers take for a scheme decides."""

import re
from html import unescape
from typing import Final

SCHEMES: Final = frozenset({"http", "https", "mailto", "tel"})
# Browsers drop tabs and line ends anywhere in an address, and control characters and spaces before it (WHATWG URL, section 4.4).
_DROPPED = re.compile(r"[\t\n\r]")
_LEADING = re.compile(r"^[\x00-\x20]+")
_SCHEME = re.compile(r"([^/?#:]*):")
_LIVE = re.compile(r"(?:javascript|vbscript|data(?!:image/(?:avif|gif|jpeg|png|webp)[;,]))\s*:", re.IGNORECASE)


def is_web_address(text: str) -> bool:
    """Say whether an address (already decoded, as a browser sees it) is a path, a query, a fragment or has a harmless scheme."""
    bare = _LEADING.sub("", _DROPPED.sub("", text))
    if any(character < " " or character == "\x7f" for character in bare) or bare.startswith("\\"):
        return False
    scheme = _SCHEME.match(bare)
    return scheme is None or scheme.group(1).strip().lower() in SCHEMES


def is_live_address(text: str) -> bool:
    """Say whether an address (already decoded) runs a script, or opens a document that it holds itself."""
    return _LIVE.match(_LEADING.sub("", _DROPPED.sub("", text))) is not None


def decoded(value: str) -> str:
    """Return an attribute's value as a browser reads it: character references resolved, also those without a semicolon."""
    return unescape(value)
