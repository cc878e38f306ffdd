"""Segments of people: the rule that says who belongs to one, and its members, materialised so that a request needs no rule."""

from typing import ClassVar

from django.db import models

from slots.models.history import history
from slots.schema import DEFAULT_TENANT


class Segment(models.Model):
    """A named group of people with a rule over their attributes; without a rule its members are kept by hand."""

    tenant = models.CharField(max_length=100, default=DEFAULT_TENANT)
    key = models.CharField(max_length=200)
    title = models.CharField(max_length=200, blank=True)
    rule = models.JSONField(null=True, blank=True, help_text='Such as {"all": [{"attribute": "region", "in": ["EU"]}]}.')
    updated_at = models.DateTimeField()
    materialised_at = models.DateTimeField(null=True, blank=True, editable=False, help_text="When the rule last chose members.")

    history = history(excluded_fields=["materialised_at"])

    class Meta:
        ordering = ["tenant", "key"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["tenant", "key"], name="slots_segment_once")]

    def __str__(self) -> str:
        """Return the title, else the key."""
        return self.title or self.key


class SegmentMember(models.Model):
    """A person's membership of a segment, materialised so that a request needs no rule."""

    tenant = models.CharField(max_length=100, default=DEFAULT_TENANT)
    user = models.CharField(max_length=200)
    segment = models.CharField(max_length=200)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["tenant", "user", "segment"], name="slots_segment_member_once"),
        ]
        indexes: ClassVar = [models.Index(fields=["tenant", "segment"], name="slots_members_of_segment")]

    def __str__(self) -> str:
        """Return the person and the segment."""
        return f"{self.user} in {self.segment}"
