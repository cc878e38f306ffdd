"""Rehearsals in the admin: asked for on the plan's page, played by a worker, read in tables."""

import json

import pytest
from django.urls import reverse

from rollout.models import Rehearsal, Wave
from tests.conftest import person as account
from tests.rollout.admin.conftest import act_address, text_of
from tests.rollout.conftest import AT

pytestmark = pytest.mark.django_db
NOW = AT.isoformat()
NOW = AT.isoformat()


@pytest.fixture
def draft(planned, phase):
    """A plan that has not begun, with a date."""
    wave = planned(limit=2)
    Wave.objects.filter(pk=wave.pk).update(starts_at=AT)
    plan = phase.plan
    type(plan).objects.filter(pk=plan.pk).update(state="draft")
    plan.refresh_from_db()
    return plan


def rehearse(client, user, plan, **data):
    client.force_login(user)
    given = {"reason": "to be sure", "versions": json.dumps({plan.pk: plan.version}), "seed": 3, "scenario": "", **data}
    return client.post(act_address("rehearse", plan), given, follow=True)


def test_an_operator_asks_for_a_rehearsal_and_a_message_wakes_a_worker(
    client, draft, customers, django_capture_on_commit_callbacks
):
    customers(2)
    olga = account("olga", staff=True, role="operator")

    with django_capture_on_commit_callbacks() as woken:
        shown = text_of(rehearse(client, olga, draft, scenario="slow-render"))

    row = Rehearsal.objects.get()
    assert (row.plan, row.seed, row.scenario, row.by, row.people, row.finished_at) == (draft, 3, "slow-render", "olga", 2, None)
    assert f"its rehearsal {row.pk} is to be played" in shown
    assert len(woken) == 1


def test_who_may_not_rehearse_is_refused(client, draft, arthur):
    assert rehearse(client, arthur, draft).status_code == 403
    assert not Rehearsal.objects.exists()


def test_what_cannot_be_rehearsed_is_said(client, draft, admin_user):
    Wave.objects.update(starts_at=None)

    assert "none of its phases and waves has a date" in text_of(rehearse(client, admin_user, draft))
    assert "not a valid choice" not in text_of(rehearse(client, admin_user, draft, seed="-1")) and not Rehearsal.objects.exists()


def test_the_report_is_read_in_tables(page_of, draft, arthur):
    report = {
        "text": "Nothing goes wrong.", "began_at": NOW, "ended_at": NOW, "events": 5, "looks": 7, "violations": 1,
        "violated": [{"at": NOW, "invariant": 4, "text": "2 people were claimed past a hold.", "rows": ["enrolment 1"]}],
        "notices": 6, "worst_rollback_s": 1.5,
        "phases": [{"name": "Pilot", "state": "completed", "planned_start": NOW, "opened_at": None, "finished_at": None,
                    "waves": [{"name": "First", "state": "completed", "members": 2, "attempt": 1, "planned_start": NOW,
                               "started_at": NOW, "finished_at": None}]}],
        "gate_trips": [{"policy": "Slowdown", "opened_at": NOW, "why": "performance is 1.3, beyond 1.2.", "wave": "First",
                        "affected": 2, "state": "cleared", "closed_at": NOW, "closed_because": "it is fast",
                        "responses": [{"action": "alert", "due_at": NOW, "done_at": NOW, "outcome": "noted"}]}],
        "holds": [], "rollbacks": [], "told": [{"notice": "Soon", "first_at": NOW, "wave": "Pilot / First", "people": 2}],
        "waits": [{"wave": "First", "since": NOW, "until": None, "reasons": ["CTO has not signed."]}],
        "timeline": [{"at": NOW, "on": "Pilot", "what": "moved to open", "who": "olga", "why": "signed"}],
    }  # fmt: skip
    row = Rehearsal.objects.create(
        plan=draft, seed=1, people=2, content_hash="x", by="olga", asked_at=AT, finished_at=AT, report=report, violations=1
    )

    shown = text_of(page_of(arthur, reverse("admin:rollout_rehearsal_change", args=[row.pk])))
    listed = text_of(page_of(arthur, reverse("admin:rollout_rehearsal_changelist")))

    for words in ("invariant 4: 2 people were claimed past a hold.", "performance is 1.3, beyond 1.2.", "CTO has not signed.",
                  "moved to open", "Soon", "1 violations"):  # fmt: skip
        assert words in shown
    assert "{" not in shown.split("Timeline")[0].split("What happened")[1]
    assert "1 violations" in listed


def test_the_plans_page_compares_planned_and_happened(page_of, draft, arthur):
    shown = text_of(page_of(arthur, reverse("admin:rollout_plan_change", args=[draft.pk])))

    assert "Planned, rehearsed, happened" in shown
    assert "2026-11-23 09:00" in shown
