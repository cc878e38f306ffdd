"""Say of everything that stands still why, since when, by whom, and what comes next.

One answer for the page, for `--json`, for the notice and for the home page. It only reads.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from django.db.models import Q

from rollout.actions.holds import closed_windows, is_frozen
from rollout.actions.phases import is_kept_back, what_keeps_phase, what_keeps_plan
from rollout.actions.plans import CHOSEN_ACCOUNTS
from rollout.actions.readiness import Blocker, what_keeps
from rollout.actions.schedule import LIVE
from rollout.actions.signoffs import in_a_row, missing_together, standings
from rollout.actions.standstill_texts import (
    APPROVER,
    HOLD_CODES,
    HOLD_IS_IDLE,
    HOLD_THEN,
    NOBODY,
    OPERATOR,
    PERSONS,
    PHASES,
    PLANS,
    STAYED,
    WAVES,
)
from rollout.models import (
    SLOTS_FLAG,
    Breach,
    Decision,
    Enrolment,
    Event,
    Flag,
    Freeze,
    Hold,
    HoldKind,
    Phase,
    Plan,
    Stateful,
    Subject,
    Wave,
)
from rollout.states import BEFORE_START, ON_SLOTS, STUCK, WAVE_AT_WORK, BreachState, PersonState, PhaseState, PlanState, WaveState
from rollout.switch import is_killed

RANKS: Final = {Subject.FLAG: 0, Subject.BREACH: 1, Subject.HOLD: 2}
ABOUT: Final = ("plan", "phase__plan", "wave__phase__plan", "breach__policy__plan")  # what a hold is on, and because of what


@dataclass(frozen=True, slots=True)
class Standstill:
    """Name what stands still, and answer the four questions; `who` are those who can set it going.

    `since` is None only where nothing says when it began; `by` is then empty. `why` is the cause; `said` is the reason that
    whoever brought the row there gave, empty where there is none.
    """

    subject: Subject
    pk: int
    name: str
    code: str
    why: str
    since: datetime | None
    by: str
    then: str
    who: str
    due_at: datetime | None = None
    said: str = ""

    def as_json(self) -> dict[str, Any]:
        """Return the JSON object that commands show."""
        return {
            "subject": self.subject.value,
            "pk": self.pk,
            "name": self.name,
            "code": self.code,
            "why": self.why,
            "since": self.since.isoformat() if self.since else None,
            "by": self.by,
            "said": self.said,
            "then": self.then,
            "who": self.who,
            "due_at": self.due_at.isoformat() if self.due_at else None,
        }

    @property
    def _said(self) -> str:
        return f": “{self.said}”" if self.said else ""

    def __str__(self) -> str:
        """Return the answers as one text."""
        since = f" Since {self.since:%Y-%m-%d %H:%M} UTC, by {self.by}{self._said}." if self.since else ""
        return f"{self.why}{since} {self.then}"


def of_everything(*, at: datetime) -> list[Standstill]:
    """Return what stops every plan at once: the kill switch, the freeze, and the entries of the calendar that are on."""
    found = []
    if is_killed():
        flag = Flag.objects.filter(name=SLOTS_FLAG).values_list("pk", flat=True).first() or 0
        since, by, why = _event(Subject.FLAG, flag, kind="kill_switch_engaged")
        found.append(
            Standstill(
                Subject.FLAG,
                flag,
                "Kill switch",
                "KILL_SWITCH",
                _because("The kill switch is on: everybody sees the legacy system", why),
                since,
                by,
                "Released, everybody's own standing decides again.",
                OPERATOR,
            )
        )
    if is_frozen():
        found += [_of_hold(hold) for hold in Hold.objects.standing().filter(kind=HoldKind.FREEZE)]
    return found + [_of_freeze(row) for row in Freeze.objects.filter(plan__isnull=True, starts_at__lte=at, ends_at__gt=at)]


def of_plan(plan: Plan, *, at: datetime) -> list[Standstill]:
    """Return what keeps a plan where it is: its own state, holds on all of it, and entries of the calendar for it."""
    found = [_of_hold(hold) for hold in Hold.objects.standing().filter(plan=plan.pk).select_related(*ABOUT)]
    found += [_of_freeze(row) for row in plan.freezes.filter(starts_at__lte=at, ends_at__gt=at)]
    state = PlanState(plan.state)
    if state == PlanState.IN_REVIEW:
        return found + list(_of_review(plan, "An operator schedules it once every role agrees.", "An approver approves it."))
    if state == PlanState.SOAKING:
        return found + [
            _of_row(plan, "PLAN_KEPT", text, "It is completed by itself once nothing keeps it.", APPROVER)
            for text in what_keeps_plan(plan, at=at)
        ]
    return found + _by_state(plan, PLANS, state, "PLAN")


def of_phase(phase: Phase, *, at: datetime) -> list[Standstill]:
    """Return what keeps a phase where it is: its own state, and holds on it."""
    found = [_of_hold(hold) for hold in Hold.objects.standing().filter(phase=phase.pk).select_related(*ABOUT)]
    state = PhaseState(phase.state)
    if state == PhaseState.PENDING:
        return [*found, _of_turn(phase)]
    if state == PhaseState.AWAITING_SIGNOFF:
        opens = "An approver opens it once every role agrees."
        return found + list(_of_review(phase, opens, "An approver opens it."))
    if state == PhaseState.SOAKING:
        return found + [
            _of_row(phase, "PHASE_KEPT", text, "It is completed by itself once nothing keeps it.", APPROVER)
            for text in what_keeps_phase(phase, at=at)
        ]
    return found + _by_state(phase, PHASES, state, "PHASE")


def of_wave(wave: Wave, *, at: datetime, keeps: Sequence[Blocker] | None = None) -> list[Standstill]:
    """Return what keeps a wave where it is: its own state; before its start all that keeps it; at work all that holds it.

    `keeps` is what keeps it from starting, where the caller has asked already: gates are judged once.
    """
    state = WaveState(wave.state)
    if state in WAVE_AT_WORK:
        return list(_of_holds(wave, at))
    if state in BEFORE_START:
        if state == WaveState.PLANNED or wave.starts_at is None or wave.starts_at > at:
            return list(_of_holds(wave, at))
        return [
            _of_row(
                wave,
                each.code,
                each.text,
                "It starts by itself once nothing keeps it.",
                each.who,
                since=wave.starts_at,
            )
            for each in (what_keeps(wave, at=at) if keeps is None else keeps)
        ]
    found = _by_state(wave, WAVES, state, "WAVE")
    if state == WaveState.COMPLETED_WITH_EXCEPTIONS:
        found = [replace(each, why=_of_exceptions(wave)) for each in found]
    return [*_of_idle_holds(wave), *found]


def of_person(row: Enrolment) -> list[Standstill]:
    """Return what keeps one person of a wave where they are; nothing for who moves or has arrived."""
    found = _by_state(row, PERSONS, PersonState(row.state), "PERSON")
    if not found:
        return []
    said = found[0]
    due = row.retry_at if row.state == PersonState.RETRY_WAIT else None
    why = row.text or said.why
    then = f"{said.then[:-1]}, at {due.isoformat()}." if due else said.then
    return [
        Standstill(
            said.subject, said.pk, str(row.person), row.code or said.code, why, said.since or row.updated_at, said.by, then,
            said.who, due,
        )
    ]  # fmt: skip


def of_breach(breach: Breach) -> list[Standstill]:
    """Return what an open breach is about, and what it brings next; nothing for one that is closed."""
    if breach.state != BreachState.OPEN:
        return []
    coming = breach.responses.filter(done_at__isnull=True).order_by("due_at").first()
    then = f"{coming.get_action_display().capitalize()} at {coming.due_at.isoformat()}" if coming else "Nothing more by itself"
    text = f"{breach.policy.name}: {breach.evaluation.text}"
    who = f"{OPERATOR}, who has the affected people validated again, or an approver by a waiver"
    return [
        Standstill(
            Subject.BREACH, breach.pk, str(breach), "BREACH_OPEN", text, breach.opened_at, "phoenix",
            f"{then}, unless it is cleared or waived before.", who, breach.respond_by,
        )
    ]  # fmt: skip


def of_row(row: Stateful, *, at: datetime, keeps: Sequence[Blocker] | None = None) -> list[Standstill]:
    """Return what keeps any of them where it is; `keeps` as `of_wave` takes it."""
    if isinstance(row, Enrolment):
        return of_person(row)
    if isinstance(row, Breach):
        return of_breach(row)
    if isinstance(row, Wave):
        return of_wave(row, at=at, keeps=keeps)
    if isinstance(row, Phase):
        return of_phase(row, at=at)
    return of_plan(row, at=at) if isinstance(row, Plan) else []


def what_stands(*, at: datetime) -> list[Standstill]:
    """Return everything of the live plans that waits for somebody, the most pressing first.

    That is the kill switch, then breaches, then what stops every plan, then the others; in each what is due, then the oldest.

    People are counted by wave elsewhere: ten thousand of them are no list. What goes on by itself is left out.
    """
    found = of_everything(at=at)
    breaches = Breach.objects.filter(state=BreachState.OPEN).select_related("policy__plan", "evaluation").order_by("pk")
    found += [each for breach in breaches for each in of_breach(breach)]
    plans = Plan.objects.exclude(name=CHOSEN_ACCOUNTS).exclude(
        state__in=[PlanState.CANCELLED, PlanState.CLOSED, PlanState.COMPLETED]
    )
    for plan in plans.order_by("pk"):
        found += of_plan(plan, at=at)
    phases = Phase.objects.filter(plan__in=plans.filter(state__in=LIVE))
    asked = phases.exclude(state__in=[PhaseState.PENDING, PhaseState.SKIPPED, PhaseState.CANCELLED, PhaseState.COMPLETED])
    for phase in asked.select_related("plan").order_by("plan", "position"):
        found += of_phase(phase, at=at)
    live = Q(state__in=WAVE_AT_WORK | {WaveState.ROLLED_BACK}) | Q(state__in=BEFORE_START, starts_at__lte=at)
    waves = Wave.objects.filter(live, phase__in=phases).select_related("phase__plan").order_by("phase", "position")
    for wave in waves:
        found += [each for each in of_wave(wave, at=at) if each.subject == Subject.WAVE]
    by_breach = HOLD_CODES[HoldKind.GUARD]  # whose breach is among them itself
    asked_for = [each for each in found if each.who != NOBODY and each.code != by_breach]
    told = {(each.subject, each.pk, each.code, each.why): each for each in asked_for}
    return sorted(told.values(), key=lambda each: (_rank(each), each.due_at is None, each.due_at or each.since or at, each.pk))


def _rank(each: Standstill) -> int:
    """Return how severe it is, the smallest first."""
    return RANKS.get(each.subject, len(RANKS))


def _of_holds(wave: Wave, at: datetime) -> Iterator[Standstill]:
    """Yield the holds that cover a wave, each as what it is about, the calendar, and a closed window."""
    standing = Hold.objects.standing().covering(wave).select_related(*ABOUT).order_by("pk")
    yield from (_of_hold(hold) for hold in standing)
    yield from (_of_freeze(row) for row in Freeze.objects.covering(wave.phase.plan_id, at).order_by("ends_at", "pk"))
    for text in closed_windows(wave, at=at):
        yield _of_row(wave, HOLD_CODES[HoldKind.WINDOW], text, HOLD_THEN[HoldKind.WINDOW], NOBODY)


def _of_exceptions(wave: Wave) -> str:
    """Return who of a wave that is over is not on slots, by what became of them."""
    counts = wave.members_by_state()
    on_slots = sum(counts.get(state, 0) for state in ON_SLOTS)
    back = counts.get(PersonState.ROLLED_BACK, 0)
    if back and not on_slots and back == sum(counts.values()):
        return f"It is over, and everybody of it ({back}) was rolled back."
    behind = {state: counts.get(state, 0) for state in (PersonState.ROLLED_BACK, *sorted(STUCK), PersonState.ENROLLED)}
    parts = [f"{count} {STAYED.get(state, state.label)}" for state, count in behind.items() if count]
    return f"It is over with {on_slots} people on slots, the others on the legacy system: {in_a_row(parts)}."


def _of_idle_holds(wave: Wave) -> Iterator[Standstill]:
    """Yield the holds that somebody set on the wave itself before it got where nobody of it is claimed any more."""
    for hold in Hold.objects.standing().filter(wave=wave.pk).select_related(*ABOUT).order_by("pk"):
        yield replace(_of_hold(hold), then=HOLD_IS_IDLE, who=OPERATOR)


def _of_turn(phase: Phase) -> Standstill:
    """Return why a phase has not asked for its sign-offs: a phase before it is not over, or its plan is not under way."""
    if is_kept_back(phase):
        return _of_row(phase, "PHASE_WAITS", "A phase before it is not over.", "It asks for its sign-offs by itself.", NOBODY)
    if phase.plan.state in LIVE:
        return _of_row(phase, "PHASE_WAITS", "Its turn has come just now.", "It asks for its sign-offs by itself.", NOBODY)
    why = f"Its plan is {phase.plan.state_label}."
    return _of_row(phase, "PHASE_WAITS", why, "It asks for its sign-offs by itself once the plan is scheduled.", OPERATOR)


def _of_hold(hold: Hold) -> Standstill:
    """Return what a hold keeps, as what it is on; a guard's as its breach, since that is where it ends."""
    kind = HoldKind(hold.kind)
    about: Any = hold.breach or hold.wave or hold.phase or hold.plan
    subject, pk = (about.SUBJECT, about.pk) if about else (Subject.HOLD, hold.pk)
    who = f"{OPERATOR}, or an approver by a waiver" if kind == HoldKind.GUARD else OPERATOR
    why = _because(str(kind.label).capitalize(), hold.reason)
    name = str(hold.breach or hold.scope)
    return Standstill(subject, pk, name, HOLD_CODES[kind], why, hold.set_at, hold.set_by, HOLD_THEN[kind], who)


def _of_freeze(row: Freeze) -> Standstill:
    subject, pk, name = (Subject.PLAN, row.plan.pk, str(row.plan)) if row.plan else (Subject.HOLD, row.pk, "Every plan")
    then = f"It goes on by itself at {row.ends_at.isoformat()}, or once an operator takes it off the calendar."
    why = _because("The calendar has a freeze", row.reason)
    return Standstill(subject, pk, name, "CALENDAR_FREEZE", why, row.starts_at, row.set_by, then, NOBODY, row.ends_at)


def _of_review(row: Plan | Phase, then: str, without_roles: str) -> Iterator[Standstill]:
    """Yield those who have not signed as one, and each who rejected; where none is asked, or all agreed, who goes on."""
    roles = standings(row)
    waiting = [each for each in roles if each.decided is None]
    if waiting:
        names = in_a_row([each.requirement.role for each in waiting])
        who = f"a holder of {'the role' if len(waiting) == 1 else 'each of the roles'} {names}"
        yield _of_row(row, "SIGNOFF_MISSING", missing_together(waiting), then, who)
    for each in roles:
        if each.decided is not None and each.decided.decision == Decision.REJECTED:
            yield _of_row(row, "SIGNOFF_REJECTED", each.missing, then, OPERATOR)
    if not any(each.missing for each in roles):
        why = "Every role agreed." if roles else "Nobody has to sign it."
        yield _of_row(row, "APPROVAL_MISSING", why, without_roles, APPROVER)


def _by_state(row: Any, table: Any, state: Any, prefix: str) -> list[Standstill]:
    said = table.get(state)
    if said is None:
        return []
    why, then, who = said
    return [_of_row(row, f"{prefix}_{state.name}", why, then, who, is_told=True)]


def _of_row(
    row: Any, code: str, why: str, then: str, who: str, *, since: datetime | None = None, is_told: bool = False
) -> Standstill:
    """Return a row's standstill with who moved it where it is, and when; `is_told`: their reason is kept beside."""
    moved_at, by, reason = _event(row.SUBJECT, row.pk, to_state=row.state)
    if moved_at is None:  # it was made in this state
        plan: Plan = row if isinstance(row, Plan) else row.plan if hasattr(row, "plan") else row.phase.plan
        moved_at, by = plan.created_at, plan.author
    said = reason if is_told else ""
    return Standstill(row.SUBJECT, row.pk, str(row), code, why, since or moved_at, by, then, who, said=said)


def _event(subject: Subject, pk: int, **wanted: str) -> tuple[datetime | None, str, str]:
    """Return when and by whom the latest such event of a row was brought about, and the reason given."""
    found = Event.objects.about(subject, pk).filter(**wanted).order_by("-pk").values_list("at", "by", "reason").first()
    return found or (None, "", "")


def _because(fact: str, reason: str) -> str:
    return f"{fact}: “{reason.removesuffix('.')}”." if reason else f"{fact}."


def in_json(found: Sequence[Standstill]) -> list[dict[str, Any]]:
    """Return them as JSON objects."""
    return [each.as_json() for each in found]
