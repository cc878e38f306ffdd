"""The page of a wave: where it stands, how far it is, what went wrong, and the acts that it leads to."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from rollout.actions.chunks import process_chunk
from rollout.actions.gates import add_policy, judge
from rollout.actions.holds import set_hold
from rollout.actions.waves import announce_wave, lock_wave
from rollout.gates import Metric, Policy, Purpose
from rollout.models import Enrolment, Event, Sample, Selection, Wave
from rollout.states import GROUPS, PersonState, WaveState
from tests.rollout.admin.conftest import act_address, text_of
from tests.rollout.admin.test_selections import confirm
from tests.rollout.conftest import AT, HOSTILE, SAID, WHY
from tests.rollout.telling import dated

pytestmark = pytest.mark.django_db


def page(wave):
    return reverse("admin:rollout_wave_change", args=[wave.pk])


def part(wave):
    return reverse("admin:rollout_wave_progress", args=[wave.pk])


@pytest.fixture
def half(started, customers, customer, clock):
    """A wave at work: two on slots, two failed, two queued."""
    wave = started(*customers(2), customer("h1", HOSTILE), customer("h2", HOSTILE), customer("late1"), customer("late2"))
    process_chunk(wave, clock=clock, size=4)
    wave.refresh_from_db()
    return wave


def times_read(queries):
    """Return how often the samples of the gate were read; the charts read those of other metrics."""
    return sum('FROM "rollout_sample"' in each["sql"] and Metric.UPTIME in each["sql"] for each in queries)


def test_the_page_of_a_wave_that_is_due_judges_its_gates_once(page_of, alice, phase, planned, started, customers):
    first, *others = customers(3)
    started(first)
    policy = Policy(Metric.UPTIME, 0.9, 0.99, timedelta(days=1), purpose=Purpose.GATE, min_sample=1)
    row = add_policy(phase.plan, phase=phase, name="Up", policy=policy, **WHY)
    wave = dated(planned(*others), timezone.now() - timedelta(hours=1))
    lock_wave(wave, **SAID)
    announce_wave(wave, **WHY)
    with CaptureQueriesContext(connection) as queries:
        judge(row, at=timezone.now())
    once = times_read(queries)

    with CaptureQueriesContext(connection) as queries:
        shown = page_of(alice, page(wave))

    assert "GATE_HELD" in {each.code for each in shown.context["blockers"]}
    assert "GATE_HELD" in {each.said.code for each in shown.context["overview"].kept}
    assert times_read(queries) == once > 0


def test_counts_by_group_sum_up_and_lead_to_the_people(page_of, alice, half):
    shown = page_of(alice, page(half))

    assert {each["share"].name: each["share"].count for each in shown.context["groups"]} == {
        "on_slots": 2, "working": 0, "waiting": 2, "stuck": 2, "deferred": 0, "off": 0,
    }  # fmt: skip
    assert set(GROUPS) == {each["share"].name for each in shown.context["groups"]}
    assert "Sum: 6 of 6 when it was locked" in text_of(shown)
    assert f"?wave__id__exact={half.pk}&amp;state__exact=queued" in shown.content.decode()


def test_failures_are_grouped_by_cause_and_each_leads_to_just_these_people(client, page_of, alice, half):
    shown = page_of(alice, page(half))
    ((cause, _, address),) = shown.context["causes"]

    assert cause.people == 2
    listed = client.get(address).context["cl"].queryset
    assert sorted(str(row.person) for row in listed) == ["h1", "h2"]


def test_the_failed_are_tried_again_with_one_button_and_nobody_else(client, page_of, alice, half):
    shown = page_of(alice, page(half)).content.decode()
    address = reverse("admin:rollout_selection_failed", args=[half.pk])
    assert f'action="{address}"' in shown
    before = half.members_by_state()

    client.post(address)
    confirm(client, Selection.objects.get())

    assert before == {"queued": 2, "switched": 2, "validation_failed": 2}
    assert half.members_by_state() == {"queued": 4, "switched": 2}


def test_who_may_not_act_sees_the_causes_and_no_button(page_of, arthur, half):
    shown = page_of(arthur, page(half)).content.decode()

    assert "What went wrong, by cause" in shown
    assert reverse("admin:rollout_selection_failed", args=[half.pk]) not in shown


def test_the_part_is_fetched_alone_and_asks_to_be_fetched_again_only_while_the_wave_is_at_work(page_of, alice, half, charlie):
    shown = page_of(alice, part(half))
    assert f'data-live="{part(half)}"' in shown.content.decode()
    assert "<html" not in shown.content.decode()
    assert page_of(charlie, part(half)).status_code == 403

    half.enrolments.filter(state=PersonState.QUEUED).update(state=PersonState.NEEDS_ATTENTION)
    Wave.objects.filter(pk=half.pk).update(state=WaveState.MONITORING)

    shown = page_of(alice, part(half)).content.decode()
    assert "data-live" not in shown
    assert "free for another wave" in shown


def test_a_paused_wave_says_why_since_when_by_whom_and_what_then_and_leads_with_resuming(page_of, alice, half):
    assert "Resume…" not in text_of(page_of(alice, page(half)))
    set_hold(half, by="dora", at=AT, reason="the shop has a sale")

    shown = page_of(alice, page(half))

    said = text_of(shown)
    assert "Paused by somebody: “the shop has a sale”." in said
    assert "Since 2026-11-23 09:00 UTC , by dora" in said
    assert "once an operator resumes it" in said
    assert shown.context["buttons"].lead[0].name == "resume"
    assert "no end in sight while it is held" in said


@pytest.mark.parametrize(
    ("state", "lead"), [(WaveState.PLANNED, "lock"), (WaveState.LOCKED, "announce"), (WaveState.ANNOUNCED, "start")]
)
def test_the_next_step_stands_out_and_grave_ones_are_apart(page_of, alice, planned, state, lead):
    wave = planned(limit=1)
    Wave.objects.update(state=state)

    buttons = page_of(alice, page(wave)).context["buttons"]

    assert buttons.lead[0].name == lead
    assert [act.name for act, _ in buttons.grave] == ["cancel"]


def test_what_keeps_a_wave_from_starting_names_who_clears_it(page_of, alice, planned, phase):
    wave = planned(limit=1)
    type(phase).objects.update(state="pending")

    said = text_of(page_of(alice, page(wave)))

    assert "What keeps it from starting now" in said
    assert "is pending. an approver, who opens it" in said


def test_whom_a_planned_wave_would_take_is_asked_for_apart_with_reasons_and_a_sample(
    page_of, alice, planned, customers, customer
):
    customer("bare", None)
    wave = planned(*customers(3), "bare", "ghost")
    address = reverse("admin:rollout_wave_audience_part", args=[wave.pk])

    assert f'data-later="{address}"' in page_of(alice, page(wave)).content.decode()
    said = text_of(page_of(alice, address))

    assert "it would take 3 people, and leave 2 out" in said
    assert "PERSON_UNKNOWN" in said
    assert "c1 taken" in said


def test_the_people_of_a_wave_that_is_locked_are_named_on_its_page(page_of, alice, half):
    shown = page_of(alice, page(half))

    assert "data-later" not in shown.content.decode()
    assert "Its people are fixed: 6." in text_of(shown)


def test_a_grave_act_asks_to_type_the_name_of_the_wave(act_as, page_of, alice, done):
    wave = done(1)
    assert f"To go on, type: {wave.name}" in text_of(page_of(alice, act_address("rollback", wave)))

    refused = act_as(alice, "rollback", wave, typed="something else")

    assert f"This is not “{wave.name}”. Nothing has happened." in text_of(refused)
    wave.refresh_from_db()
    assert wave.state == WaveState.MONITORING
    act_as(alice, "rollback", wave, typed=f" {wave.name} ")
    wave.refresh_from_db()
    assert wave.state == WaveState.ROLLED_BACK


def test_an_act_that_is_not_grave_asks_for_no_name(page_of, alice, half):
    assert "To go on, type" not in text_of(page_of(alice, act_address("pause", half)))


def test_instants_are_said_in_utc_for_scripts_too(page_of, alice, half):
    shown = page_of(alice, page(half)).content.decode()

    assert '<time datetime="2026-11-23T09:00:00+00:00" title="2026-11-23 09:00:00 UTC">2026-11-23 09:00 UTC</time>' in shown


def test_render_times_of_both_systems_are_drawn_and_told(page_of, alice, half):
    for hours in (2, 1):
        for arm, value in (("treated", 20), ("control", 25)):
            at = AT - timedelta(hours=hours)
            Sample.objects.create(
                metric="performance",
                arm=arm,
                numerator=value * 10,
                denominator=10,
                count=10,
                taken_at=at,
                source="renders",
                by="x",
            )

    shown = page_of(alice, page(half))

    (chart,) = shown.context["charts"]
    assert chart.summary == "new system: 20; old system: 25"
    assert [name for _, name, _ in chart.rows] == ["new system"] * 2 + ["old system"] * 2


def test_the_page_asks_the_same_queries_for_one_member_and_for_fifty(client, alice, planned, customers):
    people = customers(51)
    client.force_login(alice)
    counts = []
    for group in (people[:1], people[1:]):
        wave = planned(*group)
        Enrolment.objects.bulk_create(
            Enrolment(plan=wave.phase.plan, wave=wave, person=person, state="needs_attention", code=f"C{number}", updated_at=AT)
            for number, person in enumerate(group)
        )
        Wave.objects.filter(pk=wave.pk).update(state=WaveState.RUNNING, size=len(group), started_at=timezone.now())
        client.get(page(wave))
        with CaptureQueriesContext(connection) as queries:
            assert client.get(page(wave)).status_code == 200
        counts.append(len(queries))

    assert counts[0] == counts[1]


def test_looking_writes_nothing(page_of, alice, half):
    before = Event.objects.count()
    with CaptureQueriesContext(connection) as queries:
        page_of(alice, page(half))
        page_of(alice, part(half))

    written = {each["sql"].split()[0] for each in queries if "session" not in each["sql"] and "last_login" not in each["sql"]}
    assert written & {"INSERT", "UPDATE", "DELETE"} == set()
    assert Event.objects.count() == before


def test_a_wave_without_a_comparison_or_anybody_to_take_back_offers_neither(page_of, alice, done):
    wave = done(1)
    offered = [act.name for act, _ in page_of(alice, page(wave)).context["acts"]]
    assert "rollback" in offered and "release" not in offered

    wave.enrolments.update(state=PersonState.ROLLED_BACK)

    assert "rollback" not in [act.name for act, _ in page_of(alice, page(wave)).context["acts"]]
