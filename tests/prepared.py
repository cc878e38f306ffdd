"""A migrated SQLite database that test runs keep for the next ones, since migrating an empty one takes seconds.

It is kept under a digest of all that a new database is made from: the migrations, what has them (models and roles) and the
libraries. A run that finds none under its digest migrates as ever, and keeps what came of it in place of older ones.
"""

import hashlib
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

APPS = ("phoenix", "slots", "migration", "rollout")


def sources(repository: Path) -> Iterator[Path]:
    """Yield the files that decide what is in a new database."""
    yield repository / "requirements.txt"
    for app in APPS:
        for pattern in ("apps.py", "roles.py", "states.py", "states/*.py", "models.py", "models/**/*.py", "migrations/*.py"):
            yield from sorted((repository / app).glob(pattern))


def digest_of(repository: Path) -> str:
    """Return the digest under which a database of this code is kept."""
    digest = hashlib.sha256()
    for path in sources(repository):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(repository)} {len(content)}\n".encode() + content)
    return digest.hexdigest()


def take(kept: Path, target: Path) -> bool:
    """Copy the kept database to `target`, and say whether there was one."""
    try:
        shutil.copyfile(kept, target)
    except FileNotFoundError:
        return False
    return True


def keep(database: Path, kept: Path) -> None:
    """Keep a database in place of older ones; of several processes that do so at once the last one wins."""
    kept.parent.mkdir(parents=True, exist_ok=True)
    own = kept.with_suffix(f".{os.getpid()}")
    with closing(sqlite3.connect(database)) as source, closing(sqlite3.connect(own)) as copy:
        source.backup(copy)
    own.replace(kept)
    for other in kept.parent.glob(f"*{kept.suffix}"):
        if other != kept:
            other.unlink(missing_ok=True)
