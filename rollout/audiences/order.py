"""The sticky order: who comes first never depends on who else is there."""

import hashlib
from collections.abc import Iterable


def rank(salt: str, user: str) -> bytes:
    """Return the rank of a person: SHA-256 of `salt:user`; raising a share only adds people."""
    return hashlib.sha256(f"{salt}:{user}".encode()).digest()


def in_order(salt: str, users: Iterable[str]) -> list[str]:
    """Return the users by rank; the order of one user against another never depends on who else is there."""
    return sorted(users, key=lambda user: (rank(salt, user), user))
