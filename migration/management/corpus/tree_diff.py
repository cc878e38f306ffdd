"""xmldiff's fast mode as a peer of translation: the time it needs to compare the same pair, trees handed to it ready.

Two readings of "the same pair", both reported. *Template trees* say what the engine has to see: every template construct is an
element, every attribute an attribute. *HTML trees* are what lxml's lenient parser makes of the source: template tags become text
or odd attributes, so there is less to compare, and a difference in them cannot be told.
"""

import re
import time
from collections.abc import Callable
from typing import Final

from lxml import etree

from slots.markup.tree import attributes, parse
from slots.markup.tree.nodes import ROOT, TAGGED, Node, Tree

try:
    from xmldiff import main as xmldiff
except ImportError:  # a tool of development: production runs without it
    xmldiff = None  # type: ignore[assignment]

_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
_NOT_XML: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

TreeOf = Callable[[str], etree._Element | None]


def is_installed() -> bool:
    """Say whether xmldiff can be imported."""
    return xmldiff is not None


def milliseconds(tree_of: TreeOf, *, base: str, customized: str) -> float | None:
    """Return the processor time that xmldiff's fast mode needs for the pair; None where it is missing or stumbles.

    Neither parsing nor mending is timed. Like ours it runs once, without a round to warm up.
    """
    trees = _trees(tree_of, base, customized)
    if trees is None:
        return None
    started = time.process_time()
    compared = _compare(*trees)
    return (time.process_time() - started) * 1000 if compared else None


def comparison(tree_of: TreeOf, left: str, right: str) -> Callable[[], bool] | None:
    """Return a call that compares the two sources with trees already built; None where xmldiff is missing or stumbles."""
    trees = _trees(tree_of, left, right)
    if trees is None or not _compare(*trees):
        return None
    return lambda: _compare(*trees)


def _trees(tree_of: TreeOf, left: str, right: str) -> tuple[etree._Element, etree._Element] | None:
    if not is_installed():
        return None
    try:
        one, other = tree_of(left), tree_of(right)
    except (etree.LxmlError, ValueError):
        return None
    return None if one is None or other is None else (one, other)


def _compare(left: etree._Element, right: etree._Element) -> bool:
    try:
        xmldiff.diff_trees(left, right, diff_options={"fast_match": True, "ratio_mode": "fast"})  # type: ignore[no-untyped-call]
    except (etree.LxmlError, ValueError, KeyError, TypeError, AttributeError, IndexError):
        return False
    return True


def template_tree(source: str) -> etree._Element:
    """Return the tree of a template with its constructs as elements and its attributes as attributes."""
    tree = parse(source)
    builder = etree.TreeBuilder()
    pending: list[tuple[Node, bool]] = [(tree.root, True)]
    while pending:
        node, opens = pending.pop()
        name = _xml_name(node.name) if node.kind in TAGGED else node.kind
        if not opens:
            builder.end(name)
            continue
        builder.start(name, _attributes(tree, node))
        if node.kind != ROOT and node.kind not in TAGGED:
            builder.data(_xml_text(" ".join(tree.open(node).split())))
        pending.append((node, False))
        pending.extend((kid, True) for kid in reversed(node.kids))
    return builder.close()


def _attributes(tree: Tree, node: Node) -> dict[str | bytes, str | bytes]:
    if node.kind not in TAGGED:
        return {}
    return {_xml_name(part.key): _xml_text(part.value or "") for part in attributes.read(tree.open(node)).parts}


def html_tree(source: str) -> etree._Element | None:
    """Return what lxml's HTML parser makes of a template, with names that xmldiff can create; None for an empty source."""
    parsed = etree.fromstring(source, etree.HTMLParser(remove_comments=True, remove_pis=True))
    if parsed is None:
        return None
    builder = etree.TreeBuilder()
    for event, element in etree.iterwalk(parsed, events=("start", "end")):
        name = _xml_name(str(element.tag))
        if event == "start":
            builder.start(name, {_xml_name(str(key)): str(value) for key, value in element.items()})
            builder.data(element.text or "")
        else:
            builder.end(name)
            if element is not parsed:
                builder.data(element.tail or "")
    return builder.close()


def _xml_name(name: str) -> str:
    return name if _NAME.fullmatch(name) else "t" + re.sub(r"[^A-Za-z0-9_-]", "_", name)


def _xml_text(text: str) -> str:
    return _NOT_XML.sub("?", text)
