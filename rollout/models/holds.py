"""What keeps waves from claiming people: holds that somebody or a guard set, and windows that are closed."""

from typing import ClassVar, Self

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q

from rollout import gates
from rollout.errors import WindowInvalid
from rollout.models.events import Stateful, Subject
from rollout.models.gates import Breach
from rollout.models.plans import Phase, Plan, Wave
from rollout.states import HOLD_NEXT, HoldState


class HoldKind(models.TextChoices):
    """Why a wave is held. A closed window holds too, but it is computed and never stored."""

    ADMIN = "admin", "paused by somebody"
    GUARD = "guard", "guard tripped"
    FREEZE = "freeze", "everything is frozen"
    INCIDENT = "incident", "incident"
    ERROR = "error", "error"
    WINDOW = "window", "window is closed"


STORED = [kind.value for kind in HoldKind if kind != HoldKind.WINDOW]


class HoldQuerySet(models.QuerySet["Hold"]):
    """Questions about many holds."""

    def standing(self) -> Self:
        """Return those that nobody cleared."""
        return self.filter(state=HoldState.STANDING)

    def covering(self, wave: Wave) -> Self:
        """Return those that hold the wave: on itself, its phase, its plan, or everything."""
        return self.filter(Q(kind=HoldKind.FREEZE) | Q(wave=wave.pk) | Q(phase=wave.phase_id) | Q(plan=wave.phase.plan_id))


class Hold(Stateful):
    """A reason why a wave, a phase, a plan or everything claims nobody; each stands until it is cleared by itself."""

    TABLE = HOLD_NEXT
    SUBJECT = Subject.HOLD

    kind = models.CharField(max_length=10, choices=HoldKind.choices)
    state = models.CharField(max_length=10, choices=HoldState.choices, default=HoldState.STANDING)
    plan = models.ForeignKey(Plan, null=True, blank=True, on_delete=models.PROTECT, related_name="holds")
    phase = models.ForeignKey(Phase, null=True, blank=True, on_delete=models.PROTECT, related_name="holds")
    wave = models.ForeignKey(Wave, null=True, blank=True, on_delete=models.PROTECT, related_name="holds")
    breach = models.ForeignKey(Breach, null=True, blank=True, on_delete=models.PROTECT, related_name="holds")
    reason = models.TextField()
    set_by = models.CharField(max_length=150)
    set_at = models.DateTimeField()
    cleared_by = models.CharField(max_length=150, blank=True)
    cleared_at = models.DateTimeField(null=True, blank=True)
    cleared_reason = models.TextField(blank=True)

    objects = HoldQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(kind__in=STORED), name="rollout_hold_kind_known"),
            models.CheckConstraint(condition=Q(state__in=HoldState.values), name="rollout_hold_state_known"),
            models.CheckConstraint(
                condition=Q(kind="freeze", plan__isnull=True, phase__isnull=True, wave__isnull=True)
                | ~Q(kind="freeze")
                & (
                    Q(plan__isnull=False, phase__isnull=True, wave__isnull=True)
                    | Q(plan__isnull=True, phase__isnull=False, wave__isnull=True)
                    | Q(plan__isnull=True, phase__isnull=True, wave__isnull=False)
                ),
                name="rollout_hold_on_one_thing",
            ),
            models.CheckConstraint(
                condition=Q(kind="guard", breach__isnull=False) | (~Q(kind="guard") & Q(breach__isnull=True)),
                name="rollout_hold_of_a_guard_has_a_breach",
            ),
            models.CheckConstraint(
                condition=Q(state="standing", cleared_at__isnull=True, cleared_by="")
                | (Q(state="cleared", cleared_at__isnull=False) & ~Q(cleared_by="")),
                name="rollout_hold_cleared_by_name",
            ),
            models.UniqueConstraint(fields=["kind"], condition=Q(kind="freeze", state="standing"), name="rollout_one_freeze"),
            models.UniqueConstraint(fields=["breach"], condition=Q(state="standing"), name="rollout_one_hold_of_a_breach"),
        ]
        indexes: ClassVar = [models.Index(fields=["state"], name="rollout_hold_by_state")]

    def __str__(self) -> str:
        """Return what it holds, and why."""
        return f"{self.scope}: {self.get_kind_display()}"

    @property
    def scope(self) -> str:
        """Return what it holds, in words."""
        return str(self.wave or self.phase or self.plan or "everything")


class Window(models.Model):
    """When people of a plan may be moved, in local wall time; a phase that has windows of its own heeds only those."""

    plan = models.ForeignKey(Plan, on_delete=models.PROTECT, related_name="windows")
    phase = models.ForeignKey(Phase, null=True, blank=True, on_delete=models.PROTECT, related_name="windows")
    zone = models.CharField(max_length=60, default="UTC", help_text="An IANA zone, such as Europe/Berlin.")
    opens = models.TimeField(help_text="Local time.")
    closes = models.TimeField(help_text="Local time; up to `opens` it is of the next day.")
    days = models.JSONField(default=list, help_text="Days on which it opens, 0 (Monday) to 6.")

    class Meta:
        ordering = ["plan", "phase", "opens"]
        constraints: ClassVar = [
            models.CheckConstraint(condition=~Q(opens=F("closes")), name="rollout_window_is_not_empty"),
        ]

    def __str__(self) -> str:
        """Return when it is open."""
        return f"{self.opens:%H:%M}-{self.closes:%H:%M} {self.zone}"

    def value(self) -> gates.Window:
        """Return the window as the value that is decided by.

        Raises:
            WindowInvalid: the columns make no window.
        """
        return gates.Window(self.zone, self.opens, self.closes, tuple(self.days))

    def clean(self) -> None:
        """Refuse what is no window, and a phase of another plan."""
        if self.phase_id and self.phase is not None and self.phase.plan_id != self.plan_id:
            raise ValidationError({"phase": "The phase belongs to another plan."})
        try:
            self.value()
        except (WindowInvalid, TypeError) as invalid:
            raise ValidationError(str(invalid)) from invalid
