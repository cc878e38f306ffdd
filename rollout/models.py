"""Plans, phases, waves and the people in them; the flag; who was switched by whom, and what to restore.

The request reads one row of each kind that decides (flag, override, enrolment with its wave) in its one query; no cache stands in
between, so a single write takes a person, a wave or everybody back.
"""

from datetime import datetime
from typing import Any, ClassVar, Self

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.db.models import Case, F, Q, Subquery, Value, When
from django.utils.module_loading import import_string
from waffle.models import AbstractUserFlag

from migration.models import Person
from rollout.states import (
    PERSON_NEXT,
    PHASE_NEXT,
    PLAN_NEXT,
    WAVE_NEXT,
    PersonState,
    PhaseState,
    PlanState,
    Table,
    WaveState,
    sources_of,
)
from rollout.waves import Standing, System
from slots.schema import PersonKey

SLOTS_FLAG = "micro-slots"


class Subject(models.TextChoices):
    """Kinds of row that events are about."""

    PLAN = "plan", "plan"
    PHASE = "phase", "phase"
    WAVE = "wave", "wave"
    ENROLMENT = "enrolment", "enrolment"
    PERSON = "person", "person"
    FLAG = "flag", "flag"


class Event(models.Model):
    """Something that happened to a plan, phase, wave or person; rows are only ever added."""

    subject = models.CharField(max_length=10, choices=Subject.choices)
    subject_pk = models.BigIntegerField()
    kind = models.CharField(max_length=40, help_text="`moved`, `override_set`, `killed`, …")
    from_state = models.CharField(max_length=40, blank=True)
    to_state = models.CharField(max_length=40, blank=True)
    by = models.CharField(max_length=150)
    reason = models.TextField(blank=True)
    data = models.JSONField(default=dict, blank=True)
    at = models.DateTimeField()

    class Meta:
        ordering = ["pk"]
        indexes: ClassVar = [models.Index(fields=["subject", "subject_pk", "id"], name="rollout_event_of_subject")]

    def __str__(self) -> str:
        """Return the subject and what happened."""
        return f"{self.subject} {self.subject_pk}: {self.kind} {self.to_state}".strip()


class Stateful(models.Model):
    """A row with a state, moved only along the edges of its table and only if nobody moved it since it was read."""

    TABLE: ClassVar[Table[Any]]
    SUBJECT: ClassVar[Subject]

    version = models.PositiveIntegerField(default=1, editable=False, help_text="Counts moves; a move names the one it read.")

    class Meta:
        abstract = True

    @classmethod
    def move(cls, pk: int, *, to: Any, at: datetime, version: int, by: str, reason: str = "", **changes: Any) -> bool:
        """Move one row and write its event; say whether it moved.

        False means that somebody else was first or that the table has no such edge: read again and decide again.
        `changes` are further columns to set in the same update.
        """
        manager = cls._default_manager
        with transaction.atomic():
            row = manager.filter(pk=pk, version=version).values_list("state", flat=True).first()
            if row is None or row not in sources_of(cls.TABLE, to):
                return False
            moved = manager.filter(pk=pk, version=version, state=row).update(state=to, version=F("version") + 1, **changes)
            if moved:
                Event.objects.create(
                    subject=cls.SUBJECT, subject_pk=pk, kind="moved", from_state=row, to_state=to, by=by, reason=reason, at=at
                )
        return bool(moved)


class Plan(Stateful):
    """A whole rollout: phases in order, and the salt that makes shares sticky."""

    TABLE = PLAN_NEXT
    SUBJECT = Subject.PLAN

    name = models.CharField(max_length=200, unique=True)
    state = models.CharField(max_length=20, choices=PlanState.choices, default=PlanState.DRAFT, db_index=True)
    salt = models.CharField(max_length=64, help_text="People are ordered by SHA-256(salt : user).")
    author = models.CharField(max_length=150)
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["-created_at"]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(state__in=PlanState.values), name="rollout_plan_state_known"),
        ]
        permissions: ClassVar = [("operate_rollout", "Can start, pause and roll back waves")]

    def __str__(self) -> str:
        """Return the name."""
        return self.name


class Phase(Stateful):
    """A stage of a plan, such as the pilot."""

    TABLE = PHASE_NEXT
    SUBJECT = Subject.PHASE

    plan = models.ForeignKey(Plan, on_delete=models.CASCADE, related_name="phases")
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


class Wave(Stateful):
    """A batch of people that move together and can be taken back together.

    `revoked_at` takes the whole wave back with one write: whoever is in it sees the legacy system from the next request on.
    """

    TABLE = WAVE_NEXT
    SUBJECT = Subject.WAVE

    phase = models.ForeignKey(Phase, on_delete=models.CASCADE, related_name="waves")
    position = models.PositiveSmallIntegerField()
    name = models.CharField(max_length=200)
    state = models.CharField(max_length=30, choices=WaveState.choices, default=WaveState.PLANNED, db_index=True)
    size = models.PositiveIntegerField(default=0, help_text="Members, frozen when the wave is locked.")
    audience = models.JSONField(default=dict, blank=True, help_text="{internal, users, limit}: who is meant.")
    attempt = models.PositiveIntegerField(default=1)
    schedule_version = models.PositiveIntegerField(default=1)
    engine_version = models.CharField(max_length=20, blank=True, help_text="Pinned when the wave starts.")
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["phase", "position"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["phase", "position"], name="rollout_wave_position_once"),
            models.CheckConstraint(condition=Q(state__in=WaveState.values), name="rollout_wave_state_known"),
        ]

    def __str__(self) -> str:
        """Return the phase and the wave."""
        return f"{self.phase.name} / {self.name}"


class EnrolmentQuerySet(models.QuerySet["Enrolment"]):
    """Questions about many enrolments."""

    def live(self) -> Self:
        """Return those that stand for their person in their plan today."""
        return self.filter(is_live=True)

    def expired(self, at: datetime) -> Self:
        """Return those whose worker let the lease lapse."""
        return self.filter(lease_until__lt=at)


class Enrolment(Stateful):
    """One person's place in one wave; one live row per person and plan.

    A working state carries a lease: `lease_token` fences the worker that holds it, `lease_until` is when anybody may
    take the row back.
    """

    TABLE = PERSON_NEXT
    SUBJECT = Subject.ENROLMENT

    plan = models.ForeignKey(Plan, on_delete=models.CASCADE, related_name="enrolments")
    wave = models.ForeignKey(Wave, on_delete=models.CASCADE, related_name="enrolments")
    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="enrolments")
    state = models.CharField(max_length=20, choices=PersonState.choices, default=PersonState.ENROLLED)
    is_live = models.BooleanField(default=True)
    attempt = models.PositiveIntegerField(default=1)
    tries = models.PositiveSmallIntegerField(default=0)
    code = models.CharField(max_length=40, blank=True, help_text="Why it stopped, as a code.")
    text = models.TextField(blank=True, help_text="Why it stopped, as a sentence.")
    lease_token = models.UUIDField(null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True, db_index=True)
    retry_at = models.DateTimeField(null=True, blank=True)
    switched_at = models.DateTimeField(null=True, blank=True)
    updated_at = models.DateTimeField()

    objects = EnrolmentQuerySet.as_manager()

    class Meta:
        ordering = ["wave", "pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["person", "plan"], condition=Q(is_live=True), name="rollout_one_live_enrolment"),
            models.CheckConstraint(condition=Q(state__in=PersonState.values), name="rollout_person_state_known"),
            models.CheckConstraint(
                condition=Q(lease_token__isnull=True, lease_until__isnull=True)
                | Q(lease_token__isnull=False, lease_until__isnull=False),
                name="rollout_lease_is_whole",
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["wave", "state"], name="rollout_wave_by_state")]

    def __str__(self) -> str:
        """Return the person and the state."""
        return f"{self.person} {self.state}"


class Snapshot(models.Model):
    """What a person had before the switch, to be restored exactly.

    `configurations` lists the rows of the person's own layer as they were; `customizations` the states of the diffs.
    """

    enrolment = models.ForeignKey(Enrolment, null=True, blank=True, on_delete=models.CASCADE, related_name="snapshots")
    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="snapshots")
    act = models.UUIDField(unique=True, help_text="The act that switched; its history rows carry the same id.")
    configurations = models.JSONField(default=list)
    customizations = models.JSONField(default=list)
    installed = models.JSONField(default=list, help_text="What the switch wrote: [component, version, body digest].")
    digest = models.CharField(max_length=64, help_text="SHA-256 over what was there before.")
    taken_at = models.DateTimeField()
    restored_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        """Return the person and the instant."""
        return f"{self.person} {self.taken_at:%Y-%m-%d %H:%M:%S}"


class FlagOverride(models.Model):
    """Support's word on one person: this system, whatever their wave says."""

    person = models.OneToOneField(Person, on_delete=models.CASCADE, related_name="override")
    system = models.CharField(max_length=10, choices=[(each.value, each.value) for each in System])
    reason = models.TextField()
    by = models.CharField(max_length=150)
    at = models.DateTimeField()

    class Meta:
        permissions: ClassVar = [("switch_person", "Can switch one person between the systems")]

    def __str__(self) -> str:
        """Return the person and the system."""
        return f"{self.person} on {self.system}"


class Flag(AbstractUserFlag):
    """The waffle flag of the rollout, asked per person from that person's own rows.

    `everyone=False` is the kill switch: it is read by the query that serves each request, never from a cache. Membership lists,
    percentages and test cookies are refused: they are stale, random or open to visitors.
    """

    class Meta(AbstractUserFlag.Meta):
        abstract = False

    def clean(self) -> None:
        """Refuse every way of switching that a person's own row does not show."""
        super().clean()
        refused = {
            "percent": self.percent is not None,
            "testing": self.testing,
            "superusers": self.superusers,
            "staff": self.staff,
            "authenticated": self.authenticated,
            "languages": bool(self.languages),
            "rollout": self.rollout,
        }
        errors = {
            name: f"{name} is not used here: people are switched by their own row. Leave it empty."
            for name, is_set in refused.items()
            if is_set
        }
        if self.everyone:
            errors["everyone"] = "Yes would show slots to people without a proof. Choose No (kill switch) or Unknown."
        if errors:
            raise ValidationError(errors)

    def _get_user_ids(self) -> set[Any]:
        raise AssertionError("membership lists are not used: ask is_active_for_user, which reads the person's own row")

    def _get_group_ids(self) -> set[Any]:
        raise AssertionError("group lists are not used: ask is_active_for_user, which reads the person's own row")

    def is_active_for_user(self, user: Any) -> bool:
        """Say whether the person behind `user` is on slots, kill switch first.

        One query a request: the answer is memoised on the user object. Nobody is on slots who is no person of the shop.
        """
        memo: bool | None = getattr(user, "_is_on_slots", None)
        if memo is None:
            person: PersonKey | None = import_string(settings.SLOTS_PERSON_RESOLVER)(user)
            memo = person is not None and standing_of(person).decide().system == System.SLOTS
            user._is_on_slots = memo
        return memo


def standing_query(person: PersonKey) -> models.QuerySet[Flag, dict[str, Any]]:
    """Return the one row that decides which system a person is on, as five text columns.

    The columns are: killed, override, the live enrolment's state, whether its wave is revoked,
    and the digest of the snapshot taken before the last switch that nobody took back. The row exists for
    people without a wave too.
    """
    row = Person.objects.named(person)
    enrolment = Enrolment.objects.live().filter(person__in=row).order_by("-pk")
    yes, no = Value("yes"), Value("no")
    return (
        Flag.objects.filter(name=SLOTS_FLAG)
        .annotate(
            killed=Case(When(everyone=False, then=yes), default=no, output_field=models.CharField()),
            override=Subquery(FlagOverride.objects.filter(person__in=row).values("system")[:1]),
            state=Subquery(enrolment.values("state")[:1]),
            revoked=Subquery(
                enrolment.annotate(
                    is_revoked=Case(When(wave__revoked_at__isnull=False, then=yes), default=no, output_field=models.CharField())
                ).values("is_revoked")[:1]
            ),
            proof=Subquery(
                Snapshot.objects.filter(person__in=row, restored_at__isnull=True).order_by("-pk").values("digest")[:1]
            ),
        )
        .values_list("killed", "override", "state", "revoked", "proof")
    )


def standing_of(person: PersonKey) -> Standing:
    """Read one person's standing in one query; without the flag's row everybody is on the legacy system."""
    return Standing.from_row(standing_query(person).first())
