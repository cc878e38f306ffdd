"""Plans, their phases, and the waves that people move in."""

from datetime import timedelta
from decimal import Decimal
from typing import ClassVar, Self

from django.db import models
from django.db.models import Count, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce

from rollout.models.events import Stateful, Subject
from rollout.states import (
    GROUPS,
    PHASE_NEXT,
    PLAN_NEXT,
    WAVE_AT_WORK,
    WAVE_NEXT,
    PersonState,
    PhaseState,
    PlanState,
    WaveState,
)


class ShareOf(models.TextChoices):
    """What the share of a phase is a share of, counted when its population is frozen."""

    CUSTOMIZED = "customized", "everybody who is customized"
    REMAINING = "remaining", "everybody who is customized and in no wave yet"


def checks_of_a_day() -> list[int]:
    """Return when a person is looked at after the switch, in seconds: an hour, six hours, a day."""
    return [3_600, 21_600, 86_400]


def _percent(name: str) -> models.CheckConstraint:
    is_share = Q(share__isnull=True) | Q(share__gt=0, share__lte=Decimal(100))
    return models.CheckConstraint(condition=is_share, name=f"rollout_{name}_share_is_percent")


class Plan(Stateful):
    """A whole rollout: phases in order, and the salt that makes shares sticky.

    What a plan demands (phases, audiences, policies, windows, notices, sign-offs) is its content; dates are not.
    """

    TABLE = PLAN_NEXT
    SUBJECT = Subject.PLAN

    name = models.CharField(max_length=200, unique=True)
    state = models.CharField(max_length=20, choices=PlanState.choices, default=PlanState.DRAFT, db_index=True)
    salt = models.CharField(max_length=64, help_text="People are ordered by SHA-256(salt : user).")
    author = models.CharField(max_length=150)
    approved_by = models.CharField(max_length=150, blank=True)
    created_at = models.DateTimeField()
    template = models.CharField(max_length=100, blank=True, help_text="The template that it was made from, with its version.")
    starts_on = models.DateField(null=True, blank=True, help_text="First day of its first week.")
    time_zone = models.CharField(max_length=60, default="UTC", help_text="The IANA zone that its days are counted in.")
    max_deferrals = models.PositiveSmallIntegerField(default=1, help_text="How often one person may ask for a later wave.")
    deferral_limit = models.DurationField(default=timedelta(days=14), help_text="How much later that wave may start.")
    certificate_valid_for = models.DurationField(default=timedelta(days=7), help_text="How long a measured rollback counts.")

    class Meta:
        ordering = ["-created_at"]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(state__in=PlanState.values), name="rollout_plan_state_known"),
        ]
        permissions: ClassVar = [
            ("operate_rollout", "Can start, finish and roll back waves"),
            ("approve_rollout", "Can approve plans and open phases"),
            ("sign_off_rollout", "Can sign plans and phases off in the name of a role they hold"),
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
    objective = models.TextField(blank=True)
    starts_at = models.DateTimeField(null=True, blank=True, help_text="When it is to open, at the earliest.")
    share = models.DecimalField(
        max_digits=6, decimal_places=3, null=True, blank=True, help_text="Per cent; empty where its waves name their people."
    )
    share_of = models.CharField(max_length=10, choices=ShareOf.choices, default=ShareOf.CUSTOMIZED)
    population = models.PositiveIntegerField(null=True, blank=True, help_text="People, frozen when the first wave is locked.")
    frozen_at = models.DateTimeField(null=True, blank=True)
    soak = models.DurationField(default=timedelta(), help_text="How long it is watched after its last wave.")
    needs_certificate = models.BooleanField(default=False, help_text="No wave starts without a freshly measured rollback.")
    started_at = models.DateTimeField(null=True, blank=True)
    soaking_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["plan", "position"]
        constraints: ClassVar = [
            _percent("phase"),
            models.CheckConstraint(condition=Q(share_of__in=ShareOf.values), name="rollout_phase_share_of_known"),
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
        """Add how many members are in each group (`n_waiting`, …); the groups sum up to all members."""
        members = self.model._meta.get_field("enrolments").related_model._base_manager.filter(wave=OuterRef("pk")).order_by()
        # One count after the other reads an index only; one over a join of all members takes five times as long.
        counts = {
            f"n_{name}": Coalesce(
                Subquery(members.filter(state__in=sorted(states)).values("wave").annotate(n=Count("pk")).values("n")), 0
            )
            for name, states in GROUPS.items()
        }
        return self.annotate(**counts)


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
    audience = models.JSONField(
        default=dict, blank=True, help_text="{internal, users, limit, rules, strata, holdout}: who is meant."
    )
    share = models.DecimalField(
        max_digits=6, decimal_places=3, null=True, blank=True, help_text="Per cent of its phase's frozen population."
    )
    starts_at = models.DateTimeField(null=True, blank=True, help_text="When it starts by itself; empty: somebody starts it.")
    lock_lead = models.DurationField(default=timedelta(days=8), help_text="How long before that its people are frozen.")
    attempt = models.PositiveIntegerField(default=1)
    schedule_version = models.PositiveIntegerField(default=1)
    engine_version = models.CharField(max_length=20, blank=True, help_text="Pinned when the wave starts.")
    soak = models.DurationField(default=timedelta(hours=24), help_text="How long each person is watched after the switch.")
    checks = models.JSONField(
        default=checks_of_a_day, blank=True, help_text="When each person is looked at after the switch, in seconds."
    )
    rate = models.PositiveIntegerField(null=True, blank=True, help_text="People a minute at most; empty: as fast as it goes.")
    max_workers = models.PositiveSmallIntegerField(default=4, help_text="Workers at once at most.")
    batch_size = models.PositiveIntegerField(default=100, help_text="People in the next batch; adapts to how long one takes.")
    max_batch = models.PositiveIntegerField(default=100, help_text="People in a batch at most.")
    allowance = models.FloatField(default=0, editable=False, help_text="People that the rate lets be claimed at `allowed_at`.")
    allowed_at = models.DateTimeField(null=True, blank=True, editable=False)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    objects = WaveQuerySet.as_manager()

    class Meta:
        ordering = ["phase", "position"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["phase", "position"], name="rollout_wave_position_once"),
            models.CheckConstraint(condition=Q(state__in=WaveState.values), name="rollout_wave_state_known"),
            _percent("wave"),
            models.CheckConstraint(
                condition=Q(batch_size__gte=1, max_batch__gte=1, max_workers__gte=1) & (Q(rate__isnull=True) | Q(rate__gte=1)),
                name="rollout_wave_limits_let_somebody_through",
            ),
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
