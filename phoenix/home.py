"""What the first page of the administration tells: what needs somebody, what runs, how it does, what comes next."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.db.models import Count
from django.urls import reverse

from migration.actions.reviewing import open_groups
from migration.models import RejectedRecord
from rollout.actions.agenda import Due, what_is_next
from rollout.actions.scorecard import Score, plan_to_watch, scores_of
from rollout.actions.signing import open_to
from rollout.actions.standstill import Standstill, what_stands
from rollout.addresses import page_of, place_of, sign_page_of
from rollout.drawing import spark
from rollout.gates import Severity
from rollout.models import Alert, DeliveryState, Enrolment, NoticeDelivery, Phase, Plan, Subject, Task, Ticket, Wave
from rollout.states import STUCK, WAVE_AT_WORK, BreachState, PhaseState, WaveState
from rollout.tickets import Deadline, Urgency
from slots.actions.upgrades import open_conflicts

SHOWN: Final = 12  # needs and events shown before "and n more"
SOON: Final = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class Need:
    """One thing that waits for somebody: what, why, and where it is dealt with; `ways` are what the visitor can do at once."""

    what: str
    why: str
    address: str
    tone: str = "warning"
    since: datetime | None = None
    due_at: datetime | None = None
    count: int = 1
    ways: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Spark:
    """A score with the points of its trend, as the `points` of an SVG polyline."""

    score: Score
    points: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """A ticket that is near its deadline or past it, and who has to act."""

    ticket: Ticket
    deadline: Deadline

    @property
    def tone(self) -> str:
        """Return the colour that goes with the words."""
        return "bad" if self.deadline.urgency == Urgency.OVERDUE else "warning"

    @property
    def grade(self) -> str:
        """Return the colour of the severity."""
        return {Severity.CRITICAL: "bad", Severity.HIGH: "warning"}.get(Severity(self.ticket.severity), "neutral")

    @property
    def who(self) -> str:
        """Return who has to act: whoever answered before, else anybody of support."""
        return self.ticket.handled_by or "support"


def home_of(user: AbstractBaseUser | AnonymousUser, *, at: datetime) -> dict[str, Any]:
    """Return the context of the first page for a person; what they may not see is not looked for."""
    may = user.has_perm  # type: ignore[union-attr]
    context: dict[str, Any] = {"needs": [], "at": at}
    if may("rollout.view_plan"):
        plan = plan_to_watch()
        coming = [due for due in what_is_next(at=at, with_policies=False) if due.at <= at + SOON]
        waves = Wave.objects.filter(state__in=[*WAVE_AT_WORK, WaveState.MONITORING])
        context |= {
            "running": waves.counted().select_related("phase__plan").order_by("-started_at")[:SHOWN],
            "watched": plan,
            "scores": [_spark(each) for each in scores_of(plan, at=at)] if plan else [],
            "coming": [(due, _address_of_due(due)) for due in coming[:SHOWN]],
            "coming_more": max(0, len(coming) - SHOWN),
        }
        needs = (
            [_of_standstill(each, user) for each in what_stands(at=at)]
            + list(_of_alerts())
            + list(_of_people())
            + list(_of_tasks(at))
        )
        needs = sorted(needs, key=lambda need: need.tone != "bad")  # what endangers people first, each in its order
        context |= {"needs": needs[:SHOWN], "needs_more": max(0, len(needs) - SHOWN)}
    if may("rollout.view_ticket"):
        context |= tickets_due(at=at)
    queues = [need for permissions, needs_of in _QUEUES if all(map(may, permissions)) for need in needs_of()]
    context["needs"] = [*context["needs"], *queues]
    return context


def tickets_due(*, at: datetime) -> dict[str, Any]:
    """Return the tickets that are near their deadline or past it, the most pressing first, and how many more there are."""
    pressing = Ticket.objects.pressing(at)
    rows = list(pressing.select_related("person")[: SHOWN + 1])
    more = pressing.count() - SHOWN if len(rows) > SHOWN else 0
    shown = [Waiting(row, found) for row in rows[:SHOWN] if (found := row.deadline(at)) is not None]
    return {"tickets": shown, "tickets_more": more}


def _of_standstill(each: Standstill, user: Any) -> Need:
    tone = "bad" if each.subject in {Subject.BREACH, Subject.FLAG} else "warning"
    return Need(
        each.name, f"{each.why} {each.then}", place_of(each), tone, each.since, each.due_at, ways=_ways_to_sign(each, user)
    )


def _ways_to_sign(each: Standstill, user: Any) -> tuple[tuple[str, str], ...]:
    """Return where the visitor signs what waits for signatures, a way for each of their roles."""
    if each.code != "SIGNOFF_MISSING" or not user.has_perm("rollout.sign_off_rollout"):
        return ()
    subject = Plan.objects.get(pk=each.pk) if each.subject == Subject.PLAN else Phase.objects.get(pk=each.pk)
    roles = open_to(user.get_username(), subject)
    return tuple((f"Sign off as {role.role}…", sign_page_of(role)) for role in roles)


def _of_people() -> Iterable[Need]:
    """Yield the people of live waves who need somebody, by wave, and messages that could not be sent."""
    stuck = Enrolment.objects.live().filter(state__in=STUCK).order_by()
    for wave, phase, name, count in stuck.values_list("wave", "wave__phase__name", "wave__name").annotate(n=Count("pk")):
        address = f"{reverse('admin:rollout_enrolment_changelist')}?wave__id__exact={wave}&state__in={','.join(sorted(STUCK))}"
        yield Need(f"{phase} / {name}", "People who could not be moved wait for somebody to look.", address, "bad", count=count)
    failed = NoticeDelivery.objects.filter(state=DeliveryState.FAILED).count()
    if failed:
        address = f"{reverse('admin:rollout_noticedelivery_changelist')}?state__exact={DeliveryState.FAILED}"
        yield Need("Notices", "Messages could not be sent.", address, count=failed)


def _of_alerts() -> Iterable[Need]:
    """Yield the open breaches of which somebody could not be told: they have to be called instead."""
    lost = Alert.objects.filter(state=DeliveryState.FAILED, response__breach__state=BreachState.OPEN).order_by()
    for breach, policy, count in lost.values_list("response__breach", "response__breach__policy__name").annotate(n=Count("pk")):
        address = page_of(Subject.BREACH, breach)
        yield Need(policy, "Who has to hear of this breach could not be written to; call them.", address, "bad", count=count)


def _of_tasks(at: datetime) -> Iterable[Need]:
    """Yield the tasks of phases that have begun, which are late."""
    begun = (PhaseState.AWAITING_SIGNOFF, PhaseState.OPEN, PhaseState.EXECUTING, PhaseState.SOAKING)
    late = Task.objects.filter(done_at__isnull=True, due_at__lt=at, phase__state__in=begun).select_related("phase__plan")
    for task in late.order_by("due_at")[:SHOWN]:
        address = page_of(Subject.PHASE, task.phase_id)
        yield Need(str(task), f"A task of {task.phase} is late.", address, due_at=task.due_at)


def _of_review() -> Iterable[Need]:
    count = len(open_groups())
    if count:
        address = reverse("admin:migration_review")
        yield Need(
            "Review",
            "People stay on the legacy system until these are decided; the same change is one decision.",
            address,
            count=count,
        )


def _of_conflicts() -> Iterable[Need]:
    count = len(open_conflicts())
    if count:
        address = reverse("admin:slots_upgradeconflict_changelist")
        yield Need("Upgrade conflicts", "Both sides changed the same; each group takes one decision.", address, count=count)


def _of_rejected() -> Iterable[Need]:
    count = RejectedRecord.objects.filter(settled_at__isnull=True).count()
    if count:
        address = reverse("admin:migration_rejectedrecord_changelist")
        yield Need("Rejected records", "They could not be imported.", address, count=count)


_QUEUES: Final = (
    (("migration.view_finding", "migration.view_customization"), _of_review),
    (("slots.view_upgradeconflict",), _of_conflicts),
    (("migration.view_rejectedrecord",), _of_rejected),
)


def _address_of_due(due: Due) -> str:
    about = ((Subject.WAVE, due.wave), (Subject.PHASE, due.phase), (Subject.PLAN, due.plan))
    return next((page_of(subject, pk) for subject, pk in about if pk), "")


def _spark(score: Score) -> Spark:
    return Spark(score, spark(score.trend))
