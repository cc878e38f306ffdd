"""What is demanded of a plan's metrics, what was measured, and where it was not met."""

from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, ClassVar, Self

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q

from rollout.errors import PolicyInvalid
from rollout.gates import (
    DEFINITIONS,
    Action,
    Arm,
    Code,
    Compare,
    Metric,
    NoData,
    Policy,
    Purpose,
    Response,
    Severity,
    Verdict,
)
from rollout.gates.metrics import HIGHER_IS_BETTER
from rollout.models.events import Stateful, Subject
from rollout.models.plans import Phase, Plan, Wave
from rollout.states import BREACH_NEXT, BreachState


def _choices(kind: Any) -> list[tuple[str, str]]:
    return [(each.value, each.value.replace("_", " ").lower()) for each in kind]


def _known(column: str, kind: Any, name: str) -> models.CheckConstraint:
    return models.CheckConstraint(condition=Q(**{f"{column}__in": [each.value for each in kind]}), name=name)


HIGHER = sorted(each.value for each in HIGHER_IS_BETTER)


class GuardPolicy(models.Model):
    """A demand on one metric of a plan, or of one of its phases; its content never changes, it is retired and another one made.

    A *gate* holds the next wave, a *guard* watches the waves that run; `rollout.gates.Policy` says what the columns mean.
    """

    plan = models.ForeignKey(Plan, on_delete=models.PROTECT, related_name="policies")
    phase = models.ForeignKey(Phase, null=True, blank=True, on_delete=models.PROTECT, related_name="policies")
    name = models.CharField(max_length=200)
    purpose = models.CharField(max_length=10, choices=_choices(Purpose), default=Purpose.GUARD.value)
    metric = models.CharField(max_length=30, choices=_choices(Metric))
    compare = models.CharField(max_length=10, choices=_choices(Compare), default=Compare.ABSOLUTE.value)
    trip = models.FloatField(help_text="Beyond this a guard trips.")
    clear = models.FloatField(help_text="Better than this a gate passes and a breach clears.")
    window = models.DurationField(default=timedelta(hours=24), help_text="How far back is looked.")
    min_sample = models.PositiveIntegerField(default=20, help_text="Fewer observations are too few to judge.")
    sustained = models.DurationField(default=timedelta(), help_text="How long the threshold is crossed before a guard trips.")
    no_data = models.CharField(max_length=10, choices=_choices(NoData), default=NoData.HOLD.value)
    severity = models.CharField(max_length=10, choices=_choices(Severity), default=Severity.HIGH.value)
    respond_within = models.DurationField(null=True, blank=True, help_text="By when somebody has to have analysed the cases.")
    responses = models.JSONField(
        default=list, blank=True, help_text="[{action, after_s, roles}]: what a breach brings about, when, and who is told."
    )
    needs_revalidation = models.BooleanField(default=False, help_text="Only the affected people validated again clear a breach.")
    made_by = models.CharField(max_length=150)
    made_at = models.DateTimeField()
    retired_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name_plural = "guard policies"
        ordering = ["plan", "phase", "pk"]
        constraints: ClassVar = [
            _known("purpose", Purpose, "rollout_policy_purpose_known"),
            _known("metric", Metric, "rollout_policy_metric_known"),
            _known("compare", Compare, "rollout_policy_compare_known"),
            _known("no_data", NoData, "rollout_policy_no_data_known"),
            _known("severity", Severity, "rollout_policy_severity_known"),
            models.CheckConstraint(
                condition=Q(metric__in=HIGHER, clear__gte=F("trip")) | (~Q(metric__in=HIGHER) & Q(clear__lte=F("trip"))),
                name="rollout_policy_clear_is_better",
            ),
            models.CheckConstraint(condition=Q(min_sample__gte=1), name="rollout_policy_needs_a_sample"),
            models.CheckConstraint(condition=Q(window__gt=timedelta()), name="rollout_policy_looks_back"),
            models.UniqueConstraint(
                fields=["plan", "name"], condition=Q(retired_at__isnull=True), name="rollout_policy_name_once"
            ),
        ]

    def __str__(self) -> str:
        """Return the plan and the policy."""
        return f"{self.plan.name} / {self.name}"

    def value(self) -> Policy:
        """Return the policy as the value that is decided by.

        Raises:
            PolicyInvalid: the columns make no policy.
        """
        return Policy(
            metric=Metric(self.metric),
            trip=self.trip,
            clear=self.clear,
            window=self.window,
            purpose=Purpose(self.purpose),
            compare=Compare(self.compare),
            min_sample=self.min_sample,
            sustained=self.sustained,
            no_data=NoData(self.no_data),
            severity=Severity(self.severity),
            respond_within=self.respond_within,
            responses=tuple(Response.from_json(each) for each in self.responses),
            needs_revalidation=self.needs_revalidation,
        )

    def clean(self) -> None:
        """Refuse what could not be decided by, and a phase of another plan."""
        if self.phase_id and self.phase is not None and self.phase.plan_id != self.plan_id:
            raise ValidationError({"phase": "The phase belongs to another plan."})
        try:
            self.value()
        except (PolicyInvalid, TypeError, ValueError) as invalid:
            raise ValidationError(str(invalid)) from invalid

    @cached_property
    def is_about_plan(self) -> bool:
        """Say whether it is about everybody whom the plan moves: it is of no phase, or of one that has no waves of its own.

        Asked several times in one judgement, and read once: what is judged later is read from the database anew.
        """
        return self.phase is None or not self.phase.waves.exists()

    @property
    def definition(self) -> str:
        """Return what is measured, in words."""
        definition = DEFINITIONS[Metric(self.metric)]
        return f"{definition.numerator} / {definition.denominator}"


class SampleQuerySet(models.QuerySet["Sample"]):
    """Questions about many samples."""

    def seen_by(self, policy: GuardPolicy) -> Self:
        """Return those of the policy's metric that are about its plan or phase, or about everything."""
        place = Q(plan__isnull=True) | Q(plan=policy.plan_id)
        if policy.phase_id is not None and not policy.is_about_plan:
            place &= Q(phase__isnull=True) | Q(phase=policy.phase_id)
        return self.filter(place, metric=policy.metric)


class Sample(models.Model):
    """A measurement that was imported or entered: numerator over denominator, from so many observations, at an instant.

    It is about one phase, a plan, or, with neither, the whole system. `source` and `key` make an import that runs twice one.
    """

    metric = models.CharField(max_length=30, choices=_choices(Metric))
    arm = models.CharField(max_length=12, choices=_choices(Arm), default=Arm.TREATED.value)
    plan = models.ForeignKey(Plan, null=True, blank=True, on_delete=models.PROTECT, related_name="samples")
    phase = models.ForeignKey(Phase, null=True, blank=True, on_delete=models.PROTECT, related_name="samples")
    numerator = models.FloatField()
    denominator = models.FloatField()
    count = models.PositiveIntegerField(help_text="Observations behind it.")
    taken_at = models.DateTimeField()
    source = models.CharField(max_length=100, help_text="Where it comes from: a monitor, a survey, a person.")
    key = models.CharField(max_length=100, blank=True, help_text="What the source calls it; a second import of it is ignored.")
    by = models.CharField(max_length=150)
    note = models.TextField(blank=True)

    objects = SampleQuerySet.as_manager()

    class Meta:
        ordering = ["-taken_at", "-pk"]
        indexes: ClassVar = [models.Index(fields=["metric", "arm", "taken_at"], name="rollout_sample_of_metric")]
        constraints: ClassVar = [
            _known("metric", Metric, "rollout_sample_metric_known"),
            _known("arm", Arm, "rollout_sample_arm_known"),
            models.CheckConstraint(condition=Q(numerator__gte=0, denominator__gte=0), name="rollout_sample_not_negative"),
            models.CheckConstraint(
                condition=Q(phase__isnull=True) | Q(plan__isnull=False), name="rollout_sample_phase_with_plan"
            ),
            models.UniqueConstraint(fields=["source", "key"], condition=~Q(key=""), name="rollout_sample_once"),
        ]

    def __str__(self) -> str:
        """Return the metric and its two numbers."""
        return f"{self.metric} {self.numerator:g}/{self.denominator:g}"


class GuardEvaluation(models.Model):
    """A verdict with its reason and all that it was made from, so that it can be made again.

    Where the next look finds the same numbers and the same verdict, `seen_until` moves instead of a further row being written.
    """

    policy = models.ForeignKey(GuardPolicy, on_delete=models.PROTECT, related_name="evaluations")
    wave = models.ForeignKey(
        Wave, null=True, blank=True, on_delete=models.PROTECT, related_name="evaluations", help_text="Whose start asked for it."
    )
    verdict = models.CharField(max_length=10, choices=_choices(Verdict))
    code = models.CharField(max_length=30, choices=_choices(Code))
    text = models.TextField()
    value = models.FloatField(null=True, blank=True)
    inputs = models.JSONField()
    at = models.DateTimeField()
    seen_until = models.DateTimeField()

    class Meta:
        ordering = ["-pk"]
        indexes: ClassVar = [models.Index(fields=["policy", "id"], name="rollout_evaluation_of_policy")]
        constraints: ClassVar = [
            _known("verdict", Verdict, "rollout_verdict_known"),
            _known("code", Code, "rollout_verdict_code_known"),
            models.CheckConstraint(
                condition=~Q(verdict=Verdict.PASS.value) | Q(value__isnull=False), name="rollout_unknown_is_not_pass"
            ),
        ]

    def __str__(self) -> str:
        """Return the verdict and why."""
        return f"{self.verdict} {self.code}"


class Waiver(models.Model):
    """A person's word that a wave may start though a gate does not pass; it holds for this attempt of the wave and no other."""

    policy = models.ForeignKey(GuardPolicy, on_delete=models.PROTECT, related_name="waivers")
    wave = models.ForeignKey(Wave, on_delete=models.PROTECT, related_name="waivers")
    attempt = models.PositiveIntegerField()
    by = models.CharField(max_length=150)
    reason = models.TextField()
    at = models.DateTimeField()

    class Meta:
        ordering = ["-pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["policy", "wave", "attempt"], name="rollout_waived_once"),
            models.CheckConstraint(condition=~Q(by="") & ~Q(reason=""), name="rollout_waived_by_name"),
        ]

    def __str__(self) -> str:
        """Return who waived what."""
        return f"{self.policy} waived by {self.by}"


class Breach(Stateful):
    """A guard that tripped. The latest wave, which a response may take back, and the affected people are fixed when it opens."""

    TABLE = BREACH_NEXT
    SUBJECT = Subject.BREACH

    policy = models.ForeignKey(GuardPolicy, on_delete=models.PROTECT, related_name="breaches")
    evaluation = models.ForeignKey(GuardEvaluation, on_delete=models.PROTECT, related_name="breaches")
    state = models.CharField(max_length=10, choices=BreachState.choices, default=BreachState.OPEN)
    wave = models.ForeignKey(
        Wave, null=True, blank=True, on_delete=models.PROTECT, related_name="breaches", help_text="The latest when it opened."
    )
    wave_attempt = models.PositiveIntegerField(default=0)
    affected = models.JSONField(default=list, blank=True, help_text="Primary keys of the enrolments that had been attempted.")
    opened_at = models.DateTimeField()
    respond_by = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    closed_by = models.CharField(max_length=150, blank=True)
    closed_reason = models.TextField(blank=True)

    class Meta:
        verbose_name_plural = "breaches"
        ordering = ["-pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["policy"], condition=Q(state="open"), name="rollout_one_open_breach"),
            models.CheckConstraint(condition=Q(state__in=BreachState.values), name="rollout_breach_state_known"),
            models.CheckConstraint(
                condition=Q(state="open", closed_at__isnull=True, closed_by="")
                | (~Q(state="open") & Q(closed_at__isnull=False) & ~Q(closed_by="")),
                name="rollout_breach_closed_by_name",
            ),
        ]

    def __str__(self) -> str:
        """Return the policy and the instant."""
        return f"{self.policy} {self.opened_at:%Y-%m-%d %H:%M}"


class BreachResponseQuerySet(models.QuerySet["BreachResponse"]):
    """Questions about many responses."""

    def due(self, at: datetime) -> Self:
        """Return those whose delay is over while their breach is open, the earliest first."""
        due = self.filter(done_at__isnull=True, due_at__lte=at, breach__state=BreachState.OPEN)
        return due.order_by("due_at", "pk")


class BreachResponse(models.Model):
    """Something that a breach brings about at an instant that was fixed when it opened; it happens once."""

    breach = models.ForeignKey(Breach, on_delete=models.PROTECT, related_name="responses")
    action = models.CharField(max_length=10, choices=_choices(Action))
    due_at = models.DateTimeField()
    done_at = models.DateTimeField(null=True, blank=True)
    outcome = models.TextField(blank=True)

    objects = BreachResponseQuerySet.as_manager()

    class Meta:
        ordering = ["due_at", "pk"]
        constraints: ClassVar = [
            _known("action", Action, "rollout_response_known"),
            models.UniqueConstraint(fields=["breach", "action"], name="rollout_response_once"),
        ]

    def __str__(self) -> str:
        """Return what and when."""
        return f"{self.action} {self.due_at:%Y-%m-%d %H:%M}"
