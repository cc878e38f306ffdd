"""Make the pictures of the documentation: the sample shop with a plan under way, photographed in Debian's Chromium.

`make screenshots` runs it. Everything it makes but the pictures lies in a folder that it removes again.
"""

import json
import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from playwright.sync_api import Page, sync_playwright

from tests.browser import NAMES, browser_in

REPOSITORY = Path(__file__).resolve().parent.parent
NAME, PASSWORD = "mira", secrets.token_urlsafe(24)
WIDE, NARROW, HEIGHT = 1280, 390, 860
# What is pictured: file, address, width, scheme. Keys in braces are those of `_shown`.
PICTURES = (
    ("home", "/admin/", WIDE, "light"),
    ("home-dark", "/admin/", WIDE, "dark"),
    ("home-phone", "/admin/", NARROW, "light"),
    ("plan", "/admin/rollout/plan/{plan}/change/", WIDE, "light"),
    ("wave", "/admin/rollout/wave/{wave}/change/", WIDE, "light"),
    ("roll-back", "/admin/rollout/wave/act/rollback/?ids={wave}", WIDE, "light"),
    ("stop", "/admin/rollout/flag/stop/", WIDE, "light"),
    ("review", "{review}", WIDE, "light"),
    ("person", "/admin/rollout/flagoverride/person/{person}/", WIDE, "light"),
)


def main() -> None:
    """Make everything, take the pictures, and say where they are."""
    target = Path(sys.argv[1] if len(sys.argv) > 1 else REPOSITORY / "docs" / "images")
    target.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix="phoenix-screenshots-") as folder:
        environ = _environ(folder)
        shown = _make(environ)
        port = _free_port()
        address = f"127.0.0.1:{port}"
        server = subprocess.Popen([*_manage("runserver"), "--noreload", address], env=environ, stderr=subprocess.DEVNULL)
        try:
            _wait(port)
            _photograph(f"http://{address}", shown, target)
        finally:
            server.terminate()
            server.wait()
    sys.stdout.write(f"{len(PICTURES)} pictures are in {target}.\n")


def _environ(folder: str) -> dict[str, str]:
    """Return the environment of a machine without configuration, with everything in that folder."""
    configured = {"DATABASE_URL", "REDIS_URL", "DJANGO_SECRET_KEY", "DEBUG", "ALLOWED_HOSTS", "HTTPS"}
    kept = {name: value for name, value in os.environ.items() if name not in configured}
    return {**kept, "PHOENIX_VAR": folder, "PHOENIX_DEMO": "yes", "DJANGO_SUPERUSER_PASSWORD": PASSWORD, "LOG_LEVEL": "ERROR"}


def _manage(*words: str) -> list[str]:
    return [sys.executable, str(REPOSITORY / "manage.py"), *words]


def _run(environ: Mapping[str, str], *words: str) -> dict[str, Any]:
    """Run a command that answers with one JSON object, and return that."""
    done = subprocess.run(_manage(*words, "--json"), env=environ, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def _make(environ: Mapping[str, str]) -> dict[str, Any]:
    """Make the shop, move a wave, and begin a plan; return the keys of what is pictured."""
    for words in (
        ["migrate", "--verbosity", "0"],
        ["createsuperuser", "--noinput", "--username", NAME, "--email", "mira@phoenix.example"],
    ):
        subprocess.run(_manage(*words), env=environ, check=True, stdout=subprocess.DEVNULL)
    _run(environ, "demo")
    monday = datetime.now(UTC).date() + timedelta(days=7 - datetime.now(UTC).weekday())
    made = _run(environ, "rollout", "plan", "create", "--template", "eight-weeks", "--start", monday.isoformat(), "--by", "alice")
    _run(environ, "rollout", "plan", "submit", str(made["pk"]), "--by", "alice")
    plans = _run(environ, "rollout", "status")["plans"]
    moved = next(
        wave["pk"]
        for plan in plans
        for phase in plan["phases"]
        for wave in phase["waves"]
        if wave["members"].get("switched", 0) > 20
    )
    return {"plan": made["pk"], "wave": moved, "person": 1, "review": "/admin/migration/finding/review/"}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait(port: int) -> None:
    """Return once the site takes connections."""
    for _ in range(150):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.2)
        else:
            return
    raise SystemExit(f"SITE_SILENT: nothing answers on port {port}. Run `make serve` and read what it says.")


def _photograph(site: str, shown: Mapping[str, Any], target: Path) -> None:
    path = browser_in(os.environ)
    if path is None:
        raise SystemExit(f"BROWSER_MISSING: none of {', '.join(NAMES)} is in PATH. On Debian: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        page = browser.new_page(reduced_motion="reduce", device_scale_factor=1)
        _sign_in(page, site)
        for name, address, width, scheme in PICTURES:
            page.set_viewport_size({"width": width, "height": HEIGHT})
            page.emulate_media(color_scheme=scheme)
            answer = page.goto(site + address.format(**shown))
            if answer is None or not answer.ok:
                raise SystemExit(f"PAGE_MISSING: {address} answers {answer and answer.status}. Mend PICTURES in {__file__}.")
            page.wait_for_load_state("networkidle")
            page.screenshot(path=target / f"{name}.png")
        browser.close()


def _sign_in(page: Page, site: str) -> None:
    page.goto(f"{site}/admin/login/")
    page.get_by_label("Username").fill(NAME)
    page.get_by_label("Password").fill(PASSWORD)
    with page.expect_navigation(wait_until="load"):
        page.get_by_role("button", name="Log in").click()


if __name__ == "__main__":
    main()
