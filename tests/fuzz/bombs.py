"""Diffs of hostile size and shape, each as a function that returns a base and the diff."""

from migration.engine.diff import MAX_DIFF_BYTES, MAX_HUNKS

HEAD = "--- a/x\n+++ b/x\n"
SAME = "same\n"


def hunk(start, old, new, body):
    """Return one hunk with its header."""
    return f"@@ -{start},{old} +{start},{new} @@\n{body}"


def alike_context():
    """Return as many hunks as are allowed, each of which fits everywhere."""
    body = f" {SAME}" * 3 + "-gone\n" + "+new\n" + f" {SAME}" * 3
    return SAME * 15_000, HEAD + "".join(hunk(1 + 7 * number, 7, 7, body) for number in range(MAX_HUNKS))


def far_away():
    """Return hunks that all fit at the end only."""
    body = " a\n-b\n+c\n d\n"
    return SAME * 10_000 + "a\nb\nd\n" * MAX_HUNKS, HEAD + "".join(hunk(1 + number, 3, 3, body) for number in range(MAX_HUNKS))


def needing_fuzz():
    """Return hunks whose outer context is wrong, each of which fits where it says."""
    body = " wrong\n same\n-old\n+new\n same\n wrong\n"
    lines = "same\nsame\nold\nsame\nsame\n" * MAX_HUNKS
    return lines, HEAD + "".join(hunk(1 + 5 * number, 5, 5, body) for number in range(MAX_HUNKS))


def needing_fuzz_and_lost():
    """Return hunks that need fuzz, and whose lines are alike: all places have to be tried."""
    body = " wrong\n same\n same\n-same\n+new\n same\n same\n wrong\n"
    return SAME * 15_000, HEAD + "".join(hunk(1 + 7 * number, 7, 7, body) for number in range(MAX_HUNKS))


def nearly_alike():
    """Return one hunk of thousands of alike lines that ends in another one."""
    return SAME * 18_000, HEAD + hunk(1, 9_002, 9_001, f" {SAME}" * 9_000 + "-gone\n" + " end\n")


def overlapping():
    """Return hunks that all begin at the same line."""
    body = " same\n-same\n+new\n same\n"
    return SAME * 15_000, HEAD + "".join(hunk(1, 3, 3, body) for _ in range(MAX_HUNKS))


def huge_counts():
    """Return a hunk whose header promises a thousand million lines."""
    return SAME, HEAD + "@@ -1,999999999 +1,999999999 @@\n same\n"


def huge_numbers():
    """Return a header with a number of many digits."""
    return SAME, HEAD + f"@@ -{'9' * 400_000},1 +1,1 @@\n same\n"


def too_many_hunks():
    """Return a megabyte of small hunks."""
    text = "".join(hunk(number, 1, 1, "-a\n+b\n") for number in range(1, 60_000))
    return "a\n" * 60_000, (HEAD + text)[:MAX_DIFF_BYTES].rpartition("@@ -")[0]


def too_large():
    """Return a diff beyond a megabyte."""
    return SAME, HEAD + hunk(1, 1, 2, " same\n+" + "x" * MAX_DIFF_BYTES + "\n")


def headers_only():
    """Return a megabyte of file headers."""
    return SAME, HEAD * (MAX_DIFF_BYTES // len(HEAD))


def hunk_headers_only():
    """Return a megabyte of hunk headers."""
    line = "@@ -1,1 +1,1 @@\n"
    return SAME, HEAD + line * ((MAX_DIFF_BYTES - 100) // len(line))


def preamble():
    """Return a diff behind a megabyte of other text."""
    return SAME, "words\n" * 19_000 + HEAD + hunk(1, 1, 1, "-same\n+new\n")


def empty_lines():
    """Return a hunk of lines that lost their blank."""
    return "\n" * 19_000, HEAD + hunk(1, 19_000, 19_001, "\n" * 19_000 + "+new\n")


def markers():
    """Return a hunk whose lines all say that the file ends."""
    line = "-same\n\\ No newline at end of file\n"
    return SAME, HEAD + hunk(1, 9_000, 0, line * 9_000)


def every_other_line():
    """Return a diff that changes every other line of as many as a diff may hold."""
    body = " same\n-same\n+new\n" * 6_000
    return SAME * 12_000, HEAD + hunk(1, 12_000, 12_000, body)


def quoted_path():
    """Return a path that is quoted at length."""
    return SAME, '--- "' + "\\303\\251" * 60_000 + '"\n+++ b/x\n' + hunk(1, 1, 1, "-same\n+new\n")


BOMBS = {
    function.__name__.replace("_", " "): function
    for function in (
        alike_context, far_away, needing_fuzz, needing_fuzz_and_lost, nearly_alike, overlapping, huge_counts, huge_numbers,
        too_many_hunks, too_large, headers_only, hunk_headers_only, preamble, empty_lines, markers, every_other_line, quoted_path,
    )
}  # fmt: skip
