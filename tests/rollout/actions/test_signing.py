"""Roles agree to what they were shown, once; an edit voids it; nothing opens or starts without."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from rollout.actions import signing, signoffs
from rollout.actions.certificates import roster_digest
from rollout.actions.contents import content_hash_of, edit_content
from rollout.actions.evidence import evidence_for, in_words
from rollout.actions.gates import add_policy
from rollout.actions.holds import set_hold
from rollout.actions.plans import (
    PhaseDraft,
    WaveDraft,
    add_phase,
    approve_plan,
    create_plan,
    open_phase,
    schedule_plan,
    submit_plan,
)
from rollout.actions.readiness import what_keeps
from rollout.actions.signing import may_sign, remove_role, require_role
from rollout.actions.signoffs import hash_to_sign, missing_signoffs, standings
from rollout.actions.waves import announce_wave, lock_wave, start_wave
from rollout.audiences import Audience
from rollout.errors import (
    ApproverIsAuthor,
    ContentChanged,
    ContentFrozen,
    GateHeld,
    MoveRefused,
    ReasonMissing,
    RehearsalBroken,
    RehearsalTooSlow,
    RoleInUse,
    RoleNotHeld,
    RoleUnknown,
    SignedAlready,
    SignoffMissing,
)
from rollout.gates import Metric, Policy, Purpose
from rollout.models import Decision, Event, Phase, Plan, Rehearsal, RollbackCertificate, Signoff, SignoffRequirement, Wave
from rollout.states import PhaseState, PlanState, WaveState
from tests.conftest import person as account
from tests.rollout.conftest import AT, SAID, WHY, sign_all, signed

pytestmark = pytest.mark.django_db
YES, NO = Decision.APPROVED, Decision.REJECTED
GATE = Policy(Metric.UPTIME, 0.9, 0.999, timedelta(days=1), purpose=Purpose.GATE, min_sample=1)


def announced(phase):
    wave = phase.waves.get()
    lock_wave(wave, **SAID)
    announce_wave(wave, **WHY)
    return wave


def test_the_last_signature_approves_the_plan_by_itself(asked):
    signed(asked)
    asked.refresh_from_db()
    assert (asked.state, missing_signoffs(asked)) == (PlanState.IN_REVIEW, ["VP Product has not signed."])

    signed(asked, "VP Product", "paula")

    asked.refresh_from_db()
    assert (asked.state, asked.approved_by, missing_signoffs(asked)) == (PlanState.APPROVED, "paula", [])
    event = Event.objects.get(subject="plan", to_state="approved", kind="moved")
    assert event.reason.startswith("approved by itself: VP Product was the last to sign")


def test_a_signature_keeps_what_was_decided_on_and_what_was_known(asked):
    made = signed(asked)

    assert (made.decision, made.content_hash, made.by, made.reason) == (YES, content_hash_of(asked), "cecil", "read it")
    assert made.evidence["population"] == [{"wave": "Pilot / First", "people": 2, "left_out": 0, "is_frozen": False}]
    assert made.evidence["rehearsal"] is None
    event = Event.objects.get(kind="signed")
    assert event.data == {"role": "CTO", "content_hash": made.content_hash, "signoff": made.pk}


def test_roles_that_sign_together_keep_what_was_known_at_that_instant_gathered_once(asked, signers):
    roles = {row.role: row for row in asked.signoff_requirements.filter(phase__isnull=True)}
    signed_by = {roles["CTO"]: "cecil", roles["VP Product"]: "paula"}
    known = evidence_for(asked, at=AT)

    with CaptureQueriesContext(connection) as queries:
        made = signing.sign_together(signed_by, decision=YES, content_hash=content_hash_of(asked), at=AT)

    assert sum('FROM "rollout_rehearsal"' in each["sql"] for each in queries) == 1
    assert [(each.by, each.requirement.role, each.evidence) for each in made] == [
        ("cecil", "CTO", known),
        ("paula", "VP Product", known),
    ]
    assert Plan.objects.get(pk=asked.pk).state == PlanState.APPROVED


def test_a_role_that_two_ask_no_longer_is_removed_once(asked):
    row = asked.signoff_requirements.get(role="CTO", phase__isnull=True)
    other = SignoffRequirement.objects.get(pk=row.pk)

    remove_role(row, **WHY)
    remove_role(other, **WHY)

    assert Event.objects.filter(kind="content_edited", data__edits={"role": ["CTO", None]}).count() == 1


def test_of_roles_that_sign_together_each_needs_somebody_who_holds_it(asked, signers):
    roles = {row.role: row for row in asked.signoff_requirements.filter(phase__isnull=True)}

    with pytest.raises(RoleNotHeld):
        signing.sign_together(
            {roles["CTO"]: "cecil", roles["VP Product"]: "cecil"}, decision=YES, content_hash=content_hash_of(asked), at=AT
        )

    assert not Signoff.objects.exists()


def test_an_approver_alone_does_not_approve_what_roles_sign(asked):
    signed(asked)

    with pytest.raises(SignoffMissing) as refused:
        approve_plan(asked, by="dora", at=AT)

    assert refused.value.reasons == ("VP Product has not signed.",)
    assert Plan.objects.get().state == PlanState.IN_REVIEW


def test_who_wrote_the_plan_does_not_sign_it(asked, signers):
    account("alice", role="CTO")

    with pytest.raises(ApproverIsAuthor):
        signed(asked, by="alice")


@pytest.mark.parametrize("who", ["nobody", "victor", "paula", "root", "gone"])
def test_who_does_not_hold_the_role_does_not_sign_in_its_name(asked, who):
    root = account("root", staff=True)
    root.is_superuser = True
    root.save()
    gone = account("gone", role="CTO")
    gone.is_active = False
    gone.save()

    with pytest.raises(RoleNotHeld) as refused:
        signed(asked, by=who)

    assert refused.value.code == "ROLE_NOT_HELD"
    assert not Signoff.objects.exists()


def test_a_superuser_who_is_a_member_signs(asked, signers):
    signers["CTO"].is_superuser = True
    signers["CTO"].save()

    assert signed(asked).by == "cecil"
    assert may_sign(SignoffRequirement.objects.get(plan=asked, phase=None, role="CTO"), "cecil")
    assert not may_sign(SignoffRequirement.objects.get(plan=asked, phase=None, role="CTO"), "paula")


@pytest.mark.parametrize("shown", ["", "0" * 64])
def test_another_content_than_the_present_one_is_not_signed(asked, shown):
    with pytest.raises(ContentChanged) as refused:
        signed(asked, content_hash=shown)

    assert "Load the page again" in str(refused.value)


def test_an_edit_between_the_look_and_the_signature_refuses_it(asked):
    shown = hash_to_sign(asked)
    edit_content(asked, max_deferrals=5, **WHY)
    submit_plan(asked, **SAID)

    with pytest.raises(ContentChanged):
        signed(asked, content_hash=shown)


def test_a_role_decides_once_on_a_content(asked):
    other = account("carol", role="CTO")
    signed(asked)

    for again in ({"by": "cecil"}, {"by": other.username}, {"decision": NO}):
        with pytest.raises(SignedAlready) as refused:
            signed(asked, **again)
        assert "CTO has approved Winter as it is, in the name of cecil." in str(refused.value)
    assert Signoff.objects.count() == 1


def test_a_rejection_needs_a_reason_and_sends_the_plan_back(asked):
    with pytest.raises(ReasonMissing):
        signed(asked, decision=NO, reason=" ")

    signed(asked, decision=NO, reason="too fast")

    asked.refresh_from_db()
    assert asked.state == PlanState.DRAFT
    assert Event.objects.get(subject="plan", to_state="draft").reason == "CTO rejected it: too fast"
    assert missing_signoffs(asked) == [
        "CTO rejected it (cecil: “too fast”); edit it, and ask again.",
        "VP Product has not signed.",
    ]


def test_a_draft_is_not_signed(asked):
    signed(asked, decision=NO, reason="too fast")

    with pytest.raises(MoveRefused):
        signed(asked, "VP Product", "paula")


def test_an_edit_voids_what_was_signed_and_the_old_signature_stays_to_be_read(asked):
    sign_all(asked)
    asked.refresh_from_db()

    edit_content(asked.phases.get(), soak=timedelta(days=3), **WHY)

    asked.refresh_from_db()
    assert (asked.state, asked.approved_by) == (PlanState.DRAFT, "")
    assert missing_signoffs(asked) == [
        "CTO has not signed since it was edited.",
        "VP Product has not signed since it was edited.",
    ]
    assert [(each.decided, [void.by for void in each.void]) for each in standings(asked)] == [
        (None, ["cecil"]),
        (None, ["paula"]),
    ]
    submit_plan(asked, **SAID)
    sign_all(asked)
    assert Plan.objects.get().state == PlanState.APPROVED


def test_an_edit_that_is_taken_back_makes_the_signatures_count_again(asked):
    signed(asked)
    edit_content(asked, max_deferrals=5, **WHY)
    assert len(missing_signoffs(asked)) == 2

    edit_content(asked, max_deferrals=1, **WHY)

    assert missing_signoffs(asked) == ["VP Product has not signed."]


def test_a_phase_opens_when_every_role_signed_it(asked):
    sign_all(asked)
    asked.refresh_from_db()
    schedule_plan(asked, **SAID)
    phase = asked.phases.get()
    signed(phase)

    with pytest.raises(SignoffMissing):
        open_phase(phase, **WHY)
    assert (Plan.objects.get().state, Phase.objects.get().state) == (PlanState.SCHEDULED, PhaseState.PENDING)

    phase.refresh_from_db()
    signed(phase, "VP Product", "paula")
    open_phase(phase, **WHY)

    assert Phase.objects.get().state == PhaseState.OPEN


def test_a_wave_starts_on_what_was_signed_and_on_nothing_else(opened):
    wave = opened.waves.get()
    edit_content(wave, soak=timedelta(hours=6), **WHY)
    wave = announced(opened)

    with pytest.raises(SignoffMissing) as refused:
        start_wave(wave, **SAID)
    assert refused.value.code == "SIGNOFF_MISSING"
    assert [each.code for each in what_keeps(wave, at=AT)] == ["SIGNOFF_MISSING"] * 2

    sign_all(opened)
    wave.refresh_from_db()
    assert start_wave(wave, **SAID) == 2


def test_without_the_hash_a_wave_would_start_on_what_nobody_signed(opened, monkeypatch):
    """The guard: what is signed is the content. Where it is not (one hash for everything), three people move instead of two."""
    edit_content(opened.waves.get(), audience={"limit": 3}, **WHY)
    wave = announced(opened)
    with pytest.raises(SignoffMissing):
        start_wave(wave, **SAID)

    Signoff.objects.update(content_hash="f" * 64)
    monkeypatch.setattr(signoffs, "hash_to_sign", lambda subject: "f" * 64)

    assert start_wave(Wave.objects.get(), **SAID) == 3


@pytest.mark.django_db(transaction=True)
def test_without_the_key_a_role_would_decide_twice(asked, monkeypatch):
    """The guard: one decision of a role on a content. Both looked before the other wrote; only the key stands between them."""
    monkeypatch.setattr(signing, "_require_signable", lambda requirement, content_hash: None)
    signed(asked)
    with pytest.raises(SignedAlready):
        signed(asked, decision=NO, reason="too fast")
    assert Signoff.objects.count() == 1

    all_keys = Signoff._meta.constraints
    key = next(each for each in all_keys if each.name == "rollout_one_decision_of_a_role")
    Signoff._meta.constraints = [each for each in all_keys if each != key]  # SQLite makes the table anew from these
    with connection.schema_editor() as editor:
        editor.remove_constraint(Signoff, key)
    try:
        signed(asked, decision=NO, reason="too fast")
        assert sorted(Signoff.objects.values_list("decision", flat=True)) == ["approved", "rejected"]
    finally:
        Signoff.objects.all().delete()
        Signoff._meta.constraints = all_keys
        with connection.schema_editor() as editor:
            editor.add_constraint(Signoff, key)


def test_a_phase_that_no_role_signs_stands_under_its_plan(signers, customers):
    customers(2)
    plan = create_plan("Winter", phases=[PhaseDraft("Pilot", [WaveDraft("First", Audience(limit=1))])], **SAID)
    require_role(plan, "CTO", **WHY)
    submit_plan(plan, **SAID)
    signed(plan)
    plan.refresh_from_db()
    schedule_plan(plan, **SAID)
    phase = plan.phases.get()
    open_phase(phase, **WHY)
    edit_content(phase.waves.get(), audience={"limit": 2}, **WHY)
    wave = announced(phase)

    with pytest.raises(SignoffMissing):
        start_wave(wave, **SAID)
    signed(Plan.objects.get())
    wave.refresh_from_db()

    assert start_wave(wave, **SAID) == 2
    assert Plan.objects.get().state == PlanState.RUNNING


def test_all_reasons_are_said_at_once(opened):
    edit_content(opened.waves.get(), soak=timedelta(hours=6), **WHY)
    first = add_phase(opened.plan, draft=PhaseDraft("Later", [WaveDraft("W", Audience(limit=1))]), **WHY)
    set_hold(opened, **WHY)
    add_policy(opened.plan, phase=first, name="Early", policy=GATE, **WHY)
    Phase.objects.filter(pk=opened.pk).update(position=70)  # so that the other comes before it, with its gate
    opened.refresh_from_db()
    wave = announced(opened)

    with pytest.raises(GateHeld) as refused:
        start_wave(wave, **SAID)

    assert {each.code for each in what_keeps(wave, at=AT)} == {"GATE_HELD", "WAVE_HELD", "SIGNOFF_MISSING"}
    assert len(refused.value.besides) == 3
    assert "VP Product has not signed since it was edited." in str(refused.value)
    assert wave.state == WaveState.ANNOUNCED


def test_a_role_is_asked_once_and_by_the_name_of_a_group(asked):
    first = SignoffRequirement.objects.get(plan=asked, phase=None, role="CTO")

    assert require_role(asked, "CTO", **WHY) == first
    assert Plan.objects.get().state == PlanState.IN_REVIEW
    with pytest.raises(RoleUnknown):
        require_role(asked, "Emperor", **WHY)


def test_asking_another_role_or_one_less_is_an_edit(asked):
    signed(asked)
    before = content_hash_of(asked)

    added = require_role(asked, "VP Engineering", **WHY)
    assert Plan.objects.get().state == PlanState.DRAFT
    assert content_hash_of(asked) != before
    remove_role(added, **WHY)
    assert content_hash_of(asked) == before
    with pytest.raises(RoleInUse):
        remove_role(SignoffRequirement.objects.get(plan=asked, phase=None, role="CTO"), **WHY)
    with pytest.raises(ReasonMissing):
        remove_role(added, by="alice", at=AT, reason="")


def test_no_role_is_added_or_dropped_once_the_phase_has_started(opened):
    start_wave(announced(opened), **SAID)

    with pytest.raises(ContentFrozen):
        require_role(opened, "VP Engineering", **WHY)


def test_the_evidence_says_what_was_known(opened):
    plan = opened.plan
    Rehearsal.objects.create(
        plan=plan, seed=1, people=1250, content_hash=content_hash_of(plan), digest="d" * 64, is_completed=True, by="alice",
        asked_at=AT, finished_at=AT,
    )  # fmt: skip
    wave = announced(opened)
    people = list(wave.enrolments.values_list("person_id", flat=True))
    RollbackCertificate.objects.create(
        phase=opened, roster=2, roster_digest=roster_digest(people), people=2, effective_ms=1.5, reconciled_ms=200,
        projected_s=0.2, is_exact=True, engine_version="0", by="alice", at=AT,
    )  # fmt: skip
    hold = set_hold(wave, **WHY)

    known = evidence_for(opened, at=AT)

    assert known["rehearsal"]["is_of_this_content"]
    assert known["certificate"]["why_not"].startswith("was measured with engine 0")
    assert known["population"] == [{"wave": "Pilot / First", "people": 2, "left_out": 0, "is_frozen": True}]
    assert known["holds"] == [f"{hold} (“because”, alice)"]
    assert in_words(known) == [
        "Rehearsed (1250 people, nothing goes wrong, seed 1, of this content): completed, 0 broken invariants; "
        "report dddddddddddd.",
        "Rollback of Winter / Pilot measured: 2 of 2 people exactly back in 0.2 s, all of them in 0 s. "
        "It does not count: it was measured with engine 0; this is 1.",
        "Pilot / First: 2 people (frozen).",
        f"Hold: {hold} (“because”, alice)",
    ]


@pytest.mark.parametrize("failed", [RehearsalTooSlow(540), RehearsalBroken("it died.")])
def test_a_rehearsal_without_a_report_is_evidence_of_nothing_and_says_why(asked, failed):
    said = f"{failed.code}: {failed}"
    Rehearsal.objects.create(
        plan=asked, seed=1, people=2, content_hash=content_hash_of(asked), by="alice", asked_at=AT, finished_at=AT, error=said
    )

    shown = in_words(evidence_for(asked, at=AT))[0]

    assert shown == (
        "The latest rehearsal (2 people, nothing goes wrong, seed 1, of this content) has no report: nothing is known from it. "
        f"{said}"
    )


def test_the_evidence_of_a_phase_has_the_verdicts_of_the_gates_before_it(opened):
    later = add_phase(opened.plan, draft=PhaseDraft("Beta", [WaveDraft("W", Audience(limit=1))]), **WHY)
    add_policy(opened.plan, phase=opened, name="Uptime", policy=GATE, **WHY)

    [gate] = evidence_for(later, at=AT)["gates"]

    assert (gate["policy"], gate["verdict"], gate["code"], gate["value"]) == ("Uptime", "hold", "NO_READING", None)
