"""What a plan demands, as one value with a hash, and the one way in which that is edited.

A sign-off names the hash that was shown, so an edit voids it without anybody's doing. Times, states and frozen sizes are no
content: rescheduling voids nothing.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final

from django.db import models, transaction

from rollout.contents import as_content, hash_of, plain, unordered
from rollout.errors import ContentFrozen, PopulationFrozen
from rollout.models import Event, GuardPolicy, Notice, Phase, Plan, SignoffRequirement, Subject, Task, Wave, Window
from rollout.states import PhaseState, PlanState, WaveState

PLAN_COLUMNS: Final = ("name", "salt", "max_deferrals", "deferral_limit", "certificate_valid_for")
PHASE_COLUMNS: Final = ("position", "name", "objective", "share", "share_of", "soak", "needs_certificate")
WAVE_COLUMNS: Final = ("position", "name", "audience", "share", "lock_lead", "soak", "checks")
POLICY_COLUMNS: Final = (
    "name", "purpose", "metric", "compare", "trip", "clear", "window", "min_sample", "sustained", "no_data", "severity",
    "respond_within", "responses", "needs_revalidation",
)  # fmt: skip
WINDOW_COLUMNS: Final = ("zone", "opens", "closes", "days")
NOTICE_COLUMNS: Final = ("name", "channel", "moment", "lead", "subject", "body", "is_required")
TASK_COLUMNS: Final = ("position", "text", "is_required")
COLUMNS: Final[dict[type[models.Model], tuple[str, ...]]] = {
    Plan: PLAN_COLUMNS,
    Phase: PHASE_COLUMNS,
    Wave: WAVE_COLUMNS,
    Window: WINDOW_COLUMNS,
    Notice: NOTICE_COLUMNS,
    Task: TASK_COLUMNS,
}
AUDIENCE: Final = frozenset({"audience", "share", "share_of", "salt"})  # what decided whom a locked wave took

SENT_BACK: Final = frozenset({PlanState.IN_REVIEW, PlanState.APPROVED, PlanState.SCHEDULED})
EDITED_IN: Final = SENT_BACK | {PlanState.DRAFT, PlanState.RUNNING}
NOT_STARTED: Final = frozenset({PhaseState.PENDING, PhaseState.AWAITING_SIGNOFF, PhaseState.OPEN})
WAVE_NOT_STARTED: Final = frozenset({WaveState.PLANNED, WaveState.LOCKED, WaveState.ANNOUNCED})

Row = dict[str, Any]


def content_of(plan: Plan, phase: Phase | None = None) -> Row:
    """Return what a plan demands, or what one of its phases does together with what is demanded of the whole plan.

    The rows are read anew; a fixed number of queries.
    """
    of_phases = _of_phases(plan)
    shared = {"plan": _one(Plan, plan.pk), **of_phases.pop(None, _nothing())}
    phases = {pk: as_content(row) for pk, row in _rows(Phase.objects.filter(plan=plan.pk), "pk", PHASE_COLUMNS)}
    waves: dict[int, list[Row]] = {pk: [] for pk in phases}
    for pk, row in _rows(Wave.objects.filter(phase__plan=plan.pk).order_by("position"), "phase_id", WAVE_COLUMNS):
        waves.setdefault(pk, []).append(as_content(row))
    demanded = {pk: {"phase": phases[pk], "waves": waves[pk], **of_phases.get(pk, _nothing())} for pk in phases}
    if phase is not None:
        return {**shared, "phase": demanded[phase.pk]}
    return {**shared, "phases": sorted(demanded.values(), key=lambda each: int(each["phase"]["position"]))}


def content_hash_of(plan: Plan, phase: Phase | None = None) -> str:
    """Return the hex SHA-256 of a content: what a sign-off is bound to."""
    return hash_of(content_of(plan, phase))


def note_edit(plan: Plan, phase: Phase | None = None, *, by: str, at: datetime, reason: str, adds_phase: bool = False) -> None:
    """Prepare an edit of a plan's content, or of one of its phases, inside the caller's transaction.

    A plan that was submitted, approved or scheduled is a draft again. Plan and phases stay locked until the transaction ends, so
    that an edit comes either before a sign-off or a start, or after it. What a role has to sign is frozen once it has started.

    Raises:
        ContentFrozen: the plan is over or goes back, or the phase (for the whole plan: any) has started and roles sign the plan.
    """
    now = Plan.objects.select_for_update(no_key=True).get(pk=plan.pk)
    touched = Phase.objects.filter(plan=now.pk) if phase is None else Phase.objects.filter(pk=phase.pk)
    phases = list(touched.select_for_update(no_key=True).order_by("pk"))
    if now.state not in EDITED_IN:
        raise ContentFrozen(str(now), now.state_label)
    if now.state == PlanState.RUNNING and not adds_phase:
        started = next((each for each in phases if each.state not in NOT_STARTED), None)
        if started is not None and SignoffRequirement.objects.filter(plan=now.pk).exists():
            raise ContentFrozen(str(started), started.state_label)
    if now.state in SENT_BACK:
        why = f"its content was edited: {reason}" if reason else "its content was edited"
        now.step(PlanState.DRAFT, by=by, at=at, reason=why, approved_by="")
        plan.refresh_from_db()


def edit_content(row: Any, *, by: str, at: datetime, reason: str, **changes: Any) -> bool:
    """Change content columns of a plan, phase, wave, window, notice or task, and say whether that changed anything.

    Raises:
        ContentFrozen: what they are about has started, or its people are frozen.
        PopulationFrozen: a wave is to have a share of people who are divided already.
    """
    kind = type(row)
    if unknown := sorted(set(changes) - set(COLUMNS[kind])):
        raise TypeError(f"{', '.join(unknown)} of a {kind._meta.verbose_name} is no content")
    plan, phase = place_of(row)
    with transaction.atomic():
        Plan.objects.select_for_update(no_key=True).get(pk=plan.pk)  # of many who edit alike one does
        before = _one(kind, row.pk)
        changed = {name: value for name, value in changes.items() if before[name] != plain(value)}
        if not changed:
            return False
        note_edit(plan, phase, by=by, at=at, reason=reason)
        _require_not_frozen(row, changed)
        kind._default_manager.filter(pk=row.pk).update(**changed)
        edits = {name: [before[name], plain(value)] for name, value in changed.items()}
        note_edited(plan, phase, what=f"{kind._meta.verbose_name} {row.pk}", edits=edits, by=by, at=at, reason=reason)
    row.refresh_from_db()
    return True


def hold_row(row: Any) -> bool:
    """Lock the plan that a row belongs to, and say whether the row is there still: of many who take it off one does."""
    plan, _ = place_of(row)
    Plan.objects.select_for_update(no_key=True).get(pk=plan.pk)
    return bool(type(row)._default_manager.filter(pk=row.pk).exists())


def note_edited(plan: Plan, phase: Phase | None, *, what: str, edits: Row, by: str, at: datetime, reason: str) -> None:
    """Record what was edited: `edits` holds, for each column, what it was and what it is."""
    subject, pk = (Subject.PLAN, plan.pk) if phase is None else (Subject.PHASE, phase.pk)
    data = {"what": what, "edits": edits}
    Event.objects.create(subject=subject, subject_pk=pk, kind="content_edited", by=by, reason=reason, at=at, data=data)


def place_of(row: Any) -> tuple[Plan, Phase | None]:
    """Return the plan that a row belongs to, and its phase where it is about one."""
    if isinstance(row, Plan):
        return row, None
    if isinstance(row, Phase):
        return row.plan, row
    if isinstance(row, (Wave, Task)):
        return row.phase.plan, row.phase
    return row.plan, row.phase


def require_undivided(phase: Phase, share: Any) -> None:
    """Refuse a share of a phase whose people are divided already; without a share a wave may mean whom it likes.

    Raises:
        PopulationFrozen: with when that was.
    """
    if share is not None and phase.frozen_at is not None:
        raise PopulationFrozen(str(phase), phase.frozen_at)


def _require_not_frozen(row: Any, changed: Row) -> None:
    """Refuse a wave that has started, and, once people are frozen, what they were chosen by."""
    if isinstance(row, Wave):
        now = Wave.objects.select_for_update(no_key=True).get(pk=row.pk)
        if now.state not in WAVE_NOT_STARTED or (now.size and AUDIENCE & set(changed)):
            raise ContentFrozen(str(now), now.state_label)
        require_undivided(Phase.objects.select_related("plan").get(pk=now.phase_id), changed.get("share"))
    waves = Wave.objects.filter(phase=row) if isinstance(row, Phase) else Wave.objects.filter(phase__plan=row.pk)
    if isinstance(row, (Plan, Phase)) and AUDIENCE & set(changed):
        frozen = waves.filter(size__gt=0).exclude(state=WaveState.CANCELLED).select_related("phase__plan").first()
        if frozen is not None:
            raise ContentFrozen(str(frozen), frozen.state_label)


def _of_phases(plan: Plan) -> dict[int | None, Row]:
    """Return what is demanded beside the waves, by phase; under None what is demanded of the whole plan."""
    found: dict[int | None, Row] = {}

    def put(name: str, pk: int | None, value: Any) -> None:
        found.setdefault(pk, _nothing())[name].append(value)

    policies = GuardPolicy.objects.filter(plan=plan.pk, retired_at__isnull=True)
    for name, rows, columns in (
        ("policies", policies, POLICY_COLUMNS),
        ("windows", Window.objects.filter(plan=plan.pk), WINDOW_COLUMNS),
        ("notices", Notice.objects.filter(plan=plan.pk), NOTICE_COLUMNS),
        ("tasks", Task.objects.filter(phase__plan=plan.pk), TASK_COLUMNS),
    ):
        for pk, row in _rows(rows, "phase_id", columns):
            put(name, pk, as_content(row))
    for pk, role in SignoffRequirement.objects.filter(plan=plan.pk).order_by().values_list("phase_id", "role"):
        put("signoffs", pk, role)
    return {pk: {name: unordered(values) for name, values in each.items()} for pk, each in found.items()}


def _nothing() -> dict[str, list[Any]]:
    return {"policies": [], "windows": [], "notices": [], "tasks": [], "signoffs": []}


def _rows(rows: models.QuerySet[Any], key: str, columns: tuple[str, ...]) -> Iterable[tuple[Any, Row]]:
    for owner, *values in rows.values_list(key, *columns):
        yield owner, dict(zip(columns, values, strict=True))


def _one(kind: type[models.Model], pk: int) -> Row:
    columns = COLUMNS[kind]
    return as_content(kind._default_manager.values(*columns).get(pk=pk))
