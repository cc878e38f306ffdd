"""Say in one sentence what an operation does, for operators."""

from html import unescape
from typing import Final

from slots.markup.ops import operation as kinds
from slots.markup.ops.operation import Operation

LONGEST: Final = 60  # characters of a payload that a sentence quotes

_SENTENCES: Final = {
    kinds.SET_TEXT: "Replace the text of {place} by “{text}”.",
    kinds.SET_ATTR: "Set {name} of {place} to “{text}”.",
    kinds.REMOVE_ATTR: "Remove {name} from {place}.",
    kinds.ADD_CLASS: "Add the class {text} to {place}.",
    kinds.REMOVE_CLASS: "Remove the class {text} from {place}.",
    kinds.SET_STYLE: "Set the style {name} of {place} to “{text}”.",
    kinds.UNSET_STYLE: "Remove the style {name} from {place}.",
    kinds.SET_TAG_ARGS: "Replace the template tag {place} by “{text}”.",
    kinds.RENAME: "Turn {place} into <{text}>.",
    kinds.REMOVE: "Remove {places}.",
    kinds.HIDE: "Hide {place}.",
    kinds.REPLACE: "Replace {places} by “{text}”.",
    kinds.WRAP: "Put “{text}” around {held}.",
    kinds.UNWRAP: "Take {places} away and keep {held}.",
    kinds.SET_OPEN_TAG: "Replace the open tag of {place} by “{text}”.",
    kinds.REPLACE_SOURCE: "Replace the whole template.",
}
_WHERE: Final = {
    kinds.BEFORE: "before {place}",
    kinds.AFTER: "after {place}",
    kinds.PREPEND: "at the start of {place}",
    kinds.APPEND: "at the end of {place}",
}


def describe(operation: Operation) -> str:
    """Return one English sentence such as: Replace the text of card/footer/buy-button by “Order now”."""
    place = operation.address.name
    others = len(operation.targets)
    values = {
        "place": place,
        "places": f"{place} and {others} more after it" if others else place,
        "name": operation.name,
        "text": quote(_as_typed(operation.text)),
        "held": join([hole.name for hole in operation.holes]) or place,
    }
    where = _WHERE.get(operation.place, "in place of {place}").format(**values)
    if operation.name == kinds.SPACE and operation.kind == kinds.SET_TEXT:
        return f"Change the white space inside {place}."
    if operation.name == kinds.CLOSE:
        return f"Replace the end tag of {place} by “{values['text']}”."
    if operation.kind == kinds.INSERT:
        return f"Insert “{values['text']}” {where}."
    if operation.kind == kinds.MOVE:
        return f"Move {values['held']} {where}."
    if operation.kind == kinds.SET_ATTR and not operation.payload:
        return f"Set {operation.name} on {place}."
    return _SENTENCES[operation.kind].format(**values)


def _as_typed(text: str) -> str:
    """Return a payload without markup as the text that it shows, so that no character reference stands in a sentence."""
    return text if "<" in text or "{" in text else unescape(text)


def quote(text: str) -> str:
    """Return a text on one line, cut where it is long."""
    line = " ".join(text.split())
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 1].rstrip()}…"


def join(names: list[str]) -> str:
    """Return names as a list in a sentence, cut after the third."""
    if len(names) > 3:
        return f"{', '.join(names[:3])} and {len(names) - 3} more"
    return " and ".join(names) if len(names) < 3 else f"{names[0]}, {names[1]} and {names[2]}"
