"""Last steps of the demo: a wave through the queue, one person back, the wave back, and the wave again."""

import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from migration.models import Customization, Person
from phoenix.demo.accounts import SAMPLE_PEOPLE
from phoenix.demo.expectations import MOVES
from phoenix.demo.exports import Export
from phoenix.demo.records import Category, Record
from phoenix.demo.run.checks import Step, Table
from phoenix.demo.run.pages import Contexts, Pages, changed, digest_of, pages_of, resemblance
from phoenix.demo.run.printing import Advance
from phoenix.demo.run.setting import Setting, run_command
from phoenix.demo.run.telling import TARGETS
from rollout.actions.gates import add_policy
from rollout.actions.people import clear_override
from rollout.actions.plans import (
    PhaseDraft,
    WaveDraft,
    approve_plan,
    create_plan,
    open_phase,
    schedule_plan,
    submit_plan,
)
from rollout.actions.restorations import RollbackReport
from rollout.actions.rollback import roll_back_person, roll_back_wave
from rollout.actions.waves import announce_wave, cancel_wave, lock_wave, reopen_wave, start_wave
from rollout.audiences import Audience
from rollout.gates import Policy
from rollout.jobs import wake_wave
from rollout.models import Enrolment, Plan, Snapshot, Wave, standing_of
from rollout.states import ON_SLOTS, STUCK, PersonState, WaveState
from rollout.switch import is_killed, release_kill_switch
from rollout.waves import System
from slots.models import Layer, SlotConfiguration

PLAN: Final = "Sample shop, pilot"
COLLEAGUES_MOVED: Final = 2
PATIENCE: Final = 120.0  # seconds that a wave of the demo may take
PAUSE: Final = 0.1
_WAITING: Final = frozenset({WaveState.PLANNED, WaveState.LOCKED, WaveState.ANNOUNCED})
_STARTED: Final = frozenset(WaveState) - _WAITING - {WaveState.CANCELLED, WaveState.ROLLED_BACK}
STAYING: Final = (Category.HOSTILE, Category.BROKEN, Category.FORGOTTEN, Category.LOST)


def take_back_earlier_runs(setting: Setting) -> None:
    """Put the sample people back where they started, whatever earlier runs and visits of the admin did with them.

    Only waves with sample people in them are touched: started ones are rolled back, waiting ones cancelled. Support's word on
    single people is taken back, and the kill switch released.
    """
    ours = Person.objects.filter(SAMPLE_PEOPLE)
    waves = list(Wave.objects.filter(enrolments__in=Enrolment.objects.live().filter(person__in=ours)).distinct())
    started = [wave for wave in waves if wave.state in _STARTED]
    waiting = [wave for wave in waves if wave.state in _WAITING]
    overridden = list(ours.filter(override__isnull=False))
    if not (started or waiting or overridden or is_killed()):
        return
    with setting.printer.step("Take back what an earlier run left") as (step, _advance):
        said = setting.deed("the demo runs again")
        taken = sum(roll_back_wave(wave, **said).rolled_back for wave in started)
        freed = sum(cancel_wave(wave, **said) for wave in waiting)
        for person in overridden:
            clear_override(person, **said)
        step.facts.append(f"{len(started)} waves with {taken} people rolled back")
        if waiting:
            step.facts.append(f"{len(waiting)} waves that had not started cancelled, {freed} people freed")
        if overridden:
            step.facts.append(f"support's word on {len(overridden)} people taken back")
        if is_killed():
            release_kill_switch(**said)
            step.facts.append("the kill switch was on and is released")
        step.check("sample people on slots", expected=0, found=Snapshot.objects.standing().filter(person__in=ours).count())


def choose_pilots(written: Export, size: int) -> list[str]:
    """Return power users: those with most engagement who have two to five customizations, taken from the regions in turn."""
    records: defaultdict[str, list[Record]] = defaultdict(list)
    for record in written.records:
        if record.active:
            records[record.user].append(record)
    fit = {user for user, made in records.items() if len(made) >= 2 and all(each.category in MOVES for each in made)}
    by_region: defaultdict[str, list[str]] = defaultdict(list)
    for user, region in (
        Person.objects.filter(user__in=fit, is_internal=False).order_by("-engagement", "user").values_list("user", "region")
    ):
        by_region[region].append(user)
    queues = [by_region[region] for region in sorted(by_region)]
    turns = [user for turn in range(max(map(len, queues), default=0)) for queue in queues for user in queue[turn : turn + 1]]
    return turns[:size]


def choose_staying(written: Export) -> dict[str, str]:
    """Return one person of each kind that must not move, with the kind; everything else that they made could move."""
    kinds: defaultdict[str, set[Category]] = defaultdict(set)
    for record in written.records:
        kinds[record.user].add(record.category)
    only = {user: found - MOVES - {Category.INACTIVE} for user, found in kinds.items()}
    chosen = {kind: next((user for user, found in only.items() if found == {kind}), None) for kind in STAYING}
    return {user: kind.value for kind, user in chosen.items() if user is not None}


def migrate_colleagues(setting: Setting, contexts: Contexts) -> None:
    """Move two of the internal accounts with the command: a dry run first, then in earnest.

    The others stay free: the first wave of a plan of eight weeks takes ten of them.
    """
    users = list(Person.objects.filter(is_internal=True).order_by("user").values_list("user", flat=True)[:COLLEAGUES_MOVED])
    with setting.printer.step("Migrate two colleagues with the command") as (step, _advance):
        before = pages_of(users, contexts, at=setting.clock())
        words = ("migrate_users", "--users", ",".join(users), "--by", setting.operator)
        code, report = run_command(*words, "--dry-run")
        step.facts.append(f"dry run: {report['migrated']} of {report['total']} would move")
        step.check("dry run: exit code", expected=0, found=code)
        step.check("dry run: would move", expected=len(users), found=report["migrated"])
        step.check("dry run: on slots afterwards", expected=0, found=count_on(System.SLOTS, users))
        code, report = run_command(*words)
        step.facts.append(f"in earnest: {report['migrated']} of {report['total']} moved, {len(report['failed'])} failed")
        step.check("exit code", expected=0, found=code)
        step.check("moved", expected=len(users), found=report["migrated"])
        step.check("on slots", expected=len(users), found=count_on(System.SLOTS, users))
        found = resemblance(before, pages_of(users, contexts, at=setting.clock()))
        step.check("pages that differ", expected=[], found=found.different)


class Pilot:
    """Take one wave through the whole job; holds what was there before."""

    def __init__(self, setting: Setting, contexts: Contexts, users: Sequence[str]) -> None:
        """Take the people of the wave."""
        self.setting = setting
        self.contexts = contexts
        self.users = list(users)
        self.before: Pages = {}
        self.plan: Plan | None = None
        self.wave: Wave | None = None

    def remember(self) -> None:
        """Keep every page of the people as the legacy system shows it."""
        with self.setting.printer.step("Keep the pages that the wave sees today") as (step, _advance):
            self.before = self._pages()
            step.facts.append(f"{len(self.users)} people, {len(self.before):,} pages, SHA-256 {digest_of(self.before)[:16]}…")
            step.check("people of the wave", expected=self.setting.wave, found=len(self.users))
            step.check("people on the legacy system", expected=len(self.users), found=count_on(System.LEGACY, self.users))
            step.check("customizations that can be seen", expected=self._customizations(), found=self._customised_components())

    def migrate(self, title: str) -> None:
        """Lock, announce and start the wave, and wait until the workers are through with it."""
        with self.setting.printer.step(title, len(self.users)) as (step, advance):
            wave = self.planned_wave()
            locked = lock_wave(wave, **self.setting.deed("sample shop"))
            announce_wave(wave, **self.setting.deed("nobody is written to in the sample shop"))
            start_wave(wave, **self.setting.deed("sample shop"))
            seconds, ticks = work_off(self.setting, wave, advance)
            found = Counter(wave.members_by_state())
            step.facts.append(
                f"{found[PersonState.SWITCHED]} of {locked.size} switched in {seconds:.2f} s by {self.setting.workers} worker "
                f"processes ({locked.size / seconds:.0f} people a second), reconciler run {ticks} times"
            )
            _check_states(step, {PersonState.SWITCHED: len(self.users)}, found)
            step.check("people on slots", expected=len(self.users), found=count_on(System.SLOTS, self.users))
            step.check("configurations installed", expected=self._customizations(), found=self._configurations())
            step.check("wave", expected=WaveState.MONITORING.value, found=str(wave.state))

    def compare(self) -> None:
        """Compare what the people see now with what they saw on the legacy system."""
        with self.setting.printer.step("Compare the pages that the wave sees on slots") as (step, _advance):
            found = resemblance(self.before, self._pages())
            step.facts.append(f"{found.identical:,} pages the same to the byte, {found.equal:,} equal by both parsers")
            step.check("pages that differ", expected=[], found=found.different)

    def roll_one_back(self) -> None:
        """Take the first person back alone; everybody else stays."""
        user = self.users[0]
        with self.setting.printer.step(f"Roll {user} back") as (step, _advance):
            person = Person.objects.get(user=user)
            report = roll_back_person(person, timer=time.perf_counter, **self.setting.deed("support asked for it"))
            after = pages_of([user], self.contexts, at=self.setting.clock())
            step.facts.append(_times(report))
            step.check("people rolled back", expected=1, found=report.rolled_back)
            step.check("their pages that changed", expected=[], found=changed(self._before_of([user]), after))
            step.check("people on slots", expected=len(self.users) - 1, found=count_on(System.SLOTS, self.users))

    def roll_back(self) -> None:
        """Take the wave back; every page has to be what it was, to the byte."""
        with self.setting.printer.step("Roll the wave back") as (step, _advance):
            wave = self.planned_wave()
            report = roll_back_wave(wave, timer=time.perf_counter, **self.setting.deed("to show that it can be done"))
            after = self._pages()
            step.facts.append(f"{report.rolled_back} people; {_times(report)}; SHA-256 of the pages {digest_of(after)[:16]}…")
            step.check("people rolled back", expected=len(self.users) - 1, found=report.rolled_back)
            step.check("pages that changed", expected=[], found=changed(self.before, after))
            step.check("digest of all pages", expected=digest_of(self.before), found=digest_of(after))
            step.check("people on slots", expected=0, found=count_on(System.SLOTS, self.users))

    def reopen(self) -> None:
        """Plan the wave's next attempt."""
        reopen_wave(self.planned_wave(), **self.setting.deed("once more"))

    def planned_wave(self) -> Wave:
        """Return the wave, made where it is asked for first."""
        if self.wave is None:
            self.wave = planned_wave(self.setting, "Power users", self.users, TARGETS)
        return self.wave

    def _pages(self) -> Pages:
        return pages_of(self.users, self.contexts, at=self.setting.clock())

    def _customizations(self) -> int:
        return Customization.objects.active().filter(person__user__in=self.users).count()

    def _configurations(self) -> int:
        return SlotConfiguration.objects.active().filter(layer=Layer.USER, key__in=self.users).count()

    def _customised_components(self) -> int:
        """Return how many components of how many people do not look plain, on one sample at least."""
        plain = pages_of([""], self.contexts, at=self.setting.clock())
        return len(
            {(user, component) for (user, component, name), page in self.before.items() if page != plain["", component, name]}
        )

    def _before_of(self, users: Iterable[str]) -> Pages:
        wanted = set(users)
        return {key: page for key, page in self.before.items() if key[0] in wanted}


def hold_back(setting: Setting, contexts: Contexts, staying: dict[str, str]) -> None:
    """Try to move people who must not move: each stays where they are, with a reason, and sees what they saw."""
    with setting.printer.step("Try to move people who must stay", len(staying)) as (step, advance):
        before = pages_of(staying, contexts, at=setting.clock())
        wave = planned_wave(setting, "People who must stay", list(staying))
        lock_wave(wave, **setting.deed("sample shop"))
        announce_wave(wave, **setting.deed("nobody is written to in the sample shop"))
        start_wave(wave, **setting.deed("sample shop"))
        work_off(setting, wave, advance)
        _check_states(step, {PersonState.VALIDATION_FAILED: len(staying)}, Counter(wave.members_by_state()))
        after = pages_of(staying, contexts, at=setting.clock())
        step.check("their pages that changed", expected=[], found=changed(before, after))
        reasons = wave.enrolments.order_by("pk").values_list("person__user", "code", "text")
        rows = tuple((user, staying[user], code, text) for user, code, text in reasons)
        step.check(
            "people with a reason", expected=len(staying), found=sum(bool(code and text) for _user, _kind, code, text in rows)
        )
        step.tables.append(Table("Why they stay", ("person", "kind", "code", "reason"), rows))


def planned_wave(setting: Setting, name: str, users: Sequence[str], targets: Mapping[str, Policy] | None = None) -> Wave:
    """Return a wave for these people in a plan of its own, with these targets by name, that was approved and is running."""
    number = Plan.objects.filter(name__startswith=PLAN).count() + 1
    draft = PhaseDraft("Pilot", (WaveDraft(name, Audience(users=tuple(users))),))
    plan = create_plan(f"{PLAN} {number}", phases=[draft], **setting.deed("sample shop"))
    for target, policy in (targets or {}).items():
        add_policy(plan, name=target, policy=policy, **setting.deed("sample shop"))
    submit_plan(plan, **setting.deed("sample shop"))
    approve_plan(plan, **{**setting.deed("sample shop"), "by": setting.approver})
    schedule_plan(plan, **setting.deed("sample shop"))
    phase = plan.phases.get()
    open_phase(phase, **setting.deed("sample shop"))
    return phase.waves.get()


def work_off(setting: Setting, wave: Wave, advance: Advance) -> tuple[float, int]:
    """Wake the workers up and wait until nobody of the wave is queued or at work; return seconds and runs of the reconciler."""
    wake_wave(wave.pk)
    started = time.perf_counter()
    done, ticks = 0, 0
    while time.perf_counter() - started < PATIENCE:
        counts = Counter(wave.members_by_state())
        now = sum(counts[state] for state in ON_SLOTS | STUCK)
        advance(now - done)
        done = now
        if done == wave.size:
            break
        if time.perf_counter() - started > 2 * (ticks + 1):
            run_command("tick")
            ticks += 1
        time.sleep(PAUSE)
    seconds = time.perf_counter() - started
    run_command("tick")
    wave.refresh_from_db()
    return seconds, ticks + 1


def count_on(system: System, users: Sequence[str]) -> int:
    """Return how many of the people see that system now."""
    return sum(standing_of(person.key).decide().system == system for person in Person.objects.filter(user__in=users))


def _check_states(step: Step, expected: dict[PersonState, int], found: Counter[str]) -> None:
    wanted = {str(state): count for state, count in expected.items()}
    step.check_counts("people by state", expected=wanted, found={str(state): count for state, count in found.items() if count})


def _times(report: RollbackReport) -> str:
    return f"effective after {report.effective_ms:.1f} ms, restored after {report.reconciled_ms:.1f} ms"
