"""Upgrades of a component: what becomes of every distinct configuration, and what people decided about conflicts."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from slots.markup.rebase.outcomes import Texts
from slots.models.components import Component, ComponentVersion
from slots.models.configurations import Body


class UpgradeState(models.TextChoices):
    """Whether a new version is only looked at, or live."""

    PLANNED = "planned", "planned"
    ACTIVE = "active", "active"
    SUPERSEDED = "superseded", "superseded by a later upgrade"


class Upgrade(models.Model):
    """One move of a component to a version; `act` is that of the history rows it writes."""

    component = models.ForeignKey(Component, on_delete=models.CASCADE, related_name="upgrades")
    version = models.ForeignKey(ComponentVersion, on_delete=models.PROTECT, related_name="upgrades")
    state = models.CharField(max_length=12, choices=UpgradeState.choices, default=UpgradeState.PLANNED)
    act = models.UUIDField(unique=True, editable=False)
    by = models.CharField(max_length=150)
    reason = models.CharField(max_length=500)
    planned_at = models.DateTimeField()
    activated_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-planned_at", "-pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["component"], condition=Q(state="active"), name="slots_one_active_upgrade_per_component"
            ),
        ]

    def __str__(self) -> str:
        """Return component and version."""
        return f"{self.component.key} to {self.version.version}"


class CaseStatus(models.TextChoices):
    """The worst outcome of a configuration's operations; `refused` is what the policy or the compiler says of the result."""

    CLEAN = "clean", "clean"
    ADAPTED = "adapted", "adapted"
    ABSORBED = "absorbed", "absorbed"
    KEPT = "kept", "kept"
    CONFLICT = "conflict", "conflict"
    REFUSED = "refused", "refused"


class UpgradeCase(models.Model):
    """What becomes of one body on one version, however many configurations share it."""

    upgrade = models.ForeignKey(Upgrade, on_delete=models.CASCADE, related_name="cases")
    from_version = models.ForeignKey(ComponentVersion, on_delete=models.PROTECT, related_name="+")
    body = models.ForeignKey(Body, on_delete=models.PROTECT, related_name="+")
    new_body = models.ForeignKey(Body, null=True, on_delete=models.PROTECT, related_name="+")
    status = models.CharField(max_length=10, choices=CaseStatus.choices)
    outcomes = models.JSONField(default=list, help_text="One object for each operation: operation, status, reason, place.")
    refusal = models.TextField(blank=True, help_text="Why the policy or the compiler does not take the result.")
    is_ready = models.BooleanField(default=False, help_text="Its configurations may move: nothing is left to decide.")
    configurations = models.PositiveIntegerField(default=0, help_text="How many shared it when the upgrade was planned.")
    moved = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["upgrade", "pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["upgrade", "from_version", "body"], name="slots_case_once_per_upgrade"),
            models.CheckConstraint(condition=Q(is_ready=False) | Q(new_body__isnull=False), name="slots_ready_case_has_a_body"),
        ]

    def __str__(self) -> str:
        """Return the upgrade, the start of the body's digest and the status."""
        return f"{self.upgrade}: {self.body_id[:12]} {self.status}"


class Resolution(models.TextChoices):
    """What somebody decided about one operation that did not go by itself."""

    OPEN = "", "open"
    OURS = "ours", "the customization's version stands"
    THEIRS = "theirs", "the new base's version stands, the operation goes"
    PINNED = "pinned", "stays on the version it was made for"


class UpgradeConflict(models.Model):
    """One operation that both sides changed (`kept`) or that lost its place (`conflict`), with three texts.

    `group` is equal where place and texts are equal: one decision serves all.
    """

    case = models.ForeignKey(UpgradeCase, on_delete=models.CASCADE, related_name="conflicts")
    operation = models.CharField(max_length=64, help_text="The operation's id.")
    status = models.CharField(max_length=10, choices=[("kept", "kept"), ("conflict", "conflict")])
    words = models.TextField(help_text="The operation in words.")
    place = models.CharField(max_length=500, blank=True)
    reason = models.TextField(blank=True)
    base = models.TextField(blank=True)
    ours = models.TextField(blank=True)
    theirs = models.TextField(blank=True)
    group = models.CharField(max_length=64, db_index=True, editable=False)
    resolution = models.CharField(max_length=10, choices=Resolution.choices, blank=True, default=Resolution.OPEN)
    resolved_by = models.CharField(max_length=150, blank=True)
    resolved_at = models.DateTimeField(null=True, blank=True)
    resolved_because = models.CharField(max_length=500, blank=True)

    class Meta:
        ordering = ["case", "pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["case", "operation"], name="slots_conflict_once_per_operation"),
            models.CheckConstraint(
                condition=Q(resolution="") | (~Q(resolved_by="") & Q(resolved_at__isnull=False)), name="slots_decision_has_a_name"
            ),
        ]

    def __str__(self) -> str:
        """Return the words and the status."""
        return f"{self.words} {self.status}"

    @property
    def code(self) -> str:
        """Return the issue code: BASE_REMOVED where the new base has nothing at the place any more, else BASE_CHANGED."""
        return Texts(self.base, self.ours, self.theirs).code.value
