"""What comes next, and the maintenance calendar."""

from argparse import ArgumentTypeError
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import CommandParser

from rollout.actions.agenda import what_is_next
from rollout.actions.calendar import add_freeze, freezes_from, remove_freeze
from rollout.management.acts import Act, act_on, found, who
from rollout.models import Freeze, Plan
from slots.management.base import Deed, Report

SHOWN = 100  # things to come that are listed


def instant(text: str) -> datetime:
    """Return the instant that somebody typed, in UTC; where no zone is named, UTC is meant."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError as malformed:
        raise ArgumentTypeError(f"{text!r} is no instant, such as 2026-12-24T18:00 or 2026-12-24T18:00+01:00.") from malformed
    return at.replace(tzinfo=UTC) if at.utcoffset() is None else at.astimezone(UTC)


def _plan(parser: CommandParser) -> None:
    parser.add_argument("plan", nargs="?", type=int, metavar="PLAN", help="Primary key of the plan; every plan if left out.")


def _span(parser: CommandParser) -> None:
    _plan(parser)
    parser.add_argument("--from", dest="starts_at", type=instant, required=True, help="ISO 8601; UTC where no zone is named.")
    parser.add_argument("--to", dest="ends_at", type=instant, required=True, help="ISO 8601; itself not part of the freeze.")


def _agenda(deed: Deed, *, plan: int | None) -> Report:
    coming = what_is_next(at=deed.at, plan=None if plan is None else found(Plan, plan))
    lines = [f"{len(coming)} things are known to come."]
    lines += [f"  {due.at:%Y-%m-%d %H:%M:%S} UTC  {due.text}" for due in coming[:SHOWN]]
    return Report({"now": deed.at.isoformat(), "next": [due.as_json() for due in coming]}, lines)


def _calendar(deed: Deed, *, plan: int | None) -> Report:
    rows = list(freezes_from(deed.at, None if plan is None else found(Plan, plan)))
    lines = [f"{len(rows)} freezes are on or to come.", *(f"  {_said(row)} (freeze {row.pk})" for row in rows)]
    return Report({"freezes": [_shown(row) for row in rows]}, lines)


def _block(deed: Deed, *, plan: int | None, starts_at: datetime, ends_at: datetime) -> Report:
    of = None if plan is None else found(Plan, plan)
    row = add_freeze(starts_at=starts_at, ends_at=ends_at, plan=of, **who(deed))
    return Report(_shown(row), [f"Nobody is claimed and nothing starts: {_said(row)}."])


def _unblock(row: Freeze, deed: Deed) -> Report:
    shown = _shown(row)
    remove_freeze(row, **who(deed))
    return Report(shown, ["The freeze is off the calendar; what else holds a wave goes on holding it."])


def _said(row: Freeze) -> str:
    return f"{row.plan or 'every plan'}, {row.starts_at:%Y-%m-%d %H:%M} to {row.ends_at:%Y-%m-%d %H:%M} UTC: {row.reason}"


def _shown(row: Freeze) -> dict[str, Any]:
    return {
        "pk": row.pk,
        "plan": row.plan_id,
        "from": row.starts_at.isoformat(),
        "to": row.ends_at.isoformat(),
        "reason": row.reason,
        "by": row.set_by,
    }


ACTS: tuple[Act, ...] = (
    Act("agenda", "Show what happens next by itself.", _agenda, _plan),
    Act("calendar", "Show the freezes that are on or to come.", _calendar, _plan),
    Act("block", "Let nobody be claimed and nothing start for a time.", _block, _span),
    act_on(Freeze, "unblock", "Take a freeze off the calendar.", _unblock),
)
