"""Keep the two things that a machine without configuration makes for itself: a folder and a secret key."""

import os
import secrets
import tempfile
from pathlib import Path

KEY_BYTES = 64


def local_secret_key(directory: Path) -> str:
    """Return the secret key of this checkout, making it once.

    The file is readable by its owner only. Two processes that start together agree: whoever creates the file first wins, and
    it appears complete or not at all.
    """
    path = directory / "secret-key"
    try:
        return path.read_text(encoding="ascii")
    except FileNotFoundError:
        directory.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(prefix=".secret-key.", dir=directory)  # mode 0600
    draft = Path(name)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(secrets.token_urlsafe(KEY_BYTES))
    try:
        os.link(draft, path)
    except FileExistsError:
        pass  # another process was first; its key is the one
    finally:
        draft.unlink()
    return path.read_text(encoding="ascii")
