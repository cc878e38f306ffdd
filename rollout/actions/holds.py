"""What keeps a wave from claiming people: the holds that stand on it, freezes of the calendar, and its windows while closed.

A wave is held while anything holds it; clearing one hold never resumes past another. A hold stops claims, starts, and the switch
of whoever is in work when it is set. A window that closes stops no more than claims and starts: who is in flight finishes. No
rollback asks here.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db import IntegrityError, transaction

from rollout import gates
from rollout.actions.contents import hold_row, note_edit
from rollout.errors import HoldBound, MoveRefused, ReasonMissing, WindowInvalid
from rollout.models import Event, Freeze, Hold, HoldKind, Phase, Plan, Subject, Wave, Window
from rollout.states import PHASE_HELD_IN, PLAN_HELD_IN, WAVE_HELD_IN, HoldState

HELD_IN: Final[Mapping[type[Plan | Phase | Wave], frozenset[Any]]] = {
    Plan: PLAN_HELD_IN,
    Phase: PHASE_HELD_IN,
    Wave: WAVE_HELD_IN,
}
BY_HAND: Final = frozenset({HoldKind.ADMIN, HoldKind.INCIDENT, HoldKind.ERROR})


@dataclass(frozen=True, slots=True)
class Holding:
    """Say what holds a wave, as a kind and a sentence; `hold` is the primary key of the row, None where the clock ends it."""

    kind: HoldKind
    text: str
    hold: int | None = None


def holds_on(wave: Wave, *, at: datetime) -> list[Holding]:
    """Return everything that holds a wave at an instant; three queries."""
    standing = Hold.objects.standing().covering(wave).select_related("plan", "phase__plan", "wave__phase__plan").order_by("pk")
    found = [Holding(HoldKind(hold.kind), f"{hold} (“{hold.reason}”, {hold.set_by}).", hold.pk) for hold in standing]
    return found + _frozen(wave, at) + [Holding(HoldKind.WINDOW, text) for text in closed_windows(wave, at=at)]


def windows_of(wave: Wave) -> list[gates.Window]:
    """Return the windows that a wave heeds: its phase's own, or else its plan's.

    Raises:
        WindowInvalid, TypeError: one of them cannot be read.
    """
    return [row.value() for row in heeded(Window.objects.filter(plan=wave.phase.plan_id), wave)]


def heeded(rows: Iterable[Window], wave: Wave) -> list[Window]:
    """Return those of the windows of a wave's plan that it heeds: its phase's own, or else its plan's."""
    by_phase: dict[int | None, list[Window]] = {}
    for row in rows:
        by_phase.setdefault(row.phase_id, []).append(row)
    return by_phase.get(wave.phase_id) or by_phase.get(None, [])


def _frozen(wave: Wave, at: datetime) -> list[Holding]:
    """Return the entries of the maintenance calendar that cover the wave."""
    rows = Freeze.objects.covering(wave.phase.plan_id, at).order_by("ends_at", "pk")
    return [
        Holding(HoldKind.FREEZE, f"The calendar has a freeze until {row.ends_at.isoformat()} (“{row.reason}”, {row.set_by}).")
        for row in rows
    ]


def closed_windows(wave: Wave, *, at: datetime) -> list[str]:
    """Return why the wave's windows let nobody be moved at an instant; a window that cannot be read is closed."""
    try:
        windows = windows_of(wave)
        if gates.state_of(windows, at):
            return []
    except (WindowInvalid, TypeError) as unreadable:
        return [f"A window cannot be read: {unreadable}"]
    opens = gates.next_opening(windows, at)
    when = f"It opens at {opens.isoformat()}." if opens else "It does not open within two weeks."
    return [f"{HoldKind.WINDOW.label.capitalize()}. {when}"]


def set_hold(scope: Plan | Phase | Wave, *, by: str, at: datetime, reason: str, kind: HoldKind = HoldKind.ADMIN) -> Hold:
    """Hold a plan, a phase or a wave: from the next claim on nobody of it is taken.

    Raises:
        ReasonMissing: nobody said why.
        HoldBound: this kind follows from a breach, the freeze or a window.
        MoveRefused: nobody of it is claimed in its state anyway.
    """
    if not reason.strip():
        raise ReasonMissing("A hold")
    scope.refresh_from_db(fields=["state"])
    if scope.state not in HELD_IN[type(scope)]:
        raise MoveRefused(str(scope), scope.state_label, "paused")
    if kind not in BY_HAND:
        raise HoldBound(kind.label, "A guard's hold comes with its breach, a freeze has its own switch, windows have hours.")
    return _set(kind, scope, by=by, at=at, reason=reason)


def clear_hold(hold: Hold, *, by: str, at: datetime, reason: str) -> None:
    """Clear one hold that was set by hand; what else holds the same waves goes on holding them.

    Raises:
        ReasonMissing: nobody said why.
        HoldBound: a guard set it, or it is the freeze.
        MoveRefused: it is cleared already.
    """
    if not reason.strip():
        raise ReasonMissing("Clearing a hold")
    require_by_hand(hold)
    hold.step(HoldState.CLEARED, by=by, at=at, reason=reason, **_cleared(by, at, reason))


def require_by_hand(hold: Hold) -> None:
    """Refuse to clear by itself what ends with something else.

    Raises:
        HoldBound: a guard set it, or it is the freeze.
    """
    if hold.kind == HoldKind.GUARD:
        raise HoldBound(str(hold), "It goes when its breach is cleared by a re-validation, or waived by name.")
    if hold.kind == HoldKind.FREEZE:
        raise HoldBound(str(hold), "The freeze is taken off by its own switch.")


def resume_wave(wave: Wave, *, by: str, at: datetime, reason: str) -> list[Holding]:
    """Clear what somebody paused on the wave itself, and return what still holds it.

    Raises:
        ReasonMissing: nobody said why.
    """
    if not reason.strip():
        raise ReasonMissing("Resuming a wave")
    paused = Hold.objects.standing().filter(wave=wave, kind=HoldKind.ADMIN)
    Hold.move_many(paused, to=HoldState.CLEARED, by=by, at=at, reason=reason, **_cleared(by, at, reason))
    return holds_on(wave, at=at)


def hold_for_breach(breach_pk: int, scope: Plan | Phase, *, by: str, at: datetime, reason: str) -> Hold:
    """Hold what a breach is about, until it is cleared or waived."""
    return _set(HoldKind.GUARD, scope, by=by, at=at, reason=reason, breach_id=breach_pk)


def release_for_breach(breach_pk: int, *, by: str, at: datetime, reason: str) -> None:
    """Clear the hold that came with a breach."""
    held = Hold.objects.standing().filter(breach=breach_pk)
    Hold.move_many(held, to=HoldState.CLEARED, by=by, at=at, reason=reason, **_cleared(by, at, reason))


def is_frozen() -> bool:
    """Say whether every plan is frozen."""
    return Hold.objects.standing().filter(kind=HoldKind.FREEZE).exists()


def freeze(*, by: str, at: datetime, reason: str) -> bool:
    """Hold every wave of every plan with one write, and say whether that changed anything.

    Raises:
        ReasonMissing: nobody said why.
    """
    if not reason.strip():
        raise ReasonMissing("The freeze")
    if is_frozen():
        return False
    try:
        with transaction.atomic():
            _set(HoldKind.FREEZE, None, by=by, at=at, reason=reason)
    except IntegrityError:  # somebody else was first: there is one freeze at most
        return False
    return True


def unfreeze(*, by: str, at: datetime, reason: str) -> bool:
    """Take the freeze off, and say whether there was one; what else holds a wave goes on holding it.

    Raises:
        ReasonMissing: nobody said why.
    """
    if not reason.strip():
        raise ReasonMissing("Taking the freeze off")
    frozen = Hold.objects.standing().filter(kind=HoldKind.FREEZE)
    return bool(Hold.move_many(frozen, to=HoldState.CLEARED, by=by, at=at, reason=reason, **_cleared(by, at, reason)))


def add_window(
    plan: Plan, *, window: gates.Window, by: str, at: datetime, reason: str = "", phase: Phase | None = None
) -> Window:
    """Let people of a plan, or of one of its phases, be moved in these hours."""
    with transaction.atomic():
        note_edit(plan, phase, by=by, at=at, reason=reason)
        row = Window.objects.create(
            plan=plan, phase=phase, zone=window.zone, opens=window.opens, closes=window.closes, days=list(window.days)
        )
        _note_window(row, "window_added", by=by, at=at, reason=reason)
    return row


def remove_window(row: Window, *, by: str, at: datetime, reason: str = "") -> None:
    """Take a window off, if nobody has; where none is left, people may be moved at any hour."""
    with transaction.atomic():
        if not hold_row(row):
            return
        note_edit(row.plan, row.phase, by=by, at=at, reason=reason)
        _note_window(row, "window_removed", by=by, at=at, reason=reason)
        row.delete()


def said(holdings: Sequence[Holding]) -> list[str]:
    """Return each holding as a sentence."""
    return [each.text for each in holdings]


def _set(
    kind: HoldKind, scope: Plan | Phase | Wave | None, *, by: str, at: datetime, reason: str, breach_id: int | None = None
) -> Hold:
    with transaction.atomic():
        hold = Hold.objects.create(
            kind=kind,
            plan=scope if isinstance(scope, Plan) else None,
            phase=scope if isinstance(scope, Phase) else None,
            wave=scope if isinstance(scope, Wave) else None,
            breach_id=breach_id,
            reason=reason,
            set_by=by,
            set_at=at,
        )
        Event.objects.create(
            subject=Subject.HOLD,
            subject_pk=hold.pk,
            kind="hold_set",
            to_state=HoldState.STANDING,
            by=by,
            reason=reason,
            at=at,
            data={"kind": kind.value, "on": hold.scope},
        )
    return hold


def _cleared(by: str, at: datetime, reason: str) -> dict[str, object]:
    return {"cleared_by": by, "cleared_at": at, "cleared_reason": reason}


def _note_window(row: Window, kind: str, *, by: str, at: datetime, reason: str) -> None:
    data = {"window": str(row), "days": row.days, "phase": row.phase_id}
    Event.objects.create(subject=Subject.PLAN, subject_pk=row.plan_id, kind=kind, by=by, reason=reason, at=at, data=data)
