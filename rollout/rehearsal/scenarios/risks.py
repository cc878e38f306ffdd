"""The three critical risks of the plan: pages that differ, pages that are slow, people who are unhappy."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import ClassVar, Final

from migration.models import Customization, Finding, Person, Severity, Validation
from rollout.actions.breaches import cases_of, revalidate_breach
from rollout.actions.people import retry_people
from rollout.actions.proofs import translate_people, validate_people
from rollout.actions.waves import reopen_wave, reschedule_wave
from rollout.gates import Metric
from rollout.models import Wave
from rollout.rehearsal.cast import OPERATOR
from rollout.rehearsal.scenarios.scenario import DAY, Said, Scenario, Stage, next_start, open_breach, wave_number
from rollout.rehearsal.sources import RHYTHM, Numbers
from rollout.states import STUCK, WAVE_AT_WORK, WaveState

ENGINEERS: Final = "rehearsal.engineers"
HOUR: Final = timedelta(hours=1)
SPOILT: Final = 0.25  # of a wave's people
DIFFERENCE: Final = "A defect of the engine, made up by the rehearsal, lets the pages differ."
LOOKING: Final = timedelta(minutes=30)
QUARTER: Final = timedelta(minutes=15)


class BadValidation(Scenario):
    """Spoil the proofs of a quarter of a wave, as a defect of the engine would; mend it within the plan's two hours."""

    name: ClassVar[str] = "bad-validation"
    text: ClassVar[str] = "More than 5 % of a wave fail validation."

    def __init__(self) -> None:
        """Nothing is spoilt yet."""
        self._spoilt: list[int] = []
        self._is_mended = False
        self._has_looked = False

    def act(self, stage: Stage) -> Iterator[Said]:
        """Spoil; read the analysis list; mend, validate again, and queue those who failed once more."""
        at = stage.clock.at
        wave = wave_number(stage.plan, 1)
        if wave is None:
            return
        if not self._spoilt and wave.size and (when := self._spoils_at(wave)) is not None and when <= at:
            self._spoilt = spoil(wave, at=at)
            yield "rehearsal.defect", f"a defect of the engine spoils pages of people of {wave}"
        breach = open_breach(stage.plan, Metric.MIGRATION_SUCCESS)
        if breach is None:
            return
        if not self._has_looked and breach.opened_at + LOOKING <= at:
            self._has_looked = True
            cases = cases_of(breach)
            codes = ", ".join(sorted({each.code for each in cases}))
            yield OPERATOR, f"read the analysis list: {len(cases)} people failed ({codes})"
        if not self._is_mended and breach.opened_at + 2 * LOOKING <= at:
            self._is_mended = True
            Validation.objects.filter(pk__in=self._spoilt).delete()
            yield ENGINEERS, "mended the engine"
            found = revalidate_breach(breach, by=OPERATOR, at=at)
            yield OPERATOR, f"validated the affected people again: {found.text}"
            yield OPERATOR, f"queued {_retry(stage, at)} people again"

    def next_at(self, stage: Stage) -> datetime | None:
        """Return when pages are spoilt, or somebody looks at a breach."""
        at = stage.clock.at
        wave = wave_number(stage.plan, 1)
        breach = open_breach(stage.plan, Metric.MIGRATION_SUCCESS)
        coming = [] if breach is None else [breach.opened_at + LOOKING, breach.opened_at + 2 * LOOKING]
        if not self._spoilt and wave is not None and (when := self._spoils_at(wave)) is not None:
            coming.append(when)
        return min((instant for instant in coming if instant > at), default=None)

    def _spoils_at(self, wave: Wave) -> datetime | None:
        return wave.starts_at - HOUR if wave.starts_at else None


def spoil(wave: Wave, *, at: datetime) -> list[int]:
    """Let the validations of a quarter of a wave's people have found pages that differ, and return them.

    People share translations, so it may be more of them. Deleting the validations mends it: the engine then makes them anew.
    """
    people = list(Person.objects.filter(enrolments__wave=wave).order_by("pk"))
    translate_people(people, by=ENGINEERS, at=at)
    validate_people(people, by=ENGINEERS, at=at)
    using: defaultdict[int, set[int]] = defaultdict(set)
    rows = Customization.objects.active().filter(person__in=people, translation__isnull=False)
    for person, translation in rows.order_by("pk").values_list("person_id", "translation_id"):
        using[translation].add(person)
    chosen: list[int] = []
    hit: set[int] = set()
    for translation, users in sorted(using.items(), key=lambda each: (len(each[1]), each[0]), reverse=True):
        if len(hit | users) <= 2 * SPOILT * len(people) and len(hit) < SPOILT * len(people):
            chosen.append(translation)
            hit |= users
    spoilt = list(Validation.objects.filter(translation__in=chosen).order_by("pk"))
    for validation in spoilt:
        differing = {"same": False, "equal": False, "first_difference": DIFFERENCE}
        validation.pages = [{**page, **differing} for page in validation.pages]
        validation.is_passed = validation.is_equal = False
    Validation.objects.bulk_update(spoilt, ["pages", "is_passed", "is_equal"])
    Finding.objects.bulk_create(
        Finding(
            translation_id=each.translation_id,
            validation=each,
            code="PAGES_DIFFER",
            severity=Severity.BLOCKING,
            text=DIFFERENCE,
            created_at=at,
        )
        for each in spoilt
    )
    return [each.pk for each in spoilt]


def _retry(stage: Stage, at: datetime) -> int:
    """Queue everybody who failed in a wave that is at work."""
    queued = 0
    for wave in Wave.objects.filter(phase__plan=stage.plan, state__in=WAVE_AT_WORK).order_by("pk"):
        people = list(Person.objects.filter(enrolments__in=wave.enrolments.filter(state__in=STUCK)))
        if people:
            queued += retry_people(wave, people=people, by=OPERATOR, at=at, reason="the engine was mended")
    return queued


class SlowRender(Scenario):
    """Let slots be a third slower than the old system for five hours after a wave; then take the wave up again that went back."""

    name: ClassVar[str] = "slow-render"
    text: ClassVar[str] = "Pages are more than 20 % slower for more than four hours."
    FACTOR: ClassVar[float] = 1.35

    def __init__(self) -> None:
        """Nothing is slow yet."""
        self._since: datetime | None = None
        self._is_over = False

    def act(self, stage: Stage) -> Iterator[Said]:
        """Become slow, be mended, and plan the wave anew that was taken back."""
        at = stage.clock.at
        if self._since is None and (when := self._slow_at(stage)) is not None and when <= at:
            self._since = at
            stage.sources.hurry(Metric.PERFORMANCE, QUARTER, at)
            yield "rehearsal.defect", "pages on slots have become slow"
        if self._since is not None and not self._is_over and self._since + 5 * HOUR <= at:
            self._is_over = True
            stage.sources.hurry(Metric.PERFORMANCE, QUARTER, at)
            yield ENGINEERS, "made pages on slots fast again"
        if self._is_over and open_breach(stage.plan, Metric.PERFORMANCE) is None:
            stage.sources.hurry(Metric.PERFORMANCE, RHYTHM, max(at, _next_of(stage, Metric.PERFORMANCE)))
            yield from take_up_again(stage, at)

    def next_at(self, stage: Stage) -> datetime | None:
        """Return when it becomes slow, and when it is mended."""
        if self._since is not None:
            return None if self._is_over else self._since + 5 * HOUR
        return self._slow_at(stage)

    def twist(self, metric: Metric, numbers: Numbers) -> Numbers | None:
        """Return slow pages while they are."""
        if metric != Metric.PERFORMANCE or self._since is None or self._is_over:
            return numbers
        numerator, denominator, count = numbers
        return numerator * self.FACTOR, denominator, count

    def _slow_at(self, stage: Stage) -> datetime | None:
        wave = wave_number(stage.plan, 2)
        return wave.started_at + HOUR if wave is not None and wave.started_at else None


def _next_of(stage: Stage, metric: Metric) -> datetime:
    return min((each.next_at for each in stage.sources.sources if each.metric == metric), default=stage.clock.at)


def take_up_again(stage: Stage, at: datetime) -> Iterator[Said]:
    """Plan the waves anew that were taken back, for the next time at which their people can be told."""
    for wave in Wave.objects.filter(phase__plan=stage.plan, state=WaveState.ROLLED_BACK).select_related("phase__plan"):
        start = next_start(wave, at=at, rest=DAY / 2)  # reopened it has no date any more
        reopen_wave(wave, by=OPERATOR, at=at, reason="what took it back is mended")
        reschedule_wave(wave, by=OPERATOR, at=at, reason="what took it back is mended", starts_at=start)
        yield OPERATOR, f"planned {wave} anew for {start:%Y-%m-%d %H:%M} UTC"


class AngryUsers(Scenario):
    """Let a quarter of a wave's people be unhappy; talk to them, and ask them again after the next wave should have started."""

    name: ClassVar[str] = "angry-users"
    text: ClassVar[str] = "More than 10 % of the answers are negative."
    HAPPY: ClassVar[float] = 0.75

    def __init__(self) -> None:
        """Everybody is happy yet."""
        self._asked_again = 0
        self._is_escalated = False
        self._angry_until: datetime | None = None
        self._is_angry = False

    def act(self, stage: Stage) -> Iterator[Said]:
        """Be unhappy with one wave; talk, and ask again."""
        at = stage.clock.at
        wave, following = wave_number(stage.plan, 1), wave_number(stage.plan, 2)
        if wave is None or following is None or following.starts_at is None:
            return
        self._is_angry = wave.started_at is not None and self._asked_again == 0
        breach = open_breach(stage.plan, Metric.SATISFACTION)
        if breach is not None and not self._is_escalated and breach.opened_at + QUARTER <= at:
            self._is_escalated = True
            yield "rehearsal.vp-product", "talks to the people who are unhappy; further waves wait"
        if self._is_escalated and self._asked_again < 2 and self._asks_at(following.starts_at) <= at:
            self._asked_again += 1
            answers = max(50, 2 * wave.size)
            stage.sources.survey(answers - answers // 50, answers, at)
            yield OPERATOR, f"asked the people of {wave} again: {answers} answers, {answers // 50} of them negative"

    def next_at(self, stage: Stage) -> datetime | None:
        """Return when somebody talks to people or asks them again."""
        at = stage.clock.at
        following = wave_number(stage.plan, 2)
        breach = open_breach(stage.plan, Metric.SATISFACTION)
        coming = [] if breach is None else [breach.opened_at + QUARTER]
        if self._is_escalated and self._asked_again < 2 and following is not None and following.starts_at is not None:
            coming.append(self._asks_at(following.starts_at))
        return min((instant for instant in coming if instant > at), default=None)

    def twist(self, metric: Metric, numbers: Numbers) -> Numbers | None:
        """Return unhappy answers while people are."""
        if metric != Metric.SATISFACTION or not self._is_angry:
            return numbers
        _positive, answers, count = numbers
        return float(int(answers * self.HAPPY)), answers, count

    def _asks_at(self, starts_at: datetime) -> datetime:
        return starts_at + (1 + self._asked_again) * DAY
