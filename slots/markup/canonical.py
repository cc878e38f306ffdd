"""Bring a template source to a form that is equal for sources which render the same page up to declared differences.

Ignored: the order of attributes and of class tokens and repeated class tokens; quotes around values; white space in tags;
the layout of white space in text (a run is one space; beside block-level elements and at both ends of the source, none);
how a character is written (`&eacute;`, é; `&nbsp;` is U+00A0 and stays); white space between the arguments of template
tags; the name after `endblock`; a slash at the end of a void element; upper and lower case of names; how a boolean
attribute is written; where and in how many tags libraries are loaded (`load` is a set); white space around style
declarations. Kept to the byte: content of `pre`, `textarea`, `script`, `style` and `blocktranslate`, comments, `verbatim`.
White space beside other template tags is kept as present or absent, because `a{% if b %} c{% endif %}` needs it. Cost:
linear.
"""

import re
from functools import lru_cache
from html import unescape
from typing import Final

from slots.markup.tree import attributes, nodes, parse
from slots.markup.tree.attributes import Part
from slots.markup.tree.nodes import Node, Tree
from slots.markup.tree.scan import VOID_NAMES

PRESERVING: Final = frozenset({"pre", "textarea", "script", "style", "blocktrans", "blocktranslate"})
BLOCK_LEVEL: Final = frozenset(
    {
        "address", "article", "aside", "base", "blockquote", "body", "br", "caption", "center", "col", "colgroup", "dd",
        "details", "dialog", "dir", "div", "dl", "dt", "fieldset", "figcaption", "figure", "footer", "form", "frameset",
        "h1", "h2", "h3", "h4", "h5", "h6", "head", "header", "hgroup", "hr", "html", "legend", "li", "link", "main",
        "menu", "meta", "nav", "noscript", "ol", "optgroup", "option", "p", "pre", "script", "search", "section", "style",
        "summary", "table", "tbody", "td", "template", "tfoot", "th", "thead", "title", "tr", "ul",
    }
)  # fmt: skip
BOOLEAN: Final = frozenset(
    {
        "allowfullscreen", "async", "autofocus", "autoplay", "checked", "controls", "default", "defer", "disabled",
        "formnovalidate", "hidden", "inert", "ismap", "itemscope", "loop", "multiple", "muted", "nomodule", "novalidate",
        "open", "playsinline", "readonly", "required", "reversed", "selected",
    }
)  # fmt: skip

_SQUEEZE = re.compile(r"\"[^\"]*\"|'[^']*'|\s+")
_RUN = re.compile(r"[ \t\n\r\f]+")
_MARK: Final = "\x1e"


def canonical(source: str | Tree) -> str:
    """Return the canonical form; equal for two sources exactly when they differ in nothing but what the module ignores."""
    tree = parse(source) if isinstance(source, str) else source
    return _Writer(tree).write()


def equal(left: str | Tree, right: str | Tree) -> bool:
    """Say whether two sources have one canonical form."""
    if isinstance(left, str) and isinstance(right, str) and left == right:
        return True
    return canonical(left) == canonical(right)


def is_block_level(node: Node) -> bool:
    """Say whether white space beside the node's tags means nothing."""
    if node.kind in (nodes.ELEMENT, nodes.LOOSE, nodes.CLOSE):
        return node.name in BLOCK_LEVEL
    return node.kind in (nodes.ROOT, nodes.DOCTYPE) or (node.kind == nodes.TAG and node.name in ("load", "extends"))


def libraries(text: str) -> frozenset[str]:
    """Return what one `{% load %}` tag loads: `i18n`, or `name from library` for single names."""
    words = text[2:-2].split()
    if words[:1] != ["load"]:
        return frozenset()
    if words[-2:-1] == ["from"] and len(words) > 3:
        return frozenset(f"{name} from {words[-1]}" for name in words[1:-2])
    return frozenset(words[1:])


@lru_cache(maxsize=8192)
def construct(text: str) -> str:
    """Return a template construct with the white space between its arguments reduced to single spaces; quoted text stays."""
    inner = _SQUEEZE.sub(lambda match: match.group() if match.group()[0] in "\"'" else " ", text[2:-2])
    return f"{text[:2]} {inner.strip()} {text[-2:]}"


@lru_cache(maxsize=8192)
def words(text: str) -> str:
    """Return text with runs of white space reduced and character references resolved, in this order."""
    reduced = _RUN.sub(" ", text)
    return unescape(reduced) if "&" in reduced else reduced


@lru_cache(maxsize=8192)
def open_tag(text: str) -> str:
    """Return the canonical form of an HTML open tag."""
    tag = attributes.read(text)
    name = tag.name.lower()
    parts = sorted(_part(part) for part in tag.parts if not (part.key == "/" and part.value is None))
    slash = "/" if "/" in tag.closing and name not in VOID_NAMES else ""
    return "\x1f".join([f"<{name}{slash}", *parts])


def _part(part: Part) -> str:
    """Return the canonical form of an attribute or a chunk."""
    if part.chunk:
        return _RUN.sub(" ", part.name)
    key = part.key
    value = part.value
    if key in BOOLEAN and (value is None or value.lower() in ("", key)):
        return key
    if value is None:
        return f"{key}="
    if key == "class":
        value = " ".join(sorted({_RUN.sub(" ", token) for token in attributes.class_tokens(value)}))
    elif key == "style":
        value = ";".join(f"{name}:{_RUN.sub(' ', rest)}" for name, rest in attributes.declarations(value))
    elif "&" in value and "{" not in value:
        value = unescape(value)
    return f"{key}={value}"


class _Writer:
    """Write the canonical form of one tree."""

    def __init__(self, tree: Tree) -> None:
        """Prepare to write."""
        self.tree = tree
        self.parts: list[str] = []
        self.loaded: set[str] = set()
        self.space = False  # white space stands before the next token
        self.glued = True  # the last token is block-level, so white space after it means nothing

    def token(self, text: str, *, glued: bool) -> None:
        """Write one token, and the space before it where that means something."""
        if self.space and not self.glued and not glued:
            self.parts.append(" ")
        self.parts.append(_MARK + text.replace(_MARK, "\x1e\x1e"))
        self.space = False
        self.glued = glued

    def _kept(self, text: str) -> None:
        """Write white space that is kept to the byte."""
        self.parts.append(text)
        self.space, self.glued = False, True

    def _text(self, text: str) -> None:
        """Write text, joined to text just before it: how a paragraph is broken into lines means nothing."""
        if self.parts and self.parts[-1].startswith(f"{_MARK}t"):
            self.parts[-1] += f"{' ' if self.space else ''}{text.replace(_MARK, _MARK + _MARK)}"
            self.space = False
        else:
            self.token(f"t{text}", glued=False)

    def write(self) -> str:
        """Walk over the nodes in document order; containers wait for the first node behind them to be closed."""
        source = self.tree.source
        waiting: list[tuple[Node, bool]] = []
        kept = 0  # the last node inside the preserving node that was met last
        for node in self.tree.nodes[1:]:
            order = node.order
            while waiting and waiting[-1][0].last < order:
                self._close(*waiting.pop())
            if order <= kept:
                self._kept(source[node.start : node.head])
            elif node.start < node.head:
                self.space = True
            self._open(node, source[node.head : node.open_end], order <= kept)
            if node.close < node.end or node.kids:
                if node.name in PRESERVING and node.last > kept:
                    kept = node.last
                waiting.append((node, order <= kept))
        while waiting:
            self._close(*waiting.pop())
        return "".join([",".join(sorted(self.loaded)), *self.parts])

    def _open(self, node: Node, text: str, kept: bool) -> None:
        """Write the open tag or the leaf."""
        kind = node.kind
        if kind in nodes.TAGGED:
            self.token(open_tag(text), glued=node.name in BLOCK_LEVEL)
        elif kind == nodes.TEXT and not kept:
            self._text(words(text))
        elif kind in nodes.TEMPLATED:
            if node.name == "load" and kind == nodes.TAG:
                self.loaded |= libraries(text)
                return
            self.token(construct(text), glued=node.name == "extends")
        elif kind == nodes.CLOSE:
            self.token(f"</{node.name}", glued=node.name in BLOCK_LEVEL)
        elif kind == nodes.DOCTYPE:
            self.token(words(text).lower(), glued=True)
        else:
            self.token(f"={text}", glued=False)

    def _close(self, node: Node, kept: bool) -> None:
        """Write the close tag."""
        tail = self.tree.tail(node)
        if kept:
            self._kept(tail)
        elif tail:
            self.space = True
        if node.close < node.end:
            html = node.kind == nodes.ELEMENT
            self.token(f"</{node.name}" if html else "{%end", glued=html and node.name in BLOCK_LEVEL)
