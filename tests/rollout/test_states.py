"""The state tables: every edge moves, nothing else does, and a race is lost politely."""

import itertools

import pytest
from django.db import IntegrityError, transaction

from rollout.actions.tickets import TicketDraft, open_ticket
from rollout.errors import MoveRefused
from rollout.gates import Severity
from rollout.models import Enrolment, Event, Phase, Plan, Wave
from rollout.states import (
    PERSON_NEXT,
    PHASE_NEXT,
    PLAN_NEXT,
    TICKET_NEXT,
    WAVE_NEXT,
    WORKING,
    PersonState,
    TicketState,
    WaveState,
    sources_of,
)
from tests.rollout.conftest import AT, SAID

TABLES = {"plan": PLAN_NEXT, "phase": PHASE_NEXT, "wave": WAVE_NEXT, "person": PERSON_NEXT, "ticket": TICKET_NEXT}
BACK = {WaveState.ROLLING_BACK, WaveState.ROLLED_BACK}


@pytest.mark.parametrize("name", TABLES)
def test_every_state_has_a_row_and_can_be_reached(name):
    table = TABLES[name]
    first = next(iter(table))

    reached, waiting = {first}, [first]
    while waiting:
        following = table[waiting.pop()] - reached
        reached |= following
        waiting += following

    assert set(table) == set(type(first))
    assert reached == set(table)


@pytest.mark.parametrize("name", TABLES)
def test_sources_of_is_the_table_read_backwards(name):
    table = TABLES[name]

    assert {(a, b) for b in table for a in sources_of(table, b)} == {(a, b) for a, targets in table.items() for b in targets}


def wave_changes(state):
    return {"revoked_at": AT if state in BACK else None}


def person_changes(state):
    leased = state in WORKING
    return {
        "lease_token": "5b0a2a3e-6c0e-4a43-8a0e-0a8f7a3d6a10" if leased else None,
        "lease_until": AT if leased else None,
        "is_live": state not in {PersonState.EXCLUDED, PersonState.REMOVED},
    }


def ticket_changes(state):
    return {
        "answered_at": None if state == TicketState.OPEN else AT,
        "resolved_at": AT if state == TicketState.RESOLVED else None,
    }


@pytest.fixture
def rows(planned, customer):
    """One row of each kind that has a state, with what its constraints ask for in a state."""
    wave = planned(limit=1)
    person = Enrolment.objects.create(plan=wave.phase.plan, wave=wave, person=customer("bob"), updated_at=AT)
    return {
        "plan": (wave.phase.plan, lambda state: {}),
        "phase": (wave.phase, lambda state: {}),
        "wave": (wave, wave_changes),
        "person": (person, person_changes),
        "ticket": (open_ticket(person.person, TicketDraft(Severity.LOW, "It looks odd"), **SAID), ticket_changes),
    }


@pytest.mark.parametrize("name", TABLES)
def test_move_goes_along_every_edge_and_along_nothing_else(rows, name):
    row, needs = rows[name]
    model = type(row)

    for start, end in itertools.product(TABLES[name], repeat=2):
        model.objects.filter(pk=row.pk).update(state=start, version=7, **needs(start))
        before = Event.objects.count()

        moved = model.move(row.pk, to=end, version=7, **needs(end), **SAID)

        row.refresh_from_db()
        assert moved == (end in TABLES[name][start]), (start, end)
        assert (row.state, row.version) == ((end, 8) if moved else (start, 7))
        assert Event.objects.count() - before == moved


def test_move_writes_who_when_and_why(rows):
    wave, _ = rows["wave"]

    assert Wave.move(wave.pk, to=WaveState.LOCKED, version=wave.version, reason="ready", **SAID)

    event = Event.objects.about("wave", wave.pk).last()
    assert (event.kind, event.from_state, event.to_state, event.by, event.reason, event.at) == (
        "moved", "planned", "locked", "alice", "ready", AT,
    )  # fmt: skip


def test_move_with_a_stale_version_changes_nothing(rows):
    wave, _ = rows["wave"]
    Wave.move(wave.pk, to=WaveState.LOCKED, version=wave.version, **SAID)

    assert not Wave.move(wave.pk, to=WaveState.CANCELLED, version=wave.version, **SAID)

    wave.refresh_from_db()
    assert wave.state == WaveState.LOCKED


def test_step_says_what_the_row_has_become(rows):
    wave, _ = rows["wave"]
    stale = Wave.objects.get(pk=wave.pk)
    wave.step(WaveState.CANCELLED, **SAID)

    with pytest.raises(MoveRefused, match="is cancelled and cannot become locked"):
        stale.step(WaveState.LOCKED, **SAID)

    assert stale.state == WaveState.CANCELLED


def test_move_many_moves_what_may_move_and_says_which(planned, customers):
    wave = planned(limit=3)
    rows = [
        Enrolment.objects.create(plan=wave.phase.plan, wave=wave, person=person, state=state, updated_at=AT)
        for person, state in zip(customers(3), [PersonState.ENROLLED, PersonState.QUEUED, PersonState.ENROLLED], strict=True)
    ]

    moved = Enrolment.move_many(wave.enrolments.all(), to=PersonState.NOTIFIED, **SAID)

    assert moved == [rows[0].pk, rows[2].pk]
    assert wave.members_by_state() == {PersonState.NOTIFIED: 2, PersonState.QUEUED: 1}
    assert set(Event.objects.filter(to_state="notified").values_list("subject_pk", flat=True)) == set(moved)


def test_move_many_through_a_state_records_both_moves_and_writes_each_row_once(planned, customers):
    wave = planned(limit=3)
    states = [PersonState.SWITCHED, PersonState.ROLLING_BACK, PersonState.QUEUED]
    rows = [
        Enrolment.objects.create(plan=wave.phase.plan, wave=wave, person=person, state=state, updated_at=AT)
        for person, state in zip(customers(3), states, strict=True)
    ]

    moved = Enrolment.move_many(wave.enrolments.all(), to=PersonState.ROLLED_BACK, through=PersonState.ROLLING_BACK, **SAID)

    assert moved == [rows[0].pk, rows[1].pk]
    assert list(wave.enrolments.order_by("pk").values_list("state", "version")) == [
        ("rolled_back", 3), ("rolled_back", 2), ("queued", 1),
    ]  # fmt: skip
    events = Event.objects.filter(subject="enrolment").order_by("subject_pk", "pk")
    assert list(events.values_list("subject_pk", "from_state", "to_state")) == [
        (rows[0].pk, "switched", "rolling_back"),
        (rows[0].pk, "rolling_back", "rolled_back"),
        (rows[1].pk, "rolling_back", "rolled_back"),
    ]


@pytest.mark.parametrize(("model", "name"), [(Plan, "plan"), (Phase, "phase"), (Wave, "wave"), (Enrolment, "person")])
def test_the_database_refuses_a_state_that_no_table_has(rows, model, name):
    row, _ = rows[name]

    with pytest.raises(IntegrityError), transaction.atomic():
        model.objects.filter(pk=row.pk).update(state="asleep")


def test_a_person_has_one_live_place(planned, customer):
    bob = customer("bob")
    first, second = planned(limit=1), planned(limit=1)
    Enrolment.objects.create(plan=first.phase.plan, wave=first, person=bob, updated_at=AT)

    with pytest.raises(IntegrityError), transaction.atomic():
        Enrolment.objects.create(plan=second.phase.plan, wave=second, person=bob, updated_at=AT)
    Enrolment.objects.create(plan=second.phase.plan, wave=second, person=bob, is_live=False, updated_at=AT)


@pytest.mark.parametrize(
    "broken",
    [
        {"state": PersonState.TRANSLATING},
        {"state": PersonState.QUEUED, "lease_token": "5b0a2a3e-6c0e-4a43-8a0e-0a8f7a3d6a10", "lease_until": AT},
        {"state": PersonState.SWITCHED, "is_live": False},
        {"state": PersonState.EXCLUDED, "is_live": True},
    ],
    ids=["work without a lease", "lease without work", "on slots, not live", "gone, yet live"],
)
def test_the_database_refuses_rows_that_contradict_themselves(rows, broken):
    row, _ = rows["person"]

    with pytest.raises(IntegrityError), transaction.atomic():
        Enrolment.objects.filter(pk=row.pk).update(**broken)


def test_the_database_refuses_a_revoked_wave_that_does_not_go_back(rows):
    wave, _ = rows["wave"]

    with pytest.raises(IntegrityError), transaction.atomic():
        Wave.objects.filter(pk=wave.pk).update(revoked_at=AT)
    with pytest.raises(IntegrityError), transaction.atomic():
        Wave.objects.filter(pk=wave.pk).update(state=WaveState.ROLLING_BACK)
