"""Measure how fine a list of operations is: what it costs against what the change must cost at least.

The cost of an operation is the bytes of the base that it covers and the bytes of its payload; what fills a hole is covered
by nobody. F = 1 − cost / (|X| + |C|) for base X and result C; F* = 2·LCS / (|X| + |C|) with the LCS over tokens, weighed in
bytes, is the best that a token difference could reach; φ = min(1, F / F*). A replaced document has φ = 0, whatever its F.
White space is not counted on either side: it is layout.
"""

import re
from collections import Counter
from collections.abc import Sequence
from typing import Final

from slots.markup import ops
from slots.markup.address import resolve
from slots.markup.ops import Operation
from slots.markup.tree.nodes import Node, Tree

_TOKEN = re.compile(
    r"\{%(?:[^\n{%]|\{(?!%)|%(?!\}))*+%\}"  # never read twice: see needs.py
    r"|\{\{(?:[^\n{}]|\{(?!\{)|\}(?!\}))*+\}\}"
    r"|</?[a-zA-Z][\w:.-]*|\w+|[^\w\s]"
)
MAX_CELLS: Final = 60_000_000  # above, the tokens between the common ends are compared as a set, an upper bound


def size(text: str) -> int:
    """Return the number of bytes that are not white space."""
    return len("".join(text.split()).encode("utf-8", "surrogatepass"))


def fineness(base: Tree, custom: str, operations: Sequence[Operation]) -> float:
    """Return φ of the operations that turn the base into the customized source."""
    if any(operation.kind == ops.REPLACE_SOURCE for operation in operations):
        return 0.0
    total = size(base.source) + size(custom)
    common = _common(_TOKEN.findall(base.source), _TOKEN.findall(custom))
    if not total or not common:
        return 1.0
    spent = sum(cost(base, operation) for operation in operations if not operation.layout)
    return max(0.0, min(1.0, (1 - spent / total) / (2 * common / total)))


def cost(base: Tree, operation: Operation) -> int:
    """Return the bytes of base covered by an operation and of its payload."""
    covered = sum(size(text) for text in operation.displaced)
    if operation.kind in ops.STRUCTURAL and operation.displaced:
        displaced = [resolve(base, address) for address in (operation.address, *operation.targets)]
        for address in operation.holes:
            hole = resolve(base, address)
            if isinstance(hole, Node) and any(isinstance(node, Node) and node.contains(hole) for node in displaced):
                covered -= size(base.text(hole))
    elif operation.kind in (ops.ADD_CLASS, ops.REMOVE_CLASS):
        covered = 0
    return covered + size(operation.text)


def _common(left: list[str], right: list[str]) -> int:
    """Return the bytes of a longest common subsequence, by bit-parallel rows (Hyyrö 2004) that are traced back."""
    start = 0
    while start < len(left) and start < len(right) and left[start] == right[start]:
        start += 1
    end = 0
    while end < min(len(left), len(right)) - start and left[-1 - end] == right[-1 - end]:
        end += 1
    total = sum(map(size, left[:start])) + sum(map(size, left[len(left) - end :]))
    left, right = left[start : len(left) - end], right[start : len(right) - end]
    if not left or not right:
        return total
    if len(left) * len(right) > MAX_CELLS:
        both = Counter(left) & Counter(right)
        return total + sum(size(token) * count for token, count in both.items())
    return total + _traced(left, right)


def _traced(left: list[str], right: list[str]) -> int:
    """Return the bytes of the subsequence that the rows of bits describe."""
    masks: dict[str, int] = {}
    for index, token in enumerate(right):
        masks[token] = masks.get(token, 0) | 1 << index
    row = full = (1 << len(right)) - 1
    rows = [row]
    for token in left:
        mask = masks.get(token, 0)
        row = ((row + (row & mask)) | (row & ~mask)) & full
        rows.append(row)
    total = 0
    i, j = len(left), len(right)
    while i and j:
        bit = 1 << (j - 1)
        if rows[i] & bit:  # the right token adds nothing
            j -= 1
            continue
        if rows[i - 1] & bit:  # only with the left token does it add: this pair is in the subsequence
            total += size(left[i - 1])
            j -= 1
        i -= 1
    return total
