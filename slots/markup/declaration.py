"""Read what a `{% slot %}` tag declares.

    {% slot "price@1" kinds="text rich_text" required many aliases="cost" deprecated="Use amount." %}…{% endslot %}

The name comes first, in quotes; a version after `@` is a part of it, so `price@1` and `price@2` are two slots. All else is
optional and may stand in any order. One reader serves the template tag, the slot map and the checks.
"""

import re
from collections import Counter
from dataclasses import dataclass
from typing import Any, Final

from slots.markup.tree import Node, Tree, nodes

DECLARING: Final = "slot"
TEXT: Final = "text"
RICH_TEXT: Final = "rich_text"
URL: Final = "url"
IMAGE: Final = "image"
ATTRIBUTE: Final = "attribute"
CLASS_LIST: Final = "class_list"
STYLE: Final = "style"
VISIBILITY: Final = "visibility"
WIDGETS: Final = "widgets"
COMPONENT: Final = "component"
KINDS: Final = (TEXT, RICH_TEXT, URL, IMAGE, ATTRIBUTE, CLASS_LIST, STYLE, VISIBILITY, WIDGETS, COMPONENT)

_WORD = re.compile(r"\"[^\"]*\"|'[^']*'|[\w-]+=(?:\"[^\"]*\"|'[^']*')|\S+")
_NAME = re.compile(r"[\w.:-]+(?:@\w+)?")
_IDENTIFIER = re.compile(r"[A-Za-z]\w*")
_FLAGS: Final = frozenset({"required", "many"})
_OPTIONS: Final = frozenset({"kinds", "aliases", "deprecated", "data"})


class DeclarationInvalid(ValueError):
    """A slot tag cannot be understood; the message is a sentence with the next step."""


@dataclass(frozen=True, slots=True)
class Declaration:
    """Hold one declared slot.

    `kinds` are the kinds of value that it takes, in the order in which they are tried; empty: any. `required`: it may not be
    left empty. `many`: insertions may stand beside each other in it. `aliases` are names that it had before. `deprecated` is
    the sentence that says what to use instead, empty where it is not. `data` are the names that its content may use in
    addition, each with the expression that gives its value.
    """

    name: str
    kinds: tuple[str, ...] = ()
    required: bool = False
    many: bool = False
    aliases: tuple[str, ...] = ()
    deprecated: str = ""
    data: tuple[tuple[str, str], ...] = ()

    @property
    def version(self) -> str:
        """Return what stands after `@` in the name, empty where nothing does."""
        return self.name.partition("@")[2]

    def takes(self, kind: str) -> bool:
        """Say whether a value of that kind may be put in; rich text includes text."""
        return not self.kinds or kind in self.kinds or (kind == TEXT and RICH_TEXT in self.kinds)

    def as_json(self) -> dict[str, Any]:
        """Return the declaration as a JSON object; members with their default value are left out."""
        found: dict[str, Any] = {"name": self.name}
        for member in ("kinds", "required", "many", "aliases", "deprecated"):
            value = getattr(self, member)
            if value:
                found[member] = list(value) if isinstance(value, tuple) else value
        if self.data:
            found["data"] = dict(self.data)
        return found


def read(text: str) -> Declaration:
    """Return what a slot tag declares; `text` is the whole tag, `{% slot … %}`.

    Raises:
        DeclarationInvalid: the name is missing, or an option is unknown, repeated or malformed.
    """
    words = _WORD.findall(text[2:-2])[1:]
    if not words or words[0][0] not in "\"'" or words[0][-1] != words[0][0] or not _NAME.fullmatch(words[0][1:-1]):
        raise DeclarationInvalid(f'{text}: a slot takes one quoted name first, {{% slot "actions" %}} or {{% slot "price@2" %}}.')
    name = words[0][1:-1]
    options: dict[str, str] = {}
    for word in words[1:]:
        key, equals, value = word.partition("=")
        if key in options:
            raise DeclarationInvalid(f"{text}: {key} stands twice. Remove one.")
        if key in _FLAGS and not equals:
            options[key] = "yes"
        elif key in _OPTIONS and len(value) >= 2 and value[0] in "\"'" and value[0] == value[-1]:
            options[key] = value[1:-1]
        else:
            known = ", ".join(sorted(_FLAGS | {f'{option}="…"' for option in _OPTIONS}))
            raise DeclarationInvalid(f"{text}: a slot has no {word}. It may have {known}.")
    return Declaration(
        name=name,
        kinds=_kinds(text, options.get("kinds", "")),
        required="required" in options,
        many="many" in options,
        aliases=_aliases(text, name, options.get("aliases", "")),
        deprecated=options.get("deprecated", "").strip(),
        data=_data(text, options.get("data", "")),
    )


def _kinds(text: str, value: str) -> tuple[str, ...]:
    found = tuple(dict.fromkeys(value.split()))
    for kind in found:
        if kind not in KINDS:
            raise DeclarationInvalid(f"{text}: there is no kind {kind}. The kinds are {', '.join(KINDS)}.")
    return found


def _aliases(text: str, name: str, value: str) -> tuple[str, ...]:
    found = tuple(dict.fromkeys(value.split()))
    for alias in found:
        if alias == name or not _NAME.fullmatch(alias):
            raise DeclarationInvalid(f"{text}: {alias} is no earlier name of this slot. Remove it or mend the spelling.")
    return found


def _data(text: str, value: str) -> tuple[tuple[str, str], ...]:
    found: dict[str, str] = {}
    for word in value.split():
        name, _, expression = word.partition("=")
        if not _IDENTIFIER.fullmatch(name) or name in found:
            raise DeclarationInvalid(f'{text}: data takes names, each once, such as data="item=tag number=forloop.counter".')
        found[name] = expression or name
    return tuple(found.items())


def declarations(tree: Tree) -> dict[int, Declaration]:
    """Return what a template declares, by the order of the slot's node; tags that cannot be read are left out.

    Kept in the tree's memo.
    """
    found: dict[int, Declaration] | None = tree.memo.get("declarations")
    if found is None:
        found = {}
        for node in tree.nodes:
            if is_slot(node):
                try:
                    found[node.order] = read(tree.open(node))
                except DeclarationInvalid:
                    continue
        tree.memo["declarations"] = found
    return found


def renamed(tree: Tree) -> dict[str, Node]:
    """Return slots by the names that they had before: names that one slot claims and none bears. Kept in the tree's memo."""
    found: dict[str, Node] | None = tree.memo.get("renamed")
    if found is None:
        declared = declarations(tree)
        claimed = Counter(alias for each in declared.values() for alias in each.aliases)
        borne = {each.name for each in declared.values()}
        found = tree.memo["renamed"] = {
            alias: tree.nodes[order]
            for order, each in declared.items()
            for alias in each.aliases
            if claimed[alias] == 1 and alias not in borne
        }
    return found


def is_slot(node: Node) -> bool:
    """Say whether a node is a declared slot."""
    return node.kind == nodes.BLOCK and node.name == DECLARING
