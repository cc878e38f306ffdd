"""Holds, windows and the freeze: a held wave claims nobody, one hold never resumes past another, and going back never waits."""

from datetime import UTC, datetime, time, timedelta

import pytest
from django.db import IntegrityError, connection, transaction

from rollout.actions import chunks, claims, holds
from rollout.actions.accounts import outcome
from rollout.actions.chunks import claim, process_chunk
from rollout.actions.due import do_what_is_due, waves_to_wake
from rollout.actions.holds import (
    add_window,
    clear_hold,
    freeze,
    holds_on,
    is_frozen,
    remove_window,
    resume_wave,
    set_hold,
    unfreeze,
)
from rollout.actions.plans import PhaseDraft, add_phase, create_plan, submit_plan
from rollout.actions.rollback import roll_back_wave
from rollout.actions.waves import announce_wave, lock_wave, start_wave
from rollout.errors import HoldBound, MoveRefused, ReasonMissing, WaveHeld
from rollout.gates import Window as Hours
from rollout.models import Event, Hold, HoldKind, Plan, Snapshot, Wave, Window
from rollout.states import HoldState, PersonState, PlanState, WaveState
from tests.rollout.conftest import AT, SAID

pytestmark = pytest.mark.django_db
WHY = {**SAID, "reason": "because"}
NIGHT = {"opens": time(2), "closes": time(4), "days": [0, 1, 2, 3, 4, 5, 6]}


def hold_it(what, wave):
    """Hold a wave in one of the ways there are."""
    scopes = {"wave": wave, "phase": wave.phase, "plan": wave.phase.plan}
    if what == "freeze":
        freeze(**WHY)
    elif what == "window":
        Window.objects.create(plan=wave.phase.plan, zone="UTC", **NIGHT)
    else:
        set_hold(scopes[what], **WHY)


WAYS = ["wave", "phase", "plan", "freeze", "window"]


@pytest.mark.parametrize("way", WAYS)
def test_a_held_wave_claims_nobody_and_wakes_nobody(customers, started, clock, way):
    wave = started(*customers(2))
    hold_it(way, wave)

    report = process_chunk(wave, clock=clock)

    assert (report.claimed, report.remaining) == (0, 2)
    assert wave.members_by_state() == {PersonState.QUEUED: 2}
    assert do_what_is_due(at=clock()).wake == []
    assert outcome(wave, at=clock()).held


def test_without_the_hold_in_the_way_everybody_is_claimed(customers, started, clock, monkeypatch):
    wave = started(*customers(2))
    freeze(**WHY)
    for module in (claims, chunks):
        monkeypatch.setattr(module, "holds_on", lambda wave, at: [])

    assert process_chunk(wave, clock=clock).switched == 2


@pytest.mark.parametrize("way", WAYS)
def test_a_held_wave_does_not_start(customers, planned, way):
    customers(1)
    wave = planned(limit=1)
    lock_wave(wave, **SAID)
    announce_wave(wave, **WHY)
    hold_it(way, wave)

    with pytest.raises(WaveHeld, match=r"is held: .+\. Clear what holds it"):
        start_wave(wave, **SAID)

    assert (Wave.objects.get(pk=wave.pk).state, wave.members_by_state()) == (WaveState.ANNOUNCED, {PersonState.NOTIFIED: 1})


@pytest.mark.parametrize("way", WAYS)
def test_going_back_waits_for_nothing(customers, started, clock, way):
    wave = started(*customers(2))
    process_chunk(wave, clock=clock, size=1)
    hold_it(way, wave)

    assert roll_back_wave(wave, **WHY).rolled_back == 1
    assert wave.state == WaveState.ROLLED_BACK


def carry_on(lease, clock):
    """Let a worker go on with whom it has claimed, and return its report."""
    report = chunks.ChunkReport()
    chunks._Chunk(lease, clock, "worker", report).run()
    return report


SET = [way for way in WAYS if way != "window"]


@pytest.mark.parametrize("way", SET)
def test_who_is_in_work_when_a_hold_is_set_is_queued_again_before_the_switch(customers, started, clock, way):
    wave = started(*customers(3))
    lease = claim(wave, size=2, at=clock())
    hold_it(way, wave)

    report = carry_on(lease, clock)

    assert (report.switched, report.held, report.lost) == (0, 2, 0)
    assert wave.members_by_state() == {PersonState.QUEUED: 3}
    assert set(wave.enrolments.values_list("tries", "lease_token")) == {(0, None)}  # nothing failed, so no try was used up
    assert Snapshot.objects.count() == 0
    assert process_chunk(wave, clock=clock).claimed == 0


def test_without_the_look_before_the_switch_a_hold_would_stop_nobody_in_work(customers, started, clock, monkeypatch):
    wave = started(*customers(2))
    lease = claim(wave, size=2, at=clock())
    freeze(**WHY)
    monkeypatch.setattr(chunks, "holds_on", lambda wave, at: [])

    assert carry_on(lease, clock).switched == 2


def test_who_is_in_flight_when_the_window_closes_finishes(customers, started, clock):
    wave = started(*customers(3))
    lease = claim(wave, size=2, at=clock())
    hold_it("window", wave)

    assert carry_on(lease, clock).switched == 2
    assert process_chunk(wave, clock=clock).claimed == 0


def test_clearing_one_hold_does_not_resume_past_another(customers, started, clock):
    wave = started(*customers(1))
    incident = set_hold(wave.phase, kind=HoldKind.INCIDENT, **WHY)
    set_hold(wave, **WHY)
    set_hold(wave, **WHY)
    freeze(**WHY)

    left = resume_wave(wave, **WHY)
    assert {each.kind for each in left} == {HoldKind.INCIDENT, HoldKind.FREEZE}
    clear_hold(incident, **WHY)
    assert process_chunk(wave, clock=clock).claimed == 0
    unfreeze(**WHY)

    assert process_chunk(wave, clock=clock).switched == 1


def test_a_hold_is_of_its_own_wave_phase_or_plan_only(customers, started, clock, phase):
    people = customers(2)
    first, second = started(people[0]), started(people[1])
    set_hold(first, **WHY)
    set_hold(add_phase(phase.plan, draft=PhaseDraft("Beta"), **SAID), **WHY)
    set_hold(Plan.objects.create(name="Winter", state="running", salt="s", author="a", created_at=AT), **WHY)

    assert holds_on(second, at=AT) == []
    assert waves_to_wake(at=AT) == [second.pk]
    assert process_chunk(second, clock=clock).switched == 1


def test_the_record_says_who_held_what_why_and_who_cleared_it(customers, started):
    wave = started(*customers(1))
    hold = set_hold(wave, by="alice", at=AT, reason="smoke")
    clear_hold(hold, by="dora", at=AT + timedelta(hours=1), reason="put out")

    hold.refresh_from_db()
    assert (hold.set_by, hold.cleared_by, hold.cleared_reason, hold.state) == ("alice", "dora", "put out", HoldState.CLEARED)
    events = Event.objects.about("hold", hold.pk).values_list("kind", "by", "reason")
    assert list(events) == [("hold_set", "alice", "smoke"), ("moved", "dora", "put out")]


def test_a_hold_that_is_cleared_is_not_cleared_again(customers, started):
    hold = set_hold(started(*customers(1)), **WHY)
    stale = Hold.objects.get(pk=hold.pk)
    clear_hold(hold, **WHY)

    with pytest.raises(MoveRefused):
        clear_hold(stale, by="dora", at=AT, reason="me too")
    assert Hold.objects.get(pk=hold.pk).cleared_by == "alice"


def test_holds_that_follow_from_something_else_are_not_set_or_cleared_by_hand(phase):
    freeze(**WHY)

    for kind in (HoldKind.GUARD, HoldKind.FREEZE, HoldKind.WINDOW):
        with pytest.raises(HoldBound):
            set_hold(phase, kind=kind, **WHY)
    with pytest.raises(HoldBound):
        clear_hold(Hold.objects.get(), **WHY)
    assert is_frozen()


def test_freezing_and_clearing_need_a_reason(phase):
    hold = set_hold(phase, **WHY)

    for act in (freeze, unfreeze):
        with pytest.raises(ReasonMissing):
            act(reason=" ", **SAID)
    for act, subject in ((set_hold, phase), (clear_hold, hold), (resume_wave, Wave())):
        with pytest.raises(ReasonMissing):
            act(subject, reason="", **SAID)


def test_freezing_twice_freezes_once(db):
    assert freeze(**WHY)
    assert not freeze(**WHY)
    assert unfreeze(**WHY)
    assert not unfreeze(**WHY)
    assert (Hold.objects.count(), Event.objects.filter(subject="hold").count()) == (1, 2)


def test_two_who_freeze_at_the_same_moment_are_kept_apart_by_the_key(db, monkeypatch):
    monkeypatch.setattr(holds, "is_frozen", lambda: False)  # each looked before the other wrote
    assert [freeze(**WHY), freeze(**WHY)] == [True, False]

    with connection.cursor() as cursor:
        cursor.execute("DROP INDEX rollout_one_freeze")
    assert freeze(**WHY), "without the key there are two freezes, and taking one off would resume past the other"
    assert Hold.objects.standing().count() == 2


def test_a_window_lets_people_through_while_it_is_open_only(customers, started, clock):
    wave = started(*customers(3))
    Window.objects.create(plan=wave.phase.plan, zone="UTC", **NIGHT)
    clock.now = datetime(2026, 11, 24, 3, 59, 59, tzinfo=UTC)
    assert process_chunk(wave, clock=clock, size=1).switched == 1

    clock.advance(1)
    (closed,) = holds_on(wave, at=clock())

    assert (closed.kind, closed.text) == (HoldKind.WINDOW, "Window is closed. It opens at 2026-11-25T02:00:00+00:00.")
    assert process_chunk(wave, clock=clock, size=1).claimed == 0


def test_a_window_in_another_zone_opens_at_its_own_night_on_both_sides_of_the_change_of_time(customers, started):
    wave = started(*customers(1))
    Window.objects.create(plan=wave.phase.plan, zone="Europe/Berlin", **NIGHT)

    def is_held(text):
        return bool(holds_on(wave, at=datetime.fromisoformat(text).replace(tzinfo=UTC)))

    assert [is_held("2026-03-28 00:59"), is_held("2026-03-28 01:00")] == [True, False]  # winter: 02:00 is 01:00 UTC
    assert [is_held("2026-03-29 01:59"), is_held("2026-03-29 02:00")] == [False, True]  # one hour, since 02:00 to 03:00 is none
    assert [is_held("2026-03-30 00:00"), is_held("2026-03-30 02:00")] == [False, True]  # summer: 02:00 is 00:00 UTC
    assert [is_held("2026-10-25 00:00"), is_held("2026-10-25 02:59"), is_held("2026-10-25 03:00")] == [False, False, True]


def test_a_phase_with_windows_of_its_own_heeds_only_those(customers, started):
    wave = started(*customers(1))
    Window.objects.create(plan=wave.phase.plan, zone="UTC", **NIGHT)
    Window.objects.create(plan=wave.phase.plan, phase=wave.phase, zone="UTC", opens=time(9), closes=time(10), days=[0])

    assert holds_on(wave, at=AT) == []
    assert holds_on(wave, at=datetime(2026, 11, 24, 3, tzinfo=UTC)) != []


def test_a_window_that_two_take_off_is_taken_off_once(db):
    draft = create_plan("Winter", phases=[PhaseDraft("Pilot")], **SAID)
    row = add_window(draft, window=Hours("UTC", time(2), time(4), (0, 1)), **WHY)
    other = Window.objects.get(pk=row.pk)
    remove_window(row, **WHY)
    submit_plan(draft, **SAID)

    remove_window(other, **WHY)

    draft.refresh_from_db()
    assert draft.state == PlanState.IN_REVIEW, "nothing of it was edited"
    assert Event.objects.filter(kind="window_removed").count() == 1


def test_a_window_that_cannot_be_read_is_closed(customers, started, clock):
    wave = started(*customers(1))
    Window.objects.create(plan=wave.phase.plan, zone="Europe/Berlin", **{**NIGHT, "days": "whenever"})
    Window.objects.update(zone="Nowhere/City")

    (closed,) = holds_on(wave, at=AT)

    assert (closed.kind, "Nowhere/City" in closed.text) == (HoldKind.WINDOW, True)
    assert process_chunk(wave, clock=clock).claimed == 0


def test_a_weekly_window_whose_night_lacks_its_hour_opens_the_week_after(customers, started):
    wave = started(*customers(1))
    Window.objects.create(plan=wave.phase.plan, zone="Europe/Berlin", opens=time(2, 10), closes=time(2, 50), days=[6])

    (closed,) = holds_on(wave, at=datetime(2026, 3, 28, 12, tzinfo=UTC))

    assert "2026-04-05T00:10" in closed.text  # the next Sunday is the one whose night lacks that hour


def test_a_guards_hold_without_its_breach_is_refused(phase):
    with pytest.raises(IntegrityError), transaction.atomic():
        Hold.objects.create(kind=HoldKind.GUARD, phase=phase, reason="x", set_by="alice", set_at=AT)
