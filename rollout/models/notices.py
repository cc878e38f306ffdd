"""What people are told about their wave, when, and what became of each message."""

from datetime import datetime
from typing import ClassVar, Self

from django.db import models
from django.db.models import Q

from rollout.models.enrolments import Enrolment
from rollout.models.plans import Phase, Plan, Wave


class Channel(models.TextChoices):
    """How a notice reaches a person."""

    EMAIL = "email", "e-mail"
    IN_APP = "in_app", "in the application"


class Moment(models.TextChoices):
    """What the time of a notice is counted from."""

    BEFORE_START = "before_start", "before the wave starts"
    AFTER_SWITCH = "after_switch", "after the person is switched"


class Notice(models.Model):
    """A message of a plan or of one of its phases: every wave there tells its people, so long before it starts or after.

    A wave does not start before its required notices were delivered, or waived by somebody by name.
    """

    plan = models.ForeignKey(Plan, on_delete=models.PROTECT, related_name="notices")
    phase = models.ForeignKey(Phase, null=True, blank=True, on_delete=models.PROTECT, related_name="notices")
    name = models.CharField(max_length=200)
    channel = models.CharField(max_length=10, choices=Channel.choices, default=Channel.EMAIL)
    moment = models.CharField(max_length=12, choices=Moment.choices, default=Moment.BEFORE_START)
    lead = models.DurationField(help_text="How long before the start, or after the switch.")
    subject = models.CharField(max_length=200)
    body = models.TextField(help_text="Plain text; {user}, {wave}, {starts_at} and {support} are filled in.")
    is_required = models.BooleanField(default=True, help_text="The wave waits for it.")

    class Meta:
        ordering = ["plan", "phase", "-lead"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["phase", "name"], name="rollout_notice_once_per_phase"),
            models.UniqueConstraint(fields=["plan", "name"], condition=Q(phase=None), name="rollout_notice_once_of_plan"),
            models.CheckConstraint(condition=Q(channel__in=Channel.values), name="rollout_notice_channel_known"),
            models.CheckConstraint(condition=Q(moment__in=Moment.values), name="rollout_notice_moment_known"),
            models.CheckConstraint(
                condition=Q(moment="before_start") | Q(is_required=False), name="rollout_required_notice_is_before_start"
            ),
        ]

    def __str__(self) -> str:
        """Return the name and the channel."""
        return f"{self.name} ({self.get_channel_display()})"


class NoticeText(models.Model):
    """What a notice said, kept once for everybody to whom it said the same: all is filled in but the person, `{user}`."""

    digest = models.CharField(max_length=64, unique=True, help_text="SHA-256 of subject and body, in hex.")
    subject = models.TextField()
    body = models.TextField(help_text="Plain text; a brace itself is written twice.")

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        """Return the subject."""
        return self.subject


class DeliveryState(models.TextChoices):
    """What became of one message."""

    PENDING = "pending", "pending"
    SENT = "sent", "sent"
    FAILED = "failed", "failed"
    CANCELLED = "cancelled", "cancelled"


class NoticeDeliveryQuerySet(models.QuerySet["NoticeDelivery"]):
    """Questions about many messages."""

    def due(self, at: datetime) -> Self:
        """Return those that are to be sent by now and were not."""
        return self.filter(state=DeliveryState.PENDING, due_at__lte=at)


class NoticeDelivery(models.Model):
    """One message to one person about one schedule of their wave: the outbox. Nobody gets it twice, however often it is tried.

    `text` and `address` are what it said and where it went when it was handed over last; dates and names that change later
    change nothing of them.
    """

    notice = models.ForeignKey(Notice, on_delete=models.PROTECT, related_name="deliveries")
    enrolment = models.ForeignKey(Enrolment, on_delete=models.PROTECT, related_name="deliveries")
    wave = models.ForeignKey(Wave, on_delete=models.PROTECT, related_name="deliveries")
    attempt = models.PositiveIntegerField()
    schedule_version = models.PositiveIntegerField()
    state = models.CharField(max_length=10, choices=DeliveryState.choices, default=DeliveryState.PENDING)
    due_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True, blank=True)
    text = models.ForeignKey(NoticeText, null=True, blank=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    address = models.EmailField(blank=True, help_text="Where it was sent to; empty in the application.")
    read_at = models.DateTimeField(null=True, blank=True, help_text="When the person marked it as read in the application.")
    tries = models.PositiveSmallIntegerField(default=0)
    error = models.TextField(blank=True)

    objects = NoticeDeliveryQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "notice deliveries"
        ordering = ["-pk"]
        indexes: ClassVar = [
            models.Index(fields=["due_at"], condition=Q(state="pending"), name="rollout_delivery_due"),
            models.Index(fields=["wave", "notice", "state"], name="rollout_delivery_of_wave"),
            models.Index(
                fields=["notice"], condition=Q(state="failed"), name="rollout_delivery_failed"
            ),  # counted on the first page
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["notice", "enrolment", "attempt", "schedule_version"], name="rollout_never_told_twice"
            ),
            models.CheckConstraint(condition=Q(state__in=DeliveryState.values), name="rollout_delivery_state_known"),
            models.CheckConstraint(
                condition=Q(state="sent", sent_at__isnull=False) | (~Q(state="sent") & Q(sent_at__isnull=True)),
                name="rollout_sent_at_an_instant",
            ),
            models.CheckConstraint(condition=Q(read_at__isnull=True) | Q(state="sent"), name="rollout_read_after_sent"),
            models.CheckConstraint(condition=~Q(state="sent") | Q(text__isnull=False), name="rollout_sent_says_what"),
        ]

    def __str__(self) -> str:
        """Return the notice and what became of it."""
        return f"{self.notice.name}: {self.state}"


class NoticeWaiver(models.Model):
    """A person's word that a wave may start though a notice did not reach everybody; it holds for this schedule and no other."""

    notice = models.ForeignKey(Notice, on_delete=models.PROTECT, related_name="waivers")
    wave = models.ForeignKey(Wave, on_delete=models.PROTECT, related_name="notice_waivers")
    attempt = models.PositiveIntegerField()
    schedule_version = models.PositiveIntegerField()
    by = models.CharField(max_length=150)
    reason = models.TextField()
    at = models.DateTimeField()

    class Meta:
        ordering = ["-pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["notice", "wave", "attempt", "schedule_version"], name="rollout_notice_waived_once"),
            models.CheckConstraint(condition=~Q(by="") & ~Q(reason=""), name="rollout_notice_waived_by_name"),
        ]

    def __str__(self) -> str:
        """Return who waived what."""
        return f"{self.notice.name} waived by {self.by}"
