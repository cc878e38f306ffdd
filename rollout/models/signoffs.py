"""Who has to agree before a plan or a phase goes on, what they agreed to, and what was measured before."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from rollout.models.plans import Phase, Plan, Wave


class SignoffRequirement(models.Model):
    """A role that has to agree: to the plan before it is approved, or to one of its phases before that opens."""

    plan = models.ForeignKey(Plan, on_delete=models.PROTECT, related_name="signoff_requirements")
    phase = models.ForeignKey(Phase, null=True, blank=True, on_delete=models.PROTECT, related_name="signoff_requirements")
    role = models.CharField(max_length=100, help_text="A group of accounts, such as CTO.")

    class Meta:
        ordering = ["plan", "phase", "role"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["phase", "role"], name="rollout_role_once_per_phase"),
            models.UniqueConstraint(fields=["plan", "role"], condition=Q(phase__isnull=True), name="rollout_role_once_per_plan"),
            models.CheckConstraint(condition=~Q(role=""), name="rollout_requirement_names_a_role"),
        ]

    def __str__(self) -> str:
        """Return the role and what it agrees to."""
        return f"{self.role}: {self.phase or self.plan}"


class Decision(models.TextChoices):
    """What somebody says in the name of a role."""

    APPROVED = "approved", "approved"
    REJECTED = "rejected", "rejected"


class Signoff(models.Model):
    """A decision in the name of a role, bound to the content that was shown; another content needs another decision.

    `evidence` is what was known when it was given: verdicts of gates, the rehearsal, the rollback certificate, how many people.
    """

    requirement = models.ForeignKey(SignoffRequirement, on_delete=models.PROTECT, related_name="signoffs")
    decision = models.CharField(max_length=10, choices=Decision.choices)
    content_hash = models.CharField(max_length=64, help_text="SHA-256 of the content that was shown.")
    evidence = models.JSONField(default=dict)
    by = models.CharField(max_length=150)
    reason = models.TextField(blank=True)
    at = models.DateTimeField()

    class Meta:
        ordering = ["-pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["requirement", "content_hash"], name="rollout_one_decision_of_a_role"),
            models.CheckConstraint(condition=Q(decision__in=Decision.values), name="rollout_decision_known"),
            models.CheckConstraint(condition=~Q(by=""), name="rollout_signed_by_name"),
        ]

    def __str__(self) -> str:
        """Return the role, the decision and who took it."""
        return f"{self.requirement.role} {self.decision} by {self.by}"


class RollbackCertificate(models.Model):
    """A rollback that was measured on the real roster, inside a transaction that was then undone.

    `people` were switched and taken back of `roster` members; `projected_s` is the time for all of them at that pace.
    `is_exact` says that everybody had, byte for byte, what they had before.
    """

    phase = models.ForeignKey(Phase, on_delete=models.PROTECT, related_name="certificates")
    wave = models.ForeignKey(Wave, null=True, blank=True, on_delete=models.PROTECT, related_name="certificates")
    roster = models.PositiveIntegerField()
    roster_digest = models.CharField(max_length=64, help_text="SHA-256 over the members that it stands for.")
    people = models.PositiveIntegerField()
    effective_ms = models.FloatField()
    reconciled_ms = models.FloatField()
    projected_s = models.FloatField()
    is_exact = models.BooleanField()
    engine_version = models.CharField(max_length=20)
    text = models.TextField(blank=True, help_text="What was found, in words.")
    by = models.CharField(max_length=150)
    at = models.DateTimeField()

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        """Return the phase and the instant."""
        return f"{self.wave or self.phase} {self.at:%Y-%m-%d %H:%M}"
