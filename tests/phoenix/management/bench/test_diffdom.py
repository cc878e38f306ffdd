"""The peer from npm is optional: what is missing is a sentence, never a figure."""

import shutil

import pytest

from phoenix.management.bench import diffdom


def test_without_npm_it_is_left_out(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(diffdom.PeerAbsent, match="npm or node is not installed"):
        diffdom.install(tmp_path)


@pytest.fixture
def npm_without_network(tmp_path, monkeypatch):
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("npm", "node"):
        (folder / name).write_text("#!/bin/sh\necho 'no route to host' >&2\nexit 7\n")
        (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")


@pytest.mark.usefixtures("npm_without_network")
def test_where_it_cannot_be_installed_the_last_message_is_kept(tmp_path):
    with pytest.raises(diffdom.PeerAbsent, match=r"npm ended with 7 \(no route to host\)"):
        diffdom.install(tmp_path)


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
def test_it_measures_what_a_process_says(tmp_path):
    library = tmp_path / "node_modules" / "diff-dom"
    library.mkdir(parents=True)
    (library / "package.json").write_text('{"name": "diff-dom", "type": "module", "main": "index.js"}')
    spin = "const until = performance.now() + 30; while (performance.now() < until) {}"
    (library / "index.js").write_text(
        f"export const stringToObj = (text) => text;\nexport class DiffDOM {{ diff(one, other) {{ {spin} }} }}\n"
    )
    (tmp_path / "package.json").write_text('{"type": "module"}')
    (tmp_path / "run.js").write_text(diffdom.SCRIPT)

    times = diffdom.measure(tmp_path, "<p>1</p>", "<p>2</p>")

    assert times.first >= times.warm > 0
