"""What has to hold for every input: a law takes base, customization and later release, and raises where it does not."""

from random import Random

from migration.engine import diff as diffs
from migration.engine import patch
from migration.engine.compare import compare
from migration.engine.translate import translate, translate_sources
from slots.errors import Refusal
from slots.markup import canonical, ops, rebase
from slots.markup.compose import compose
from slots.markup.tree import parse, serialize
from tests.fuzz.grammar import broken_lines

PATH = "template.html"


def lossless(base, ours, theirs):
    """Parsing keeps every character, and nodes lie in their parents, one after the other."""
    for source in (base, ours, theirs):
        tree = parse(source)
        assert serialize(tree) == source
        for node in tree.nodes:
            for left, right in zip(node.kids, node.kids[1:], strict=False):
                assert left.end <= right.start
            for kid in node.kids:
                assert node.start <= kid.start <= kid.end <= node.end
        assert canonical.equal(source, source)


def translated(base, ours, theirs):
    """Translation proves itself, and composing what was stored gives the patched source to the byte."""
    found = translate_sources(base, ours)
    stored = ops.loads(ops.dumps(found.operations))
    composed = compose(base, stored)
    assert found.proven
    assert composed.issues == ()
    assert composed.source == ours
    assert canonical.equal(compose(base, stored, layout=False).source, ours)
    text = diffs.make(base, ours, path=PATH)
    parsed = diffs.parse(text)
    if isinstance(parsed, Refusal):
        assert parsed.code in ("DIFF_EMPTY", "DIFF_BINARY", "DIFF_NOT_UTF8"), parsed
        return
    assert diffs.print_diff(parsed) == text
    from_diff = translate(base, parsed)
    assert not isinstance(from_diff, Refusal), from_diff
    assert from_diff.source == ours
    assert compose(base, from_diff.operations).source == ours


def carried(base, ours, theirs):
    """An upgrade never raises, answers for every operation, and its result is what its operations make of the new base."""
    operations = translate_sources(base, ours).operations
    found = rebase.rebase(operations, rebase.prepare(base, theirs))
    assert [outcome.operation_id for outcome in found.outcomes] == [operation.id for operation in operations]
    composed = compose(theirs, found.operations)
    assert composed.source == found.source
    assert composed.issues == ()
    conflicts = {outcome.operation_id for outcome in found.outcomes if outcome.status is rebase.Status.CONFLICT}
    assert not conflicts & {operation.id for operation in found.operations}
    assert not (found.automatic and conflicts)
    if not operations:
        assert found.source == theirs


def stays(base, ours, theirs):
    """An upgrade to the same base changes nothing and asks nobody."""
    operations = translate_sources(base, ours).operations
    found = rebase.rebase(operations, rebase.prepare(base, base))
    assert found.automatic, [outcome.as_json() for outcome in found.outcomes]
    assert found.source == ours


def arrives(base, ours, theirs):
    """An upgrade to a base that is the customization itself gives that base, or says that it does not."""
    operations = translate_sources(base, ours).operations
    found = rebase.rebase(operations, rebase.prepare(base, ours))
    assert not found.automatic or canonical.equal(found.source, ours)


def compared(base, ours, theirs):
    """Comparison is symmetric, and 1 exactly for what is equal."""
    for left, right in ((base, ours), (ours, theirs), (base, base)):
        one, other = compare(left, right), compare(right, left)
        assert one.equal == other.equal
        assert one.similarity == other.similarity
        assert one.equal == (one.similarity == 1.0) == (one.left_digest == one.right_digest)
        assert 0.0 <= one.similarity <= 1.0
        assert bool(one.first_difference) != one.equal
        assert one.equal or not one.proven
        assert one.equal or left != right


def read(base, ours, theirs):
    """A broken diff is refused with a code or read and printed back to the character; applying it never raises."""
    chance = Random(len(base) * 31 + len(ours))
    lines = diffs.make(base, ours, path=PATH).split("\n")
    for _ in range(4):
        text = "\n".join(broken_lines(chance, lines))
        parsed = diffs.parse(text)
        if isinstance(parsed, Refusal):
            assert parsed.code
            continue
        assert diffs.print_diff(parsed) == text
        for source in (base, theirs):
            strict, lenient = patch.apply(source, parsed), patch.apply_like_gnu(source, parsed)
            assert isinstance(strict, Refusal | patch.Patched)
            assert isinstance(lenient, Refusal | patch.Patched)


LAWS = {law.__name__: law for law in (lossless, translated, carried, stays, arrives, compared, read)}
