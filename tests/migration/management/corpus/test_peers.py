"""The peers, where they are installed, and their absence."""

import shutil

import pytest

from migration.management.corpus import peers

BASE = "a\nb\nc\nd\ne\nf\ng\n"
needs_git = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
needs_patch = pytest.mark.skipif(shutil.which("patch") is None, reason="GNU patch is not installed")


@needs_git
def test_merge_file_merges_apart_and_leaves_conflicts(tmp_path):
    tools = peers.find_tools()

    merged = peers.merge_file(tools, tmp_path, base=BASE, ours="A" + BASE[1:], theirs=BASE.replace("g", "G"))
    conflict = peers.merge_file(tools, tmp_path, base=BASE, ours="A" + BASE[1:], theirs="B" + BASE[1:])

    assert merged == peers.Merged(clean=True, source="A\nb\nc\nd\ne\nf\nG\n")
    assert conflict == peers.Merged(clean=False, source=None)


@needs_patch
def test_patch_file_applies_or_not(tmp_path):
    tools = peers.find_tools()
    diff = "--- a/x\n+++ b/x\n@@ -1,2 +1,2 @@\n-a\n+A\n b\n"

    assert peers.patch_file(tools, tmp_path, diff=diff, theirs=BASE + "h\n") == peers.Merged(True, "A" + BASE[1:] + "h\n")
    assert peers.patch_file(tools, tmp_path, diff=diff, theirs="x\ny\nz\n") == peers.Merged(False, None)


def test_missing_peers_give_none(tmp_path):
    tools = peers.Tools(git=None, patch=None)

    assert peers.merge_file(tools, tmp_path, base="", ours="", theirs="") is None
    assert peers.patch_file(tools, tmp_path, diff="", theirs="") is None
