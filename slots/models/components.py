"""Components and their versions."""

import json
from hashlib import sha256
from typing import Any, ClassVar

from django.db import models
from django.db.models import F

from slots.schema import Contract, Sample


class Component(models.Model):
    """A piece of user interface that people may customise, such as `shop.product_card`."""

    key = models.CharField(max_length=200, unique=True)
    title = models.CharField(max_length=200, blank=True)
    current_version = models.ForeignKey(
        "ComponentVersion", null=True, blank=True, on_delete=models.PROTECT, related_name="current_for"
    )

    class Meta:
        ordering = ["key"]

    def __str__(self) -> str:
        """Return the key."""
        return self.key


class ComponentVersion(models.Model):
    """One release of a component: the template source and what it may be given.

    Versions order by `released_at`, else by `ordinal`, the order of import.
    """

    component = models.ForeignKey(Component, on_delete=models.CASCADE, related_name="versions")
    version = models.CharField(max_length=100)
    ordinal = models.PositiveIntegerField(help_text="Order of import within the component, from 1.")
    released_at = models.DateTimeField(null=True, blank=True)
    source = models.TextField()
    digest = models.CharField(max_length=64, db_index=True, editable=False, help_text="SHA-256 of the source as UTF-8, in hex.")
    content_digest = models.CharField(
        max_length=64, db_index=True, editable=False, help_text="SHA-256 over source and contract; what compiled templates go by."
    )
    contract = models.JSONField(default=dict, blank=True)
    samples = models.JSONField(default=list, blank=True, help_text="[{name, context}]: contexts for previews and validation.")
    slot_map = models.JSONField(default=list, blank=True, help_text="[{name, kind, tag, line}]: declared and derived slots.")

    class Meta:
        ordering = ["component", F("released_at").asc(nulls_last=True), "ordinal"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["component", "version"], name="slots_version_once_per_component"),
            models.UniqueConstraint(fields=["component", "ordinal"], name="slots_ordinal_once_per_component"),
        ]

    def __str__(self) -> str:
        """Return `key@version`."""
        return f"{self.component.key}@{self.version}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Store the row with the digests that its content gives."""
        self.set_digests()
        if kwargs.get("update_fields") is not None:
            kwargs["update_fields"] = {*kwargs["update_fields"], "digest", "content_digest"}
        super().save(*args, **kwargs)

    def set_digests(self) -> None:
        """Derive the digests; bulk paths, which do not call `save`, call this."""
        self.digest = sha256(self.source.encode()).hexdigest()
        contract = json.dumps(self.terms.as_json(), sort_keys=True, separators=(",", ":"))
        self.content_digest = sha256(f"{self.digest}\n{contract}".encode()).hexdigest()

    @property
    def terms(self) -> Contract:
        """Return the contract as a value."""
        return Contract.from_mapping(self.contract)

    @property
    def sample_contexts(self) -> tuple[Sample, ...]:
        """Return the sample contexts as values; one empty sample where none is given."""
        return tuple(Sample(each["name"], each["context"]) for each in self.samples) or (Sample("empty", {}),)
