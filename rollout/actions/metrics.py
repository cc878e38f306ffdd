"""Read a policy's metric: from the rollout's own rows or its tickets where these know it, from samples otherwise.

Tickets and samples of one window are two readings, which a verdict finds ambiguous.

A source returns readings or raises; what it raises becomes a reading that says so, which holds. `SOURCES` is where another
source is plugged in.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

import structlog
from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet, Sum

from migration.models import Validation
from rollout.actions import ticket_metrics
from rollout.gates import DEFINITIONS, Arm, Combine, Compare, Metric, Purpose, Reading
from rollout.models import Enrolment, Event, GuardPolicy, Sample, Subject, Wave
from rollout.states import ON_SLOTS, STUCK, PersonState

log = structlog.get_logger(__name__)

Source = Callable[[GuardPolicy, datetime, datetime], Sequence[Reading]]
RECENT: Final = timedelta(minutes=1)  # quantiles as old as this when the newest was taken are the latest ones too
FAILED: Final = STUCK | {PersonState.ROLLING_BACK, PersonState.ROLLED_BACK}
AGAINST: Final = {Compare.BASELINE: Arm.BASELINE, Compare.CONTROL: Arm.CONTROL}


def read(policy: GuardPolicy, *, at: datetime) -> list[Reading]:
    """Return what the sources say about the policy's metric over its window; a source that raises is a reading too."""
    metric = Metric(policy.metric)
    since = counted_since(policy, at)
    readings = _asked(SOURCES.get(metric, from_samples), policy, since, at, Arm.TREATED)
    against = AGAINST.get(Compare(policy.compare))
    if against is not None and all(each.arm != against for each in readings):
        start = since if against == Arm.CONTROL else None
        readings += _asked(lambda policy, _since, at: _samples(policy, against, start, at), policy, since, at, against)
    return readings


def _asked(source: Source, policy: GuardPolicy, since: datetime, at: datetime, arm: Arm) -> list[Reading]:
    try:
        with transaction.atomic():  # what a source breaks in the database stays its own
            return list(source(policy, since, at))
    except Exception as accident:  # a metric that fails holds, it does not stop the reconciler
        log.exception("metric_failed", policy=policy.pk, metric=policy.metric)
        return [Reading.failed(Metric(policy.metric), f"{type(accident).__name__}: {accident}"[:300], arm)]


def counted_since(policy: GuardPolicy, at: datetime) -> datetime:
    """Return from when on observations count: the window's, or, for a guard, since its last breach was closed."""
    start = at - policy.window
    if policy.purpose == Purpose.GATE:
        return start
    closed = policy.breaches.filter(closed_at__isnull=False).order_by("-closed_at").values_list("closed_at", flat=True).first()
    return max(start, closed) if closed else start


def waves_started() -> QuerySet[Wave]:
    """Return the waves that have started and were not taken back."""
    return Wave.objects.filter(started_at__isnull=False, revoked_at__isnull=True)


def waves_of(policy: GuardPolicy) -> QuerySet[Wave]:
    """Return the waves that the policy is about: started, and not taken back; of a phase without waves, those of its plan."""
    waves = waves_started().filter(phase__plan=policy.plan_id)
    return waves if policy.is_about_plan else waves.filter(phase=policy.phase_id)


def attempted(policy: GuardPolicy, *, since: datetime) -> tuple[QuerySet[Enrolment], QuerySet[Enrolment]]:
    """Return the people of the policy's waves who were switched since then, and those who failed or were taken back.

    Who is still at work counts as neither. Somebody who failed and was then left out still failed.
    """
    members = Enrolment.objects.filter(wave__in=waves_of(policy), attempt=F("wave__attempt"))
    switched = members.filter(state__in=ON_SLOTS, switched_at__gt=since)
    ended = Event.objects.filter(
        subject=Subject.ENROLMENT,
        subject_pk=OuterRef("pk"),
        to_state__in=FAILED,
        at__gt=since,
        at__gte=OuterRef("wave__started_at"),
    )
    failed = members.filter(Exists(ended), state__in=FAILED | {PersonState.EXCLUDED})
    return switched, failed


def _migration_success(policy: GuardPolicy, since: datetime, at: datetime) -> list[Reading]:
    switched, failed = (rows.count() for rows in attempted(policy, since=since))
    total = switched + failed
    return [Reading(Metric.MIGRATION_SUCCESS, float(switched), float(total), total, at)]


def _validation_score(policy: GuardPolicy, since: datetime, at: datetime) -> list[Reading]:
    """Read the last validation of each translation of those who were attempted; one that has no similarity is not a number."""
    switched, failed = attempted(policy, since=since)
    people = Q(person__in=switched.values("person")) | Q(person__in=failed.values("person"))
    translations = Enrolment.objects.filter(people).values("person__customizations__translation")
    rows = Validation.objects.filter(translation__in=translations).order_by("pk").values_list("translation", "similarity_min")
    scores = dict(rows)
    known = [score for score in scores.values() if score is not None]
    smallest = min(known, default=0.0) if len(known) == len(scores) else math.nan
    return [Reading(Metric.VALIDATION_SCORE, smallest, float(bool(scores)), len(scores), at)]


def _issue_reports(policy: GuardPolicy, since: datetime, at: datetime) -> list[Reading]:
    """Read who reported from tickets, else from samples; how many are on slots is in the rows."""
    is_alone = policy.compare == Compare.ABSOLUTE
    found = ticket_metrics.reports(policy.plan_id, waves_of(policy), since, at) if is_alone else []
    said = _samples_beside(found, policy, since, at)
    people = ticket_metrics.on_slots(waves_of(policy)).count() if said else 0
    return found + [replace(each, denominator=float(people), samples=people) for each in said]


def _resolution_time(policy: GuardPolicy, since: datetime, at: datetime) -> list[Reading]:
    """Read from tickets, else from samples; held against something else, both sides are samples."""
    found = ticket_metrics.resolution_time(waves_of(policy), since, at) if policy.compare == Compare.ABSOLUTE else []
    return found + _samples_beside(found, policy, since, at)


def _ticket_volume(policy: GuardPolicy, since: datetime, at: datetime) -> list[Reading]:
    """Read from tickets, else from samples; held against the time before the plan, both sides are of one kind."""
    found = [] if policy.compare == Compare.CONTROL else ticket_metrics.volume(since, at)
    if found and policy.compare == Compare.BASELINE:
        before = ticket_metrics.volume_before(policy.plan, at)
        found = [*found, *before] if before else []
    return found + _samples_beside(found, policy, since, at)


def _samples_beside(found: Sequence[Reading], policy: GuardPolicy, since: datetime, at: datetime) -> list[Reading]:
    """Return what samples say where tickets say nothing; beside tickets those of the window alone, and both are ambiguous.

    Neither is dropped for the other: which one is right is not known, and the one that is kept may be the better one.
    """
    said = _samples(policy, Arm.TREATED, since, at)
    return [each for each in said if not found or (each.taken_at and each.taken_at > since)]


def from_samples(policy: GuardPolicy, since: datetime, at: datetime) -> list[Reading]:
    """Return the samples of the policy's metric as one reading; none where there are none."""
    return _samples(policy, Arm.TREATED, since, at)


def _samples(policy: GuardPolicy, arm: Arm, since: datetime | None, at: datetime) -> list[Reading]:
    """Return the samples since then as one reading; where there is none, the last one before the window, which is stale."""
    rows = Sample.objects.seen_by(policy).filter(arm=arm, taken_at__lte=at).order_by("-taken_at", "-pk")
    found = rows if since is None else rows.filter(taken_at__gt=since)
    newest = found.values_list("taken_at", flat=True).first()
    if newest is None:
        found = rows.filter(taken_at__lte=at - policy.window)
        newest = found.values_list("taken_at", flat=True).first()
        found = found.filter(pk__in=found[:1].values("pk"))
    return [] if newest is None else [_combined(policy, arm, found, newest)]


def _combined(policy: GuardPolicy, arm: Arm, found: QuerySet[Sample], newest: datetime) -> Reading:
    """Return samples, latest first, as one reading."""
    metric = Metric(policy.metric)
    combine = DEFINITIONS[metric].combine
    if combine != Combine.MINIMUM:  # there may be one for each process and quarter of a minute, so the database adds them up
        counted = found if combine == Combine.SUM else found.filter(taken_at__gt=newest - RECENT)
        sums = counted.order_by().aggregate(Sum("numerator"), Sum("denominator"), Sum("count"))
        return Reading(metric, sums["numerator__sum"], sums["denominator__sum"], sums["count__sum"], newest, arm)
    rows = list(found)
    empty = [row for row in rows if row.denominator == 0]
    least = empty[0] if empty else min(rows, key=lambda row: row.numerator / row.denominator)
    return Reading(metric, least.numerator, least.denominator, sum(row.count for row in rows), rows[0].taken_at, arm)


SOURCES: Final[dict[Metric, Source]] = {
    Metric.MIGRATION_SUCCESS: _migration_success,
    Metric.VALIDATION_SCORE: _validation_score,
    Metric.ISSUE_REPORTS: _issue_reports,
    Metric.RESOLUTION_TIME: _resolution_time,
    Metric.TICKET_VOLUME: _ticket_volume,
}
