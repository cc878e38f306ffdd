"""Measure a rollout by its tickets: who reports, how long until it is resolved, how many there are a day.

Tickets speak where there are any in the window; where there is none, or nothing of what is asked, there is no reading. Of who
reports, a ticket that was opened here speaks for the plan of its person alone, one of a helpdesk for every plan, since an import
brings all: then nobody's silence is taken for content. What came after the newest of them is not known, so it is the instant of a
reading, and the end of the days that it counts.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Final

from django.db.models import Avg, Count, DurationField, Exists, ExpressionWrapper, F, Max, Min, OuterRef, Q, QuerySet

from rollout.gates import Arm, Metric, Reading
from rollout.models import Enrolment, Event, GuardPolicy, Plan, Subject, Ticket, Wave
from rollout.states import ON_SLOTS, PlanState

BEFORE: Final = timedelta(days=28)  # what the volume is held against
DAY: Final = timedelta(days=1)
COUNTED_BY: Final[Mapping[str, str]] = {  # the instant by which a ticket is in the window or not
    Metric.ISSUE_REPORTS.value: "reported_at",
    Metric.RESOLUTION_TIME.value: "resolved_at",
    Metric.TICKET_VOLUME.value: "reported_at",
}


def reports(plan: int, waves: QuerySet[Wave], since: datetime, at: datetime) -> list[Reading]:
    """Return how many people reported something while a wave had them on slots, of all whom these waves of the plan moved."""
    newest = _newest(_in_window(since, at).filter(Q(wave__phase__plan=plan) | ~Q(source="")))
    if newest is None:
        return []
    said = _of(waves).filter(reported_at__gt=since, reported_at__lte=at)
    reporting = said.values("person").distinct().count()
    # Who was taken back since has been moved all the same. Those are few; everybody else is counted by an index, nobody twice,
    # since nobody has two live places.
    people = on_slots(waves).count() + taken_back_since(said, waves).values("person").distinct().count()
    return [Reading(Metric.ISSUE_REPORTS, float(reporting), float(people), people, newest)]


def on_slots(waves: QuerySet[Wave]) -> QuerySet[Enrolment]:
    """Return the places of those whom the waves have on slots."""
    return Enrolment.objects.filter(wave__in=waves, state__in=ON_SLOTS)


def taken_back_since(said: QuerySet[Ticket], waves: QuerySet[Wave]) -> QuerySet[Ticket]:
    """Return those of the tickets whose people the waves no longer have on slots."""
    return said.filter(~Exists(on_slots(waves).filter(person=OuterRef("person"))))


def resolution_time(waves: QuerySet[Wave], since: datetime, at: datetime) -> list[Reading]:
    """Return the seconds from report to resolution, summed over the tickets of the waves that were resolved in the window."""
    took = ExpressionWrapper(F("resolved_at") - F("reported_at"), output_field=DurationField())
    settled = _of(waves).filter(resolved_at__gt=since, resolved_at__lte=at)
    found = settled.aggregate(mean=Avg(took), count=Count("pk"), newest=Max("resolved_at"))
    if not found["count"]:
        return []
    seconds = found["mean"].total_seconds() * found["count"]
    return [Reading(Metric.RESOLUTION_TIME, seconds, float(found["count"]), found["count"], found["newest"])]


def volume(since: datetime, at: datetime) -> list[Reading]:
    """Return the tickets of the window over the days up to the newest of them, one at least: an hour says nothing of a day."""
    newest = _newest(_in_window(since, at))
    if newest is None:
        return []
    count = _in_window(since, at).count()
    return [Reading(Metric.TICKET_VOLUME, float(count), max(newest - since, DAY) / DAY, count, newest)]


def volume_before(plan: Plan, at: datetime) -> list[Reading]:
    """Return the tickets of the 28 days before the plan began to run, or before now where it has not begun."""
    runs = Event.objects.about(Subject.PLAN, plan.pk).filter(to_state=PlanState.RUNNING).order_by("pk")
    began = runs.values_list("at", flat=True).first() or at
    count = Ticket.objects.filter(reported_at__gt=began - BEFORE, reported_at__lte=began).count()
    return [Reading(Metric.TICKET_VOLUME, float(count), BEFORE / DAY, count, began, Arm.BASELINE)] if count else []


def leaving(policy: GuardPolicy, after: datetime) -> Iterator[datetime]:
    """Yield when the oldest ticket that a policy's metric counts leaves its window; nothing where it counts none."""
    if name := COUNTED_BY.get(policy.metric):
        rows = Ticket.objects.filter(**{f"{name}__gt": after - policy.window})
        oldest = rows.aggregate(oldest=Min(name))["oldest"]
        if oldest is not None:
            yield oldest + policy.window


def _of(waves: QuerySet[Wave]) -> QuerySet[Ticket]:
    """Return the tickets of people whom the waves had moved, in the attempt that counts."""
    return Ticket.objects.filter(wave__in=waves, reported_at__gte=F("wave__started_at"))


def _in_window(since: datetime, at: datetime) -> QuerySet[Ticket]:
    """Return the tickets of the window, whoever reported them."""
    return Ticket.objects.filter(reported_at__gt=since, reported_at__lte=at)


def _newest(tickets: QuerySet[Ticket]) -> datetime | None:
    """Return when the newest of these was reported."""
    newest: datetime | None = tickets.aggregate(newest=Max("reported_at"))["newest"]
    return newest
