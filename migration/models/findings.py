"""What a person has to decide about a translation or an upgrade."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from migration.models.customizations import Customization
from migration.models.translations import Translation, Validation
from slots.models import history


class Severity(models.TextChoices):
    """How much a finding weighs."""

    INFORMATION = "information", "information"
    WARNING = "warning", "warning"
    BLOCKING = "blocking", "blocking"


class Decision(models.TextChoices):
    """What a person decided about a finding."""

    OPEN = "open", "open"
    ACCEPTED = "accepted", "accepted"
    REFUSED = "refused", "refused"


class FindingQuerySet(models.QuerySet["Finding"]):
    """Questions about many findings."""

    def blocking(self) -> "FindingQuerySet":
        """Return those that keep people on the legacy system: blocking, and nobody accepted them."""
        return self.filter(severity=Severity.BLOCKING).exclude(decision=Decision.ACCEPTED)


class Finding(models.Model):
    """Something a person should know about a translation, or about a customization that has none.

    A blocking finding keeps its people on the legacy system until somebody with the right accepts it. What a validation
    found names that validation too: a decision holds for the pages that were compared then, not for later ones.
    """

    translation = models.ForeignKey(Translation, null=True, blank=True, on_delete=models.CASCADE, related_name="findings")
    customization = models.ForeignKey(Customization, null=True, blank=True, on_delete=models.CASCADE, related_name="findings")
    validation = models.ForeignKey(Validation, null=True, blank=True, on_delete=models.CASCADE, related_name="findings")
    code = models.CharField(max_length=40, db_index=True)
    severity = models.CharField(max_length=20, choices=Severity.choices)
    line = models.PositiveIntegerField(default=0, help_text="Line of the diff, from 1; 0 when no line is to blame.")
    place = models.CharField(max_length=500, blank=True)
    text = models.TextField()
    details = models.JSONField(
        default=dict, blank=True, help_text="{origin, operation, base, ours, theirs, suggestion}, as far as known."
    )
    decision = models.CharField(max_length=10, choices=Decision.choices, default=Decision.OPEN)
    decided_by = models.CharField(max_length=150, blank=True)
    decided_at = models.DateTimeField(null=True, blank=True)
    decision_reason = models.TextField(blank=True)
    created_at = models.DateTimeField()

    history = history()
    objects = FindingQuerySet.as_manager()

    class Meta:
        ordering = ["code", "pk"]
        permissions: ClassVar = [("decide_finding", "Can accept or refuse what keeps people on the legacy system")]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(translation__isnull=False, customization__isnull=True)
                | Q(translation__isnull=True, customization__isnull=False),
                name="migration_finding_has_one_subject",
            ),
        ]

    def __str__(self) -> str:
        """Return the code and the place."""
        return f"{self.code} {self.place}".strip()
