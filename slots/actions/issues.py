"""Count issues: one row for each place and code of a composed template, however often it recurs."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Case, F, Q, Value, When

from slots.errors import Issue
from slots.models import ConfigurationIssue


@dataclass(frozen=True, slots=True)
class FoundIssue:
    """Hold an issue with where it arose: the component version and the digest of the composed template."""

    version_pk: int
    digest: str
    issue: Issue


def record_issues(found: Iterable[FoundIssue], *, at: datetime) -> int:
    """Add issues to those kept, counting recurrences; return how many were recorded. At most three queries."""
    counted: Counter[tuple[str, str, str]] = Counter()
    latest: dict[tuple[str, str, str], FoundIssue] = {}
    for each in found:
        place = (each.digest, each.issue.code.value, each.issue.place[:500])
        counted[place] += 1
        latest[place] = each
    if not counted:
        return 0
    with transaction.atomic():
        fresh = [
            ConfigurationIssue(
                component_version_id=each.version_pk,
                digest=digest,
                code=code,
                place=place,
                text=each.issue.text,
                occurrences=0,
                first_at=at,
                last_at=at,
            )
            for (digest, code, place), each in latest.items()
        ]
        ConfigurationIssue.objects.bulk_create(fresh, ignore_conflicts=True)
        matches = {place: Q(digest=place[0], code=place[1], place=place[2]) for place in counted}
        any_of = Q()
        for match in matches.values():
            any_of |= match
        amount = Case(*(When(matches[place], then=Value(count)) for place, count in counted.items()), default=Value(0))
        ConfigurationIssue.objects.filter(any_of).update(occurrences=F("occurrences") + amount, last_at=at)
    return sum(counted.values())
