"""How libxml2 (through lxml) reads a page. It is lenient in its own way, and drops what stands after `</html>`."""

from collections.abc import Iterable

from lxml import etree

from migration.engine.compare.documents import context
from migration.engine.compare.limits import MAX_PAGE_NODES, TooManyNodes, Unreadable
from migration.engine.compare.markup import COMMENTED, attribute_name, comment, escaped, quoted, tag_name


def read(html: str, *, odd_names: bool = False) -> str:
    """Return the page's markup; `odd_names` spells names of tags and attributes so that they can be told apart.

    Raises:
        Unreadable: if libxml2 ran into one of its limits and would have dropped content.
        TooManyNodes: if the page has too many elements.
    """
    parser = etree.HTMLParser(huge_tree=True, encoding="utf-8")
    root = etree.fromstring(f"{'<body>' if context(html) else ''}{html}".encode(), parser)
    for error in parser.error_log:
        if error.level == etree.ErrorLevels.FATAL:
            raise Unreadable(f"PARSER_LIMIT: libxml2 gave up ({error.message}); split the page or flatten it.")
    if root is None:  # libxml2 makes nothing of a document that is only a doctype; lexbor then decides
        return ""
    markup = _walked(root) if odd_names else etree.tostring(root, method="c14n").decode()
    if "<!--" in markup:
        markup = COMMENTED.sub(lambda found: comment(found[1]), markup)
    if markup.count("</") > MAX_PAGE_NODES:
        raise TooManyNodes
    return markup


def _walked(root: etree._Element) -> str:
    """Return the markup, element by element, with names that no piece can be mistaken in."""
    spelled: list[str] = []
    ends: list[str] = []
    for event, node in etree.iterwalk(root, events=("start", "end", "comment", "pi")):
        if event == "start":
            name = tag_name(str(node.tag))
            spelled.append(f"<{name}{_attributes(node.items())}>{escaped(node.text or '')}")
            ends.append(f"</{name}>")
            continue
        if event == "end":
            spelled.append(ends.pop())
        elif event == "comment":
            spelled.append(comment(node.text or ""))
        if node.tail and node is not root:
            spelled.append(escaped(node.tail))
    return "".join(spelled)


def _attributes(items: Iterable[tuple[str | bytes, str | bytes]]) -> str:
    return "".join([f' {attribute_name(str(name))}="{quoted(str(value))}"' for name, value in items])
