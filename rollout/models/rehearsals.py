"""Plans that were played through before they were carried out."""

from typing import ClassVar

from django.db import models

from rollout.models.plans import Plan


class Rehearsal(models.Model):
    """One run of a plan on a virtual clock against a copy of its people, with its report.

    `content_hash` is the plan's when it was rehearsed: a later edit makes the rehearsal one of another plan.
    """

    plan = models.ForeignKey(Plan, on_delete=models.PROTECT, related_name="rehearsals")
    scenario = models.CharField(max_length=40, blank=True, help_text="Empty: nothing goes wrong.")
    seed = models.PositiveIntegerField()
    people = models.PositiveIntegerField()
    content_hash = models.CharField(max_length=64)
    digest = models.CharField(max_length=64, blank=True, help_text="SHA-256 of the report; the same seed gives the same one.")
    is_completed = models.BooleanField(default=False)
    violations = models.PositiveIntegerField(default=0)
    report = models.JSONField(default=dict)
    by = models.CharField(max_length=150)
    asked_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)
    error = models.TextField(blank=True, help_text="Why there is no report.")

    class Meta:
        ordering: ClassVar = ["-pk"]

    def __str__(self) -> str:
        """Return the plan and what was played."""
        return f"{self.plan.name}: {self.scenario or 'nothing goes wrong'}, seed {self.seed}"
