"""The first place where two canonical trees differ, in words."""

from typing import Final

from migration.engine.compare.markup import COMMENT
from migration.engine.compare.spelling import PAGE
from migration.engine.compare.trees import TEXT, Node

_SHOWN: Final = 60
_FRAME: Final = frozenset({PAGE, "html"})


def first_difference(left: Node, right: Node) -> str:
    """Return the path and what differs there, in document order; empty when the trees are equal.

    Example: `main > p 2: the text is “Buy” on the left and “Order” on the right`.
    """
    if left is right:
        return ""
    path: list[str] = []
    while True:
        own = _own_difference(left, right)
        if own:
            return _placed(path, own)
        pairs = zip(left.children, right.children, strict=False)
        index = next((index for index, (one, other) in enumerate(pairs) if one is not other), None)
        if index is None:
            return _placed(path, _left_over(left, right))
        one, other = left.children[index], right.children[index]
        if one.label != other.label:
            return _placed(path, f"{_described(one)} on the left, {_described(other)} on the right")
        if one.label not in _FRAME | {TEXT, COMMENT}:
            path.append(_step(left, index))
        left, right = one, other


def _own_difference(left: Node, right: Node) -> str:
    """Return what differs between two nodes of one label themselves."""
    if left.text != right.text:
        what = "conditional comment" if left.label == COMMENT else "text"
        start = next((i for i, (a, b) in enumerate(zip(left.text, right.text, strict=False)) if a != b), 0)
        return f"the {what} is {_quoted(left.text, start)} on the left and {_quoted(right.text, start)} on the right"
    ours, theirs = dict(left.attributes), dict(right.attributes)
    for name in sorted(ours.keys() | theirs.keys()):
        if name not in theirs:
            return f"the attribute {name}={_quoted(ours[name])} stands on the left only"
        if name not in ours:
            return f"the attribute {name}={_quoted(theirs[name])} stands on the right only"
        if ours[name] != theirs[name]:
            return f"the attribute {name} is {_quoted(ours[name])} on the left and {_quoted(theirs[name])} on the right"
    return ""


def _left_over(left: Node, right: Node) -> str:
    """Return which child follows on one side after all the others are equal."""
    shared = min(len(left.children), len(right.children))
    if len(left.children) > shared:
        return f"{_described(left.children[shared])} stands on the left only"
    return f"{_described(right.children[shared])} stands on the right only"


def _placed(path: list[str], what: str) -> str:
    return f"{' > '.join(path) or 'top'}: {what}"


def _step(parent: Node, index: int) -> str:
    """Return a readable name of a child: tag, id or first class, and its number among like children where it is not alone."""
    node = parent.children[index]
    attributes = dict(node.attributes)
    name = node.label
    if attributes.get("id"):
        return f"{name}#{attributes['id']}"
    if attributes.get("class"):
        name += f".{attributes['class'].split()[0]}"
    same = [place for place, child in enumerate(parent.children) if child.label == node.label]
    return f"{name} {same.index(index) + 1}" if len(same) > 1 else name


def _described(node: Node) -> str:
    if node.label == TEXT:
        return f"the text {_quoted(node.text)}"
    if node.label == COMMENT:
        return f"the conditional comment {_quoted(node.text)}"
    return f"the element <{node.label}>"


def _quoted(text: str, start: int = 0) -> str:
    """Return the text in quotes, cut around `start` where it is long."""
    begin = max(0, start - _SHOWN // 2) if len(text) > _SHOWN else 0
    shown = text[begin : begin + _SHOWN]
    return f"“{'…' if begin else ''}{shown}{'…' if begin + _SHOWN < len(text) else ''}”"
