"""People's places in waves, what to restore for each of them, and support's word on one person."""

from datetime import datetime
from typing import ClassVar, Self

from django.db import models
from django.db.models import Q

from migration.models import Person
from rollout.models.events import Stateful, Subject
from rollout.models.plans import Plan, Wave
from rollout.states import GONE, ON_SLOTS, PERSON_NEXT, UNDONE_FROM, WAITING, WORKING, PersonState
from rollout.waves import System


class EnrolmentQuerySet(models.QuerySet["Enrolment"]):
    """Questions about many enrolments."""

    def live(self) -> Self:
        """Return those that stand for their person today."""
        return self.filter(is_live=True)

    def expired(self, at: datetime) -> Self:
        """Return those whose worker let the lease lapse."""
        return self.filter(lease_until__lt=at)

    def retry_due(self, at: datetime) -> Self:
        """Return those whose wait before the next try is over."""
        return self.filter(state=PersonState.RETRY_WAIT, retry_at__lte=at)


class Enrolment(Stateful):
    """One person's place in one wave; of all rows of a person at most one is live.

    The live row is what the request asks. A row ceases to be live when its person is free for another wave; the row stays and
    is counted in its wave. A working state carries a lease: `lease_token` fences the worker that holds it, `lease_until` is
    when anybody may take the row back.
    """

    TABLE = PERSON_NEXT
    SUBJECT = Subject.ENROLMENT

    plan = models.ForeignKey(Plan, on_delete=models.PROTECT, related_name="enrolments")
    # Wave and person lead an index of several columns each; every index is written whenever the state changes.
    wave = models.ForeignKey(Wave, on_delete=models.PROTECT, related_name="enrolments", db_index=False)
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="enrolments", db_index=False)
    state = models.CharField(max_length=20, choices=PersonState.choices, default=PersonState.ENROLLED)
    is_live = models.BooleanField(default=True)
    attempt = models.PositiveIntegerField(default=1)
    tries = models.PositiveSmallIntegerField(default=0)
    code = models.CharField(max_length=40, blank=True, help_text="Why it stopped, as a code.")
    text = models.TextField(blank=True, help_text="Why it stopped, as a sentence.")
    lease_token = models.UUIDField(null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    retry_at = models.DateTimeField(null=True, blank=True)
    switched_at = models.DateTimeField(null=True, blank=True)
    chosen_for = models.CharField(max_length=200, blank=True, help_text="Why the wave took the person: rules, stratum, rank.")
    leases_lost = models.PositiveSmallIntegerField(default=0, help_text="Workers that died or stalled with this person in hand.")
    deferrals = models.PositiveSmallIntegerField(default=0, help_text="How often the person asked for a later wave.")
    next_check_at = models.DateTimeField(null=True, blank=True, help_text="When the person is looked at next after the switch.")
    checks_done = models.PositiveSmallIntegerField(default=0)
    updated_at = models.DateTimeField()

    objects = EnrolmentQuerySet.as_manager()

    class Meta:
        ordering = ["wave", "pk"]
        verbose_name_plural = "people in waves"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["person"], condition=Q(is_live=True), name="rollout_one_live_enrolment"),
            models.UniqueConstraint(fields=["person", "wave"], name="rollout_person_once_per_wave"),
            models.CheckConstraint(condition=Q(state__in=PersonState.values), name="rollout_person_state_known"),
            models.CheckConstraint(
                condition=Q(state__in=WORKING, lease_token__isnull=False, lease_until__isnull=False)
                | (~Q(state__in=WORKING) & Q(lease_token__isnull=True, lease_until__isnull=True)),
                name="rollout_lease_while_working",
            ),
            models.CheckConstraint(
                condition=Q(is_live=True) | ~Q(state__in=WORKING | ON_SLOTS | WAITING | {PersonState.ROLLING_BACK}),
                name="rollout_live_while_moving",
            ),
            models.CheckConstraint(condition=Q(is_live=False) | ~Q(state__in=GONE), name="rollout_gone_is_not_live"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["wave", "state", "id"], name="rollout_wave_by_state"),
            models.Index(fields=["lease_until"], condition=Q(lease_until__isnull=False), name="rollout_lease"),
            models.Index(fields=["code", "id"], condition=~Q(code=""), name="rollout_enrolment_by_code"),
            # When people of a wave were switched is asked every few seconds; who is on slots, in every round.
            models.Index(
                fields=["wave", "state", "switched_at"], condition=Q(state__in=sorted(ON_SLOTS)), name="rollout_switched_at"
            ),
            models.Index(fields=["person"], condition=Q(is_live=True, state__in=sorted(UNDONE_FROM)), name="rollout_on_slots"),
            models.Index(fields=["next_check_at"], condition=Q(next_check_at__isnull=False), name="rollout_next_check"),
        ]

    def __str__(self) -> str:
        """Return the person and the state."""
        return f"{self.person} {self.state}"


class SnapshotQuerySet(models.QuerySet["Snapshot"]):
    """Questions about many snapshots."""

    def standing(self) -> Self:
        """Return those whose switch nobody took back."""
        return self.filter(restored_at__isnull=True)


class Snapshot(models.Model):
    """What a person had before the switch, to be restored exactly; at most one of a person's is standing.

    `configurations` lists the rows of the person's own layer as they were; `customizations` the states of the diffs;
    `set_aside` what the person had changed by the time the snapshot was restored, so that no edit is lost.
    """

    enrolment = models.ForeignKey(Enrolment, null=True, blank=True, on_delete=models.PROTECT, related_name="snapshots")
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="snapshots")
    act = models.UUIDField(help_text="The act that switched; its history rows carry the same id.")
    configurations = models.JSONField(default=list)
    customizations = models.JSONField(default=list)
    installed = models.JSONField(default=list, help_text="The person's own layer as the switch left it.")
    set_aside = models.JSONField(default=list, blank=True, help_text="What differed from `installed` when it was restored.")
    digest = models.CharField(max_length=64, help_text="SHA-256 over what was there before.")
    taken_at = models.DateTimeField()
    restored_at = models.DateTimeField(null=True, blank=True)

    objects = SnapshotQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["person"], condition=Q(restored_at__isnull=True), name="rollout_one_standing_snapshot"
            ),
        ]

    def __str__(self) -> str:
        """Return the person and the instant."""
        return f"{self.person} {self.taken_at:%Y-%m-%d %H:%M:%S}"


class FlagOverride(models.Model):
    """Support's word on one person: this system, whatever their wave says."""

    person = models.OneToOneField(Person, on_delete=models.PROTECT, related_name="override")
    system = models.CharField(max_length=10, choices=[(each.value, each.value) for each in System])
    reason = models.TextField()
    by = models.CharField(max_length=150)
    at = models.DateTimeField()

    class Meta:
        permissions: ClassVar = [("switch_person", "Can switch one person between the systems")]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(system__in=[each.value for each in System]), name="rollout_override_known"),
        ]

    def __str__(self) -> str:
        """Return the person and the system."""
        return f"{self.person} on {self.system}"
