"""The acts on a wave: what each would do, in sentences, and what it did."""

from datetime import datetime
from typing import Any

from django.template.defaultfilters import pluralize
from django.utils import timezone

from migration.engine.translate import ENGINE_VERSION
from rollout.actions.breaches import waive_gate
from rollout.actions.bulk import PROVEN_AT_ONCE
from rollout.actions.gates import gates_that_hold
from rollout.actions.holds import holds_on, resume_wave, said, set_hold
from rollout.actions.notices import missing_notices, waive_notice
from rollout.actions.prevalidation import AHEAD, prevalidate_wave, readiness_of
from rollout.actions.readiness import what_keeps
from rollout.actions.rollback import roll_back_wave
from rollout.actions.waves import (
    announce_wave,
    cancel_wave,
    finish_wave,
    lock_wave,
    reopen_wave,
    repin_engine,
    require_nobody_at_work,
    require_reopenable,
    require_told,
    reschedule_wave,
    start_wave,
)
from rollout.admin.acts import APPROVE, OPERATE, REFUSED, Act
from rollout.admin.audiences import AUDIENCE_ACTS, effect_of_lock
from rollout.jobs import wake_wave
from rollout.models import FlagOverride, Hold, HoldKind, Phase, Wave
from rollout.states import (
    ON_SLOTS,
    STUCK,
    UNDONE_FROM,
    WAITING,
    WAVE_AT_WORK,
    WAVE_HELD_IN,
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


def _effect_of_proving(wave: Wave) -> list[str]:
    found = readiness_of(wave)
    return [
        f"{min(found.open, PROVEN_AT_ONCE)} of {found.open} people who have not been looked at are translated and validated now.",
        "Nobody is moved, and nobody sees another page.",
    ]


def _prove(wave: Wave, *, by: str, at: datetime, reason: str) -> str:
    found = prevalidate_wave(wave, by=by, at=at, reason=reason, limit=PROVEN_AT_ONCE)
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
        *(REFUSED.format(code=each.code, text=each) for each in what_keeps(wave, at=timezone.now())),
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


PLANNED = frozenset({WaveState.PLANNED})
LOCKED = frozenset({WaveState.LOCKED})
ANNOUNCED = frozenset({WaveState.ANNOUNCED})
BACK = frozenset({WaveState.ROLLED_BACK})
ACTS = (
    Act(
        "lock",
        "Lock",
        OPERATE,
        PLANNED,
        effect_of_lock,
        _lock,
        leads_in=PLANNED,
    ),
    Act(
        "announce",
        "Announce",
        OPERATE,
        LOCKED,
        lambda wave: [f"{wave.size} people count as told. Say in the reason who told them, and how."],
        _announce,
        leads_in=LOCKED,
        check=lambda wave, by, at: require_told(wave, at=at),
    ),
    Act("prevalidate", "Prove ahead", OPERATE, AHEAD, _effect_of_proving, _prove),
    Act(
        "start",
        "Start",
        OPERATE,
        ANNOUNCED,
        _effect_of_start,
        _start,
        leads_in=ANNOUNCED,
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
        WAVE_HELD_IN,
        lambda wave: [
            f"Nobody of {_count(wave, WAITING)} who wait is claimed until this hold is cleared; it does not start either.",
            f"{_count(wave, WORKING)} people who are in work are queued again before their switch. Going back is not held.",
        ],
        _pause,
    ),
    Act("resume", "Resume", OPERATE, frozenset(WaveState), _effect_of_resume, _resume),
    Act(
        "finish",
        "Finish early",
        OPERATE,
        frozenset({*WAVE_AT_WORK, WaveState.MONITORING}),
        lambda wave: [
            f"{_count(wave, frozenset({PersonState.SWITCHED}))} people count as watched long enough.",
            f"{_staying(_count(wave, STUCK))} on the legacy system, free for another wave.",
        ],
        _finish,
        check=lambda wave, by, at: require_nobody_at_work(wave),
    ),
    Act(
        "rollback",
        "Roll back",
        OPERATE,
        frozenset({*sources_of(WAVE_NEXT, WaveState.ROLLING_BACK), WaveState.ROLLING_BACK}),
        _effect_of_rollback,
        _roll_back,
        is_grave=True,
        offers=lambda wave: _count(wave, UNDONE_FROM | WORKING | WAITING) > 0,
    ),
    Act(
        "reopen",
        "Reopen",
        OPERATE,
        BACK,
        lambda wave: [f"Attempt {wave.attempt + 1} is planned, with the same people."],
        _said(reopen_wave, "is planned again."),
        leads_in=BACK,
        check=lambda wave, by, at: require_reopenable(wave, Phase.objects.get(pk=wave.phase_id)),
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
