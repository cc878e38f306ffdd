"""Signing through the pages: what is shown, who may, and what a stale page is told."""

import re

import pytest
from django.contrib import admin
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from rollout.actions.certifying import certify_rollback
from rollout.actions.contents import content_hash_of, edit_content
from rollout.actions.plans import schedule_plan, submit_plan
from rollout.actions.proofs import translate_people, validate_people
from rollout.actions.signing import require_role
from rollout.actions.waves import lock_wave
from rollout.models import Phase, Plan, RollbackCertificate, Signoff, SignoffRequirement
from rollout.states import PlanState
from tests.rollout.admin.conftest import text_of
from tests.rollout.conftest import AT, SAID, WHY, sign_all, signed

pytestmark = pytest.mark.django_db


def page(row):
    return reverse(f"admin:rollout_{row._meta.model_name}_change", args=[row.pk])


def sign_page(subject, role="CTO"):
    phase = subject if isinstance(subject, Phase) else None
    plan = subject.plan if phase else subject
    requirement = SignoffRequirement.objects.get(plan=plan, phase=phase, role=role)
    return reverse(f"admin:rollout_{subject._meta.model_name}_sign", args=[subject.pk, requirement.pk])


def post(client, subject, role="CTO", decision="approved", reason="read it", content_hash=None):
    shown = (
        content_hash or re.search(r'name="content_hash" value="(\w+)"', client.get(sign_page(subject, role)).content.decode())[1]
    )
    answer = {"decision": decision, "reason": reason, "content_hash": shown}
    return client.post(sign_page(subject, role), answer, follow=True)


def test_a_holder_sees_what_it_demands_and_what_is_known_and_decides(client, asked, signers):
    client.force_login(signers["CTO"])
    assert "Sign off…" in text_of(client.get(page(asked)))

    shown = text_of(client.get(sign_page(asked)))
    assert "Winter: the whole plan" in shown
    assert "Wave 1, First: the first 2 of customized people in sticky order. Frozen 8 days before it starts" in shown
    assert "To be signed by: CTO, VP Product." in shown
    assert "It was never rehearsed." in shown
    assert "Pilot / First: 2 people (if it were locked then)." in shown
    assert content_hash_of(asked) in shown

    answer = text_of(post(client, asked))
    assert "CTO has approved Winter. It is in review." in answer
    assert "cecil" in answer
    made = Signoff.objects.get()
    assert (made.by, made.decision, made.content_hash) == ("cecil", "approved", content_hash_of(asked))


def test_the_last_one_is_told_that_the_plan_is_approved(client, asked, signers):
    signed(asked)
    client.force_login(signers["VP Product"])

    assert "VP Product has approved Winter. It is approved." in text_of(post(client, asked, "VP Product"))


def test_a_stale_page_is_refused_and_shows_what_is_demanded_now(client, asked, signers):
    client.force_login(signers["CTO"])
    shown = content_hash_of(asked)
    edit_content(asked, max_deferrals=5, **WHY)
    submit_plan(asked, **SAID)

    answer = post(client, asked, content_hash=shown)

    assert "CONTENT_CHANGED: Winter was edited since it was shown" in text_of(answer)
    assert "A person may ask 5 times for a later wave" in text_of(answer)
    assert not Signoff.objects.exists()


def test_who_comes_second_is_told_who_was_first(client, asked, signers):
    client.force_login(signers["CTO"])
    shown = content_hash_of(asked)
    signed(asked)

    assert "SIGNED_ALREADY: CTO has approved Winter as it is, in the name of cecil." in text_of(
        post(client, asked, content_hash=shown)
    )


def test_who_does_not_hold_the_role_is_not_offered_it_and_is_refused(client, asked, signers, alice):
    client.force_login(signers["VP Engineering"])

    assert "Sign off…" not in text_of(client.get(page(asked)))
    assert "You cannot: you are no active member" in text_of(client.get(sign_page(asked)))
    assert "ROLE_NOT_HELD" in text_of(post(client, asked))
    client.force_login(alice)
    assert client.get(sign_page(asked)).status_code == 403


def test_a_superuser_is_no_exception(admin_client, asked):
    assert "ROLE_NOT_HELD" in text_of(post(admin_client, asked))


def test_a_role_of_something_else_is_not_signed_here(client, asked, signers):
    client.force_login(signers["CTO"])
    of_phase = SignoffRequirement.objects.get(phase=asked.phases.get(), role="CTO")

    assert client.get(reverse("admin:rollout_plan_sign", args=[asked.pk, of_phase.pk])).status_code == 403
    assert client.get(reverse("admin:rollout_plan_sign", args=[asked.pk, 9999])).status_code == 404


def test_a_rejection_says_why_and_sends_the_plan_back(client, asked, signers):
    client.force_login(signers["CTO"])

    assert "This field is required" in text_of(post(client, asked, decision="rejected", reason=""))
    assert "It is draft." in text_of(post(client, asked, decision="rejected", reason="too fast"))
    assert Plan.objects.get().state == PlanState.DRAFT


def test_void_signatures_stay_to_be_read(client, asked, alice):
    sign_all(asked)
    edit_content(asked, max_deferrals=5, **WHY)
    client.force_login(alice)

    shown = client.get(page(asked))

    assert shown.content.decode().count('class="void"') == 2
    assert "CTO: void, it was edited since" in text_of(shown)
    assert "CTO has not signed since it was edited." in text_of(shown)


def test_a_phase_is_signed_on_its_own_page(client, asked, signers):
    sign_all(asked)
    asked.refresh_from_db()
    schedule_plan(asked, **SAID)
    phase = asked.phases.get()
    client.force_login(signers["CTO"])

    assert "CTO has approved Winter / Pilot. It is pending." in text_of(post(client, phase))
    assert "VP Product has not signed." in text_of(client.get(page(phase)))


def test_roles_are_asked_and_let_go_by_operators(client, asked, alice):
    client.force_login(alice)
    add = reverse("admin:rollout_signoffrequirement_add")

    client.post(add, {"plan": asked.pk, "role": "VP Engineering"}, follow=True)
    made = SignoffRequirement.objects.get(role="VP Engineering")
    assert Plan.objects.get().state == PlanState.DRAFT
    assert "ROLE_UNKNOWN" in text_of(client.post(add, {"plan": asked.pk, "role": "Emperor"}, follow=True))
    client.post(reverse("admin:rollout_signoffrequirement_delete", args=[made.pk]), {"post": "yes"}, follow=True)

    assert not SignoffRequirement.objects.filter(role="VP Engineering").exists()


def test_a_rollback_is_measured_from_the_page_of_the_phase(act_as, alice, locked):
    phase = locked(2).phase

    answer = act_as(alice, "certify", phase)

    assert "2 of 2 people were switched and taken back. All 2 people would be back in" in text_of(answer)
    assert RollbackCertificate.objects.get().is_exact


def test_lists_and_pages_open_for_an_auditor_and_cost_the_same_for_more(client, arthur, opened, proven):
    names = ("signoffrequirement", "signoff", "rollbackcertificate")

    def count(name):
        with CaptureQueriesContext(connection) as queries:
            assert client.get(reverse(f"admin:rollout_{name}_changelist")).status_code == 200
        return len(queries)

    wave = opened.waves.get()
    lock_wave(wave, **SAID)
    people = [row.person for row in wave.enrolments.select_related("person")]
    translate_people(people, **SAID)
    validate_people(people, **SAID)
    client.force_login(arthur)
    for _ in range(2):
        certify_rollback(opened, by="alice", at=AT, timer=lambda: 0.0)
        for name in names:
            count(name)
    one = {name: count(name) for name in names}
    certify_rollback(opened, wave=wave, by="alice", at=AT, timer=lambda: 0.0)
    require_role(opened, "VP Engineering", **WHY)

    assert {name: count(name) for name in names} == one
    for name in names:
        model = next(each for each in admin.site._registry if each._meta.model_name == name)
        shown = client.get(reverse(f"admin:rollout_{name}_change", args=[model._default_manager.first().pk]))
        assert shown.status_code == 200, name
    assert not any(shown.context[f"has_{right}_permission"] for right in ("add", "change", "delete"))
