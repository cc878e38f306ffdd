"""The GNU mode against the installed GNU patch, over random sources, diffs and changes of the base."""

import random
import shutil
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from migration.engine import diff, patch
from migration.engine.diff import Diff
from migration.engine.patch import Patched
from tests.conftest import examples

GNU_PATCH = shutil.which("patch")
pytestmark = pytest.mark.skipif(GNU_PATCH is None, reason="GNU patch is not installed; `apt-get install patch` runs these tests")


def gnu_patch(folder, source, change):
    """Return what `patch --forward --fuzz=2` makes of the source, or None where it fails."""
    target = folder / "card.html"
    target.write_bytes(source.encode())
    (folder / "change.diff").write_bytes(change.encode())
    command = [str(GNU_PATCH), "-N", "-F2", "-s", "--no-backup-if-mismatch", "-r", "-", "-i", "change.diff", "card.html"]
    done = subprocess.run(command, cwd=folder, capture_output=True, timeout=20, env={"LC_ALL": "C"})
    if done.returncode:
        return None
    return target.read_bytes().decode() if target.exists() else ""


def random_source(chance, alphabet, longest):
    text = "".join([chance.choice(alphabet) + "\n" for _ in range(chance.randint(0, longest))])
    return text[:-1] if text and chance.random() < 0.2 else text


def edited(chance, text, alphabet, edits):
    lines = [line.removesuffix("\n") + "\n" for line in diff.split_lines(text)]
    for _ in range(edits):
        place, kind = chance.randint(0, len(lines)), chance.random()
        if kind < 0.4 or not lines:
            lines.insert(place, chance.choice(alphabet) + "\n")
        elif kind < 0.7:
            del lines[min(place, len(lines) - 1)]
        else:
            lines[min(place, len(lines) - 1)] = chance.choice(alphabet) + "\n"
    text = "".join(lines)
    return text[:-1] if text and chance.random() < 0.15 else text


def wild_diff(chance, alphabet):
    """Return hunks as no tool writes them: uneven context, wrong numbers, out of order."""
    text = "--- a/card.html\n+++ b/card.html\n"
    for _ in range(chance.randint(1, 3)):
        signs = " " * chance.randint(0, 3) + "".join(chance.choices("+- ", k=chance.randint(1, 4))) + " " * chance.randint(0, 3)
        old, new = len(signs) - signs.count("+"), len(signs) - signs.count("-")
        starts = chance.randint(1 if old else 0, 12), chance.randint(1 if new else 0, 12)
        text += f"@@ -{starts[0]},{old} +{starts[1]},{new} @@\n"
        text += "".join([f"{sign}{chance.choice(alphabet)}\n" for sign in signs])
        if chance.random() < 0.1:
            text += "\\ No newline at end of file\n"
    return text


def random_case(chance):
    """Return a source and the text of a diff that may or may not fit."""
    alphabet = chance.choice(["ab", "abcd", "abcdefghij", "abcdefghijklmnopqrstuvwxyz"])
    if chance.random() < 0.65:
        base = random_source(chance, alphabet, 25)
        new = edited(chance, base, alphabet, chance.randint(1, 5))
        change = diff.make(base, new, path="card.html", context=chance.choice([0, 1, 2, 3, 3]))
        source = new if chance.random() < 0.1 else edited(chance, base, alphabet, chance.randint(0, 4))
    else:
        change = wild_diff(chance, alphabet)
        parsed = diff.parse(change)
        pieces = [random_source(chance, alphabet, 6)]
        if isinstance(parsed, Diff) and chance.random() < 0.6:
            pieces += ["".join(hunk.before) + random_source(chance, alphabet, 4) for hunk in parsed.hunks]
        source = edited(chance, "".join(pieces), alphabet, chance.randint(0, 2))
    if chance.random() < 0.1:
        change = change.replace("\n", "\r\n")
    if chance.random() < 0.05:
        source = source.replace("\n", "\r\n")
    return source, change


def assert_agrees(folder, source, change):
    """Compare with GNU patch; return whether the diff was readable and whether it applied."""
    parsed = diff.parse(change)
    if not isinstance(parsed, Diff):
        return False, False
    result = patch.apply_like_gnu(source, parsed)
    ours = result.source if isinstance(result, Patched) else None
    assert ours == gnu_patch(folder, source, change), (source, change, result)
    return True, ours is not None


@settings(max_examples=examples(150))
@given(st.integers(min_value=0))
def test_gnu_mode_equals_gnu_patch(tmp_path_factory, seed):
    assert_agrees(tmp_path_factory.getbasetemp(), *random_case(random.Random(seed)))


@pytest.mark.slow
def test_gnu_mode_equals_gnu_patch_over_many_seeds(tmp_path):
    readable = applied = 0
    for seed in range(4000):
        read, done = assert_agrees(tmp_path, *random_case(random.Random(seed)))
        readable += read
        applied += done

    assert readable > 3000
    assert applied > 1000


@pytest.mark.parametrize(
    ("source", "hunks"),
    [
        ("i\na", "@@ -4,3 +6,4 @@\n d\n c\n+d\n e\n"),  # an addition glued to a last line without line feed
        (
            "c\nc\na\na\na\nd\nc",
            "@@ -3,5 +2,6 @@\n c\n+a\n-a\n+a\n a\n a\n d\n@@ -1,2 +12,1 @@\n-a\n c\n",
        ),  # guess already written
        ("a\nb\n", "@@ -1 +1 @@\n-a\n+x\n\\ No newline at end of file\n@@ -2 +2 @@\n-b\n+y\n"),  # removal after an unended line
        ("a\nb\nc\n", "@@ -1 +1 @@\n-a\n+x\n\\ No newline at end of file\n@@ -3,0 +4 @@\n+y\n"),  # line feed mended
        ("x\n", "@@ -0,0 +1 @@\n+new\n"),  # no context at the top
        ("x\n", "@@ -9,0 +10 @@\n+new\n"),  # no context beyond the end
        ("a\nb\nc\nd\n", "@@ -2,3 +1,4 @@\n+n\n b\n c\n d\n"),  # no leading context below line 1
    ],
)
def test_corner_case_equals_gnu_patch(tmp_path, source, hunks):
    assert assert_agrees(tmp_path, source, f"--- a/card.html\n+++ b/card.html\n{hunks}")[0]
