"""What those who answer for a rollout are told of a breach, and what became of each message."""

from datetime import datetime
from typing import ClassVar, Self

from django.db import models
from django.db.models import Q

from rollout.models.gates import BreachResponse
from rollout.models.notices import DeliveryState
from rollout.states import BreachState


class AlertQuerySet(models.QuerySet["Alert"]):
    """Questions about many alerts."""

    def due(self, at: datetime) -> Self:
        """Return those that are to be sent by now while their breach is open, the earliest first."""
        due = self.filter(state=DeliveryState.PENDING, due_at__lte=at, response__breach__state=BreachState.OPEN)
        return due.order_by("due_at", "pk")

    def stale(self) -> Self:
        """Return those that are still to be sent though their breach is closed."""
        return self.filter(state=DeliveryState.PENDING).exclude(response__breach__state=BreachState.OPEN)


class Alert(models.Model):
    """One e-mail to one account about one response of a breach: the outbox. Nobody gets it twice, however often it is tried.

    Name, role and address are as they were when the response was due; an account may go, what was sent to it stays known.
    Subject and body are what it said when it was handed over last.
    """

    response = models.ForeignKey(BreachResponse, on_delete=models.PROTECT, related_name="alerts")
    name = models.CharField(max_length=150, help_text="The account.")
    role = models.CharField(max_length=150, help_text="As whom it is told: a group of accounts.")
    address = models.EmailField()
    subject = models.TextField(blank=True)
    body = models.TextField(blank=True)
    state = models.CharField(max_length=10, choices=DeliveryState.choices, default=DeliveryState.PENDING)
    due_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True, blank=True)
    tries = models.PositiveSmallIntegerField(default=0)
    error = models.TextField(blank=True)

    objects = AlertQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]
        indexes: ClassVar = [models.Index(fields=["due_at"], condition=Q(state="pending"), name="rollout_alert_due")]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["response", "name"], name="rollout_never_alerted_twice"),
            models.CheckConstraint(condition=Q(state__in=DeliveryState.values), name="rollout_alert_state_known"),
            models.CheckConstraint(
                condition=Q(state="sent", sent_at__isnull=False) | (~Q(state="sent") & Q(sent_at__isnull=True)),
                name="rollout_alert_sent_at_an_instant",
            ),
        ]

    def __str__(self) -> str:
        """Return whom it tells, as whom, and what became of it."""
        return f"{self.name} ({self.role}): {self.state}"
