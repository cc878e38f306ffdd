"""The eight-week plan, played through: as planned, and with each of its risks. Each ends as the plan demands."""

import re
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db.models import Count

from rollout.models import Enrolment, Event, GuardEvaluation
from rollout.rehearsal.orders import START
from rollout.rehearsal.scenarios.calendar import ZONE
from rollout.states import ON_SLOTS

pytestmark = [pytest.mark.django_db, pytest.mark.slow(60)]
HOUR = timedelta(hours=1)


def at(text):
    return datetime.fromisoformat(text)


def waves_of(report):
    return {wave["name"]: wave for phase in report["phases"] for wave in phase["waves"]}


def trips_of(report, metric):
    return [each for each in report["gate_trips"] if each["metric"] == metric]


def assert_ends_well(report):
    """Everybody is on slots, each by one switch an attempt; every phase is over; no invariant was broken."""
    assert report["violated"] == []
    assert {phase["name"]: phase["state"] for phase in report["phases"]} == dict.fromkeys(
        [phase["name"] for phase in report["phases"]], "completed"
    )
    assert len(report["phases"]) == 5
    assert report["completed"]
    assert Enrolment.objects.live().filter(state__in=ON_SLOTS).count() == report["people"]
    attempts = dict(Enrolment.objects.values_list("pk", "attempt"))
    switched = Event.objects.filter(subject="enrolment", to_state="switched").order_by().values("subject_pk")
    for row in switched.annotate(times=Count("pk")):
        assert row["times"] == attempts[row["subject_pk"]]


def test_as_planned_everything_is_in_time_and_the_same_seed_gives_the_same_report(play):
    report = play()

    assert_ends_well(report)
    assert report["gate_trips"] == report["rollbacks"] == report["holds"] == []
    assert report["waits"] == []
    for wave in waves_of(report).values():
        assert wave["started_at"] == wave["planned_start"]
    assert {each["notice"] for each in report["told"]} >= {"48 hours before", "7 days before", "2 days before", "1 hour before"}
    assert report["looks"] > 200
    roles = {"CTO", "VP Engineering", "VP Product"}
    assert {(each["on"], each["role"]) for each in report["approvals"]} == {
        (name, role) for name in [report["plan"], *(phase["name"] for phase in report["phases"])] for role in roles
    }


def test_bad_validation_pauses_at_once_and_goes_on_after_a_re_validation(play):
    report = play("bad-validation")

    assert_ends_well(report)
    (trip,) = trips_of(report, "migration_success")
    assert trip["wave"] == "Pilot users"
    pause = next(each for each in trip["responses"] if each["action"] == "pause")
    assert pause["done_at"] == trip["opened_at"]
    (hold,) = report["holds"]
    assert (hold["kind"], hold["set_at"], hold["cleared_at"]) == ("guard", trip["opened_at"], trip["closed_at"])
    assert trip["state"] == "cleared"
    assert HOUR <= at(trip["closed_at"]) - at(trip["opened_at"]) <= 2 * HOUR
    claimed = Event.objects.filter(
        subject="enrolment", to_state="translating", at__gt=trip["opened_at"], at__lt=trip["closed_at"]
    )
    assert not claimed.exists()
    told = [each["what"] for each in report["timeline"]]
    (read,) = [text for text in told if text.startswith("read the analysis list: ")]
    assert re.fullmatch(r"read the analysis list: [1-9]\d* people failed \([A-Z_]+\)", read)
    assert report["rollbacks"] == []


def test_slow_render_takes_the_latest_wave_back_after_four_hours_and_up_again_later(play):
    report = play("slow-render")

    assert_ends_well(report)
    (trip,) = trips_of(report, "performance")
    alert = next(each for each in trip["responses"] if each["action"] == "alert")
    back = next(each for each in trip["responses"] if each["action"] == "roll_back")
    assert alert["done_at"] == trip["opened_at"]
    assert alert["outcome"] == "2 people are told as operator and approver."
    assert 4 * HOUR <= at(back["done_at"]) - at(trip["opened_at"]) <= 4 * HOUR + timedelta(minutes=1)
    (rollback,) = report["rollbacks"]
    assert rollback["wave"].endswith(trip["wave"])
    assert rollback["people"] == waves_of(report)[trip["wave"]]["members"]
    assert trip["state"] == "cleared"
    again = waves_of(report)[trip["wave"]]
    assert again["attempt"] == 2
    assert at(again["started_at"]) > at(trip["closed_at"])
    assert report["worst_rollback_s"] < 15 * 60


def test_angry_users_hold_the_next_wave_until_the_answers_are_better(play):
    report = play("angry-users")

    assert_ends_well(report)
    (trip,) = trips_of(report, "satisfaction")
    escalated = next(each for each in trip["responses"] if each["action"] == "escalate")
    assert escalated["done_at"] == trip["opened_at"]
    assert escalated["outcome"] == "3 people are told as CTO and VP Engineering and VP Product."
    following = waves_of(report)["Conservative users"]
    assert at(following["started_at"]) >= at(trip["closed_at"])
    assert at(following["started_at"]) - at(following["planned_start"]) >= timedelta(days=1)
    assert any("Conservative users" in each["wave"] for each in report["waits"])
    assert at(report["ended_at"]).date() >= START + timedelta(weeks=7)


def test_metric_outage_holds_with_the_reason_and_passes_nothing(play):
    report = play("metric-outage")

    assert_ends_well(report)
    pilot = waves_of(report)["Pilot users"]
    waits = [each for each in report["waits"] if each["wave"] == "Pilot users"]
    assert any("NO_READING" in reason for each in waits for reason in each["reasons"])
    back = next(each["at"] for each in report["timeline"] if "speaks again" in each["what"])
    assert at(pilot["started_at"]) > at(back)
    silent = GuardEvaluation.objects.filter(policy__metric="performance", policy__purpose="gate", at__lt=back)
    assert not silent.filter(verdict="pass").exists()


def test_killed_workers_lose_nobody(play):
    report = play("killed-worker")

    assert_ends_well(report)
    assert len(report["deaths"]) == 2
    assert all(each["people"] > 0 for each in report["deaths"])
    assert Event.objects.filter(subject="enrolment", reason="lease expired").count() == sum(
        each["people"] for each in report["deaths"]
    )


def test_late_approval_opens_late_and_people_are_told_again(play):
    report = play("late-approval")

    assert_ends_well(report)
    pilot = next(phase for phase in report["phases"] if phase["name"] == "Limited pilot")
    assert at(pilot["opened_at"]) - at(pilot["planned_start"]) >= timedelta(days=2)
    wave = waves_of(report)["Pilot users"]
    assert at(wave["started_at"]) > at(pilot["opened_at"])
    assert 2 <= at(wave["started_at"]).hour < 4
    schedules = {each["schedule"]: each for each in report["told"] if each["notice"] == "48 hours before"}
    assert set(schedules) == {1, 2}
    assert at(wave["started_at"]) - at(schedules[2]["last_at"]) >= 47 * HOUR


def test_dst_week_starts_at_the_jump_of_the_clocks(play):
    report = play("dst-week")

    assert_ends_well(report)
    zone = ZoneInfo(ZONE)
    started = at(waves_of(report)["Pilot users"]["started_at"]).astimezone(zone)
    before, after = started - 3 * HOUR, started + 3 * HOUR
    assert (started - 12 * HOUR).utcoffset() != started.utcoffset() or before.utcoffset() != after.utcoffset()
    assert (started.hour, started.minute) == (3, 0)  # that night has no 02:00
    claims = Event.objects.filter(subject="enrolment", to_state="translating", at__gte=started, at__lt=started + 12 * HOUR)
    assert claims.exists()
    assert all(3 <= each.astimezone(zone).hour < 4 for each in claims.values_list("at", flat=True))
