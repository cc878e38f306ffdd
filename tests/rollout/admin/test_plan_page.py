"""The pages of a plan and of a phase: course, demands, rehearsals, waves, tasks; as many queries for fifty waves as for one."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from rollout.actions.breaches import waive_gate
from rollout.actions.calendar import add_freeze
from rollout.actions.gates import add_policy, assess
from rollout.actions.plans import WaveDraft, add_wave
from rollout.audiences import Audience
from rollout.gates import Metric, Policy, Purpose
from rollout.models import GuardEvaluation, Notice, Phase, Plan, Rehearsal, Wave
from rollout.states import PhaseState
from tests.rollout.admin.conftest import act_address, text_of
from tests.rollout.conftest import AT, ERRORS, SAID, WHY

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
GATE = Policy(Metric.MIGRATION_SUCCESS, 0.95, 0.98, DAY, purpose=Purpose.GATE)


def page(row):
    return reverse(f"admin:rollout_{row._meta.model_name}_change", args=[row.pk])


def waves(phase, count, start=AT):
    made = []
    for number in range(count):
        wave = add_wave(phase, draft=WaveDraft(f"Wave {phase.waves.count() + 1}", Audience(limit=1)), **SAID)
        Wave.objects.filter(pk=wave.pk).update(starts_at=start + number * DAY)
        made.append(wave)
    return made


@pytest.fixture
def noticed(phase):
    """What people of the plan are told two days before."""
    return Notice.objects.create(plan=phase.plan, name="Soon", lead=2 * DAY, subject="s", body="b", is_required=False)


def test_the_course_is_drawn_and_the_table_has_the_same_dates(page_of, arthur, phase, noticed):
    waves(phase, 2)
    Wave.objects.filter(position=1).update(started_at=AT + DAY, finished_at=AT + 2 * DAY)
    add_freeze(starts_at=AT + DAY, ends_at=AT + 2 * DAY, plan=phase.plan, **WHY)

    shown = page_of(arthur, page(phase.plan))

    chart = shown.context["gantt"]
    assert [row.item.name for row in chart.rows] == ["Pilot", "Wave 1", "Wave 2"]
    assert [row.actual is not None for row in chart.rows] == [True, True, False]
    assert [band.kind for band in chart.bands] == ["freeze"]
    said = text_of(shown)
    assert "Wave 1 planned 2026-11-23 09:00 UTC to 2026-11-24 09:00 UTC 2026-11-24 09:00 UTC to 2026-11-25 09:00 UTC" in said
    assert "2026-11-21 09:00 UTC Soon: 2 days before the start" in said
    assert "Freeze: because freeze 2026-11-24 09:00 UTC to 2026-11-25 09:00 UTC" in said


def test_a_plan_without_dates_says_so(page_of, arthur, phase):
    Phase.objects.update(started_at=None)

    assert "None of its phases and waves has a date yet." in text_of(page_of(arthur, page(phase.plan)))


def test_demands_are_shown_as_judged_last_and_as_they_are_now(page_of, arthur, phase, planned):
    row = add_policy(phase.plan, name="Success", policy=GATE, phase=phase, **SAID)
    shown = page_of(arthur, page(phase.plan))
    assert "Success gate of migration success Pilot above 98 % unknown not judged yet" in text_of(shown)

    assess(row, at=AT)
    waive_gate(row, planned(limit=1), by="dora", at=AT, reason="nobody was there")
    shown = page_of(arthur, page(phase.plan))
    assert "unknown does not pass" in text_of(shown)
    assert "by dora 2026-11-23 09:00 UTC : “nobody was there”" in text_of(shown)

    kept = GuardEvaluation.objects.count()
    part = reverse("admin:rollout_plan_demands", args=[phase.plan.pk])
    assert f'data-later="{part}"' in shown.content.decode()
    assert "Judged now; nothing of it is kept." in text_of(page_of(arthur, part))
    assert GuardEvaluation.objects.count() == kept


def test_the_part_with_the_demands_is_for_who_sees_plans(page_of, charlie, sue, phase):
    for user in (charlie, sue):
        assert page_of(user, reverse("admin:rollout_plan_demands", args=[phase.plan.pk])).status_code == 403


def test_rehearsals_say_whether_they_are_of_what_it_demands_now(page_of, arthur, phase):
    Rehearsal.objects.create(
        plan=phase.plan, seed=1, people=7, content_hash="former", by="alice", asked_at=AT, finished_at=AT, is_completed=True
    )

    assert "nothing goes wrong completed a former content 7 alice 2026-11-23 09:00 UTC" in text_of(
        page_of(arthur, page(phase.plan))
    )


def test_a_plan_in_review_says_who_has_not_signed_since_when_and_what_then(page_of, arthur, asked):
    said = text_of(page_of(arthur, page(asked)))

    assert "CTO and VP Product have not signed. Since 2026-11-23 09:00 UTC , by alice" in said
    assert said.count("have not signed.") == 1
    assert "a holder of each of the roles CTO and VP Product" in said


def test_who_may_sign_is_led_to_it_and_nobody_to_an_approval_that_would_be_refused(page_of, admin_user, signers, asked):
    signed_by = page_of(signers["CTO"], page(asked))
    seen_by = page_of(admin_user, page(asked))
    preview = page_of(admin_user, act_address("approve", asked))

    overview = signed_by.content.decode().split('class="object-tools"')[1].split("</ul>")[0]
    assert ">Sign off as CTO…</a>" in overview and "VP Product" not in overview
    assert seen_by.context["signing"] == []
    assert seen_by.context["buttons"].lead is None
    assert "Refused now (SIGNOFF_MISSING): Winter" in text_of(preview)


def test_a_plan_that_starts_nobody_offers_no_pause(page_of, alice, asked):
    offered = [act.name for act, _ in page_of(alice, page(asked)).context["acts"]]

    assert "copy" in offered and "pause" not in offered


def test_a_phase_shows_its_waves_with_counts_and_its_tasks(page_of, alice, done):
    wave = done(2)

    shown = page_of(alice, page(wave.phase))

    ((row, _, _),) = shown.context["waves"]
    assert (row.size, row.n_on_slots, row.n_off) == (2, 2, 0)
    assert "Wave 1 monitoring" in text_of(shown)


def test_a_phase_that_awaits_says_who_opens_it_and_leads_with_that(page_of, dora, phase):
    Phase.objects.update(state=PhaseState.AWAITING_SIGNOFF)

    shown = page_of(dora, page(phase))

    assert "An approver opens it." in text_of(shown)
    assert shown.context["buttons"].lead[0].name == "open"


@pytest.mark.parametrize("model", [Plan, Phase])
def test_pages_cost_the_same_queries_for_one_wave_and_for_fifty(client, alice, phase, noticed, model):
    add_policy(phase.plan, name="Errors", policy=ERRORS, phase=phase, **SAID)
    client.force_login(alice)
    row = model.objects.get()
    soon = AT + 3650 * DAY  # the page reads the clock; these are still to come

    def count():
        client.get(page(row))
        with CaptureQueriesContext(connection) as queries:
            assert client.get(page(row)).status_code == 200
        return len(queries)

    waves(phase, 1, soon)
    one = count()
    waves(phase, 49, soon)

    assert count() == one


def test_what_a_draft_demands_is_not_judged_yet(page_of, arthur, phase):
    add_policy(phase.plan, phase=phase, name="Errors", policy=ERRORS, **WHY)
    running = page_of(arthur, page(phase.plan)).content.decode()
    Plan.objects.update(state="draft")

    draft = page_of(arthur, page(phase.plan))

    part = f'data-later="{reverse("admin:rollout_plan_demands", args=[phase.plan_id])}"'
    assert part in running and part not in draft.content.decode()
    assert "not judged yet" in text_of(draft) and "Nothing is judged before the plan runs." in text_of(draft)
