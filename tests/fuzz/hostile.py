"""Sources of hostile size and shape. Run as a module it takes one of them through one step and prints what that cost.

    python -m tests.fuzz.hostile SHAPE STEP

The steps are what the product does with a source from outside: read the diff that brings it, apply, translate within the
budget, carry over, compare. The first line printed is a JSON object: outcome, seconds of processor time, megabytes at most.
"""

import json
import resource
import sys
import time

from migration.engine import diff as diffs
from migration.engine import patch
from migration.engine.compare import compare
from migration.engine.translate import translate_sources
from slots.errors import Refusal
from slots.markup import canonical, rebase

BUDGET_SECONDS = 5
CARD = '<div class="card">\n  <p>Hello</p>\n</div>\n'
# Beyond what is ever allowed to be used: a runaway ends here and not with the machine.
HARD_SECONDS = 30
HARD_BYTES = 2 * 1024**3


def rows(count):
    """Return a list of alike items, each on a line."""
    return "<ul>\n" + "<li>same</li>\n" * count + "</ul>\n"


SHAPES = {
    "a line of {%": "{%" * 40_000,
    "a line of {{": "{{" * 40_000,
    "a line of {#": "{#" * 40_000,
    "a line of {% if %}": "{% if a %}" * 8_000,
    "a line of {% endif %}": "{% endif %}" * 8_000,
    "deep elements": "<div>" * 30_000 + "</div>" * 30_000,
    "deep elements, never closed": "<div>" * 60_000,
    "deep blocks": "{% if a %}" * 15_000 + "{% endif %}" * 15_000,
    "closed, never opened": "</div>" * 60_000,
    "crossed": "{% if a %}<b>{% else %}<i>{% endif %}" * 8_000,
    "interleaved": "<b><i></b></i>" * 20_000,
    "100,000 attributes": "<p " + " ".join(f"a{number}=1" for number in range(45_000)) + ">x</p>",
    "the same attribute again": "<p " + "a=1 " * 100_000 + ">x</p>",
    "one long class": '<p class="' + " ".join(f"c{number}" for number in range(60_000)) + '">x</p>',
    "one long style": '<p style="' + "color: red;" * 40_000 + '">x</p>',
    "quotes that never end": "<a b='" * 60_000,
    "comments that never end": "<!--" * 100_000,
    "open angles": "<" * 400_000,
    "references": "&amp;" * 80_000,
    "one long word": "x" * 400_000,
    "alike items": rows(15_000),
    "raw text never closed": "<script>" * 40_000,
    "blocktranslate": "{% blocktranslate %}" + " a\n" * 100_000 + "{% endblocktranslate %}",
    "marks of the canonical form": "\x1e" * 200_000,
}


def step_diff(shape):
    """Read a diff that brings the shape, and apply it."""
    parsed = diffs.parse(whole(CARD, CARD + shape + "\n"))
    if isinstance(parsed, Refusal):
        return parsed.code
    applied = patch.apply(CARD, parsed)
    return applied.code if isinstance(applied, Refusal) else "applied"


def step_fuzzy(shape):
    """Apply a diff like GNU patch to a source that it was not made for."""
    parsed = diffs.parse(whole(CARD + shape + "\n", CARD))
    if isinstance(parsed, Refusal):
        return parsed.code
    applied = patch.apply_like_gnu(shape + "\n" + CARD, parsed)
    return applied.code if isinstance(applied, Refusal) else "applied"


def step_added(shape):
    """Translate a customization that adds the shape."""
    return translated(CARD, CARD.replace("Hello", shape))


def step_removed(shape):
    """Translate a customization that takes the shape away."""
    return translated(CARD + shape, CARD)


def step_changed(shape):
    """Translate a customization that changes every other part of the shape."""
    half = len(shape) // 2
    return translated(shape, shape[:half] + "<p>between</p>" + shape[half:].replace("a", "b"))


def step_carried(shape):
    """Carry a small customization over a release that moves the shape."""
    old = CARD + shape
    operations = translate_sources(old, CARD.replace("Hello", "Good day") + shape).operations
    return rebase.rebase(operations, rebase.prepare(old, shape + CARD)).status.value


def step_canonical(shape):
    """Bring the shape to its canonical form."""
    return f"{len(canonical.canonical(shape))} characters"


def step_compared(shape):
    """Compare two pages that hold the shape."""
    return "equal" if compare(CARD + shape, shape + CARD).equal else "different"


STEPS = {name.removeprefix("step_"): step for name, step in list(globals().items()) if name.startswith("step_")}


def translated(base, custom):
    """Translate within the budget, as the product does."""
    deadline = time.monotonic() + BUDGET_SECONDS
    found = translate_sources(base, custom, expired=lambda: time.monotonic() > deadline)
    assert found.proven
    return found.reason or f"{len(found.operations)} operations"


def whole(old, new):
    """Return a diff that takes away all of the old and adds all of the new source, without looking for what is alike."""
    before, after = diffs.split_lines(old), diffs.split_lines(new)
    lines = ["--- a/x\n", "+++ b/x\n", f"@@ -1,{len(before)} +1,{len(after)} @@\n"]
    return "".join([*lines, *("-" + line for line in before), *("+" + line for line in after)])


def main(shape, step):
    """Run one step and print what it cost."""
    resource.setrlimit(resource.RLIMIT_CPU, (HARD_SECONDS, HARD_SECONDS + 1))
    resource.setrlimit(resource.RLIMIT_AS, (HARD_BYTES, HARD_BYTES))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started = time.process_time()
    outcome = STEPS[step](SHAPES[shape])
    seconds = time.process_time() - started
    megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    found = {"outcome": outcome, "seconds": round(seconds, 2), "megabytes": round(megabytes), "before": round(before / 1024)}
    sys.stdout.write(json.dumps(found) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
