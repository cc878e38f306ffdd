"""Signing and certifying from the shell."""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from rollout.actions.contents import content_hash_of, edit_content
from rollout.actions.waves import lock_wave
from rollout.models import Plan, RollbackCertificate, Signoff, SignoffRequirement
from rollout.states import PlanState
from tests.rollout.conftest import SAID, WHY, sign_all

pytestmark = pytest.mark.django_db


def run(*words, as_json=False, **options):
    out = StringIO()
    call_command("rollout", *map(str, words), *(["--json"] if as_json else []), stdout=out, **options)
    return json.loads(out.getvalue()) if as_json else out.getvalue()


def refused(*words, **options):
    with pytest.raises(CommandError) as error:
        run(*words, **options)
    return error.value


def test_a_plan_is_signed_role_by_role(asked):
    first = run("sign", asked.pk, "--role", "CTO", "--by", "cecil", "--reason", "read it", as_json=True)

    assert (first["decision"], first["by"], first["missing"]) == ("approved", "cecil", ["VP Product has not signed."])
    assert first["evidence"]["population"][0]["people"] == 2
    said = run("sign", asked.pk, "--role", "VP Product", "--by", "paula")
    assert said.startswith("VP Product has approved Winter (")
    assert Plan.objects.get().state == PlanState.APPROVED


def test_a_dry_run_signs_nothing(asked):
    run("sign", asked.pk, "--role", "CTO", "--by", "cecil", "--dry-run")

    assert not Signoff.objects.exists()


def test_a_rejection_sends_back(asked):
    run("sign", asked.pk, "--role", "CTO", "--by", "cecil", "--reject", "--reason", "too fast")

    assert Plan.objects.get().state == PlanState.DRAFT


def test_what_was_shown_may_be_named_by_the_beginning_of_its_hash(asked):
    present = content_hash_of(asked)

    assert "CONTENT_CHANGED" in str(refused("sign", asked.pk, "--role", "CTO", "--by", "cecil", "--content", present[:3]))
    run("sign", asked.pk, "--role", "CTO", "--by", "cecil", "--content", present[:12])

    assert Signoff.objects.get().content_hash == present


@pytest.mark.parametrize(
    ("words", "text", "code"),
    [
        (["--role", "CTO", "--by", "alice"], "APPROVER_IS_AUTHOR", 1),
        (["--role", "CTO", "--by", "paula"], "ROLE_NOT_HELD", 1),
        (["--role", "Emperor", "--by", "paula"], "is not signed by 'Emperor'. Asked: CTO, VP Product.", 2),
    ],
)
def test_what_is_refused_is_said(asked, words, text, code):
    error = refused("sign", asked.pk, *words)

    assert text in str(error)
    assert error.returncode == code


def test_the_standing_of_all_roles_is_listed(asked):
    sign_all(asked)
    edit_content(asked, max_deferrals=5, **WHY)

    error = refused("signoffs", asked.pk)

    assert error.returncode == 1
    listed = error.report
    assert listed.data["signoffs"][0]["content_hash"] == content_hash_of(asked)
    assert listed.data["signoffs"][0]["roles"][0]["void"][0]["by"] == "cecil"
    assert "  CTO has not signed since it was edited." in listed.lines
    assert any(line.startswith("    void, of ") for line in listed.lines)


def test_a_phase_is_signed_and_all_is_well(opened):
    said = run("signoffs", opened.plan_id)

    assert "  CTO approved by cecil on 2026-11-23 09:00 UTC." in said
    assert "belongs to plan" in str(refused("sign", 999, "--phase", opened.pk, "--role", "CTO", "--by", "cecil"))
    assert "SIGNED_ALREADY" in str(refused("sign", "--phase", opened.pk, "--role", "CTO", "--by", "cecil"))


def test_roles_are_asked_and_let_go(asked):
    run("require-role", asked.pk, "--role", "VP Engineering")
    assert SignoffRequirement.objects.filter(role="VP Engineering").exists()

    run("drop-role", asked.pk, "--role", "VP Engineering")
    assert not SignoffRequirement.objects.filter(role="VP Engineering").exists()


def test_a_rollback_is_measured(locked):
    wave = locked(2)

    of_phase = run("certify", wave.phase_id, as_json=True)
    of_wave = run("certify", wave.phase_id, "--wave", wave.pk, "--limit", 1, as_json=True)

    assert (of_phase["people"], of_phase["roster"], of_phase["is_exact"]) == (2, 2, True)
    assert (of_wave["people"], of_wave["roster"]) == (1, 2)
    assert RollbackCertificate.objects.count() == 2
    assert "2 of 2 people were switched and taken back." in run("certify", wave.phase_id, "--dry-run")
    assert RollbackCertificate.objects.count() == 2


def test_a_rollback_that_cannot_be_measured_is_refused(customers, planned, opened):
    wave = planned(limit=1)
    lock_wave(wave, **SAID)

    assert "NOBODY_PROVEN" in str(refused("certify", wave.phase_id))
    assert "belongs to another phase" in str(refused("certify", opened.pk, "--wave", wave.pk))
    assert refused("certify", wave.phase_id, "--limit", 0).returncode == 2
