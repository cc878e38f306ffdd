"""Segments of people."""

from typing import ClassVar

from django.db import models

from slots.schema import DEFAULT_TENANT


class SegmentMember(models.Model):
    """A person's membership of a segment, materialised so that a request needs no rule."""

    tenant = models.CharField(max_length=100, default=DEFAULT_TENANT)
    user = models.CharField(max_length=200)
    segment = models.CharField(max_length=200)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["tenant", "user", "segment"], name="slots_segment_member_once"),
        ]

    def __str__(self) -> str:
        """Return the person and the segment."""
        return f"{self.user} in {self.segment}"
