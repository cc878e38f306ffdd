"""Eight edits of one element, made on the text of the source.

Each is a function of source, element and stroke. A stroke fixes what both releases have to share for the answer to be
known: the new text and whether it goes on lines of its own.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from migration.management.corpus.synthetic.locator import RAW, Element

# What fits beside an element, and what fits inside it, where not every element does.
BESIDE: Final = {"li": "li", "tr": "tr", "td": "td", "th": "th", "option": "option", "dt": "dt", "dd": "dd", "tbody": "tbody"}
INSIDE: Final = {
    "ul": "li", "ol": "li", "table": "tbody", "tbody": "tr", "thead": "tr", "tr": "td", "select": "option", "dl": "dt",
}  # fmt: skip
FILLED: Final = {"tr": "<td>{0}</td>", "tbody": "<tr><td>{0}</td></tr>"}
INLINE: Final = frozenset("a abbr b button code em i img input label select small span strong textarea".split())
NOT_WRAPPED: Final = frozenset(
    "html head body title meta link base tr td th tbody thead tfoot col colgroup caption option optgroup dt dd".split()
)
ALONE: Final = frozenset("html head body".split())
HEAD: Final = frozenset("title meta link base script style".split())
# An edit that removes more than this share of the source is a rewrite.
MOST_REMOVED: Final = 0.5
DEEPER: Final = "  "


@dataclass(frozen=True, slots=True)
class Stroke:
    """Hold what an edit writes: a mark that occurs nowhere else, the form of the fragment, and lines of its own or not."""

    mark: str
    form: int
    on_lines: bool


def add_class(source: str, element: Element, stroke: Stroke) -> str:
    """Give the element one more class."""
    there = element.attribute("class")
    if there is None:
        return _splice(source, _after_name(element), _after_name(element), f' class="{stroke.mark}"')
    return _splice(source, there.end, there.end, f" {stroke.mark}" if there.value.strip() else stroke.mark)


def set_attribute(source: str, element: Element, stroke: Stroke) -> str:
    """Give the element an attribute, or the one that it has another value (form 1: title)."""
    name = "title" if stroke.form % 2 else "data-note"
    there = element.attribute(name)
    if there is not None:
        return _splice(source, there.start, there.end, stroke.mark)
    return _splice(source, _after_name(element), _after_name(element), f' {name}="{stroke.mark}"')


def insert_before(source: str, element: Element, stroke: Stroke) -> str:
    """Put a fragment before the element."""
    text = _fragment(BESIDE.get(element.name, ""), element, stroke)
    ending = "\n" + _indent(source, element.start) if stroke.on_lines else ""
    return _splice(source, element.start, element.start, text + ending)


def insert_after(source: str, element: Element, stroke: Stroke) -> str:
    """Put a fragment after the element."""
    text = _fragment(BESIDE.get(element.name, ""), element, stroke)
    beginning = "\n" + _indent(source, element.start) if stroke.on_lines else ""
    return _splice(source, element.end, element.end, beginning + text)


def prepend(source: str, element: Element, stroke: Stroke) -> str:
    """Put a fragment at the beginning of the element's content."""
    text = _fragment(INSIDE.get(element.name, ""), element, stroke)
    beginning = "\n" + _indent(source, element.start) + DEEPER if stroke.on_lines else ""
    return _splice(source, element.inside, element.inside, beginning + text)


def append(source: str, element: Element, stroke: Stroke) -> str:
    """Put a fragment at the end of the element's content."""
    text = _fragment(INSIDE.get(element.name, ""), element, stroke)
    if not stroke.on_lines:
        return _splice(source, element.after, element.after, text)
    line = source.rindex("\n", 0, element.after) + 1
    return _splice(source, line, line, _indent(source, element.after) + DEEPER + text + "\n")


def remove(source: str, element: Element, stroke: Stroke) -> str:
    """Take the element away, with its lines where it has lines of its own."""
    if not stroke.on_lines:
        return _splice(source, element.start, element.end, "")
    end = source.find("\n", element.end)
    return _splice(source, source.rfind("\n", 0, element.start) + 1, len(source) if end < 0 else end + 1, "")


def wrap(source: str, element: Element, stroke: Stroke) -> str:
    """Put the element into another one."""
    name = "ul" if element.name == "li" else "span" if element.name in INLINE else "div"
    space = "\n" + _indent(source, element.start) if stroke.on_lines else ""
    inner = source[element.start : element.end]
    return _splice(source, element.start, element.end, f'<{name} class="{stroke.mark}">{space}{inner}{space}</{name}>')


Edit = Callable[[str, Element, Stroke], str]
EDITS: Final[dict[str, Edit]] = {
    "add_class": add_class,
    "set_attribute": set_attribute,
    "insert_before": insert_before,
    "insert_after": insert_after,
    "prepend": prepend,
    "append": append,
    "remove": remove,
    "wrap": wrap,
}


def is_possible(edit: str, source: str, element: Element) -> bool:
    """Tell whether the edit makes sense on the element."""
    if edit == "add_class":
        return "class" not in element.conditional
    if edit == "set_attribute":
        return not {"title", "data-note"} & element.conditional
    if edit in ("prepend", "append"):
        return not element.is_void and element.name not in RAW | {"html", "head"}
    if edit == "wrap":
        return element.name not in NOT_WRAPPED
    if edit == "remove":
        return element.name not in ALONE and element.end - element.start <= MOST_REMOVED * len(source)
    return element.name not in ALONE


def has_lines(edit: str, source: str, element: Element) -> bool:
    """Tell whether the edit can be made on whole lines: the element, or the tag next to which the edit goes, has its own."""
    if edit == "prepend":
        return _blank_before(source, element.start) and _blank_after(source, element.inside)
    if edit == "append":
        return "\n" in source[element.inside : element.after] and _blank_before(source, element.after)
    return _blank_before(source, element.start) and _blank_after(source, element.end)


def _fragment(name: str, element: Element, stroke: Stroke) -> str:
    """Return new markup of one of three forms; the tag is one that fits the place where there is a choice."""
    if element.name in HEAD:
        return f'<meta name="{stroke.mark}" content="note">'
    text = (f"Note {stroke.mark}", f"{{{{ {stroke.mark.replace('-', '_')} }}}}", f'{{% translate "Note {stroke.mark}" %}}')
    inner = text[stroke.form % len(text)]
    name = name or ("span" if element.name in INLINE else "p")
    return f'<{name} class="{stroke.mark}">{FILLED.get(name, "{0}").format(inner)}</{name}>'


def _splice(source: str, start: int, end: int, text: str) -> str:
    return source[:start] + text + source[end:]


def _after_name(element: Element) -> int:
    return element.start + 1 + len(element.name)


def _indent(source: str, position: int) -> str:
    line = source[source.rfind("\n", 0, position) + 1 : position]
    return line[: len(line) - len(line.lstrip())]


def _blank_before(source: str, position: int) -> bool:
    return not source[source.rfind("\n", 0, position) + 1 : position].strip()


def _blank_after(source: str, position: int) -> bool:
    end = source.find("\n", position)
    return end >= 0 and not source[position:end].strip()
