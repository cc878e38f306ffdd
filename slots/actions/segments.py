"""Keep the members of segments: chosen by a rule over people's attributes, materialised so that a request needs no rule."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils.module_loading import import_string

from slots.errors import SlotsError
from slots.models import Segment, SegmentMember, record_as
from slots.schema import PersonKey
from slots.segments import compile_rule

People = Callable[[str], Iterable[tuple[PersonKey, Mapping[str, Any]]]]
_BATCH = 1_000


class PeopleUnknown(SlotsError):
    """Nobody says who the people are whom a rule chooses from."""

    code = "PEOPLE_UNKNOWN"

    def __init__(self) -> None:
        """Name the setting."""
        super().__init__(
            "SLOTS_PEOPLE is not set, so a segment's rule has nobody to choose from. Name a callable that takes a tenant and "
            "yields (PersonKey, attributes) of its people."
        )


@dataclass(frozen=True, slots=True)
class Materialised:
    """Count what choosing the members again did."""

    joined: int
    left: int
    members: int


def people_of(tenant: str) -> Iterable[tuple[PersonKey, Mapping[str, Any]]]:
    """Return a tenant's people with their attributes, from the callable that the settings name.

    Raises:
        PeopleUnknown: the settings name none.
    """
    path = getattr(settings, "SLOTS_PEOPLE", None)
    if not path:
        raise PeopleUnknown
    source: People = import_string(path)
    return source(tenant)


@transaction.atomic
def save_segment(tenant: str, key: str, *, rule: object, title: str = "", by: str, at: datetime, reason: str) -> Segment:
    """Store a segment with its rule (None: its members are kept by hand), and choose its members.

    Raises:
        RuleInvalid: the rule cannot be understood.
        PeopleUnknown: there is a rule and nobody to choose from.
    """
    if rule is not None:
        compile_rule(rule)
    segment = Segment.objects.select_for_update().filter(tenant=tenant, key=key).first() or Segment(tenant=tenant, key=key)
    segment.rule = rule
    segment.title = title or segment.title
    segment.updated_at = at
    record_as(segment, by=by, reason=reason, at=at)
    segment.save()
    if rule is not None:
        materialise(segment, at=at)
    return segment


@transaction.atomic
def materialise(segment: Segment, *, at: datetime) -> Materialised:
    """Make the members of a segment those whom its rule chooses; a segment without a rule stays as it is."""
    rows = SegmentMember.objects.filter(tenant=segment.tenant, segment=segment.key)
    present = set(rows.values_list("user", flat=True))
    if segment.rule is None:
        return Materialised(0, 0, len(present))
    fits = compile_rule(segment.rule)
    wanted = {person.user for person, attributes in people_of(segment.tenant) if fits(attributes)}
    joined, left = sorted(wanted - present), sorted(present - wanted)
    SegmentMember.objects.bulk_create(
        (SegmentMember(tenant=segment.tenant, segment=segment.key, user=user) for user in joined),
        batch_size=_BATCH,
        ignore_conflicts=True,
    )
    for start in range(0, len(left), _BATCH):
        rows.filter(user__in=left[start : start + _BATCH]).delete()
    Segment.objects.filter(pk=segment.pk).update(materialised_at=at)
    return Materialised(len(joined), len(left), len(wanted))


def materialise_all(*, at: datetime) -> Materialised:
    """Choose the members of every segment that has a rule again; each in a transaction of its own."""
    found = [materialise(segment, at=at) for segment in Segment.objects.filter(rule__isnull=False)]
    return Materialised(sum(each.joined for each in found), sum(each.left for each in found), sum(each.members for each in found))
