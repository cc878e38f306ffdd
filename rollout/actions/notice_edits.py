"""Write, change and remove the notices of a plan: they are content, so every edit goes the way of edits and voids sign-offs."""

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import transaction

from rollout.actions.contents import edit_content, hold_row, note_edit
from rollout.errors import NoticeInUse, NoticeInvalid
from rollout.models import Channel, DeliveryState, Event, Moment, Notice, NoticeDelivery, Phase, Plan, Subject, Wave
from rollout.notifications import check_text

SAID: Final = frozenset({"subject", "body", "channel", "moment"})  # what people have in hand once it was sent


@dataclass(frozen=True, slots=True)
class NoticeDraft:
    """Describe a notice that is to be made."""

    name: str
    lead: timedelta
    subject: str
    body: str
    channel: Channel = Channel.EMAIL
    moment: Moment = Moment.BEFORE_START
    is_required: bool = True


def check_notice(draft: NoticeDraft) -> None:
    """Look whether a notice can be sent as it is written.

    Raises:
        NoticeInvalid: its text names what is not known, its lead is below zero, or a wave would wait for what comes after it.
    """
    check_text(draft.subject, draft.body)
    if draft.lead < timedelta():
        raise NoticeInvalid("It would be sent on the wrong side of its moment: the time is not below zero.")
    if draft.is_required and draft.moment != Moment.BEFORE_START:
        raise NoticeInvalid("No wave can wait for what is sent after the switch: it is not required.")


def add_notice(plan: Plan, *, draft: NoticeDraft, by: str, at: datetime, reason: str = "", phase: Phase | None = None) -> Notice:
    """Let the waves of a plan, or of one of its phases, tell their people this.

    Raises:
        NoticeInvalid: it cannot be sent as it is written, or there is one of that name.
    """
    check_notice(draft)
    with transaction.atomic():
        note_edit(plan, phase, by=by, at=at, reason=reason)
        if Notice.objects.filter(plan=plan, phase=phase, name=draft.name).exists():
            raise NoticeInvalid(f"There is a notice called “{draft.name}” already.")
        row = Notice.objects.create(plan=plan, phase=phase, **asdict(draft))
        _note(row, "notice_added", by=by, at=at, reason=reason)
    return row


def edit_notice(row: Notice, *, by: str, at: datetime, reason: str, **changes: Any) -> bool:
    """Change a notice, move what is planned of it to its new time, and say whether that changed anything.

    Raises:
        NoticeInvalid: it could not be sent as it would be then.
        NoticeInUse: its words or its way were to be changed, but people have been sent it.
    """
    names = ("name", "lead", "subject", "body", "channel", "moment", "is_required")
    check_notice(NoticeDraft(**{name: changes.get(name, getattr(row, name)) for name in names}))
    with transaction.atomic():
        touched = {name for name, value in changes.items() if getattr(row, name) != value}
        check_edit(row, changed=touched)
        changed = edit_content(row, by=by, at=at, reason=reason, **changes)
        if "lead" in touched:
            _move_pending(row, at)
    return changed


def check_edit(row: Notice, *, changed: set[str]) -> None:
    """Look whether these columns of a notice may still be changed.

    Raises:
        NoticeInUse: its words or its way were to be changed, but people have been sent it.
    """
    if changed & SAID and row.deliveries.filter(state__in=[DeliveryState.SENT, DeliveryState.FAILED]).exists():
        raise NoticeInUse(str(row))


def remove_notice(row: Notice, *, by: str, at: datetime, reason: str) -> None:
    """Take a notice off that nothing was planned of yet, if nobody has.

    Raises:
        NoticeInUse: messages of it were planned, or somebody waived it.
    """
    with transaction.atomic():
        if not hold_row(row):
            return
        note_edit(row.plan, row.phase, by=by, at=at, reason=reason)
        if row.deliveries.exists() or row.waivers.exists():
            raise NoticeInUse(str(row))
        _note(row, "notice_removed", by=by, at=at, reason=reason)
        row.delete()


def _move_pending(row: Notice, at: datetime) -> None:
    """Set what is still to be sent before a start to the new instant, never before now."""
    pending = NoticeDelivery.objects.filter(notice=row, state=DeliveryState.PENDING)
    for wave in Wave.objects.filter(pk__in=pending.values("wave"), starts_at__isnull=False):
        if row.moment == Moment.BEFORE_START and wave.starts_at is not None:
            pending.filter(wave=wave).update(due_at=max(wave.starts_at - row.lead, at))


def _note(row: Notice, kind: str, *, by: str, at: datetime, reason: str) -> None:
    subject, pk = (Subject.PHASE, row.phase_id) if row.phase_id else (Subject.PLAN, row.plan_id)
    data = {"notice": row.pk, "name": row.name, "channel": row.channel, "lead_s": row.lead.total_seconds()}
    Event.objects.create(subject=subject, subject_pk=pk, kind=kind, by=by, reason=reason, at=at, data=data)
