"""The tools a team would use instead, run on the same input: git merge-file, GNU patch, and xmldiff for the time of a diff.

Each is optional. What is not installed gives None, never a zero: an absent figure must not read as a bad one.
"""

import re
import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lxml import etree

try:
    from xmldiff import main as xmldiff
except ImportError:  # a tool of development: production runs without it
    xmldiff = None  # type: ignore[assignment]

# A peer that takes longer than this counts as not clean; none does on templates.
TIMEOUT_SECONDS: Final = 60

_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")


@dataclass(frozen=True, slots=True)
class Tools:
    """Say which peers this machine has: paths of programs, and whether xmldiff can be imported."""

    git: str | None
    patch: str | None
    xmldiff: bool


@dataclass(frozen=True, slots=True)
class Merged:
    """Hold what a peer made of a pair; `source` is None when it left conflicts."""

    clean: bool
    source: str | None


def find_tools() -> Tools:
    """Look for the peers on this machine."""
    return Tools(git=shutil.which("git"), patch=shutil.which("patch"), xmldiff=xmldiff is not None)


def merge_file(tools: Tools, folder: Path, *, base: str, ours: str, theirs: str) -> Merged | None:
    """Merge with `git merge-file`; None where git is missing. The folder is scratch space."""
    if tools.git is None:
        return None
    for name, text in (("ours", ours), ("base", base), ("theirs", theirs)):
        (folder / name).write_bytes(text.encode())
    command = [tools.git, "merge-file", "-p", "-q", "ours", "base", "theirs"]
    done = subprocess.run(command, cwd=folder, capture_output=True, timeout=TIMEOUT_SECONDS, check=False)  # noqa: S603 - own arguments
    clean = done.returncode == 0
    return Merged(clean, done.stdout.decode() if clean else None)


def patch_file(tools: Tools, folder: Path, *, diff: str, theirs: str, fuzz: int = 2) -> Merged | None:
    """Patch with GNU patch, by default with its default fuzz, never in reverse; None where it is missing."""
    if tools.patch is None:
        return None
    target, rejected = folder / "target.html", folder / "target.rej"
    target.write_bytes(theirs.encode())
    rejected.unlink(missing_ok=True)
    command = [tools.patch, "-N", f"--fuzz={fuzz}", "--no-backup-if-mismatch", "-r", str(rejected), str(target)]
    done = subprocess.run(  # noqa: S603 - own arguments
        command, cwd=folder, input=diff.encode(), capture_output=True, timeout=TIMEOUT_SECONDS, check=False
    )
    clean = done.returncode == 0
    return Merged(clean, target.read_bytes().decode() if clean else None)


def xmldiff_ms(tools: Tools, *, base: str, customized: str) -> float | None:
    """Return the milliseconds that xmldiff's fast mode needs for the pair, trees handed to it; None where it cannot.

    The trees come from lxml's HTML parser, which is lenient enough for template source; what it makes of template tags does not
    matter to a figure of time. Neither parsing nor mending is timed.
    """
    if not tools.xmldiff:
        return None
    left, right = lenient_tree(base), lenient_tree(customized)
    if left is None or right is None:
        return None
    started = time.perf_counter()
    compared = fast_diff(left, right)
    return (time.perf_counter() - started) * 1000 if compared else None


def fast_diff(left: etree._Element, right: etree._Element) -> bool:
    """Compare two trees with xmldiff's fast mode; False where it stumbles over the pair."""
    try:
        xmldiff.diff_trees(left, right, diff_options={"fast_match": True, "ratio_mode": "fast"})  # type: ignore[no-untyped-call]
    except (etree.LxmlError, ValueError, KeyError, TypeError, AttributeError, IndexError):
        return False
    return True


def lenient_tree(source: str) -> etree._Element | None:
    """Return a tree that xmldiff can work on; None where no tree holds the source, such as one with control characters."""
    try:
        return _tree(source)
    except (etree.LxmlError, ValueError):
        return None


def _tree(source: str) -> etree._Element | None:
    """Parse a source leniently and build it again with names that xmldiff can create: template tags leave others behind."""
    parsed = etree.fromstring(source, etree.HTMLParser(remove_comments=True, remove_pis=True))
    if parsed is None:
        return None
    builder = etree.TreeBuilder()
    for event, element in etree.iterwalk(parsed, events=("start", "end")):
        name = _valid_name(str(element.tag))
        if event == "start":
            builder.start(name, {_valid_name(str(key)): str(value) for key, value in element.items()})
            builder.data(element.text or "")
        else:
            builder.end(name)
            if element is not parsed:
                builder.data(element.tail or "")
    return builder.close()


def _valid_name(name: str) -> str:
    return name if _NAME.fullmatch(name) else "t" + re.sub(r"[^A-Za-z0-9_-]", "_", name)
