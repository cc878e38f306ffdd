"""People, their customizations as they were given, what happened to each, and what could not be read."""

from datetime import datetime
from typing import ClassVar

from django.db import models, transaction
from django.db.models import Q

from migration.states import NEXT, CustomizationState
from slots.models import Component, ComponentVersion, Keys, history, insert_selected
from slots.schema import DEFAULT_TENANT, PersonKey


class PersonQuerySet(models.QuerySet["Person"]):
    """Questions about many people."""

    def named(self, person: PersonKey) -> "PersonQuerySet":
        """Return the row of one person key."""
        return self.filter(tenant=person.tenant, user=person.user)

    def customised(self) -> "PersonQuerySet":
        """Return those with at least one active customization."""
        return self.filter(models.Exists(Customization.objects.filter(person=models.OuterRef("pk"), is_active=True)))


class Person(models.Model):
    """An end user, named by an opaque external id that is unique within a tenant."""

    tenant = models.CharField(max_length=100, default=DEFAULT_TENANT)
    user = models.CharField(max_length=200)
    email = models.EmailField(blank=True)
    region = models.CharField(max_length=50, blank=True)
    time_zone = models.CharField(max_length=64, blank=True)
    language = models.CharField(max_length=20, blank=True)
    engagement = models.FloatField(null=True, blank=True, help_text="0 to 1; empty where unknown.")
    is_technical = models.BooleanField(default=False)
    is_internal = models.BooleanField(default=False)
    signed_up_at = models.DateTimeField(null=True, blank=True)

    objects = PersonQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "people"
        ordering = ["tenant", "user"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["tenant", "user"], name="migration_person_once_per_tenant"),
            models.CheckConstraint(
                condition=Q(engagement__isnull=True) | Q(engagement__gte=0, engagement__lte=1),
                name="migration_engagement_is_share",
            ),
        ]
        indexes: ClassVar = [  # what a search begins with; on PostgreSQL only these classes serve the beginning of a text
            models.Index(fields=["user"], name="migration_person_by_user", opclasses=["varchar_pattern_ops"]),
            models.Index(fields=["email"], name="migration_person_by_email", opclasses=["varchar_pattern_ops"]),
        ]

    def __str__(self) -> str:
        """Return the external id, with the tenant where it is not the default."""
        return str(self.key)

    @property
    def key(self) -> PersonKey:
        """Return the person as a value."""
        return PersonKey(self.tenant, self.user)


class CustomizationQuerySet(models.QuerySet["Customization"]):
    """Questions about many customizations."""

    def active(self) -> "CustomizationQuerySet":
        """Return those that the legacy system renders."""
        return self.filter(is_active=True)

    def waiting(self) -> "CustomizationQuerySet":
        """Return those that the legacy system renders and that are not on slots."""
        return self.active().exclude(state__in=(CustomizationState.MIGRATED, CustomizationState.ARCHIVED))

    def of(self, person: PersonKey) -> "CustomizationQuerySet":
        """Return one person's."""
        return self.filter(person__tenant=person.tenant, person__user=person.user)

    def move(self, *, to: CustomizationState, at: datetime, reason: str = "") -> list[int]:
        """Move all that the table lets move; return the primary keys of those that were moved.

        The rows are locked first, so that whoever moves them at the same time finds them moved and decides again.
        """
        sources = [state for state, targets in NEXT.items() if to in targets]
        with transaction.atomic():
            moving = list(
                self.filter(state__in=sources).select_for_update(of=("self",)).order_by("pk").values_list("pk", flat=True)
            )
            rows = Customization.objects.filter(pk__in=Keys(moving))
            event = {"customization_id": models.F("pk"), "to_state": to, "at": at, "reason": reason}
            insert_selected(CustomizationEvent, rows.order_by("pk"), event)
            rows.update(state=to, version=models.F("version") + 1)
        return moving


class Customization(models.Model):
    """A unified diff that one person stored against one component: the legacy system's unit.

    The diff is kept as it came. `component_key` and `base_version` are what the record says; `component` and
    `base` are set where the registry knows them.
    """

    external_id = models.CharField(max_length=200)
    # Person and base lead an index of several columns each, so an index of their own would only be written.
    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="customizations", db_index=False)
    component_key = models.CharField(max_length=200)
    base_version = models.CharField(max_length=100)
    component = models.ForeignKey(Component, null=True, blank=True, on_delete=models.PROTECT, related_name="customizations")
    base = models.ForeignKey(
        ComponentVersion, null=True, blank=True, on_delete=models.PROTECT, related_name="customizations", db_index=False
    )
    diff = models.TextField()
    diff_digest = models.CharField(max_length=64, help_text="SHA-256 of the diff as UTF-8, in hex.")
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(null=True, blank=True)
    imported_at = models.DateTimeField()
    # In no index: so PostgreSQL moves a row on its page and leaves all indexes alone (a heap-only tuple).
    state = models.CharField(max_length=20, choices=CustomizationState.choices, default=CustomizationState.IMPORTED)
    translation = models.ForeignKey(
        "Translation", null=True, blank=True, on_delete=models.SET_NULL, related_name="customizations"
    )
    version = models.PositiveIntegerField(default=1, help_text="Counts moves; a conditional move names the one it read.")

    history = history()
    objects = CustomizationQuerySet.as_manager()

    class Meta:
        ordering = ["person", "component_key"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["person", "external_id"], name="migration_external_id_once_per_person"),
            models.UniqueConstraint(
                fields=["person", "component_key"], condition=Q(is_active=True), name="migration_one_active_per_component"
            ),
            models.CheckConstraint(condition=Q(state__in=CustomizationState.values), name="migration_customization_state_known"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["base", "diff_digest"], name="migration_same_diff"),
            models.Index(fields=["external_id"], name="migration_diff_by_id", opclasses=["varchar_pattern_ops"]),
        ]
        permissions: ClassVar = [("translate_customization", "Can translate and validate customizations")]

    def __str__(self) -> str:
        """Return the external id and the component."""
        return f"{self.external_id} ({self.component_key}@{self.base_version})"

    @staticmethod
    def move(pk: int, *, to: CustomizationState, at: datetime, version: int, reason: str = "") -> bool:
        """Move one row if nobody moved it since `version` was read; say whether it moved.

        False means that somebody else was first or that the table has no such edge: read again and decide again.
        """
        sources = [state for state, targets in NEXT.items() if to in targets]
        with transaction.atomic():
            moved = Customization.objects.filter(pk=pk, version=version, state__in=sources).update(
                state=to, version=models.F("version") + 1
            )
            if moved:
                CustomizationEvent.objects.create(customization_id=pk, to_state=to, at=at, reason=reason)
        return bool(moved)


class CustomizationEvent(models.Model):
    """One move of one customization; rows are only ever added."""

    customization = models.ForeignKey(Customization, on_delete=models.CASCADE, related_name="events")
    to_state = models.CharField(max_length=20, choices=CustomizationState.choices)
    reason = models.TextField(blank=True)
    at = models.DateTimeField()

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        """Return the state that was entered."""
        return self.to_state


class RejectedRecordQuerySet(models.QuerySet["RejectedRecord"]):
    """Questions about many rejected records."""

    def unsettled(self) -> "RejectedRecordQuerySet":
        """Return those that somebody still has to deal with."""
        return self.filter(settled_at__isnull=True)


class RejectedRecord(models.Model):
    """A line or file of an import that could not become a row, kept as it came.

    Where the record names its person, that person stays on the legacy system until the record is settled: imported
    after all under the same external id, or dismissed by somebody with a reason.
    """

    source = models.CharField(max_length=500, help_text="Name of the file, or its path as it was given.")
    line = models.PositiveIntegerField(default=0)
    code = models.CharField(max_length=40, db_index=True)
    text = models.TextField()
    content = models.BinaryField(help_text="The record's bytes, cut at 1 MB.")
    digest = models.CharField(max_length=64, help_text="SHA-256 of the whole record.")
    tenant = models.CharField(max_length=100, blank=True)
    user = models.CharField(max_length=200, blank=True, help_text="Whom the record names, as far as it can be read.")
    external_id = models.CharField(max_length=200, blank=True)
    at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True, blank=True)
    settled_by = models.CharField(max_length=150, blank=True)
    settled_reason = models.TextField(blank=True)

    objects = RejectedRecordQuerySet.as_manager()

    class Meta:
        ordering = ["-at", "source", "line"]
        permissions: ClassVar = [("settle_rejectedrecord", "Can dismiss a record that could not be imported")]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["source", "line", "digest"], name="migration_rejected_once"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["tenant", "user"], condition=Q(settled_at__isnull=True), name="migration_unsettled"),
        ]

    def __str__(self) -> str:
        """Return the place and the code."""
        return f"{self.source}:{self.line} {self.code}"
