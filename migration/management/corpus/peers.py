"""The tools a team would use instead, run on the same input: git merge-file and GNU patch; `tree_diff` has xmldiff.

Each is optional. What is not installed gives None, never a zero: an absent figure must not read as a bad one.
"""

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

# A peer that takes longer than this counts as not clean; none does on templates.
TIMEOUT_SECONDS: Final = 60


@dataclass(frozen=True, slots=True)
class Tools:
    """Say which peers this machine has: paths of programs."""

    git: str | None
    patch: str | None


@dataclass(frozen=True, slots=True)
class Merged:
    """Hold what a peer made of a pair; `source` is None when it left conflicts."""

    clean: bool
    source: str | None


def find_tools() -> Tools:
    """Look for the peers on this machine."""
    return Tools(git=shutil.which("git"), patch=shutil.which("patch"))


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
