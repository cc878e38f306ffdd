"""What people report, how urgent it is, and by when somebody has to answer."""

from datetime import datetime
from typing import Any, ClassVar, Self

from django.db import models
from django.db.models import F, Q

from migration.models import Person
from rollout.gates import Severity
from rollout.models.events import Stateful, Subject
from rollout.models.plans import Wave
from rollout.states import TICKET_NEXT, UNANSWERED, TicketState
from rollout.tickets import Deadline, deadline, notice_of

SEVERITIES = [(each.value, each.value) for each in Severity]  # the most pressing first
_UNANSWERED = Q(state__in=sorted(state.value for state in UNANSWERED))


class TicketQuerySet(models.QuerySet["Ticket"]):
    """Questions about many tickets; what they ask first is an index of the unanswered ones, which are few."""

    def unanswered(self) -> Self:
        """Return those whose person waits for an answer."""
        return self.filter(_UNANSWERED)

    def overdue(self, at: datetime) -> Self:
        """Return those whose answer is late."""
        return self.unanswered().filter(respond_by__lt=at)

    def pressing(self, at: datetime) -> Self:
        """Return those that are near their deadline or past it, the most pressing first."""
        near = Q()
        for severity in Severity:
            near |= Q(severity=severity.value, respond_by__lte=at + notice_of(severity))
        return self.unanswered().filter(near).order_by("respond_by", "pk")


class Ticket(Stateful):
    """Something that a person reported, opened by support or taken in from a helpdesk, until it is resolved.

    `source` and `external_id` make an import that runs twice one. `wave` is the one that had moved the person when they reported:
    by it the report counts for the metrics of its plan.
    """

    TABLE = TICKET_NEXT
    SUBJECT = Subject.TICKET

    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="tickets")
    wave = models.ForeignKey(
        Wave,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="tickets",
        help_text="That had moved the person when they reported.",
    )
    severity = models.CharField(max_length=10, choices=SEVERITIES)
    state = models.CharField(max_length=10, choices=TicketState.choices, default=TicketState.OPEN)
    subject = models.CharField(max_length=200)
    text = models.TextField(blank=True, help_text="What the person said.")
    source = models.CharField(max_length=100, blank=True, help_text="The helpdesk that it came from; empty: opened here.")
    external_id = models.CharField(max_length=100, blank=True, help_text="What the helpdesk calls it; taken in once.")
    reported_at = models.DateTimeField()
    waiting_since = models.DateTimeField(help_text="The report, or the last reopening: from then on the deadline is counted.")
    respond_by = models.DateTimeField()
    answered_at = models.DateTimeField(null=True, blank=True, help_text="The first answer.")
    resolved_at = models.DateTimeField(null=True, blank=True)
    opened_by = models.CharField(max_length=150)
    handled_by = models.CharField(max_length=150, blank=True, help_text="Who answered or resolved it last.")

    objects = TicketQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        indexes: ClassVar = [
            models.Index(fields=["respond_by"], condition=_UNANSWERED, name="rollout_ticket_unanswered"),
            models.Index(fields=["reported_at"], name="rollout_ticket_reported"),
            models.Index(fields=["resolved_at"], condition=Q(resolved_at__isnull=False), name="rollout_ticket_resolved"),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["source", "external_id"], condition=~Q(external_id=""), name="rollout_ticket_once"),
            models.CheckConstraint(condition=Q(severity__in=[each.value for each in Severity]), name="rollout_ticket_severity"),
            models.CheckConstraint(condition=Q(state__in=TicketState.values), name="rollout_ticket_state_known"),
            models.CheckConstraint(condition=Q(external_id="") | ~Q(source=""), name="rollout_ticket_id_of_a_source"),
            models.CheckConstraint(condition=~Q(opened_by="") & ~Q(subject=""), name="rollout_ticket_says_what_and_who"),
            models.CheckConstraint(
                condition=Q(waiting_since__gte=F("reported_at"), respond_by__gt=F("waiting_since")),
                name="rollout_ticket_due_after_its_report",
            ),
            models.CheckConstraint(
                condition=(Q(answered_at__isnull=True) | Q(answered_at__gte=F("reported_at")))
                & (~Q(state="open") | Q(answered_at__isnull=True))
                & (~Q(state__in=["answered", "resolved"]) | Q(answered_at__isnull=False)),
                name="rollout_ticket_answered_at_an_instant",
            ),
            models.CheckConstraint(
                condition=Q(state="resolved", resolved_at__isnull=False, resolved_at__gte=F("reported_at"))
                | (~Q(state="resolved") & Q(resolved_at__isnull=True)),
                name="rollout_ticket_resolved_at_an_instant",
            ),
        ]

    def __str__(self) -> str:
        """Return what it is about."""
        return f"#{self.pk} {self.subject}"

    @property
    def is_unanswered(self) -> bool:
        """Say whether the person waits for an answer."""
        return self.state in UNANSWERED

    def deadline(self, at: datetime) -> Deadline | None:
        """Return how pressing an answer is now; None where nobody waits for one."""
        return deadline(Severity(self.severity), self.respond_by, at=at) if self.is_unanswered else None

    def as_json(self, *, at: datetime) -> dict[str, Any]:
        """Return the JSON object that commands and the API show, with how pressing an answer is at an instant."""
        found = self.deadline(at)
        return {
            "pk": self.pk,
            "user": str(self.person),
            "severity": self.severity,
            "state": self.state,
            "subject": self.subject,
            "text": self.text,
            "source": self.source,
            "external_id": self.external_id,
            "wave": self.wave_id,
            "plan": self.wave.phase.plan_id if self.wave else None,
            "reported_at": self.reported_at.isoformat(),
            "respond_by": found.at.isoformat() if found else None,
            "urgency": found.urgency.value if found else None,
            "answered_at": self.answered_at.isoformat() if self.answered_at else None,
            "resolved_at": self.resolved_at.isoformat() if self.resolved_at else None,
            "opened_by": self.opened_by,
            "handled_by": self.handled_by,
        }
