"""Waves: who is meant, how far they are, and the acts on them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest
from django.template.defaultfilters import pluralize
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html

from migration.admin.columns import link, list_link
from migration.engine.translate import ENGINE_VERSION
from rollout.actions.audiences import audience_of, is_chosen
from rollout.actions.breaches import waive_gate
from rollout.actions.claims import waits_of
from rollout.actions.gates import gates_that_hold
from rollout.actions.holds import holds_on, resume_wave, said, set_hold
from rollout.actions.notices import missing_notices, waive_notice
from rollout.actions.plans import WaveDraft, add_wave
from rollout.actions.prevalidation import AHEAD, prevalidate_wave, readiness_of
from rollout.actions.readiness import what_keeps
from rollout.actions.rescheduling import set_start
from rollout.actions.rollback import roll_back_wave
from rollout.actions.steering import PACE, tune_wave
from rollout.actions.waves import (
    announce_wave,
    cancel_wave,
    finish_wave,
    lock_wave,
    reopen_wave,
    repin_engine,
    reschedule_wave,
    start_wave,
)
from rollout.admin.acts import APPROVE, OPERATE, Act, ActsAdmin, JoinedFilter, state_badge
from rollout.admin.audiences import AUDIENCE_ACTS, AudiencePages, effect_of_lock
from rollout.admin.editing import EditedAdmin
from rollout.admin.notices import told_of
from rollout.admin.selecting import failed_people
from rollout.errors import AudienceInvalid
from rollout.forms import WaveForm
from rollout.jobs import wake_wave
from rollout.models import Enrolment, FlagOverride, Hold, HoldKind, Wave
from rollout.states import (
    BEFORE_START,
    ON_SLOTS,
    STUCK,
    WAITING,
    WAVE_AT_WORK,
    WAVE_NEXT,
    WORKING,
    PersonState,
    WaveState,
    sources_of,
)
from rollout.waves import System

NAMES = 20  # people named on a page


def _count(wave: Wave, states: frozenset[PersonState]) -> int:
    return wave.enrolments.filter(state__in=states).count()


def _lock(wave: Wave, **who: Any) -> str:
    done = lock_wave(wave, **who)
    return f"{done.size} members are frozen, {len(done.skipped)} people were left out."


def _announce(wave: Wave, **who: Any) -> str:
    return f"{announce_wave(wave, **who)} people count as told."


PROVEN_AT_ONCE = 500  # people whom one act proves; the reconciler goes on by itself


def _effect_of_proving(wave: Wave) -> list[str]:
    found = readiness_of(wave)
    return [
        f"{min(found.open, PROVEN_AT_ONCE)} of {found.open} people who have not been looked at are translated and validated now.",
        "Nobody is moved, and nobody sees another page.",
    ]


def _prove(wave: Wave, *, by: str, at: datetime, reason: str) -> str:
    del reason  # a proof is found, not decided
    found = prevalidate_wave(wave, by=by, at=at, limit=PROVEN_AT_ONCE)
    causes = f" ({', '.join(f'{code}: {count}' for code, count in found.causes)})" if found.causes else ""
    return f"{found.proven} of {found.members} people are proven, {found.blocked} blocked{causes}, {found.open} not looked at."


def _start(wave: Wave, **who: Any) -> str:
    count = start_wave(wave, **who)
    wake_wave(wave.pk)
    return f"{count} people are queued."


def _finish(wave: Wave, **who: Any) -> str:
    finish_wave(wave, **who)
    return f"is {wave.state_label}."


def _effect_of_rollback(wave: Wave) -> list[str]:
    by_support = FlagOverride.objects.filter(person__enrolments__wave=wave, system=System.SLOTS)
    return [
        f"{_count(wave, ON_SLOTS)} people on slots see the legacy system from their next page on, and get back what they had.",
        f"{_count(wave, WORKING | WAITING)} people who are queued or at work are stood down.",
        f"{_staying(by_support.count())} on slots because support put them there; use the switch of the person for them.",
        "What somebody edited since the switch is set aside and named here afterwards.",
    ]


def _staying(count: int) -> str:
    return f"{count} {pluralize(count, 'person stays,people stay')}"


def _roll_back(wave: Wave, **who: Any) -> str:
    report = roll_back_wave(wave, **who)
    edited = f" Edited since the switch, set aside: {', '.join(report.edited[:NAMES])}." if report.edited else ""
    kept = f" On slots by support's word: {', '.join(report.kept[:NAMES])}." if report.kept else ""
    return f"{report.rolled_back} of {report.total} people are back.{edited}{kept}"


def _effect_of_start(wave: Wave) -> list[str]:
    return [
        *(f"Refused now ({each.code}): {each}" for each in what_keeps(wave, at=timezone.now())),
        f"{_count(wave, frozenset({PersonState.NOTIFIED}))} people are queued; each is switched once proven.",
        f"The wave is pinned to engine {ENGINE_VERSION}.",
    ]


def _pause(wave: Wave, **who: Any) -> str:
    set_hold(wave, **who)
    return "is paused."


def _effect_of_resume(wave: Wave) -> list[str]:
    paused = set(Hold.objects.standing().filter(wave=wave, kind=HoldKind.ADMIN).values_list("pk", flat=True))
    others = [each.text for each in holds_on(wave, at=timezone.now()) if each.hold not in paused]
    lines = [f"{len(paused)} holds that somebody set on the wave itself are cleared."]
    return lines + [f"It stays held all the same: {text}" for text in others]


def _resume(wave: Wave, **who: Any) -> str:
    left = said(resume_wave(wave, **who))
    if not left:
        wake_wave(wave.pk)
    return f"is still held: {' '.join(left)}" if left else "is not held any more."


def _effect_of_waiving(wave: Wave) -> list[str]:
    found = gates_that_hold(wave, at=timezone.now())
    lines = [f"It may start though {row.name} does not pass: {each.text} ({each.code})" for row, each in found]
    return [*lines, f"For attempt {wave.attempt} only; your name stands for it."] if lines else ["No gate holds it now."]


def _waive(wave: Wave, **who: Any) -> str:
    found = gates_that_hold(wave, at=who["at"])
    return f"{sum(waive_gate(row, wave, **who) for row, _ in found)} gates are waived."


def _effect_of_waiving_notices(wave: Wave) -> list[str]:
    found = missing_notices(wave, at=timezone.now())
    lines = [f"It may go on though: {each.text}" for each in found]
    return [*lines, "For this date and attempt only; your name stands for it."] if lines else ["No notice is missing."]


def _waive_notices(wave: Wave, **who: Any) -> str:
    found = missing_notices(wave, at=who["at"])
    return f"{sum(waive_notice(each.notice, wave, **who) for each in found)} notices are waived."


def _said(act: Any, sentence: str) -> Any:
    def run(wave: Wave, **who: Any) -> str:
        act(wave, **who)
        return sentence

    return run


BEFORE_THE_END = frozenset({WaveState.PLANNED, WaveState.LOCKED, WaveState.ANNOUNCED, *WAVE_AT_WORK})
ACTS = (
    Act("lock", "Lock", OPERATE, frozenset({WaveState.PLANNED}), effect_of_lock, _lock),
    Act(
        "announce",
        "Announce",
        OPERATE,
        frozenset({WaveState.LOCKED}),
        lambda wave: [f"{wave.size} people count as told. Say in the reason who told them, and how."],
        _announce,
    ),
    Act("prevalidate", "Prove ahead", OPERATE, AHEAD, _effect_of_proving, _prove),
    Act(
        "start",
        "Start",
        OPERATE,
        frozenset({WaveState.ANNOUNCED}),
        _effect_of_start,
        _start,
    ),
    Act("waive", "Waive gates", APPROVE, frozenset({WaveState.LOCKED, WaveState.ANNOUNCED}), _effect_of_waiving, _waive),
    Act(
        "waive-notices",
        "Waive notices",
        APPROVE,
        frozenset({WaveState.LOCKED, WaveState.ANNOUNCED}),
        _effect_of_waiving_notices,
        _waive_notices,
    ),
    Act(
        "pause",
        "Pause",
        OPERATE,
        BEFORE_THE_END,
        lambda wave: [
            f"Nobody of {_count(wave, WAITING)} who wait is claimed until this hold is cleared; it does not start either.",
            f"{_count(wave, WORKING)} people who are in work are queued again before their switch. Going back is not held.",
        ],
        _pause,
    ),
    Act("resume", "Resume", OPERATE, BEFORE_THE_END, _effect_of_resume, _resume),
    Act(
        "finish",
        "Finish early",
        OPERATE,
        frozenset({*WAVE_AT_WORK, WaveState.MONITORING}),
        lambda wave: [
            f"{_count(wave, frozenset({PersonState.SWITCHED}))} people count as watched long enough.",
            f"{_staying(_count(wave, STUCK))} on the legacy system, free for another wave.",
            "Refused while people are queued or at work.",
        ],
        _finish,
    ),
    Act(
        "rollback",
        "Roll back",
        OPERATE,
        frozenset({*sources_of(WAVE_NEXT, WaveState.ROLLING_BACK), WaveState.ROLLING_BACK}),
        _effect_of_rollback,
        _roll_back,
        is_grave=True,
    ),
    Act(
        "reopen",
        "Reopen",
        OPERATE,
        frozenset({WaveState.ROLLED_BACK}),
        lambda wave: [f"Attempt {wave.attempt + 1} is planned, with the same people."],
        _said(reopen_wave, "is planned again."),
    ),
    Act(
        "reschedule",
        "Set back to planned",
        OPERATE,
        frozenset({WaveState.LOCKED, WaveState.ANNOUNCED}),
        lambda wave: ["Its people stay its members and have to be told again."],
        _said(reschedule_wave, "is planned again."),
    ),
    Act(
        "cancel",
        "Cancel",
        OPERATE,
        frozenset({WaveState.PLANNED, WaveState.LOCKED, WaveState.ANNOUNCED}),
        lambda wave: [f"{wave.size} people are free for other waves. The wave cannot be taken up again."],
        _said(cancel_wave, "is cancelled."),
        is_grave=True,
    ),
    *AUDIENCE_ACTS,
    Act(
        "repin",
        "Pin the engine",
        OPERATE,
        WAVE_AT_WORK,
        lambda wave: [
            f"Pinned is engine {wave.engine_version}, this site runs {ENGINE_VERSION}. Who is queued is proven with that."
        ],
        _said(repin_engine, f"is pinned to engine {ENGINE_VERSION}."),
    ),
)


WHOM = ("audience", "share")
DEMANDED = ("name", "lock_lead", "soak", "checks")


@admin.register(Wave)
class WaveAdmin(EditedAdmin, AudiencePages, ActsAdmin):
    """Show waves with their people by state; plan new ones; act on them."""

    form = WaveForm
    list_display = (
        "name", "phase_link", "shown_state", "size", "waiting", "working", "on_slots", "stuck", "off", "attempt", "started_at",
    )  # fmt: skip
    list_filter = ("state", "phase__plan", ("phase", JoinedFilter))
    search_fields = ("name", "phase__name", "phase__plan__name")
    permission = "rollout.change_wave"
    asked = ("phase", "name", "audience", "share", "soak")
    edited = {
        **dict.fromkeys(BEFORE_START, ("starts_at", *DEMANDED, *PACE)),
        **dict.fromkeys(WAVE_AT_WORK, PACE),
    }
    fields = (
        "phase", "name", "shown_state", "meant", "audience", "share", "starts_at", "lock_lead", "soak", "checks", "rate",
        "max_workers", "batch_size", "max_batch", "size", "attempt", "schedule_version", "engine_version", "started_at",
        "finished_at", "revoked_at",
    )  # fmt: skip
    readonly_fields = (
        "shown_state", "meant", "size", "attempt", "schedule_version", "engine_version", "started_at", "finished_at",
        "revoked_at",
    )  # fmt: skip
    acts = ACTS

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Bring phase, plan and the counts in the same query."""
        rows: QuerySet[Any] = Wave.objects.counted().select_related("phase__plan").order_by("phase", "position")
        return rows

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Let operators plan waves."""
        return request.user.has_perm("rollout.add_wave")

    def editable(self, row: Wave) -> Sequence[str]:
        """Return the fields that may be changed now; whom it takes only until its people are fixed."""
        open_ones = super().editable(row)
        return (*open_ones, *WHOM) if row.state == WaveState.PLANNED and not is_chosen(row) else open_ones

    def change_apart(self, row: Wave, changed: Mapping[str, Any], said: dict[str, Any]) -> list[str]:
        """Set another date, and another pace."""
        if pace := {name: changed[name] for name in PACE if name in changed}:
            tune_wave(row, **pace, **said)
        if "starts_at" in changed:
            set_start(row, changed["starts_at"], **said)
        return [name for name in changed if name == "starts_at" or name in PACE]

    def save_model(self, request: HttpRequest, obj: Wave, form: "ModelForm[Wave]", change: bool) -> None:
        """Add a wave behind the phase's others in the visitor's name, or change a planned one."""
        if change:
            self.save_changes(request, obj, form)
            return
        draft = WaveDraft(obj.name, audience_of(obj), obj.soak, obj.share)
        made = add_wave(obj.phase, draft=draft, by=request.user.get_username(), at=timezone.now())
        obj.__dict__.update(made.__dict__)

    def more_context(self, row: Wave) -> dict[str, Any]:
        """Return the members by state, with links, and their sum."""
        members = row.members_by_state()
        labels = dict(PersonState.choices)
        return {
            "members": [
                (
                    state_badge(state, str(labels[PersonState(state)])),
                    list_link(Enrolment, count, wave__id__exact=row.pk, state__exact=state),
                )
                for state, count in members.items()
            ],
            "holdings": said(holds_on(row, at=timezone.now())),
            "waits": [wait.text for wait in waits_of(row, at=timezone.now())] if row.state in WAVE_AT_WORK else [],
            "readiness": readiness_of(row) if row.state in AHEAD else None,
            "members_total": sum(members.values()),
            "told": told_of(row),
            "size": row.size,
            "failed": failed_people(row),
        }

    @admin.display(description="phase", ordering="phase")
    def phase_link(self, wave: Wave) -> str:
        """Return a link to the phase."""
        return link(wave.phase)

    @admin.display(description="state", ordering="state")
    def shown_state(self, wave: Wave) -> str:
        """Return the state as a badge."""
        return state_badge(wave.state, wave.state_label)

    @admin.display(description="who is meant")
    def meant(self, wave: Wave) -> str:
        """Return the audience as a sentence."""
        try:
            said = str(audience_of(wave))
        except AudienceInvalid as invalid:
            return str(invalid)
        if wave.share is not None:
            said = f"{wave.share.normalize():f} % of the phase's population, of {said}"
        address = reverse("admin:rollout_wave_audience", args=[wave.pk]) if wave.pk else ""
        return format_html('{} <a href="{}">Who that is, and why</a>', said, address) if address else said

    @admin.display(description="waiting", ordering="n_waiting")
    def waiting(self, wave: Any) -> int:
        """Return how many members have not been begun."""
        return int(wave.n_waiting)

    @admin.display(description="working", ordering="n_working")
    def working(self, wave: Any) -> int:
        """Return how many members a worker holds."""
        return int(wave.n_working)

    @admin.display(description="on slots", ordering="n_on_slots")
    def on_slots(self, wave: Any) -> int:
        """Return how many members were switched."""
        return int(wave.n_on_slots)

    @admin.display(description="stuck", ordering="n_stuck")
    def stuck(self, wave: Any) -> int:
        """Return how many members need somebody."""
        return int(wave.n_stuck)

    @admin.display(description="off", ordering="n_off")
    def off(self, wave: Any) -> int:
        """Return how many members were taken back or left out."""
        return int(wave.n_off)
