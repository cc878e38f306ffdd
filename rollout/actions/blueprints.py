"""Make plans from blueprints, and write plans back as blueprints; a plan knows its template by name and owes it nothing."""

import secrets
from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from importlib import resources
from typing import Any, Final

from django.db import IntegrityError, transaction
from django.utils.text import slugify

from rollout.actions.gates import add_policy
from rollout.actions.holds import add_window
from rollout.audiences import Audience
from rollout.blueprints import (
    Blueprint,
    Calendar,
    Day,
    Layout,
    NoticeEntry,
    PhaseEntry,
    PhaseLayout,
    PolicyEntry,
    TaskEntry,
    WaveEntry,
    WindowEntry,
    laid_out,
    read,
    window_of,
    written,
)
from rollout.errors import AudienceInvalid, PlanNameTaken, TemplateUnknown
from rollout.models import Event, Notice, Phase, Plan, SignoffRequirement, Subject, Task, Wave
from rollout.states import PhaseState, WaveState

SUFFIX: Final = ".toml"
LONGEST_NAME: Final = 80


def template_names() -> list[str]:
    """Return the names of the templates that come with the software."""
    found = (resources.files("rollout.blueprints") / "templates").iterdir()
    return sorted(each.name.removesuffix(SUFFIX) for each in found if each.name.endswith(SUFFIX))


def template(name: str) -> Blueprint:
    """Return a template that comes with the software.

    Raises:
        TemplateUnknown: there is none of this name.
    """
    known = template_names()
    if name not in known:
        raise TemplateUnknown(name, known)
    return read((resources.files("rollout.blueprints") / "templates" / f"{name}{SUFFIX}").read_text("utf-8"))


def create_from_template(
    name: str,
    *,
    template: Blueprint,
    starts_on: date,
    by: str,
    at: datetime,
    time_zone: str = "",
    reason: str = "",
    salt: str = "",
) -> Plan:
    """Make a draft plan of its own from a blueprint, its days counted from a date in an IANA zone (or else the blueprint's).

    Raises:
        PlanNameTaken: another plan has the name.
        BlueprintInvalid: a day of it has no instant there.
    """
    layout = laid_out(template, starts_on=starts_on, zone=time_zone or template.time_zone)
    made = {"by": by, "at": at, "reason": reason or f"made from the template {template.label}"}
    if Plan.objects.filter(name=name).exists():
        raise PlanNameTaken(name)
    try:
        with transaction.atomic():
            return _made(name, layout, made, salt or secrets.token_hex(16))
    except IntegrityError as raced:
        if Plan.objects.filter(name=name).exists():
            raise PlanNameTaken(name) from raced
        raise


def copy_plan(plan: Plan, name: str, *, starts_on: date, by: str, at: datetime, time_zone: str = "", reason: str = "") -> Plan:
    """Make a draft plan that demands what another one demands now, from another date on; nobody is in it yet.

    Raises:
        PlanNameTaken: another plan has the name.
    """
    why = reason or f"copied from {plan.name}"
    with transaction.atomic():
        copy = create_from_template(
            name, template=blueprint_of(plan), starts_on=starts_on, time_zone=time_zone, by=by, at=at, reason=why
        )
        Plan.objects.filter(pk=copy.pk).update(template=plan.template)
    copy.refresh_from_db()
    return copy


def export_plan(plan: Plan) -> str:
    """Return the plan as it is now as TOML, its dates as days from its start."""
    return written(blueprint_of(plan))


def blueprint_of(plan: Plan) -> Blueprint:
    """Return what a plan demands now as a blueprint.

    Waves that somebody cancelled by themselves and retired policies are left out. Of two waves of one name in a phase the later
    one gets a number.
    """
    calendar = Calendar(_first_date(plan), plan.time_zone)
    rows = list(plan.phases.order_by("position"))
    names = _different([row.name for row in rows])
    shared = _Demanded(plan, None)
    return Blueprint(
        name=_slug(plan.name),
        version=1,
        title=plan.name,
        time_zone=plan.time_zone,
        max_deferrals=plan.max_deferrals,
        deferral_limit=plan.deferral_limit,
        certificate_valid_for=plan.certificate_valid_for,
        signoffs=shared.signoffs(),
        windows=shared.windows(),
        notices=shared.notices(),
        policies=shared.policies(),
        phases=tuple(_phase_entry(row, name, calendar) for row, name in zip(rows, names, strict=True)),
    )


def _made(name: str, layout: Layout, made: dict[str, Any], salt: str) -> Plan:
    blueprint = layout.blueprint
    plan = Plan.objects.create(
        name=name,
        salt=salt,
        author=made["by"],
        created_at=made["at"],
        template=blueprint.label,
        starts_on=layout.starts_on,
        time_zone=layout.zone,
        max_deferrals=blueprint.max_deferrals,
        deferral_limit=blueprint.deferral_limit,
        certificate_valid_for=blueprint.certificate_valid_for,
    )
    _record(Subject.PLAN, plan.pk, made)
    _demand(plan, None, blueprint, layout.zone, made)
    for position, each in enumerate(layout.phases, start=1):
        _make_phase(plan, position, each, layout.zone, made)
    return plan


def _make_phase(plan: Plan, position: int, layout: PhaseLayout, zone: str, made: dict[str, Any]) -> None:
    entry = layout.entry
    phase = Phase.objects.create(
        plan=plan,
        position=position,
        name=entry.name,
        objective=entry.objective,
        starts_at=layout.starts_at,
        share=entry.share,
        share_of=entry.share_of,
        soak=entry.soak,
        needs_certificate=entry.needs_certificate,
    )
    _record(Subject.PHASE, phase.pk, made)
    _demand(plan, phase, entry, zone, made)
    for number, (task, due_at) in enumerate(layout.tasks, start=1):
        Task.objects.create(phase=phase, position=number, text=task.text, due_at=due_at, is_required=task.is_required)
    for number, each in enumerate(layout.waves, start=1):
        wave = Wave.objects.create(
            phase=phase,
            position=number,
            name=each.entry.name,
            audience=dict(each.entry.audience),
            share=each.entry.share,
            starts_at=each.starts_at,
            lock_lead=each.lock_lead,
            soak=each.entry.soak,
            checks=[int(check.total_seconds()) for check in each.entry.checks],
            rate=each.entry.rate,
            max_workers=each.entry.max_workers,
            batch_size=each.entry.batch_size,
            max_batch=each.entry.max_batch,
        )
        _record(Subject.WAVE, wave.pk, made)


def _demand(plan: Plan, phase: Phase | None, entry: Blueprint | PhaseEntry, zone: str, made: dict[str, Any]) -> None:
    """Make what stands beside the phases of a plan, or beside the waves of a phase."""
    SignoffRequirement.objects.bulk_create(SignoffRequirement(plan=plan, phase=phase, role=role) for role in entry.signoffs)
    Notice.objects.bulk_create(
        Notice(
            plan=plan,
            phase=phase,
            name=each.name,
            channel=each.channel,
            moment=each.moment,
            lead=each.lead,
            subject=each.subject,
            body=each.body,
            is_required=each.is_required,
        )
        for each in entry.notices
    )
    for window in entry.windows:
        add_window(plan, phase=phase, window=window_of(window, zone), **made)
    for policy in entry.policies:
        add_policy(plan, phase=phase, name=policy.name, policy=policy.policy, **made)


class _Demanded:
    """Read what stands beside the phases of a plan, or beside the waves of one of them, in the order in which it was made."""

    def __init__(self, plan: Plan, phase: Phase | None) -> None:
        self._plan = plan
        self._phase = phase

    def _mine(self, rows: Any) -> Iterable[Any]:
        return rows.filter(phase=self._phase).order_by("pk")  # type: ignore[no-any-return]  # one manager for each kind

    def signoffs(self) -> tuple[str, ...]:
        """Return the roles that sign."""
        return tuple(row.role for row in self._mine(self._plan.signoff_requirements))

    def windows(self) -> tuple[WindowEntry, ...]:
        """Return the windows, each with its zone."""
        return tuple(
            WindowEntry(zone=row.zone, opens=row.opens, closes=row.closes, days=tuple(row.days))
            for row in self._mine(self._plan.windows)
        )

    def notices(self) -> tuple[NoticeEntry, ...]:
        """Return the notices."""
        return tuple(
            NoticeEntry(
                name=row.name,
                channel=row.channel,
                moment=row.moment,
                lead=row.lead,
                subject=row.subject,
                body=row.body,
                is_required=row.is_required,
            )
            for row in self._mine(self._plan.notices)
        )

    def policies(self) -> tuple[PolicyEntry, ...]:
        """Return the policies that nobody retired."""
        rows = self._mine(self._plan.policies.filter(retired_at__isnull=True))
        return tuple(PolicyEntry(name=row.name, policy=row.value()) for row in rows)


def _phase_entry(phase: Phase, name: str, calendar: Calendar) -> PhaseEntry:
    demanded = _Demanded(phase.plan, phase)
    waves = list(phase.waves.order_by("position"))
    if phase.state != PhaseState.CANCELLED:
        waves = [wave for wave in waves if wave.state != WaveState.CANCELLED]
    names = _different([wave.name for wave in waves])
    return PhaseEntry(
        name=name,
        objective=phase.objective,
        starts=_day(calendar, phase.starts_at),
        share=phase.share,
        share_of=phase.share_of,
        soak=phase.soak,
        needs_certificate=phase.needs_certificate,
        signoffs=demanded.signoffs(),
        windows=demanded.windows(),
        notices=demanded.notices(),
        policies=demanded.policies(),
        tasks=tuple(
            TaskEntry(text=task.text, due=_day(calendar, task.due_at), is_required=task.is_required)
            for task in phase.tasks.order_by("position")
        ),
        waves=tuple(_wave_entry(wave, name, calendar) for wave, name in zip(waves, names, strict=True)),
    )


def _wave_entry(wave: Wave, name: str, calendar: Calendar) -> WaveEntry:
    try:
        audience = Audience.from_json(wave.audience, has_share=wave.share is not None).as_json()
    except AudienceInvalid:
        audience = wave.audience  # as it is: whoever reads it is told what is wrong
    return WaveEntry(
        name=name,
        starts=_day(calendar, wave.starts_at),
        audience=audience,
        share=wave.share,
        lock_lead=wave.lock_lead,
        soak=wave.soak,
        checks=tuple(timedelta(seconds=check) for check in wave.checks),
        rate=wave.rate,
        max_workers=wave.max_workers,
        batch_size=wave.batch_size,
        max_batch=wave.max_batch,
    )


def _day(calendar: Calendar, instant: datetime | None) -> Day | None:
    return calendar.day_of(instant) if instant is not None else None


def _first_date(plan: Plan) -> date:
    """Return the date that days are counted from: the plan's start, or an earlier date of its own."""
    zone = Calendar(plan.starts_on or plan.created_at.date(), plan.time_zone)
    phases = plan.phases.all()
    instants: list[datetime | None] = [
        *phases.values_list("starts_at", flat=True),
        *phases.values_list("waves__starts_at", flat=True),
        *phases.values_list("tasks__due_at", flat=True),
    ]
    dates = [zone.local_date(each) for each in instants if each is not None]
    return min([*dates, plan.starts_on] if plan.starts_on else dates, default=zone.starts_on)


def _different(names: Sequence[str]) -> list[str]:
    """Return the names, with a number behind those that were there before."""
    found: list[str] = []
    for name in names:
        number, each = 2, name
        while each in found:
            each, number = f"{name[:190]} ({number})", number + 1
        found.append(each)
    return found


def _slug(name: str) -> str:
    words = slugify(name).replace("_", "-")[:LONGEST_NAME].split("-")
    return "-".join(word for word in words if word) or "plan"


def _record(subject: Subject, pk: int, made: dict[str, Any]) -> None:
    Event.objects.create(subject=subject, subject_pk=pk, kind="made", **made)
