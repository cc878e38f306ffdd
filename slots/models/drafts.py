"""Drafts: what somebody prepares for a layer before it goes live."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from slots.models.components import Component, ComponentVersion
from slots.models.configurations import Body, Layer
from slots.schema import DEFAULT_TENANT


class Draft(models.Model):
    """A configuration that is not live: one for each layer's place and author.

    `based_on` is the history row of the configuration that the author started from, null where there was none: a draft that is
    activated after somebody else changed the place is stale.
    """

    tenant = models.CharField(max_length=100, default=DEFAULT_TENANT)
    layer = models.CharField(max_length=10, choices=Layer.choices)
    key = models.CharField(max_length=200, blank=True, help_text="Segment or person; empty for the default and site layers.")
    component = models.ForeignKey(Component, on_delete=models.CASCADE, related_name="drafts")
    component_version = models.ForeignKey(ComponentVersion, on_delete=models.PROTECT, related_name="drafts")
    body = models.ForeignKey(Body, on_delete=models.PROTECT, related_name="drafts")
    based_on = models.BigIntegerField(null=True, blank=True, editable=False)
    author = models.CharField(max_length=150)
    note = models.CharField(max_length=500, blank=True)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        ordering = ["-updated_at"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["tenant", "layer", "key", "component", "author"], name="slots_one_draft_per_author"),
            models.CheckConstraint(
                condition=Q(layer__in=("default", "site"), key="") | (Q(layer__in=("segment", "user", "preview")) & ~Q(key="")),
                name="slots_draft_key_fits_layer",
            ),
        ]

    def __str__(self) -> str:
        """Return component, layer, key and author."""
        return f"{self.component.key} · {self.layer}{f' {self.key}' if self.key else ''} by {self.author}"
