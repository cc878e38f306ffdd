"""Where a browser of this machine is."""

import shutil
from collections.abc import Mapping

NAMES = ("chromium", "chromium-browser", "google-chrome")


def browser_in(environ: Mapping[str, str]) -> str | None:
    """Return the path of the first browser in PATH, None where there is none."""
    return next(filter(None, (shutil.which(name, path=environ.get("PATH")) for name in NAMES)), None)
