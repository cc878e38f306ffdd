"""The people of a rehearsal: an author, an operator, and somebody for every role; they do what nobody has to think about.

They submit and sign, set dates down, measure rollbacks, open phases and tick tasks off. What needs judgement, a breach or a gate
that does not pass, they leave to the scenario.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from django.contrib.auth.models import Group, User

from rollout.actions.certificates import why_uncertified
from rollout.actions.certifying import certify_rollback
from rollout.actions.plans import approve_plan, open_phase, schedule_plan, submit_plan
from rollout.actions.signing import sign_together
from rollout.actions.signoffs import hash_to_sign, standings
from rollout.actions.tasks import complete_task
from rollout.errors import RolloutError
from rollout.models import Decision, Phase, Plan, SignoffRequirement, Task, Wave
from rollout.roles import APPROVERS, RESPONDERS
from rollout.states import PhaseState, PlanState, WaveState

AUTHOR: Final = "rehearsal.author"
OPERATOR: Final = "rehearsal.operator"
APPROVER: Final = "rehearsal.approver"
THINKING: Final = timedelta(hours=1)  # from being asked to a signature
BEFORE_DUE: Final = timedelta(hours=2)  # tasks are done so long before they are due
MEASURED: Final = timedelta(hours=12)  # a rollback is measured so long before its wave starts
AT_WORK: Final = frozenset({PhaseState.OPEN, PhaseState.EXECUTING, PhaseState.SOAKING})
TO_START: Final = frozenset({WaveState.LOCKED, WaveState.ANNOUNCED})
Said = tuple[str, str]
NotBefore = Callable[[Plan | Phase], datetime | None]


def whenever(_subject: Plan | Phase) -> datetime | None:
    """Return the instant before which nobody signs."""
    return None


def name_of(role: str) -> str:
    """Return who stands for a role: `rehearsal.vp-product` for VP Product."""
    return f"rehearsal.{role.lower().replace(' ', '-')}"


def make_accounts(plan: Plan) -> None:
    """Make an account for each role that signs the plan or hears of its breaches, the operator's and the approver's."""
    roles = set(SignoffRequirement.objects.filter(plan=plan).values_list("role", flat=True))
    roles |= {role for row in plan.policies.all() for each in row.value().responses for role in each.roles}
    roles -= {RESPONDERS, APPROVERS}
    ours = [(OPERATOR, RESPONDERS), (APPROVER, APPROVERS)]
    for user, group in [*ours, *((name_of(role), role) for role in sorted(roles))]:
        account, _ = User.objects.get_or_create(username=user, defaults={"is_staff": True, "email": f"{user}@phoenix.invalid"})
        account.groups.add(Group.objects.get_or_create(name=group)[0])


@dataclass(slots=True)
class Cast:
    """Let everybody do what is theirs at an instant; `not_before` says until when a plan or a phase is not signed."""

    plan: Plan
    not_before: NotBefore = whenever
    _asked: dict[str, datetime] = field(default_factory=dict)
    _signed: set[str] = field(default_factory=set)

    def act(self, at: datetime) -> Iterator[Said]:
        """Do what is due now, and say it: who, and what."""
        self.plan.refresh_from_db()
        yield from self._prepare(at)
        yield from self._sign_phases(at)
        yield from self._measure(at)
        yield from self._open_phases(at)
        yield from self._tick_tasks_off(at)

    def next_at(self, at: datetime) -> datetime | None:
        """Return when somebody does something next, as far as that is known."""
        coming = [*self._asked.values(), *(due for _, due in self._tasks(at)), *(due for _, due in self._to_measure(at))]
        coming += [phase.starts_at for phase in self._to_open() if phase.starts_at is not None]
        return min((instant for instant in coming if instant > at), default=None)

    def _prepare(self, at: datetime) -> Iterator[Said]:
        """Take the plan from a draft to being scheduled."""
        if self.plan.state == PlanState.DRAFT:
            submit_plan(self.plan, by=self.plan.author, at=at, reason="ready to be read")
            yield self.plan.author, f"submitted {self.plan}"
        if self.plan.state == PlanState.IN_REVIEW:
            yield from self._sign(self.plan, at)
            self.plan.refresh_from_db()
        if self.plan.state == PlanState.IN_REVIEW and _key(self.plan) in self._signed:  # no role has to sign it
            approve_plan(self.plan, by=APPROVER, at=at, reason="read and agreed")
            yield APPROVER, f"approved {self.plan}"
        if self.plan.state == PlanState.APPROVED:
            schedule_plan(self.plan, by=OPERATOR, at=at, reason="dates are set")
            yield OPERATOR, f"scheduled {self.plan}"

    def _sign_phases(self, at: datetime) -> Iterator[Said]:
        for phase in Phase.objects.filter(plan=self.plan, state=PhaseState.AWAITING_SIGNOFF).select_related("plan"):
            yield from self._sign(phase, at)

    def _sign(self, subject: Plan | Phase, at: datetime) -> Iterator[Said]:
        """Sign for every role an hour after it was first to be had, later where the scenario says so."""
        key = _key(subject)
        usual = self._asked.get(key, at + THINKING)
        when = self._asked[key] = max(usual, self.not_before(subject) or usual)
        if at < when or key in self._signed:
            return
        signers = {each.requirement: name_of(each.requirement.role) for each in standings(subject) if each.decided is None}
        said: dict[str, Any] = {"decision": Decision.APPROVED, "content_hash": hash_to_sign(subject), "reason": "read and agreed"}
        for made in sign_together(signers, **said, at=at):
            yield made.by, f"signed {subject} for {made.requirement.role}"
        self._signed.add(key)

    def _tasks(self, at: datetime) -> list[tuple[Task, datetime]]:
        open_ones = Task.objects.filter(phase__plan=self.plan, phase__state__in=AT_WORK, done_at__isnull=True)
        return [(each, each.due_at - BEFORE_DUE if each.due_at else at) for each in open_ones.order_by("phase", "position")]

    def _tick_tasks_off(self, at: datetime) -> Iterator[Said]:
        due = [task for task, when in self._tasks(at) if when <= at]
        for task in due:
            complete_task(task, by=OPERATOR, at=at, reason="rehearsed")
        if due:
            yield OPERATOR, f"did {len(due)} {'task' if len(due) == 1 else 'tasks'} of {due[0].phase}"

    def _to_measure(self, at: datetime) -> list[tuple[Phase | Wave, datetime]]:
        """Return the phases and waves whose rollback has to be measured, each with the instant."""
        phases = Phase.objects.filter(plan=self.plan, needs_certificate=True, state=PhaseState.AWAITING_SIGNOFF)
        waves = Wave.objects.filter(phase__plan=self.plan, phase__needs_certificate=True, state__in=TO_START)
        opening = [(each, each.starts_at or at) for each in phases.select_related("plan").order_by("position")]
        starting = [(each, each.starts_at or at) for each in waves.select_related("phase__plan").order_by("pk")]
        dated: list[tuple[Phase | Wave, datetime]] = [*opening, *starting]
        return [(each, start - MEASURED) for each, start in dated]

    def _measure(self, at: datetime) -> Iterator[Said]:
        for subject, when in self._to_measure(at):
            if when > at or not why_uncertified(subject, at=max(at, when + MEASURED)):
                continue
            phase, wave = (subject.phase, subject) if isinstance(subject, Wave) else (subject, None)
            try:
                found = certify_rollback(phase, wave=wave, by=OPERATOR, at=at, timer=time.perf_counter)
            except RolloutError as refused:
                yield OPERATOR, f"could not measure the rollback of {subject}: {refused}"
            else:
                yield OPERATOR, f"measured the rollback of {subject}: {found.people} of {found.roster} people"

    def _to_open(self) -> list[Phase]:
        phases = Phase.objects.filter(plan=self.plan, state=PhaseState.AWAITING_SIGNOFF).select_related("plan")
        return [phase for phase in phases if _key(phase) in self._signed]

    def _open_phases(self, at: datetime) -> Iterator[Said]:
        for phase in self._to_open():
            if phase.starts_at is None or phase.starts_at <= at:
                try:
                    open_phase(phase, by=OPERATOR, at=at, reason="everybody has signed")
                except RolloutError as refused:
                    yield OPERATOR, f"could not open {phase}: {refused}"
                else:
                    yield OPERATOR, f"opened {phase}"


def _key(subject: Plan | Phase) -> str:
    return f"{type(subject).__name__} {subject.pk}"
