"""What the comparison does not take, and how it says so."""

from typing import Final

MAX_PAGE_BYTES: Final = 5 * 1024 * 1024
MAX_PAGE_NODES: Final = 100_000
MAX_PAGE_DEPTH: Final = 1_000
MAX_OPEN_FORMATTING: Final = 64


class Unreadable(Exception):
    """A parser cannot give the whole page; the message is a code, a colon and a sentence."""


class TooManyNodes(Exception):
    """A page has more nodes than the comparison takes."""

    def __init__(self) -> None:
        """Say so with a code."""
        super().__init__(f"LIMIT_EXCEEDED: a page has over {MAX_PAGE_NODES:,} nodes; compare smaller pages.")


class OddNames(Unreadable):
    """A tag or an attribute has a name that cannot be told from what stands around it."""

    def __init__(self) -> None:
        """Say so with a code."""
        super().__init__("PARSER_LIMIT: a tag of the page cannot be read back; check names of tags and attributes.")
