"""What is to be done in a phase beside its waves, and when nobody is moved."""

from datetime import datetime
from typing import ClassVar, Self

from django.db import models
from django.db.models import F, Q

from rollout.models.plans import Phase, Plan


class Task(models.Model):
    """Something that people have to do in a phase; a phase is not completed before its required tasks are done."""

    phase = models.ForeignKey(Phase, on_delete=models.PROTECT, related_name="tasks")
    position = models.PositiveSmallIntegerField()
    text = models.CharField(max_length=300)
    due_at = models.DateTimeField(null=True, blank=True)
    is_required = models.BooleanField(default=True)
    done_at = models.DateTimeField(null=True, blank=True)
    done_by = models.CharField(max_length=150, blank=True)
    note = models.TextField(blank=True)

    class Meta:
        ordering = ["phase", "position"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["phase", "position"], name="rollout_task_position_once"),
            models.CheckConstraint(
                condition=Q(done_at__isnull=True, done_by="") | (Q(done_at__isnull=False) & ~Q(done_by="")),
                name="rollout_task_done_by_name",
            ),
        ]

    def __str__(self) -> str:
        """Return the text."""
        return self.text


class FreezeQuerySet(models.QuerySet["Freeze"]):
    """Questions about many freezes."""

    def covering(self, plan_pk: int, at: datetime) -> Self:
        """Return those that cover a plan at an instant."""
        return self.filter(Q(plan__isnull=True) | Q(plan=plan_pk), starts_at__lte=at, ends_at__gt=at)


class Freeze(models.Model):
    """An entry of the maintenance calendar: from `starts_at` up to `ends_at` no wave of the plan, or of any, claims anybody.

    The switch that freezes everything at once, without an end, is a `Hold`.
    """

    plan = models.ForeignKey(
        Plan, null=True, blank=True, on_delete=models.PROTECT, related_name="freezes", help_text="Empty: every plan."
    )
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    reason = models.TextField()
    set_by = models.CharField(max_length=150)
    set_at = models.DateTimeField()

    objects = FreezeQuerySet.as_manager()

    class Meta:
        ordering = ["starts_at"]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(ends_at__gt=F("starts_at")), name="rollout_freeze_is_not_empty"),
            models.CheckConstraint(condition=~Q(reason=""), name="rollout_freeze_says_why"),
        ]

    def __str__(self) -> str:
        """Return when and why."""
        return f"{self.starts_at:%Y-%m-%d %H:%M} to {self.ends_at:%Y-%m-%d %H:%M}: {self.reason}"
