"""What the guard says, in plain words: count everything in all four sources, then compare the counts.

The guard itself works on differences, which is faster and less plain; the tests hold the two against each other.
"""

import re
from collections import Counter

from slots.errors import IssueCode
from slots.markup.address import labels
from slots.markup.rebase import loads, spelling, tokens
from slots.markup.rebase.pairing import is_telling
from slots.markup.tree import nodes
from slots.markup.tree.scan import VOID_NAMES

END_MAY_MISS = frozenset("p li option optgroup tr td th tbody thead tfoot colgroup dt dd html head body".split())
ONLY_CLOSES = re.compile(r"(?:</[\w-]+>|\{%\s*(?:end\w+|else)[^%]*%\}|\s)+")


def findings(pairing, ours, result, kept):
    """Return code and tokens of everything that is wrong with a result, in the guard's order."""
    trees = (pairing.old, ours, pairing.new, result)
    base, edited, theirs, after = (Counter(token for node in tree.nodes for token in tokens.of(tree, node)) for tree in trees)
    said = [Counter(spelling.label(tree, node) for node in tree.nodes if node.kind not in spelling.SILENT) for tree in trees]
    lines = [_lines(tree) for tree in trees]

    found = [(IssueCode.TARGET_MISSING, missing(base, edited, theirs, after))]
    shadowed = {label for label in twice(*said) if not said[0][label]} | set(twice(*lines))
    found.append((IssueCode.OP_SHADOWED, shadowed))
    came = Counter(pairing.new_label(node) for node in pairing.new.nodes if pairing.origin(node) is None)
    gone = Counter(pairing.old_label(node) for node in pairing.old.nodes if pairing.partner(node) is None)
    back = undone(base, edited, theirs, after)
    for label, count in said[0].items():
        allowed = said[1][label] + max(0, came[label] - gone[label])
        if said[1][label] < count and gone[label] and is_telling(label) and said[3][label] > allowed:
            back.add(label)
    found.append((IssueCode.BASE_CHANGED, back))

    lost = missing(base, theirs, edited, after)
    for texts in kept:
        lost -= tokens.counted_text(texts.theirs)
    found.append((IssueCode.BASE_CHANGED, lost))
    rarer = Counter()
    for token, was in base.items():
        now, there = edited[token], theirs[token]
        if now <= was and there <= was:
            rarer[token] = max(0, now + there - was - after[token])
    rarer = +rarer
    for texts in kept:
        rarer -= tokens.counted_text(texts.theirs)
    found.append((IssueCode.BASE_CHANGED, rarer))
    excused = {token for texts in kept for text in (texts.base, texts.ours) for token in tokens.counted_text(text)}
    found.append((IssueCode.BASE_CHANGED, undone(base, theirs, edited, after) - excused))

    unpaired = [_unpaired(tree) for tree in trees]
    loose = {name for name in unpaired[3] if unpaired[3][name] not in {each[name] for each in unpaired[:3]}}
    found.append((IssueCode.WRAP_CONFLICT, loose - END_MAY_MISS))
    names = [_names(tree) for tree in trees]
    known = names[0] | names[1] | names[2]
    found.append((IssueCode.DUPLICATE_ID, {name for name, count in names[3].items() if count > max(1, known[name])}))
    found.append((IssueCode.REQUIREMENT_MISSING, loads.missing(pairing, ours, result)))
    return [(code, frozenset(texts)) for code, texts in found if texts]


def missing(base, side, other, result):
    """Return what a side added and the result lacks."""
    found = Counter()
    for token, now in side.items():
        if now > base[token]:
            there = other[token]
            needed = max(now, there) if there > base[token] else now + there - base[token]
            found[token] = max(0, needed - result[token])
    return +found


def undone(base, side, other, result):
    """Return what a side took away and the result has again."""
    found = set()
    for token, was in base.items():
        now, there = side[token], other[token]
        allowed = min(now, there) if there < was else now + there - was
        if now < was and is_telling(token) and result[token] > allowed:
            found.add(token)
    return found


def twice(base, ours, theirs, result):
    """Return what both sides added and the result has more often than either."""
    return [
        text
        for text, now in ours.items()
        if base[text] < now and base[text] < theirs[text] and result[text] > max(now, theirs[text]) and is_telling(text)
    ]


def _lines(tree):
    lines = (line.strip() for line in tree.source.split("\n"))
    return Counter(line for line in lines if line and not ONLY_CLOSES.fullmatch(line))


def _unpaired(tree):
    found = Counter()
    for node in tree.nodes:
        if node.kind == nodes.LOOSE and node.name not in VOID_NAMES:
            found[node.name] += 1
        elif node.kind == nodes.CLOSE or (node.kind == nodes.TAG and node.name.startswith("end")):
            found[node.name] -= 1
    return found


def _names(tree):
    found = Counter()
    for node in tree.nodes:
        text = tree.open(node)
        if node.kind in nodes.TAGGED:
            found.update(f"block:{name}" for name in re.findall(r"\{%\s*block\s+(\w+)", text))
        elif node.kind in (nodes.BLOCK, nodes.TAG):
            found.update(f"id:{name}" for name in re.findall(r"\sid=[\"']([\w-]+)[\"']", text))
        else:
            continue
        identity = labels.identity(tree, node)
        found.update([identity] if identity else [])
    return found
