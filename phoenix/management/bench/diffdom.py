"""diff-dom, the peer from the world of browsers, installed for the run and gone after it."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Final, NamedTuple

VERSION: Final = "5.2.1"
TIMEOUT_SECONDS: Final = 300
# Both pages are read before the clock starts. The first run pays for the compiler, the third does not any more.
SCRIPT: Final = """
import { readFileSync } from "node:fs";
import { DiffDOM, stringToObj } from "diff-dom";

const [left, right] = process.argv.slice(2).map((name) => readFileSync(name, "utf8"));
const used = () => process.threadCpuUsage?.() ?? process.cpuUsage();
const times = [];
for (let round = 0; round < 3; round++) {
  const [one, other] = [stringToObj(left), stringToObj(right)];
  const before = used();
  new DiffDOM().diff(one, other);
  const after = used();
  times.push((after.user + after.system - before.user - before.system) / 1000);
}
console.log(JSON.stringify({ first: times[0], warm: Math.min(...times) }));
"""


class Times(NamedTuple):
    """Hold milliseconds of processor time: of the first comparison of a process, and of the best of three."""

    first: float
    warm: float


class PeerAbsent(Exception):
    """The peer cannot be run on this machine; the text says why."""


def install(folder: Path) -> None:
    """Install diff-dom into an empty folder.

    Raises:
        PeerAbsent: if npm is missing or cannot install it.
    """
    if shutil.which("npm") is None or shutil.which("node") is None:
        raise PeerAbsent("diff-dom is left out: npm or node is not installed.")
    (folder / "package.json").write_text('{"private": true, "type": "module"}')
    (folder / "run.js").write_text(SCRIPT)
    _run(folder, "npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", f"diff-dom@{VERSION}")


def measure(folder: Path, left: str, right: str) -> Times:
    """Return what comparing two pages takes, both already read.

    Raises:
        PeerAbsent: if it fails.
    """
    for name, text in (("left.html", left), ("right.html", right)):
        (folder / name).write_bytes(text.encode())
    return Times(**json.loads(_run(folder, "node", "run.js", "left.html", "right.html")))


def _run(folder: Path, *command: str) -> str:
    try:
        done = subprocess.run(  # noqa: S603 - own arguments
            command, cwd=folder, capture_output=True, text=True, timeout=TIMEOUT_SECONDS, check=False
        )
    except subprocess.TimeoutExpired as expired:
        raise PeerAbsent(f"diff-dom is left out: {command[0]} took more than {TIMEOUT_SECONDS} s.") from expired
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise PeerAbsent(f"diff-dom is left out: {command[0]} ended with {done.returncode} ({last}).")
    return done.stdout
