"""The template of eight weeks against the numbers of the owner's rollout plan."""

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from importlib import resources

import pytest

from rollout.audiences import Audience
from rollout.blueprints import laid_out, read, written
from rollout.gates import Action, Arm, Compare, Metric, Purpose, Reading, Severity, Verdict, evaluate
from rollout.gates.windows import ALL_DAYS

BLUEPRINT = read((resources.files("rollout.blueprints") / "templates/eight-weeks.toml").read_text("utf-8"))
INTERNAL, PILOT, BETA, PRODUCTION, STABILIZATION = BLUEPRINT.phases
AT = datetime(2027, 1, 25, 2, tzinfo=UTC)
ROLES = ("CTO", "VP Engineering", "VP Product")
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def gates_of(phase):
    return {
        each.policy.metric: (each.policy.clear, each.policy.compare)
        for each in phase.policies
        if each.policy.purpose == Purpose.GATE
    }


def guard(metric):
    return next(each.policy for each in BLUEPRINT.policies if each.policy.metric == metric)


def judged(phase, metric, numerator, denominator, count, control=None):
    policy = next(each.policy for each in phase.policies if each.policy.metric == metric)
    readings = [Reading(metric, numerator, denominator, count, AT)]
    if control is not None:
        readings.append(Reading(metric, control, 1.0, count, AT, Arm.CONTROL))
    return evaluate(policy, readings, at=AT).verdict


def test_it_has_five_phases_under_a_name_and_a_version():
    assert BLUEPRINT.label == "eight-weeks@1"
    assert len(BLUEPRINT.phases) == 5
    assert read(written(BLUEPRINT)) == BLUEPRINT


def test_three_roles_agree_to_the_plan_and_to_each_phase():
    assert [each.signoffs for each in (BLUEPRINT, *BLUEPRINT.phases)] == [ROLES] * 6


@pytest.mark.parametrize(
    ("phase", "expected"),
    [
        (
            INTERNAL,
            {
                Metric.VALIDATION_SCORE: (0.95, Compare.ABSOLUTE),
                Metric.PERFORMANCE: (1.2, Compare.CONTROL),
                Metric.ERROR_RATE: (0.001, Compare.ABSOLUTE),
                Metric.MIGRATION_SUCCESS: (0.9999, Compare.ABSOLUTE),
            },
        ),
        (
            PILOT,
            {
                Metric.MIGRATION_SUCCESS: (0.98, Compare.ABSOLUTE),
                Metric.SATISFACTION: (0.9, Compare.ABSOLUTE),
                Metric.PERFORMANCE: (1.1, Compare.CONTROL),
                Metric.RESOLUTION_TIME: (7200, Compare.ABSOLUTE),
            },
        ),
        (
            BETA,
            {
                Metric.MIGRATION_SUCCESS: (0.99, Compare.ABSOLUTE),
                Metric.UPTIME: (0.999, Compare.ABSOLUTE),
                Metric.PERFORMANCE: (1.05, Compare.CONTROL),
                Metric.ISSUE_REPORTS: (0.02, Compare.ABSOLUTE),
            },
        ),
        (PRODUCTION, {}),
        (
            STABILIZATION,
            {
                Metric.MIGRATION_SUCCESS: (0.99, Compare.ABSOLUTE),
                Metric.SATISFACTION: (0.95, Compare.ABSOLUTE),
                Metric.PERFORMANCE: (1.1, Compare.CONTROL),
                Metric.UPTIME: (0.999, Compare.ABSOLUTE),
            },
        ),
    ],
    ids=lambda each: getattr(each, "name", ""),
)
def test_the_success_criteria_are_gates(phase, expected):
    assert gates_of(phase) == expected


@pytest.mark.parametrize(
    ("phase", "metric", "numbers", "verdict"),
    [
        (INTERNAL, Metric.MIGRATION_SUCCESS, (10, 10, 10), Verdict.PASS),
        (INTERNAL, Metric.MIGRATION_SUCCESS, (9, 10, 10), Verdict.HOLD),
        (INTERNAL, Metric.MIGRATION_SUCCESS, (0, 0, 0), Verdict.HOLD),
        (INTERNAL, Metric.VALIDATION_SCORE, (0.951, 1, 3), Verdict.PASS),
        (INTERNAL, Metric.VALIDATION_SCORE, (0.95, 1, 3), Verdict.HOLD),
        (INTERNAL, Metric.PERFORMANCE, (11.9, 1, 100, 10.0), Verdict.PASS),
        (INTERNAL, Metric.PERFORMANCE, (12.1, 1, 100, 10.0), Verdict.HOLD),
        (INTERNAL, Metric.ERROR_RATE, (0, 1000, 1000), Verdict.PASS),
        (INTERNAL, Metric.ERROR_RATE, (1, 1000, 1000), Verdict.HOLD),
        (INTERNAL, Metric.ERROR_RATE, (0, 999, 999), Verdict.HOLD),
        (PILOT, Metric.MIGRATION_SUCCESS, (50, 50, 50), Verdict.PASS),
        (PILOT, Metric.MIGRATION_SUCCESS, (49, 50, 50), Verdict.HOLD),
        (PILOT, Metric.SATISFACTION, (46, 50, 50), Verdict.PASS),
        (PILOT, Metric.SATISFACTION, (45, 50, 50), Verdict.HOLD),
        (PILOT, Metric.SATISFACTION, (9, 9, 9), Verdict.HOLD),
        (PILOT, Metric.RESOLUTION_TIME, (7000, 1, 1), Verdict.PASS),
        (BETA, Metric.UPTIME, (9991, 10_000, 10_000), Verdict.PASS),
        (BETA, Metric.UPTIME, (999, 1000, 1000), Verdict.HOLD),
        (BETA, Metric.ISSUE_REPORTS, (5, 310, 310), Verdict.PASS),
        (BETA, Metric.ISSUE_REPORTS, (7, 310, 310), Verdict.HOLD),
        (STABILIZATION, Metric.SATISFACTION, (96, 100, 100), Verdict.PASS),
        (STABILIZATION, Metric.SATISFACTION, (95, 100, 100), Verdict.HOLD),
    ],
)
def test_the_gates_judge_as_the_plan_does(phase, metric, numbers, verdict):
    assert judged(phase, metric, *map(float, numbers[:2]), *numbers[2:]) == verdict


def test_the_risks_are_guards_over_the_whole_plan():
    failures, slowdown, feedback = (
        guard(metric) for metric in (Metric.MIGRATION_SUCCESS, Metric.PERFORMANCE, Metric.SATISFACTION)
    )

    assert {each.policy.purpose for each in BLUEPRINT.policies} == {Purpose.GUARD}
    assert (failures.trip, failures.clear, failures.respond_within) == (0.95, 0.98, 2 * HOUR)
    assert (failures.needs_revalidation, failures.severity) == (True, Severity.CRITICAL)
    assert [(each.action, each.after) for each in failures.responses] == [
        (Action.PAUSE, 0 * HOUR), (Action.ALERT, 0 * HOUR), (Action.ESCALATE, 2 * HOUR),
    ]  # fmt: skip
    assert (slowdown.trip, slowdown.compare) == (1.2, Compare.CONTROL)
    assert [(each.action, each.after) for each in slowdown.responses] == [(Action.ALERT, 0 * HOUR), (Action.ROLL_BACK, 4 * HOUR)]
    assert feedback.trip == 0.9
    assert [(each.action, each.after) for each in feedback.responses] == [(Action.ESCALATE, 0 * HOUR), (Action.ALERT, 0 * HOUR)]
    told = {each.action: each.roles for each in failures.responses}
    assert told == {
        Action.PAUSE: (),
        Action.ALERT: ("operator", "approver"),
        Action.ESCALATE: ("CTO", "VP Engineering", "VP Product"),
    }


def test_one_failure_among_fewer_than_twenty_people_pauses_nobody():
    policy = guard(Metric.MIGRATION_SUCCESS)

    def verdict(done, total):
        return evaluate(policy, [Reading(Metric.MIGRATION_SUCCESS, float(done), float(total), total, AT)], at=AT).verdict

    assert [verdict(9, 10), verdict(19, 20), verdict(18, 20)] == [Verdict.HOLD, Verdict.PASS, Verdict.TRIP]


def test_whom_each_wave_takes():
    waves = [[(each.share, each.audience) for each in phase.waves] for phase in BLUEPRINT.phases]

    assert waves[0] == [(None, {"internal": True, "limit": 10})]
    pilot = Audience.from_json(waves[1][0][1])
    assert (pilot.limit, pilot.strata, pilot.as_json()["rules"]) == (
        50, ("region", "complexity"), [{"trait": "customizations", "at_least": 2, "at_most": 5}],
    )  # fmt: skip
    assert (BETA.share, BETA.share_of) == (25, "customized")
    assert [share for share, _ in waves[2]] == [Decimal("33.333"), Decimal("33.333"), Decimal("33.334")]
    assert [each["rules"][0]["one_of"] for _, each in waves[2]] == [["simple"], ["medium"], ["complex"]]
    assert [[rule["trait"] for rule in each["rules"]] for _, each in waves[2]] == [
        ["complexity", "risk", "engagement"], ["complexity"], ["complexity", "engagement", "technical"],
    ]  # fmt: skip
    assert (PRODUCTION.share, PRODUCTION.share_of) == (100, "remaining")
    assert waves[3] == [(Decimal(40), {}), (Decimal(30), {}), (Decimal(20), {}), (Decimal(10), {})]
    assert waves[4] == []
    assert [sum(share for share, _ in phase) for phase in waves[2:4]] == [100, 100]


def test_what_people_are_told_and_when():
    told = {phase.name: [(each.channel, each.moment, each.lead) for each in phase.notices] for phase in BLUEPRINT.phases}

    assert BLUEPRINT.notices == ()
    assert told[PILOT.name][0] == ("email", "before_start", 48 * HOUR)
    assert [each for each in told[BETA.name] if each[1] == "after_switch"] == [("email", "after_switch", 0 * HOUR)]
    assert told[PRODUCTION.name][:3] == [
        ("email", "before_start", 7 * DAY), ("email", "before_start", 2 * DAY), ("email", "before_start", HOUR),
    ]  # fmt: skip
    assert {each[0] for each in told[PRODUCTION.name][3:]} == {"in_app"}
    for phase in BLUEPRINT.phases:
        for notice in phase.notices:
            notice.body.format(user="ann", wave="First", starts_at="2026-12-01", support="https://support.example.org")


def test_the_pilot_moves_at_night_and_everybody_is_watched_for_a_day():
    assert [(each.zone, each.opens, each.closes, each.days) for each in PILOT.windows] == [("UTC", time(2), time(4), ALL_DAYS)]
    assert {wave.soak for phase in BLUEPRINT.phases for wave in phase.waves} == {24 * HOUR}
    assert [phase.needs_certificate for phase in BLUEPRINT.phases] == [False, True, True, True, False]


def test_the_tasks_of_each_phase():
    counts = {phase.name: len(phase.tasks) for phase in BLUEPRINT.phases}

    assert list(counts.values()) == [10, 0, 0, 2, 12]
    assert [each.due.week for each in INTERNAL.tasks] == [1] * 5 + [2] * 5
    assert [(each.text, each.due.weekday) for each in PRODUCTION.tasks] == [
        ("Cleanup and validation", 2), ("Prepare for old system shutdown", 4),
    ]  # fmt: skip
    assert [each.due.day for each in STABILIZATION.tasks] == [3] * 4 + [5] * 4 + [7] * 4


def test_on_a_calendar_it_is_the_plan_of_the_document():
    layout = laid_out(BLUEPRINT, starts_on=date(2026, 11, 30), zone="UTC")

    assert [f"{wave.starts_at:%a %Y-%m-%d %H:%M}" for phase in layout.phases for wave in phase.waves] == [
        "Mon 2026-12-07 09:00",
        "Wed 2026-12-16 02:00",
        "Mon 2026-12-21 02:00",
        "Wed 2026-12-23 02:00",
        "Mon 2026-12-28 02:00",
        "Mon 2027-01-04 02:00",
        "Wed 2027-01-06 02:00",
        "Fri 2027-01-08 02:00",
        "Mon 2027-01-11 02:00",
    ]
    assert [f"{phase.starts_at:%Y-%m-%d}" for phase in layout.phases] == [
        "2026-11-30", "2026-12-14", "2026-12-21", "2027-01-04", "2027-01-18",
    ]  # fmt: skip


@pytest.mark.parametrize("number", range(7))
def test_whatever_day_it_starts_on_the_waves_come_in_order_and_are_locked_in_order(number):
    layout = laid_out(BLUEPRINT, starts_on=date(2026, 11, 30) + number * DAY, zone="Europe/Berlin")
    starts = [wave.starts_at for phase in layout.phases for wave in phase.waves]
    beta, production = (phase.waves for phase in layout.phases[2:4])

    assert starts == sorted(starts)
    assert starts[-1] < layout.phases[4].starts_at
    assert beta[0].starts_at - beta[0].lock_lead < production[0].starts_at - production[0].lock_lead, (
        "what remains is counted when the first wave of production is locked, without whom beta has fixed then"
    )
    for phase in layout.phases:
        for wave in phase.waves:
            assert wave.lock_lead > BLUEPRINT.longest_lead(phase.entry)
