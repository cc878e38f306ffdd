"""Components, their versions, and the slot configurations that people, segments and sites lay over them.

Rows are the truth: a `SlotConfiguration` points to a `Body` (operations, stored once by digest), and the request reads only those
rows. A `ComposedTemplate` is a cache of base + stack of bodies; it may be deleted at any time and is composed again on a miss.
"""

import json
import uuid
from hashlib import sha256
from typing import Any, ClassVar

from django.db import models
from django.db.models import F, Q
from django.dispatch import receiver
from simple_history.models import HistoricalRecords
from simple_history.signals import pre_create_historical_record

from slots.schema import DEFAULT_TENANT, Contract, PersonKey, Sample


def _actor_of(historical_instance: Any) -> str | None:
    return historical_instance.history_user_id or None


def _set_actor(historical_instance: Any, actor: object) -> None:
    historical_instance.history_user_id = str(actor) if actor else None


def _actor_in_request(request: Any = None, **_kwargs: Any) -> str | None:
    return request.user.get_username() if request is not None else None


class HistoryEntry(models.Model):
    """Add to every history row the act that wrote it, so that whole acts can be undone.

    One act (a wave's switch, an import, a restore) writes many rows under one id.
    """

    act = models.UUIDField(null=True, db_index=True, editable=False)

    class Meta:
        abstract = True


def history(**options: Any) -> HistoricalRecords:
    """Return history records that keep *who* as a name without a foreign key, and the act.

    Deleting a staff account must not erase who changed what, and jobs have no account at all.
    """
    return HistoricalRecords(  # type: ignore[no-untyped-call]  # the library has no types
        bases=[HistoryEntry],
        history_user_id_field=models.CharField(max_length=150, null=True, blank=True),
        history_user_getter=_actor_of,
        history_user_setter=_set_actor,
        get_user=_actor_in_request,
        history_id_field=models.BigAutoField(primary_key=True),
        **options,
    )


@receiver(pre_create_historical_record, dispatch_uid="slots.history_act")
def _write_act(history_instance: Any, instance: Any, **_kwargs: Any) -> None:
    if isinstance(history_instance, HistoryEntry):
        history_instance.act = getattr(instance, "_history_act", None)


def record_as(instance: models.Model, *, by: str, reason: str, at: Any, act: uuid.UUID | None = None) -> None:
    """Say who, why, when and in which act the next save or delete of `instance` is recorded in its history."""
    instance._history_user = by  # type: ignore[attr-defined]  # simple_history reads these names off the instance
    instance._change_reason = reason  # type: ignore[attr-defined]
    instance._history_date = at  # type: ignore[attr-defined]
    instance._history_act = act  # type: ignore[attr-defined]


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
    component_version = models.ForeignKey(ComponentVersion, on_delete=models.PROTECT, related_name="configurations")
    body = models.ForeignKey(Body, on_delete=models.PROTECT, related_name="configurations")
    is_active = models.BooleanField(default=False)
    origin = models.CharField(max_length=20, choices=Origin.choices, default=Origin.HAND)
    priority = models.IntegerField(default=0, help_text="Order among segments: higher wins.")
    updated_at = models.DateTimeField()

    history = history()
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
        indexes: ClassVar = [models.Index(fields=["component_version", "body"], name="slots_config_by_body")]

    def __str__(self) -> str:
        """Return component, layer and key."""
        return f"{self.component.key} · {self.layer}{f' {self.key}' if self.key else ''}"


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


class ComposedTemplate(models.Model):
    """Base source with a stack of bodies composed into it, ready to compile; rebuildable."""

    digest = models.CharField(
        max_length=64, primary_key=True, help_text="SHA-256 over the version's content digest and the ordered body digests."
    )
    component_version = models.ForeignKey(ComponentVersion, on_delete=models.CASCADE, related_name="composed")
    source = models.TextField()
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        """Return the version and the start of the digest."""
        return f"{self.component_version} {self.digest[:12]}"


class ConfigurationIssue(models.Model):
    """An issue found while composing or rendering, counted where it recurs."""

    component_version = models.ForeignKey(ComponentVersion, on_delete=models.CASCADE, related_name="issues")
    digest = models.CharField(max_length=64, help_text="Digest of the composed template the issue arose in.")
    code = models.CharField(max_length=40)
    place = models.CharField(max_length=500, blank=True)
    text = models.TextField()
    occurrences = models.PositiveIntegerField(default=1)
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()

    class Meta:
        ordering = ["-last_at"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["digest", "code", "place"], name="slots_issue_once_per_place"),
        ]

    def __str__(self) -> str:
        """Return the code and the place."""
        return f"{self.code} {self.place}".strip()
