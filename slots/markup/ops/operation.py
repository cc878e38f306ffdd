"""Say what a customization does to a template: a closed set of typed operations and their JSON.

| kind | address | name | payload |
| --- | --- | --- | --- |
| `set_text` | text, raw line or comment | | the text |
| `set_text` | parent whose kids' white space changes (see `at`) | `space` | one run of white space each |
| `set_attr`, `remove_attr` | tag | attribute, or the text of a chunk | the value; none for a bare attribute |
| `add_class`, `remove_class` | tag | | class tokens, joined by spaces |
| `set_style`, `unset_style` | tag | property | the value |
| `hide` | tag | `hidden` or `display` | |
| `set_tag_args` | template tag, block or variable; `name` `close` means its end tag | | the whole construct |
| `rename` | element | | the new tag name |
| `set_open_tag` | tag | | the whole open tag |
| `insert` | anchor, `place` before, after, prepend, append | | fragment |
| `remove` | node (further ones in `targets`) | | |
| `replace`, `wrap`, `unwrap` | node (further ones in `targets`) | | fragment with holes |
| `move` | as `insert`: where the holes go | | fragment of holes and white space |
| `replace_source` | the document | | the whole source |

A *fragment* is a tuple of strings and `Hole`s; a hole stands for a node of the base that stays what it is, with the
operations made on it, at its new place. A hole is exclusive: the node appears there and nowhere else, so a move is one
operation. Fragments carry the white space before their nodes; the white space before a hole is in the string before it.
"""

import json
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Final

from slots.markup.address import Address

SCHEMA: Final = 1
_quoted: Final = json.JSONEncoder().encode

SET_TEXT: Final = "set_text"
SET_ATTR: Final = "set_attr"
REMOVE_ATTR: Final = "remove_attr"
ADD_CLASS: Final = "add_class"
REMOVE_CLASS: Final = "remove_class"
SET_STYLE: Final = "set_style"
UNSET_STYLE: Final = "unset_style"
SET_TAG_ARGS: Final = "set_tag_args"
RENAME: Final = "rename"
INSERT: Final = "insert"
REMOVE: Final = "remove"
HIDE: Final = "hide"
REPLACE: Final = "replace"
WRAP: Final = "wrap"
UNWRAP: Final = "unwrap"
MOVE: Final = "move"
SET_OPEN_TAG: Final = "set_open_tag"
REPLACE_SOURCE: Final = "replace_source"

KINDS: Final = (
    SET_TEXT, SET_ATTR, REMOVE_ATTR, ADD_CLASS, REMOVE_CLASS, SET_STYLE, UNSET_STYLE, SET_TAG_ARGS, RENAME, INSERT, REMOVE, HIDE,
    REPLACE, WRAP, UNWRAP, MOVE, SET_OPEN_TAG, REPLACE_SOURCE,
)  # fmt: skip
STRUCTURAL: Final = frozenset({INSERT, REMOVE, REPLACE, WRAP, UNWRAP, MOVE})
ON_TAG: Final = frozenset({SET_ATTR, REMOVE_ATTR, ADD_CLASS, REMOVE_CLASS, SET_STYLE, UNSET_STYLE, HIDE, RENAME, SET_OPEN_TAG})
NAMED: Final = frozenset({SET_ATTR, REMOVE_ATTR, SET_STYLE, UNSET_STYLE, HIDE})
BEFORE: Final = "before"
AFTER: Final = "after"
PREPEND: Final = "prepend"
APPEND: Final = "append"
PLACES: Final = frozenset({"", BEFORE, AFTER, PREPEND, APPEND})
SPACE: Final = "space"
CLOSE: Final = "close"
TAIL: Final = -1  # in `at`: the white space before the parent's close tag


@dataclass(frozen=True, slots=True)
class Hole:
    """Stand in a fragment for one node of the base."""

    address: Address


@dataclass(frozen=True, slots=True)
class Requirements:
    """Name what a payload needs and the base does not offer: libraries, blocks, context variables, included templates."""

    libraries: tuple[str, ...] = ()
    blocks: tuple[str, ...] = ()
    variables: tuple[str, ...] = ()
    includes: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        """Say whether anything is needed."""
        return bool(self.libraries or self.blocks or self.variables or self.includes)

    def as_json(self) -> dict[str, list[str]]:
        """Return the members that are not empty."""
        return {name: list(value) for name in self.__slots__ if (value := getattr(self, name))}


NOTHING: Final = Requirements()
Payload = tuple[str | Hole, ...]


@dataclass(frozen=True, slots=True)
class Operation:
    """State one change of a base.

    `name` depends on the kind (table above). `place` says for insert and move where the fragment goes relative to the
    address; it is empty where the fragment takes the place of the displaced nodes. `targets` are displaced nodes beside the
    one at `address`, in document order. `parent` and `near` (the siblings before and after the gap in the base, None at an
    end) anchor structural operations a second time. `after` is the key of the attribute that a new attribute follows
    (empty: first). `quote` is the quote of a new attribute value. `at` lists, for `space`, the indexes of the kids whose
    lead is set (TAIL for the parent's tail), one payload string each. `displaced` holds the base's text that goes away, one
    string for each displaced node or value, so that the operation can be taken back and an upgrade can see whether upstream
    touched it. `hunk` is the index of the diff's hunk, None where unknown. `layout` marks white space that the canonical
    form ignores. `id` is stable: derived once from the content, kept by upgrades.
    """

    kind: str
    address: Address
    payload: Payload = ()
    name: str = ""
    place: str = ""
    targets: tuple[Address, ...] = ()
    parent: Address | None = None
    near: tuple[Address | None, Address | None] = (None, None)
    after: str | None = None
    quote: str = '"'
    at: tuple[int, ...] = ()
    displaced: tuple[str, ...] = ()
    hunk: int | None = None
    requires: Requirements = NOTHING
    layout: bool = False
    id: str = ""

    @property
    def text(self) -> str:
        """Return the payload's strings joined; holes are left out."""
        return "".join([piece for piece in self.payload if isinstance(piece, str)])

    @property
    def holes(self) -> tuple[Address, ...]:
        """Return the addresses of the holes in order."""
        return tuple(piece.address for piece in self.payload if isinstance(piece, Hole))

    @property
    def facet(self) -> str:
        """Return what the operation touches of its address: `text`, `attr:href`, `class`, `style:color`, `open`, `name`,
        `space`, `node`, `gap` …

        Two operations on the same address conflict only where their facets do.
        """
        if self.kind in (SET_ATTR, REMOVE_ATTR):
            return f"attr:{self.name}"
        if self.kind == HIDE:
            return "attr:hidden" if self.name == "hidden" else "style:display"
        if self.kind in (ADD_CLASS, REMOVE_CLASS):
            return "class"
        if self.kind in (SET_STYLE, UNSET_STYLE):
            return f"style:{self.name}"
        if self.kind in STRUCTURAL:
            return "gap" if self.place else "node"
        if self.name in (SPACE, CLOSE):
            return self.name
        return {SET_TEXT: "text", SET_TAG_ARGS: "open", SET_OPEN_TAG: "open", RENAME: "name"}.get(self.kind, "document")

    @property
    def payload_bytes(self) -> int:
        """Return the size of the payload's strings in UTF-8."""
        return len(self.text.encode("utf-8", "surrogatepass"))

    def as_json(self) -> dict[str, Any]:
        """Return the operation as a JSON object; members with their default value are left out."""
        found: dict[str, Any] = {"id": self.id, "kind": self.kind, "address": self.address.as_json()}
        if self.payload:
            found["payload"] = [piece if isinstance(piece, str) else {"hole": piece.address.as_json()} for piece in self.payload]
        for member, default in (("name", ""), ("place", ""), ("after", None), ("quote", '"'), ("hunk", None), ("layout", False)):
            value = getattr(self, member)
            if value != default:
                found[member] = value
        if self.targets:
            found["targets"] = [address.as_json() for address in self.targets]
        if self.parent is not None:
            found["parent"] = self.parent.as_json()
        if self.near != (None, None):
            found["near"] = [address.as_json() if address is not None else None for address in self.near]
        if self.at:
            found["at"] = list(self.at)
        if self.displaced:
            found["displaced"] = list(self.displaced)
        if self.requires:
            found["requires"] = self.requires.as_json()
        return found

    def identifier(self, ordinal: int = 0) -> str:
        """Return the id that the operation's content gives; `ordinal` tells equal operations of one list apart."""
        return identifier(self.kind, self.address.path, self.name, self.place, self.at, self.text, ordinal)


def identifier(kind: str, path: tuple[int, ...], name: str, place: str, at: tuple[int, ...], text: str, ordinal: int = 0) -> str:
    """Return the id of an operation with that content: twelve hex digits, the digest of the content as compact JSON.

    The JSON of the list is written by hand: encoding it as a whole costs more than everything else here. Kinds and places are
    words that JSON writes as they are.
    """
    steps = ",".join(map(str, path))
    indexes = ",".join(map(str, at)) if at else ""
    content = f'["{kind}",[{steps}],{_quoted(name)},"{place}",[{indexes}],{_quoted(text)},{ordinal}]'
    return blake2b(content.encode(), digest_size=6).hexdigest()
