"""The pages that people see, taken through the same door as the site's own: whichever system each person is on."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Any

from migration.engine import compare
from phoenix.demo.shelf import Shelf
from slots.actions import PersonPage
from slots.schema import DEFAULT_TENANT, PersonKey

Contexts = Mapping[str, Mapping[str, Mapping[str, Any]]]
Pages = dict[tuple[str, str, str], str]


def contexts_of(shelf: Shelf) -> Contexts:
    """Return the sample contexts of each component's current version, by component and name."""
    return {key: {each["name"]: each["context"] for each in versions[-1].samples} for key, versions in shelf.items()}


def pages_of(users: Iterable[str], contexts: Contexts, *, at: datetime) -> Pages:
    """Return what each person sees of every component with every sample, by (user, component, sample)."""
    pages: Pages = {}
    for user in users:
        page = PersonPage(PersonKey(DEFAULT_TENANT, user), at=at)
        for component, samples in contexts.items():
            for name, context in samples.items():
                pages[user, component, name] = str(page.render(component, context))
    return pages


def digest_of(pages: Pages) -> str:
    """Return the SHA-256 over all pages, to the byte."""
    digest = sha256()
    for key in sorted(pages):
        digest.update(repr(key).encode())
        digest.update(pages[key].encode())
    return digest.hexdigest()


def changed(before: Pages, after: Pages) -> list[str]:
    """Return whose page of what is not the same to the byte."""
    return [" / ".join(key) for key in sorted(before.keys() | after.keys()) if before.get(key) != after.get(key)]


@dataclass(slots=True)
class Resemblance:
    """Count pairs of pages: the same to the byte, canonically equal by both parsers, and those that are not, with the place."""

    identical: int = 0
    equal: int = 0
    different: list[str] = field(default_factory=list)


def resemblance(before: Pages, after: Pages) -> Resemblance:
    """Compare pages pairwise; equal pairs are compared once."""
    found = Resemblance()
    verdicts: dict[tuple[str, str], str] = {}
    for key, left in before.items():
        right = after[key]
        if left == right:
            found.identical += 1
            continue
        if (left, right) not in verdicts:
            verdict = compare.compare(left, right)
            verdicts[left, right] = "" if verdict.equal and verdict.proven else verdict.first_difference or "not proven"
        if verdicts[left, right]:
            found.different.append(f"{' / '.join(key)}: {verdicts[left, right]}")
        else:
            found.equal += 1
    return found
