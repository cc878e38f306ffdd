"""Writing blueprints: reading what was written gives the same blueprint."""

from datetime import time, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from rollout.blueprints import (
    Blueprint,
    Day,
    NoticeEntry,
    PhaseEntry,
    PolicyEntry,
    TaskEntry,
    WaveEntry,
    WindowEntry,
    read,
    written,
)
from rollout.gates import Action, Compare, Metric, NoData, Policy, Purpose, Response, Severity

signs = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
texts = st.text(signs, min_size=1, max_size=30).filter(str.strip)
lengths = st.timedeltas(timedelta(), timedelta(days=3_000))
roles = st.lists(texts, max_size=2, unique=True).map(tuple)
spans = st.timedeltas(timedelta(microseconds=1), timedelta(days=3_000))
zones = st.sampled_from(["UTC", "Europe/Berlin", "Asia/Kathmandu"])
days = st.builds(Day, st.integers(1, 520), st.integers(1, 7), st.none(), st.none() | st.times()) | st.builds(
    Day, st.integers(1, 520), st.none(), st.integers(0, 6), st.none() | st.times()
)
windows = st.builds(
    WindowEntry,
    opens=st.times(time(0), time(11)),
    closes=st.times(time(12), time(23)),
    days=st.lists(st.integers(0, 6), min_size=1, unique=True).map(tuple),
    zone=zones | st.just(""),
)
notices = st.builds(
    NoticeEntry,
    name=texts,
    lead=lengths,
    subject=texts,
    body=texts,
    channel=st.sampled_from(["email", "in_app"]),
    is_required=st.booleans(),
) | st.builds(
    NoticeEntry, name=texts, lead=lengths, subject=texts, body=texts, moment=st.just("after_switch"), is_required=st.just(False)
)
numbers = st.floats(0, 1e9)
gates = st.builds(
    lambda metric, clear, window, least, compare: Policy(
        metric, clear, clear, window, purpose=Purpose.GATE, min_sample=least, compare=compare
    ),
    st.sampled_from(Metric), numbers, spans, st.integers(1, 10_000), st.sampled_from(Compare),
)  # fmt: skip
guards = st.builds(
    lambda numbers, window, sustained, no_data, severity, within, responses, again: Policy(
        Metric.MIGRATION_SUCCESS, min(numbers), max(numbers), window,
        sustained=sustained, no_data=no_data, severity=severity, respond_within=within, responses=tuple(responses),
        needs_revalidation=again,
    ),
    st.tuples(numbers, numbers), spans, lengths, st.sampled_from(NoData), st.sampled_from(Severity), st.none() | spans,
    st.lists(
        st.builds(Response, st.sampled_from([Action.PAUSE, Action.ROLL_BACK]), lengths)
        | st.builds(Response, st.sampled_from([Action.ALERT, Action.ESCALATE]), lengths, roles),
        max_size=3,
        unique_by=lambda each: each.action,
    ),
    st.booleans(),
)  # fmt: skip
audiences = st.sampled_from(
    [
        {"internal": True, "limit": 10},
        {"users": ['a "b"', "shop/é"]},
        {"limit": 5, "rules": [{"trait": "engagement", "at_least": 0.1}, {"trait": "region", "one_of": ["eu", "us"]}]},
        {"limit": 50, "rules": [{"trait": "technical", "is": True}], "strata": ["region", "complexity"], "holdout": 2.5},
    ]
)
waves = st.builds(
    WaveEntry,
    name=texts,
    starts=st.none() | days,
    audience=audiences,
    soak=lengths,
    checks=st.lists(st.integers(1, 10**6), unique=True).map(
        lambda each: tuple(timedelta(seconds=second) for second in sorted(each))
    ),
    rate=st.none() | st.integers(1, 10_000),
    max_workers=st.integers(1, 100),
    batch_size=st.integers(1, 10_000),
    max_batch=st.integers(1, 10_000),
    lock_lead=st.none() | st.just(timedelta(days=3_000)),
)
tasks = st.builds(TaskEntry, text=texts, due=st.none() | days, is_required=st.booleans())


def several(each, name="name"):
    return st.lists(each, max_size=2, unique_by=lambda row: getattr(row, name)).map(tuple)


phases = st.builds(
    PhaseEntry,
    name=texts,
    objective=st.just("") | st.text(signs),
    starts=st.none() | days,
    share=st.none() | st.decimals(Decimal("0.001"), 100, places=3),
    share_of=st.sampled_from(["customized", "remaining"]),
    soak=lengths,
    needs_certificate=st.booleans(),
    signoffs=st.lists(texts, max_size=2, unique=True).map(tuple),
    windows=st.lists(windows, max_size=2).map(tuple),
    notices=several(notices),
    tasks=st.lists(tasks, max_size=2).map(tuple),
    waves=several(waves),
)
blueprints = st.builds(
    Blueprint,
    name=st.from_regex(r"[a-z0-9]{1,9}(-[a-z0-9]{1,9}){0,2}", fullmatch=True),
    version=st.integers(1, 100),
    title=st.just("") | texts,
    time_zone=zones,
    max_deferrals=st.integers(0, 9),
    deferral_limit=lengths,
    certificate_valid_for=spans,
    windows=st.lists(windows, max_size=2).map(tuple),
    notices=several(notices),
    policies=several(st.builds(PolicyEntry, name=texts, policy=gates | guards)),
    phases=st.lists(phases, min_size=1, max_size=2, unique_by=lambda each: each.name).map(tuple),
)


@given(blueprints)
def test_what_is_written_is_read_as_the_same(blueprint):
    assert read(written(blueprint)) == blueprint


def test_a_blueprint_is_written_for_people():
    wave = WaveEntry(name="First", starts=Day(2, weekday=0, at=time(2)), audience={"limit": 5, "strata": ["region"]})
    policy = Policy(
        Metric.MIGRATION_SUCCESS, 0.95, 0.98, timedelta(days=1), responses=(Response(Action.ROLL_BACK, timedelta(hours=4)),)
    )
    task = TaskEntry(text='Say "done"')
    phase = PhaseEntry(
        name="One",
        objective="Look.\nListen.",
        share=Decimal("12.500"),
        waves=(wave,),
        tasks=(task,),
        policies=(PolicyEntry(name="Failures", policy=policy),),
    )

    assert (
        written(Blueprint(name="small", version=3, phases=(phase,)))
        == '''\
format = 1
name = "small"
version = 3

[[phases]]
name = "One"
objective = """
Look.
Listen."""
share = 12.500

[[phases.policies]]
name = "Failures"
metric = "migration_success"
trip = 0.95
clear = 0.98
window = "1 day"
responses = [{ action = "roll_back", after = "4 hours" }]

[[phases.tasks]]
text = "Say \\"done\\""

[[phases.waves]]
name = "First"
starts = { week = 2, weekday = "monday", at = 02:00:00 }
audience = { limit = 5, strata = ["region"] }
'''
    )
