"""Whom a group is about: all of them by primary key, and a sample that is looked at one by one."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from typing import Any, Final

from django.db.models import TextChoices

from migration.actions.facts import Fact, facts_about
from migration.actions.pages import PagePair, as_stored, difference_digest
from migration.actions.reviewing.groups import Group, sharing
from migration.actions.validations import is_refused
from migration.models import Customization, Validation

SAMPLE: Final = 5  # customizations


class Look(TextChoices):
    """What was seen when a member's pages were rendered on both systems again."""

    AS_FOUND = "as_found", "as it was found"
    OTHERWISE = "otherwise", "not as it was found: look at this one alone"
    NOT_RENDERED = "not_rendered", "not rendered"


@dataclass(frozen=True, slots=True)
class Sampled:
    """Name one member of the sample, and say what was seen."""

    customization: int
    person: str
    external_id: str
    base_version: str
    look: Look

    def as_json(self) -> dict[str, Any]:
        """Return the object that the command prints."""
        return asdict(self)


def member_keys(group: Group) -> list[int]:
    """Return the primary keys of all customizations of a group, in order."""
    shared = sharing(group.translations).values_list("pk", flat=True) if group.translations else ()
    return sorted({*shared, *group.customizations})


def sample_of(group: Group, members: Iterable[int]) -> list[int]:
    """Return up to `SAMPLE` members at random, the same for everybody who looks: the group's digest is the seed."""
    return sorted(members, key=lambda pk: sha256(f"{group.digest}:{pk}".encode()).digest())[:SAMPLE]


def look_at(members: Sequence[int]) -> list[Sampled]:
    """Render the pages of these members on both systems, each from its own diff, and say whether they differ as was found.

    What the policy refuses is not rendered. A fixed number of queries.
    """
    facts = {fact.customization.pk: fact for fact in facts_about(members)}
    related = ("person", "translation__target__component", "translation__body")
    rows = Customization.objects.select_related(*related).defer("translation__outcomes").in_bulk(members)
    validations = Validation.objects.in_bulk({fact.validation.pk for fact in facts.values() if fact.validation})
    return [_looked_at(rows[pk], facts[pk], validations) for pk in members if pk in facts]


def _looked_at(row: Customization, fact: Fact, validations: Mapping[int, Validation]) -> Sampled:
    return Sampled(row.pk, str(row.person), row.external_id, row.base_version, _look(row, fact, validations))


def _look(row: Customization, fact: Fact, validations: Mapping[int, Validation]) -> Look:
    translation = row.translation
    if fact.translation is None or fact.validation is None or translation is None or translation.body is None or is_refused(fact):
        return Look.NOT_RENDERED
    pages = PagePair(translation.target, row.diff, translation.body.operations).pages()
    found = validations[fact.validation.pk]
    is_alike = difference_digest(pages) == found.difference_digest if found.difference_digest else as_stored(pages) == found.pages
    return Look.AS_FOUND if is_alike else Look.OTHERWISE
