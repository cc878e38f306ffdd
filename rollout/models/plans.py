"""Plans, their phases, and the waves that people move in."""

from datetime import timedelta
from typing import ClassVar, Self

from django.db import models
from django.db.models import Count, Q

from rollout.models.events import Stateful, Subject
from rollout.states import (
    ON_SLOTS,
    PHASE_NEXT,
    PLAN_NEXT,
    STUCK,
    WAVE_AT_WORK,
    WAVE_NEXT,
    WORKING,
    PersonState,
    PhaseState,
    PlanState,
    WaveState,
)


class Plan(Stateful):
    """A whole rollout: phases in order, and the salt that makes shares sticky."""

    TABLE = PLAN_NEXT
    SUBJECT = Subject.PLAN

    name = models.CharField(max_length=200, unique=True)
    state = models.CharField(max_length=20, choices=PlanState.choices, default=PlanState.DRAFT, db_index=True)
    salt = models.CharField(max_length=64, help_text="People are ordered by SHA-256(salt : user).")
    author = models.CharField(max_length=150)
    approved_by = models.CharField(max_length=150, blank=True)
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["-created_at"]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(state__in=PlanState.values), name="rollout_plan_state_known"),
        ]
        permissions: ClassVar = [
            ("operate_rollout", "Can start, finish and roll back waves"),
            ("approve_rollout", "Can approve plans and open phases"),
        ]

    def __str__(self) -> str:
        """Return the name."""
        return self.name


class Phase(Stateful):
    """A stage of a plan, such as the pilot."""

    TABLE = PHASE_NEXT
    SUBJECT = Subject.PHASE

    plan = models.ForeignKey(Plan, on_delete=models.PROTECT, related_name="phases")
    position = models.PositiveSmallIntegerField()
    name = models.CharField(max_length=200)
    state = models.CharField(max_length=20, choices=PhaseState.choices, default=PhaseState.PENDING)

    class Meta:
        ordering = ["plan", "position"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["plan", "position"], name="rollout_phase_position_once"),
            models.CheckConstraint(condition=Q(state__in=PhaseState.values), name="rollout_phase_state_known"),
        ]

    def __str__(self) -> str:
        """Return the plan and the phase."""
        return f"{self.plan.name} / {self.name}"


class WaveQuerySet(models.QuerySet["Wave"]):
    """Questions about many waves."""

    def at_work(self) -> Self:
        """Return those whose people may be claimed."""
        return self.filter(state__in=WAVE_AT_WORK, revoked_at__isnull=True)

    def counted(self) -> Self:
        """Add how many members are waiting, working, on slots, stuck, and elsewhere; the five sum up to all members."""
        groups = {
            "n_working": Q(enrolments__state__in=WORKING),
            "n_on_slots": Q(enrolments__state__in=ON_SLOTS),
            "n_stuck": Q(enrolments__state__in=STUCK),
            "n_waiting": Q(
                enrolments__state__in=[
                    PersonState.ENROLLED,
                    PersonState.NOTIFIED,
                    PersonState.QUEUED,
                    PersonState.RETRY_WAIT,
                    PersonState.DEFERRED,
                ]
            ),
            "n_off": Q(
                enrolments__state__in=[
                    PersonState.ROLLING_BACK,
                    PersonState.ROLLED_BACK,
                    PersonState.HOLDOUT,
                    PersonState.EXCLUDED,
                    PersonState.REMOVED,
                ]
            ),
        }
        return self.annotate(**{name: Count("enrolments", filter=condition) for name, condition in groups.items()})


class Wave(Stateful):
    """A batch of people that move together and can be taken back together.

    `revoked_at` takes the whole wave back with one write: whoever is in it sees the legacy system from the next request on.
    """

    TABLE = WAVE_NEXT
    SUBJECT = Subject.WAVE

    phase = models.ForeignKey(Phase, on_delete=models.PROTECT, related_name="waves")
    position = models.PositiveSmallIntegerField()
    name = models.CharField(max_length=200)
    state = models.CharField(max_length=30, choices=WaveState.choices, default=WaveState.PLANNED, db_index=True)
    size = models.PositiveIntegerField(default=0, help_text="Members, frozen when the wave is locked.")
    audience = models.JSONField(default=dict, blank=True, help_text="{internal, users, limit}: who is meant.")
    attempt = models.PositiveIntegerField(default=1)
    schedule_version = models.PositiveIntegerField(default=1)
    engine_version = models.CharField(max_length=20, blank=True, help_text="Pinned when the wave starts.")
    soak = models.DurationField(default=timedelta(hours=24), help_text="How long each person is watched after the switch.")
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    objects = WaveQuerySet.as_manager()

    class Meta:
        ordering = ["phase", "position"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["phase", "position"], name="rollout_wave_position_once"),
            models.CheckConstraint(condition=Q(state__in=WaveState.values), name="rollout_wave_state_known"),
            models.CheckConstraint(
                condition=Q(revoked_at__isnull=False, state__in=[WaveState.ROLLING_BACK, WaveState.ROLLED_BACK])
                | (Q(revoked_at__isnull=True) & ~Q(state__in=[WaveState.ROLLING_BACK, WaveState.ROLLED_BACK])),
                name="rollout_wave_revoked_while_back",
            ),
        ]

    def __str__(self) -> str:
        """Return the phase and the wave."""
        return f"{self.phase.name} / {self.name}"

    def members_by_state(self) -> dict[str, int]:
        """Return how many members are in each state, states without anybody left out; the values sum up to `size`."""
        rows = self.enrolments.order_by().values_list("state").annotate(Count("pk"))
        return {str(state): count for state, count in sorted(rows, key=lambda row: PersonState.values.index(row[0]))}
