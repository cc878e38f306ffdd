"""What the layers say: bodies of operations, and the configurations that point to them."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from slots.models.components import Component, ComponentVersion
from slots.models.history import history
from slots.models.segments import SegmentMember
from slots.schema import DEFAULT_TENANT, PersonKey


class Layer(models.TextChoices):
    """Layers of configuration, weakest first: a later one wins over an earlier one."""

    DEFAULT = "default", "default"
    SITE = "site", "site"
    SEGMENT = "segment", "segment"
    USER = "user", "user"
    PREVIEW = "preview", "preview"


class Origin(models.TextChoices):
    """Where a configuration came from."""

    SHIPPED = "shipped", "shipped with the component"
    HAND = "hand", "made by hand"
    TRANSLATION = "translation", "translated from a diff"
    UPGRADE = "upgrade", "carried over by a component upgrade"


class Body(models.Model):
    """A list of operations, stored once however many people share it."""

    digest = models.CharField(max_length=64, primary_key=True, help_text="SHA-256 of the operations, in hex.")
    operations = models.TextField(help_text='Canonical JSON: {"schema": 1, "ops": […]}.')
    created_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "bodies"

    def __str__(self) -> str:
        """Return the first twelve digits of the digest."""
        return self.digest[:12]


class SlotConfigurationQuerySet(models.QuerySet["SlotConfiguration"]):
    """Questions about many configurations."""

    def active(self) -> "SlotConfigurationQuerySet":
        """Return those that take part in rendering."""
        return self.filter(is_active=True)

    def of(self, person: PersonKey) -> "SlotConfigurationQuerySet":
        """Return the person's own layer."""
        return self.filter(tenant=person.tenant, layer=Layer.USER, key=person.user)

    def for_request(self, person: PersonKey) -> "SlotConfigurationQuerySet":
        """Return every active row that takes part in rendering any component for the person, all layers.

        Each alternative names tenant, layer and key, so that each is a seek: with the tenant named once beside them SQLite reads
        all rows of the tenant.
        """
        tenant = person.tenant
        segments = SegmentMember.objects.filter(tenant=tenant, user=person.user).values("segment")
        return self.active().filter(
            Q(tenant=tenant, layer__in=(Layer.DEFAULT, Layer.SITE), key="")
            | Q(tenant=tenant, layer=Layer.SEGMENT, key__in=segments)
            | Q(tenant=tenant, layer=Layer.USER, key=person.user)
        )


class SlotConfiguration(models.Model):
    """What one layer says about one component: the operations laid over its version."""

    tenant = models.CharField(max_length=100, default=DEFAULT_TENANT)
    layer = models.CharField(max_length=10, choices=Layer.choices)
    key = models.CharField(max_length=200, blank=True, help_text="Segment or person; empty for the default and site layers.")
    component = models.ForeignKey(Component, on_delete=models.CASCADE, related_name="configurations")
    # Their indexes are below: one that Django makes for a digest comes with a second one, for patterns.
    component_version = models.ForeignKey(
        ComponentVersion, on_delete=models.PROTECT, related_name="configurations", db_index=False
    )
    body = models.ForeignKey(Body, on_delete=models.PROTECT, related_name="configurations", db_index=False)
    is_active = models.BooleanField(default=False)
    origin = models.CharField(max_length=20, choices=Origin.choices, default=Origin.HAND)
    priority = models.IntegerField(default=0, help_text="Order among segments: higher wins.")
    is_pinned = models.BooleanField(default=False, help_text="Stays on its version: upgrades pass it by.")
    updated_at = models.DateTimeField()

    history = history(no_db_index=["component_version", "body"])
    objects = SlotConfigurationQuerySet.as_manager()

    class Meta:
        ordering = ["component", "layer", "key"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["tenant", "layer", "key", "component"], name="slots_one_configuration_per_place"),
            models.CheckConstraint(
                condition=Q(layer__in=("default", "site"), key="") | (Q(layer__in=("segment", "user", "preview")) & ~Q(key="")),
                name="slots_key_fits_layer",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["component_version", "body"], name="slots_config_by_body"),
            models.Index(fields=["body"], name="slots_config_of_body"),
        ]

    def __str__(self) -> str:
        """Return component, layer and key."""
        return f"{self.component.key} · {self.layer}{f' {self.key}' if self.key else ''}"
