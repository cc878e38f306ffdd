"""What each act on many rows does to a part of them that was decided; admin, commands and API reach the acts only through here.

A part is handled in one transaction where the act is on people or could be done twice (`is_together`), row by row where each
row's act is long or keeps its own transactions. A row that the act itself refuses is returned with the refusal, and the others go
on.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db.models import QuerySet

from migration.models import Person
from rollout.actions.deferrals import defer_people, require_waves, withdraw_deferrals
from rollout.actions.holds import resume_wave, set_hold
from rollout.actions.people import leave_out, retry_people
from rollout.actions.prevalidation import prevalidate_wave, record_proving
from rollout.actions.proofs import translate_people, validate_people
from rollout.actions.readiness import what_keeps
from rollout.actions.rollback import roll_back_people, roll_back_phase, roll_back_wave
from rollout.actions.snapshots import hold_people
from rollout.actions.steering import cancel_phase, resume, skip_phase
from rollout.actions.waves import (
    announce_wave,
    cancel_wave,
    finish_wave,
    lock_wave,
    reopen_wave,
    require_people,
    reschedule_wave,
    start_wave,
)
from rollout.errors import RolloutError, SelectionInvalid
from rollout.models import Enrolment, Phase, Plan, Subject, Wave
from rollout.selecting import GONE, PEOPLE, PHASES, WAVES, Facts, Rule, Terms, Words
from rollout.states import PersonState
from slots.models import Keys

Refusals = list[tuple[int, str, str]]  # key, code, sentence
Said = Mapping[str, Any]  # by, at, reason
READ_AT_ONCE: Final = 5_000
PROVEN_AT_ONCE: Final = 500  # people of a wave whom one act proves; the reconciler goes on by itself


@dataclass(frozen=True, slots=True)
class BulkAct:
    """Describe an act on many rows.

    `effect` says what happens to each row, `run` does it to rows that were decided and returns those that it refused.
    `hold` locks what has to be locked before the rows themselves; `is_told_to` says that the act has to be told another wave.
    """

    name: str
    label: str
    subject: Subject
    rule: Rule
    effect: str
    run: Callable[[Sequence[Facts], Said, Mapping[str, Any]], Refusals]
    size: int = 1
    is_together: bool = False
    is_grave: bool = False
    wakes: bool = False
    is_told_to: bool = False
    hold: Callable[[Sequence[Facts], Mapping[str, Any]], None] = lambda _rows, _options: None
    look: Callable[[Any, datetime], Words | None] | None = None  # what else keeps a row from it, read at the preview


def _retry(rows: Sequence[Facts], said: Said, _options: Mapping[str, Any]) -> Refusals:
    by_wave = defaultdict(list)
    for row in rows:
        by_wave[row.wave].append(row.person)
    waves = Wave.objects.in_bulk(by_wave)
    for pk, people in sorted(by_wave.items()):
        retry_people(waves[pk], people=Person.objects.filter(pk__in=Keys(people)), **said)
    return []


def _exclude(rows: Sequence[Facts], said: Said, _options: Mapping[str, Any]) -> Refusals:
    leave_out(Enrolment.objects.filter(pk__in=Keys(row.pk for row in rows)), **said)
    return []


def _roll_back(rows: Sequence[Facts], said: Said, _options: Mapping[str, Any]) -> Refusals:
    report = roll_back_people([row.person for row in rows], **said)
    if not report.failed:
        return []
    stuck = Enrolment.objects.filter(pk__in=Keys(row.pk for row in rows), state=PersonState.ROLLING_BACK)
    text = "Sees the legacy system; the rows are restored by the reconciler, which tries again."
    return [(pk, "RESTORE_FAILED", text) for pk in stuck.values_list("pk", flat=True)]


def _prove(rows: Sequence[Facts], said: Said, _options: Mapping[str, Any]) -> Refusals:
    record_proving(list(Enrolment.objects.filter(pk__in=Keys(row.pk for row in rows)).order_by("pk")), **said)
    people = list(Person.objects.filter(pk__in=Keys(row.person for row in rows)).order_by("pk"))
    for bring in (translate_people, validate_people):
        bring(people, by=said["by"], at=said["at"])
    return []


def _defer(rows: Sequence[Facts], said: Said, options: Mapping[str, Any]) -> Refusals:
    defer_people(Enrolment.objects.filter(pk__in=Keys(row.pk for row in rows)), later_wave(options), **said)
    return []


def _withdraw(rows: Sequence[Facts], said: Said, _options: Mapping[str, Any]) -> Refusals:
    waves = Wave.objects.select_related("phase").in_bulk({row.wave for row in rows})
    places = Enrolment.objects.filter(pk__in=Keys(row.pk for row in rows))
    _, refused = withdraw_deferrals(places, waves, **said)
    return [(pk, fault.code, str(fault)) for pk, fault in refused.items()]


def _each(model: type[Any], action: Callable[..., object]) -> Callable[[Sequence[Facts], Said, Mapping[str, Any]], Refusals]:
    """Return what does an action to one row after the other, each as it was decided: who was moved since is refused."""

    def run(rows: Sequence[Facts], said: Said, _options: Mapping[str, Any]) -> Refusals:
        refused: Refusals = []
        found = model._default_manager.in_bulk([row.pk for row in rows])
        for row in rows:
            if row.pk not in found:
                refused.append((row.pk, *GONE))
                continue
            found[row.pk].version = row.version
            try:
                action(found[row.pk], **said)
            except RolloutError as fault:
                refused.append((row.pk, fault.code, str(fault)))
        return refused

    return run


def _kept(wave: Wave, at: datetime) -> Words | None:
    """Return the first of what keeps a wave from starting."""
    found = what_keeps(wave, at=at)
    return (found[0].code, str(found[0])) if found else None


def _nobody(wave: Wave, at: datetime) -> Words | None:
    """Return why nobody could be locked, where that is so."""
    try:
        require_people(wave, at=at)
    except RolloutError as fault:
        return fault.code, str(fault)
    return None


def _prove_wave(wave: Wave, *, by: str, at: datetime, reason: str) -> object:
    return prevalidate_wave(wave, by=by, at=at, reason=reason, limit=PROVEN_AT_ONCE)


def _hold_waves(rows: Sequence[Facts], options: Mapping[str, Any]) -> None:
    """Lock the waves that people are in and the one that they go to, as whoever moves a wave does before its people."""
    pks = {row.wave for row in rows} | {options.get("to", 0)}
    list(Wave.objects.select_for_update(no_key=True).filter(pk__in=pks).order_by("pk").values_list("pk"))


def _hold_people(rows: Sequence[Facts], _options: Mapping[str, Any]) -> None:
    hold_people([row.person for row in rows])


def _hold_nothing(_rows: Sequence[Facts], _options: Mapping[str, Any]) -> None:
    """Lock no further row."""


def _on_people() -> tuple[BulkAct, ...]:
    return (
        _people("retry", "Try again", "Queued again, with all tries.", _retry, 1_000, hold=_hold_waves, wakes=True),
        _people("exclude", "Leave out", "Stays on the legacy system and is free for another wave.", _exclude, 1_000),
        _people(
            "defer", "Defer", "Stays counted in this wave as deferred, and moves with the later one.", _defer, 1_000,
            hold=_hold_waves, is_told_to=True,
        ),
        _people(
            "withdraw", "Withdraw the deferral", "Moves with this wave again; it counts as a deferral all the same.",
            _withdraw, 1_000, hold=_hold_waves,
        ),
        _people(
            "rollback", "Roll back", "Sees the legacy system from the next page on, and gets back what they had before.",
            _roll_back, 1_000, is_grave=True, hold=_hold_people,
        ),
        _people(
            "prevalidate", "Prove ahead", "Translated and validated now; nobody is moved.", _prove, 100, is_together=False,
        ),
    )  # fmt: skip


def _people(name: str, label: str, effect: str, run: Any, size: int, **more: Any) -> BulkAct:
    options = {"is_together": True, "hold": _hold_nothing, **more}
    return BulkAct(name, label, Subject.ENROLMENT, PEOPLE[name], effect, run, size, **options)


def _wave(name: str, label: str, effect: str, action: Callable[..., object], **more: Any) -> BulkAct:
    return BulkAct(name, label, Subject.WAVE, WAVES[name], effect, _each(Wave, action), **more)


def _phase(name: str, label: str, effect: str, action: Callable[..., object], **more: Any) -> BulkAct:
    return BulkAct(name, label, Subject.PHASE, PHASES[name], effect, _each(Phase, action), **more)


BULK_ACTS: Final[tuple[BulkAct, ...]] = (
    *_on_people(),
    _wave("lock", "Lock", "Its audience is frozen.", lock_wave, look=_nobody),
    _wave("announce", "Announce", "Its people count as told.", announce_wave),
    _wave("prevalidate", "Prove ahead", f"Up to {PROVEN_AT_ONCE} of its people are translated and validated now.", _prove_wave),
    _wave("start", "Start", "Its people are queued; each is switched once proven.", start_wave, wakes=True, look=_kept),
    _wave("pause", "Pause", "Nobody of it is claimed until the hold is cleared.", set_hold, is_together=True),
    _wave(
        "resume",
        "Resume",
        "What somebody paused on it is cleared; other holds stay.",
        resume_wave,
        wakes=True,
        is_together=True,
    ),
    _wave("finish", "Finish early", "Its people count as watched long enough.", finish_wave),
    _wave("rollback", "Roll back", "Everybody in it is taken back.", roll_back_wave, is_grave=True),
    _wave("reopen", "Reopen", "A further attempt is planned, with the same people.", reopen_wave),
    _wave("reschedule", "Set back to planned", "Its people stay its members and have to be told again.", reschedule_wave),
    _wave("cancel", "Cancel", "Its people are free for other waves; it cannot be taken up again.", cancel_wave, is_grave=True),
    _phase("pause", "Pause", "None of its waves goes on until the hold is cleared.", set_hold, is_together=True),
    _phase("resume", "Resume", "What somebody paused on it is cleared; other holds stay.", resume, is_together=True),
    _phase("rollback", "Roll back", "Every started wave of it is taken back.", roll_back_phase, is_grave=True),
    _phase("skip", "Skip", "Its waves are cancelled; it cannot be taken up again.", skip_phase, is_grave=True),
    _phase("cancel", "Cancel", "Its waves are cancelled; it cannot be taken up again.", cancel_phase, is_grave=True),
)
BY_NAME: Final[Mapping[tuple[str, str], BulkAct]] = {(str(act.subject), act.name): act for act in BULK_ACTS}
MODELS: Final[Mapping[str, type[Any]]] = {Subject.ENROLMENT: Enrolment, Subject.WAVE: Wave, Subject.PHASE: Phase}


def bulk_act(subject: str, name: str) -> BulkAct:
    """Return an act on many rows.

    Raises:
        SelectionInvalid: there is none of that name.
    """
    act = BY_NAME.get((subject, name))
    if act is None:
        known = ", ".join(sorted(known for of, known in BY_NAME if of == subject)) or "none"
        raise SelectionInvalid(f"There is no act {name!r} on many rows of the kind {subject!r}.", f"There are: {known}.")
    return act


def facts_of(rows: QuerySet[Any]) -> Iterator[Facts]:
    """Read what decisions depend on, in the order of keys, some at a time; one query."""
    columns = ["pk", "version", "state"]
    if rows.model.SUBJECT == Subject.ENROLMENT:
        columns += ["is_live", "wave_id", "wave__state", "person_id", "deferrals"]
    for row in rows.order_by("pk").values_list(*columns).iterator(chunk_size=READ_AT_ONCE):
        yield Facts(*row)


def named_rows(model: type[Any], pks: Sequence[int]) -> QuerySet[Any]:
    """Return rows with what their names are made of, in one query."""
    joined = {Subject.ENROLMENT: ("person", "wave__phase"), Subject.WAVE: ("phase",), Subject.PHASE: ("plan",)}
    rows: QuerySet[Any] = model._default_manager.filter(pk__in=Keys(pks)).select_related(*joined[model.SUBJECT]).order_by("pk")
    return rows


def name_of(row: Any) -> str:
    """Return the person of a place, or the name of a wave or phase."""
    return str(row.person) if row.SUBJECT == Subject.ENROLMENT else str(row)


def later_wave(options: Mapping[str, Any]) -> Wave:
    """Return the wave that people are deferred to.

    Raises:
        SelectionInvalid: none is named, or there is none of that number.
    """
    if "to" not in options:
        raise SelectionInvalid("A deferral has to be told the later wave.", "Name it.")
    wave = Wave.objects.select_related("phase").filter(pk=options["to"]).first()
    if wave is None:
        raise SelectionInvalid(f"There is no wave {options['to']} to defer to.", "Name one that the list of waves shows.")
    return wave


def terms_of(act: BulkAct, options: Mapping[str, Any], waves: Sequence[int], *, at: datetime) -> Terms | None:
    """Return what a deferral from these waves depends on, None for every other act.

    Raises:
        SelectionInvalid: the later wave is not named, or there is none of that number.
    """
    if not act.is_told_to:
        return None
    to = later_wave(options)
    plan = Plan.objects.get(pk=to.phase.plan_id)
    refusals = {}
    for wave in Wave.objects.select_related("phase").filter(pk__in=set(waves)):
        try:
            require_waves("Nobody of it", plan, wave, to, at=at)
        except RolloutError as fault:
            refusals[wave.pk] = fault.code, str(fault)
    return Terms(refusals, plan.max_deferrals, frozenset(to.enrolments.values_list("person_id", flat=True)))
