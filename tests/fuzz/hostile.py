"""Take a source of hostile shape, or a hostile diff, through the steps of the product, and print what each of them cost.

    python -m tests.fuzz.hostile SHAPE

A step that takes text from outside gets the shape as large as a source may be (`whole`), limits or not. A step behind a door gets
as much of it as the door lets through (`allowed`): a base comes in as a component, which `limits.refusal` looks at first. A
line is printed for each step, a JSON object: step, outcome, seconds of processor time, megabytes at most.
"""

import gc
import json
import os
import resource
import sys
import time
import traceback
from functools import partial
from importlib import import_module

from migration.engine import diff as diffs
from migration.engine import patch
from migration.engine.compare import MAX_PAGE_BYTES, compare
from migration.engine.translate import translate, translate_sources
from slots.errors import Refusal
from slots.markup import canonical, limits, ops, policy, rebase
from slots.markup.address.slots import slot_map
from slots.markup.compose import compose
from slots.schema import MAX_OPERATIONS, MAX_PAYLOAD_BYTES, Contract
from tests.fuzz.bombs import BOMBS
from tests.fuzz.shapes import SHAPES

BUDGET_SECONDS = 5
CARD = '<div class="card">\n  <p>Hello</p>\n</div>\n'
# Beyond what is ever allowed to be used: a runaway ends here and not with the machine.
HARD_SECONDS = 30
HARD_BYTES = 2 * 1024**3


def step_limits(shape):
    """Look at a component that comes in, and list its slots."""
    refused = limits.refusal(shape.whole())
    return refused.code if refused is not None else f"{len(slot_map(shape.whole()))} slots"


def step_diff(shape):
    """Take a diff that brings the shape, and apply it."""
    taken = diffs.accept(whole(CARD, CARD + shape.whole()))
    if isinstance(taken, Refusal):
        return taken.code
    applied = patch.apply(CARD, taken)
    return applied.code if isinstance(applied, Refusal) else "applied"


def step_fuzzy(shape):
    """Apply a diff like GNU patch to a source that it was not made for."""
    source = shape.whole()
    parsed = diffs.parse(whole(CARD + source, CARD))
    if isinstance(parsed, Refusal):
        return parsed.code
    applied = patch.apply_like_gnu(source + CARD, parsed)
    return applied.code if isinstance(applied, Refusal) else "applied"


def step_added(shape):
    """Translate a customization that adds the shape."""
    return translated(CARD, CARD.replace("Hello", shape.whole()))


def step_removed(shape):
    """Translate a customization that takes the shape away."""
    return translated(CARD + shape.whole(), CARD)


def step_changed(shape):
    """Translate a customization that changes every other part of the shape."""
    source = shape.whole()
    return translated(source, changed(source))


def step_carried(shape):
    """Carry a small customization over a release that moves the shape."""
    source = shape.allowed()
    return carried(CARD + source, CARD.replace("Hello", "Good day") + source, source + CARD)


def step_brought(shape):
    """Find operations for a diff that was recorded for an earlier version, as an import does."""
    source = shape.allowed()
    text = whole(source, changed(source))
    road = import_module("tests.fuzz.brought")
    deadline = time.monotonic() + BUDGET_SECONDS
    return timed(lambda: road.brought(text, source, CARD + source, lambda: time.monotonic() > deadline))


def step_turned(shape):
    """Carry a customization that changes every other part over a release that turns the order of lines."""
    source = shape.allowed()
    return carried(source, changed(source), backwards(source))


def step_twice(shape):
    """Carry a customization that adds the shape over a release that adds it elsewhere."""
    source = shape.allowed(most=MAX_PAYLOAD_BYTES - 1_000)
    return carried(CARD, CARD + source, CARD.replace("Hello", source))


def step_lost(shape):
    """Carry a customization of all lines over a release that removes every third one."""
    source = shape.allowed()
    lines = source.splitlines(keepends=True)
    return carried(source, changed(source), "".join(line for number, line in enumerate(lines) if number % 3))


def step_composed(shape):
    """Compose as many operations as may be stored with a base that they were not made on."""
    source = shape.allowed()
    operations = within_budget(source, changed(source)).operations[:MAX_OPERATIONS]
    return timed(lambda: f"{len(compose(backwards(source), operations).issues)} issues")


def step_stored(shape):
    """Write down as many operations as may be stored, and read them again."""
    source = shape.allowed()
    operations = within_budget(source, changed(source)).operations[:MAX_OPERATIONS]
    return timed(lambda: f"{len(ops.loads(ops.dumps(operations)))} operations")


def step_judged(shape):
    """Judge a customization that brings the shape."""
    source = shape.allowed(most=MAX_PAYLOAD_BYTES - 1_000)
    return judged(CARD, CARD.replace("Hello", source))


def step_trusted(shape):
    """Judge a customization that changes parts of a base."""
    source = shape.allowed()
    return judged(source, changed(source))


def step_canonical(shape):
    """Bring the shape to its canonical form."""
    return f"{len(canonical.canonical(shape.whole()))} characters"


def step_compared(shape):
    """Compare two pages that hold the shape."""
    return compared(CARD + shape.whole(), shape.whole() + CARD)


def step_pages(shape):
    """Compare two pages as large as pages may be."""
    source = shape.whole()
    large = source * (MAX_PAGE_BYTES // len(source.encode()) - 1)
    return compared(CARD + large, large + CARD)


STEPS = {name.removeprefix("step_"): step for name, step in list(globals().items()) if name.startswith("step_")}


def bomb_accepted(source, text):
    """Take a diff and apply it."""
    return of_diff(source, text)


def bomb_fuzzy(source, text):
    """Apply a diff like GNU patch."""
    parsed = diffs.accept(text)
    if isinstance(parsed, Refusal):
        return parsed.code
    applied = patch.apply_like_gnu(source, parsed)
    return applied.code if isinstance(applied, Refusal) else f"fuzz {applied.fuzz}"


BOMB_STEPS = {name.removeprefix("bomb_"): step for name, step in list(globals().items()) if name.startswith("bomb_")}


def changed(source):
    """Return a source with every other part changed."""
    half = len(source) // 2
    return source[:half] + "<p>between</p>" + source[half:].replace("a", "b").replace("1", "2")


def backwards(source):
    """Return the lines of a source from the last to the first."""
    return "".join(reversed(source.splitlines(keepends=True)))


def within_budget(base, custom):
    """Translate within the budget, as the product does."""
    deadline = time.monotonic() + BUDGET_SECONDS
    return translate_sources(base, custom, expired=lambda: time.monotonic() > deadline)


def translated(base, custom):
    """Translate within the budget and say how it ended."""
    found = within_budget(base, custom)
    assert found.proven
    return found.reason or f"{len(found.operations)} operations"


def of_diff(base, text):
    """Take a diff, and translate it within the budget."""
    taken = diffs.accept(text)
    if isinstance(taken, Refusal):
        return taken.code
    deadline = time.monotonic() + BUDGET_SECONDS
    found = translate(base, taken, expired=lambda: time.monotonic() > deadline)
    if isinstance(found, Refusal):
        return found.code
    assert found.proven
    return found.reason or f"{len(found.operations)} operations"


def carried(old, custom, new):
    """Carry a customization over as the product does, where all three come through its doors; only the carrying is timed."""
    for source in (old, custom, new):
        refused = limits.refusal(source)
        if refused is not None:
            return refused.code
    operations = within_budget(old, custom).operations
    refused = limits.operations_refusal(operations)
    if refused is not None:
        return refused.code
    return timed(lambda: rebase.rebase(operations, rebase.prepare(old, new)).status.value)


def judged(base, custom):
    """Judge the operations of a customization; only that is timed."""
    operations = within_budget(base, custom).operations
    return timed(lambda: f"{len(policy.judge(operations, Contract(), base))} issues")


def compared(left, right):
    """Compare two pages."""
    found = compare(left, right)
    return f"{'equal' if found.equal else 'different'} {' '.join(found.problems)}"


def whole(old, new):
    """Return a diff that takes away all of the old and adds all of the new source, without looking for what is alike."""
    before, after = diffs.split_lines(old), diffs.split_lines(new)
    lines = ["--- a/x\n", "+++ b/x\n", f"@@ -1,{len(before)} +1,{len(after)} @@\n"]
    return "".join([*lines, *("-" + line for line in before), *("+" + line for line in after)])


class Timed:
    """Hold when the part of a step that counts began."""

    began = 0.0


def timed(call):
    """Call what counts; what came before has steps of its own."""
    Timed.began = time.process_time()
    return call()


def costs(name):
    """Yield what each step with a shape or a diff costs, every one in a child of its own that begins with what all need."""
    if name in BOMBS:
        source, text = BOMBS[name]()
        calls = {step: partial(call, source, text) for step, call in BOMB_STEPS.items()}
    else:
        shape = SHAPES[name]
        shape.allowed()
        calls = {step: partial(call, shape) for step, call in STEPS.items()}
    gc.collect()
    for step, call in calls.items():
        yield {"step": step, **in_child(call)}


def in_child(call):
    """Return outcome, seconds and megabytes of a call in a process of its own; how it ended where it did not come back."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        resource.setrlimit(resource.RLIMIT_CPU, (HARD_SECONDS, HARD_SECONDS + 1))
        resource.setrlimit(resource.RLIMIT_AS, (HARD_BYTES, HARD_BYTES))
        Timed.began = time.process_time()
        try:
            outcome = call()
        except Exception:
            outcome = traceback.format_exc(limit=-3)
            Timed.began = -HARD_SECONDS
        seconds = time.process_time() - Timed.began
        megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        os.write(writer, json.dumps({"outcome": outcome, "seconds": round(seconds, 2), "megabytes": round(megabytes)}).encode())
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        said = pipe.read()
    _, status = os.waitpid(child, 0)
    return json.loads(said) if said else {"outcome": f"ended with {status}", "seconds": HARD_SECONDS, "megabytes": 0}


if __name__ == "__main__":
    for cost in costs(sys.argv[1]):
        sys.stdout.write(json.dumps(cost) + "\n")
        sys.stdout.flush()
