"""Acts on many: what is previewed is what is done, less what is explained."""

import random
from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.db.models import F
from django.test.utils import CaptureQueriesContext

from migration.models import Person
from rollout.actions.bulk import BY_NAME, facts_of
from rollout.actions.chunks import process_chunk
from rollout.actions.criteria import Criteria, rows_meant
from rollout.actions.holds import set_hold
from rollout.actions.rollback import roll_back_person
from rollout.actions.selection_parts import A_REST, FORGOTTEN, apply_part
from rollout.actions.selection_rows import done_so_far, rows_listed, selection_as_json
from rollout.actions.selections import begin_selection, freeze_selection
from rollout.actions.waves import lock_wave, reschedule_wave
from rollout.errors import ReasonMissing, SelectionChanged, SelectionInvalid, SelectionTooLarge, SelectionUsed
from rollout.jobs import carry_out
from rollout.models import Enrolment, Event, Plan, Selection, SelectionPart, Snapshot, Wave
from rollout.selecting import PEOPLE, PHASES, WAVES
from rollout.states import STUCK, WORKING, PersonState, WaveState
from tests.rollout.conftest import AT, SAID, WHY
from tests.rollout.telling import DAY, dated, write_notice

pytestmark = pytest.mark.django_db
ENTERED = {"retry": PersonState.QUEUED, "exclude": PersonState.EXCLUDED, "rollback": PersonState.ENROLLED}
# States that rows can be in without a lease and without a snapshot, whether they are live
IDLE = [*(set(PersonState) - WORKING - {PersonState.ROLLING_BACK, PersonState.SWITCHED, PersonState.SETTLED})]
LIVE_ALWAYS = {PersonState.QUEUED, PersonState.RETRY_WAIT}
NEVER_LIVE = {PersonState.EXCLUDED, PersonState.REMOVED, PersonState.DEFERRED}


def frozen(rows, act="exclude", **options):
    return freeze_selection(rows, act, criteria="some", options=options, **SAID)


def carried_out(selection):
    begin_selection(selection, digest=selection.digest, **WHY)
    carry_out(selection)
    selection.refresh_from_db()
    return selection


def taken(selection):
    return {pk for part in selection.parts.filter(is_taken=True) for pk in part.keys}


def unapplied(selection):
    return {row[0]: row[1:] for part in selection.parts.filter(is_taken=True) for row in part.unapplied}


@pytest.fixture
def crowd(phase):
    """What makes so many people in a wave at work, each in a state of chance's."""

    def make(count, chance):
        wave = Wave.objects.create(phase=phase, position=9, name="Crowd", state=WaveState.RUNNING, size=count)
        people = Person.objects.bulk_create(Person(user=f"p{number}") for number in range(count))
        rows = []
        for person in people:
            state = chance.choice(IDLE)
            is_live = state in LIVE_ALWAYS or (state not in NEVER_LIVE and chance.random() < 0.8)
            rows.append(Enrolment(plan_id=phase.plan_id, wave=wave, person=person, state=state, is_live=is_live, updated_at=AT))
        Enrolment.objects.bulk_create(rows)
        return wave

    return make


def change_some(wave, chance):
    """Move some rows as others would between preview and act, and return their keys."""
    pks = list(wave.enrolments.values_list("pk", flat=True))
    moved = chance.sample(pks, chance.randrange(len(pks) // 4))
    for to in (PersonState.VALIDATION_FAILED, PersonState.NOTIFIED, PersonState.REMOVED):
        group = [pk for pk in moved if pk % 3 == list(PersonState).index(to) % 3]
        rows = wave.enrolments.filter(pk__in=group)
        rows.update(state=to, version=F("version") + 1, is_live=to != PersonState.REMOVED)
    return set(moved)


def prove(wave, chance, number):
    """Select at random, let rows change, apply, and compare what was done with what was shown."""
    act = chance.choice(sorted(ENTERED))
    rows = wave.enrolments.filter(state__in=chance.sample(IDLE, chance.randrange(1, len(IDLE))))
    selection = frozen(rows, act)
    previewed = taken(selection)
    changed = change_some(wave, chance)
    before = Event.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    carried_out(selection)
    entered = Event.objects.filter(pk__gt=before, kind="moved", to_state=ENTERED[act], subject="enrolment")
    acted_on = set(entered.values_list("subject_pk", flat=True))
    explained = unapplied(selection)
    assert acted_on == previewed - set(explained), (number, act)
    assert set(explained) <= previewed & changed, (number, act)
    assert (selection.taken, selection.applied, selection.explained) == (len(previewed), len(acted_on), len(explained))
    assert all(name and code and text for name, code, text in explained.values())
    labels = {row.pk: row.state_label for row in wave.enrolments.filter(pk__in=list(explained))}
    assert all(labels[pk] in text for pk, (_, code, text) in explained.items() if code in ("MOVED", "STATE"))


def prove_many(wave, chance, count):
    for number in range(count):
        with transaction.atomic():
            prove(wave, chance, number)
            transaction.set_rollback(True)


def test_what_is_applied_is_what_was_previewed_less_what_is_explained(crowd):
    chance = random.Random(1)
    prove_many(crowd(300, chance), chance, 20)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2, 6))
def test_the_same_of_two_hundred_selections_of_ten_thousand_people(crowd, seed):
    chance = random.Random(seed)
    prove_many(crowd(10_000, chance), chance, 50)


def test_without_the_second_look_rows_are_acted_on_that_nobody_was_shown_so(crowd, monkeypatch):
    chance = random.Random(1)
    wave = crowd(300, chance)
    monkeypatch.setattr("rollout.actions.selection_parts.decide_again", lambda rule, row, version, terms=None: None)

    with pytest.raises(AssertionError):
        prove_many(wave, chance, 20)


def test_a_preview_writes_nothing_but_itself_and_counts_everybody_with_reasons(started, customers):
    wave = started(*customers(4))
    Enrolment.objects.filter(person__user="c1").update(state=PersonState.VALIDATION_FAILED, code="DIFFERS")
    before = Event.objects.count()

    selection = frozen(wave.enrolments.all(), "retry")

    assert (selection.looked_at, selection.taken, selection.left_out) == (4, 1, 3)
    assert selection.reasons == [["STATE", "It is queued.", 3]]
    assert Event.objects.count() == before
    assert Enrolment.objects.get(person__user="c1").state == PersonState.VALIDATION_FAILED


def test_failed_people_are_queued_again_and_the_waves_to_wake_are_said(started, customers):
    wave = started(*customers(3))
    wave.enrolments.update(state=PersonState.NEEDS_ATTENTION, code="OOPS", tries=3)
    selection = frozen(wave.enrolments.filter(state__in=STUCK), "retry")
    begin_selection(selection, digest=selection.digest, **WHY)

    assert apply_part(selection, at=AT) == {wave.pk}
    assert apply_part(selection, at=AT) is None
    assert wave.members_by_state() == {PersonState.QUEUED: 3}
    assert set(wave.enrolments.values_list("tries", "code")) == {(0, "")}
    assert selection.finished_at == AT


def test_people_on_slots_are_taken_back_together_as_one_alone_is(started, customers, clock):
    people = customers(3)
    wave = started(*people)
    process_chunk(wave, clock=clock)
    roll_back_person(people[0], **WHY)

    done = carried_out(frozen(wave.enrolments.all(), "rollback"))

    assert (done.looked_at, done.taken, done.applied) == (3, 2, 2)
    assert wave.members_by_state() == {PersonState.ROLLED_BACK: 3}
    kinds = [
        list(Event.objects.about("enrolment", row.pk).values_list("kind", "from_state", "to_state"))
        for row in wave.enrolments.all()
    ]
    assert kinds[0] == kinds[1] == kinds[2]
    assert not Snapshot.objects.standing().exists()


def test_whoever_settled_since_the_preview_is_taken_back_all_the_same(started, customers, clock):
    wave = started(*customers(2))
    process_chunk(wave, clock=clock)
    selection = frozen(wave.enrolments.all(), "rollback")
    row = wave.enrolments.first()
    row.step(PersonState.SETTLED, **SAID)

    assert carried_out(selection).applied == 2


def test_people_are_deferred_and_come_back_and_who_may_not_is_named_before(customers, planned):
    first, later = planned(*customers(3)), planned(name="Later")
    Wave.objects.filter(pk=first.pk).update(starts_at=AT + timedelta(days=10))
    Wave.objects.filter(pk=later.pk).update(starts_at=AT + timedelta(days=12))
    first.refresh_from_db()
    lock_wave(first, **SAID)
    Enrolment.objects.filter(person__user="c2").update(deferrals=1)

    selection = frozen(first.enrolments.all(), "defer", to=later.pk)
    assert (selection.taken, selection.reasons[0][0]) == (2, "DEFERRAL_LIMIT")
    assert carried_out(selection).applied == 2
    assert set(later.enrolments.values_list("person__user", flat=True)) == {"c1", "c3"}

    back = carried_out(frozen(first.enrolments.all(), "withdraw"))
    assert (back.taken, back.applied) == (2, 2)
    assert first.members_by_state() == {PersonState.ENROLLED: 3}


def test_deferring_and_coming_back_cost_the_same_queries_for_two_and_for_many(customers, planned, phase):
    people = customers(10)
    write_notice(phase.plan)
    later = dated(planned("Later"), AT + 12 * DAY)
    costs = []
    for group in (people[:2], people[2:]):
        first = dated(planned(*group))
        lock_wave(first, **SAID)
        for act, options in (("defer", {"to": later.pk}), ("withdraw", {})):
            selection = frozen(first.enrolments.all(), act, **options)
            begin_selection(selection, digest=selection.digest, **WHY)
            with CaptureQueriesContext(connection) as queries:
                apply_part(selection, at=AT)
            assert (act, selection.applied) == (act, len(group))
            costs.append(len(queries))

    assert costs[:2] == costs[2:]


def test_whose_later_wave_has_begun_with_them_is_named_and_the_others_come_back(customers, planned, phase):
    first, later = dated(planned(*customers(2))), dated(planned("Later"), AT + 12 * DAY)
    lock_wave(first, **SAID)
    carried_out(frozen(first.enrolments.all(), "defer", to=later.pk))
    one = later.enrolments.order_by("pk").first()
    Enrolment.objects.filter(pk=one.pk).update(state=PersonState.QUEUED)

    back = carried_out(frozen(first.enrolments.all(), "withdraw"))

    assert (back.taken, back.applied, [row[0] for row in back.changes]) == (2, 1, ["DEFERRAL_TOO_LATE"])
    assert first.members_by_state() == {PersonState.ENROLLED: 1, PersonState.DEFERRED: 1}
    assert set(later.enrolments.values_list("state", flat=True)) == {PersonState.QUEUED, PersonState.REMOVED}


@pytest.mark.parametrize(("size", "back_in"), [(1_000, "Middle 2"), (1, "First 1")])
def test_who_was_deferred_twice_comes_back_once_and_the_others_too(customers, planned, phase, in_parts_of, size, back_in):
    Plan.objects.update(max_deferrals=2)
    ann, ben = customers(2)
    first, middle, last = planned(ann, ben, name="First"), planned(name="Middle"), planned(name="Last")
    for wave, days in ((first, 1), (middle, 5), (last, 9)):
        dated(wave, AT + days * DAY)
    lock_wave(first, **SAID)
    carried_out(frozen(first.enrolments.all(), "defer", to=middle.pk))
    carried_out(frozen(middle.enrolments.filter(person=ann), "defer", to=last.pk))
    in_parts_of("withdraw", size)

    back = carried_out(frozen(Enrolment.objects.all(), "withdraw"))

    live = Enrolment.objects.live().values_list("person__user", "wave__name")
    assert dict(live) == {ann.user: back_in, ben.user: "First 1"}
    assert (back.taken, back.applied, back.given_up, [row[0] for row in back.changes]) == (3, 2, 0, ["DEFERRAL_TOO_LATE"])
    assert set(last.enrolments.values_list("state", flat=True)) == {PersonState.REMOVED}


def test_a_wave_that_nobody_is_deferred_to_is_said_at_the_preview(customers, planned):
    first, later = planned(*customers(1)), planned(name="Later")
    lock_wave(first, **SAID)

    selection = frozen(first.enrolments.all(), "defer", to=later.pk)

    assert (selection.taken, [row[0] for row in selection.reasons]) == (0, ["DEFERRAL_MISPLACED"])


def test_people_are_proven_ahead(customers, planned):
    wave = planned(*customers(2))
    lock_wave(wave, **SAID)

    assert carried_out(frozen(wave.enrolments.all(), "prevalidate")).applied == 2
    proven = Event.objects.filter(kind="proven_ahead", subject="enrolment", by=WHY["by"], reason=WHY["reason"])
    assert list(proven.values_list("subject_pk", flat=True)) == sorted(wave.enrolments.values_list("pk", flat=True))
    assert set(Person.objects.values_list("customizations__state", flat=True)) == {"validated"}


def test_waves_and_phases_go_the_same_way_and_what_the_act_refuses_is_named(phase, customers, planned):
    people = customers(2)
    waves = [planned(people[0]), planned(people[1]), planned(people[0])]
    lock_wave(waves[1], **SAID)

    done = carried_out(frozen(phase.waves.all(), "lock"))

    assert (done.looked_at, done.taken, done.applied) == (3, 2, 1)
    assert done.changes[0][0] == "AUDIENCE_EMPTY", "the first wave took whom the third one would have had"
    assert unapplied(done)[waves[2].pk][0] == str(waves[2])
    assert carried_out(frozen(type(phase).objects.filter(pk=phase.pk), "pause")).applied == 1


def test_a_wave_that_is_added_while_waves_are_read_is_in_the_way_of_nobody(phase, customers, planned):
    planned(*customers(1))
    reads = []

    def add(execute, sql, *given):
        if sql.startswith("SELECT") and ' FROM "rollout_wave"' in sql:
            reads.append(sql)
            if len(reads) == 2:
                planned("ghost")
        return execute(sql, *given)

    with connection.execute_wrapper(add):
        selection = frozen(phase.waves.all(), "lock")

    assert (selection.looked_at, selection.taken) == (1, 1)


def test_a_wave_that_is_moved_after_it_was_decided_is_refused_and_named(customers, planned):
    moved, gone = planned(*customers(1)), planned("ghost")
    lock_wave(moved, **SAID)
    decided = [*facts_of(Wave.objects.filter(pk__in=(moved.pk, gone.pk)))]
    reschedule_wave(moved, **WHY)
    lock_wave(moved, **SAID)
    gone.delete()

    refused = BY_NAME["wave", "announce"].run(decided, WHY, {})

    assert [(pk, code) for pk, code, _ in refused] == [(decided[0].pk, "MOVE_REFUSED"), (decided[1].pk, "GONE")]
    assert Wave.objects.get(pk=moved.pk).state == WaveState.LOCKED


def test_a_selection_is_confirmed_as_it_was_shown_once_and_with_a_reason(started, customers):
    selection = frozen(started(*customers(1)).enrolments.all())

    with pytest.raises(ReasonMissing):
        begin_selection(selection, digest=selection.digest, by="alice", at=AT, reason=" ")
    with pytest.raises(SelectionChanged):
        begin_selection(selection, digest="0" * 64, **WHY)
    begin_selection(selection, digest=selection.digest, **WHY)
    with pytest.raises(SelectionUsed):
        begin_selection(Selection.objects.get(pk=selection.pk), digest=selection.digest, **WHY)


def test_the_hash_is_of_the_act_and_of_every_row_as_it_was_seen(started, customers):
    wave = started(*customers(2))
    first = frozen(wave.enrolments.all()).digest

    assert frozen(wave.enrolments.all()).digest == first
    assert frozen(wave.enrolments.all(), "rollback").digest != first
    wave.enrolments.filter(person__user="c1").update(version=F("version") + 1)
    assert frozen(wave.enrolments.all()).digest != first


def test_parts_are_of_one_size_and_nothing_is_left_where_nobody_is_meant(started, customers, monkeypatch):
    wave = started(*customers(3))
    monkeypatch.setattr("rollout.actions.selections.LEFT_AT_ONCE", 2)

    selection = carried_out(frozen(wave.enrolments.all(), "withdraw"))

    assert [len(part.keys) for part in SelectionPart.objects.all()] == [2, 1]
    assert (selection.taken, selection.applied, selection.finished_at is not None) == (0, 0, True)


@pytest.mark.parametrize(("stored", "now"), [(2, 1_000), (2, 1), (1_000, 2)])
def test_a_selection_is_shown_by_the_parts_it_has_though_the_act_takes_others_by_now(
    started, customers, monkeypatch, in_parts_of, stored, now
):
    wave = started(*customers(5))
    monkeypatch.setattr("rollout.actions.selections.LEFT_AT_ONCE", stored)
    in_parts_of("exclude", stored)
    selection, left = frozen(wave.enrolments.all()), frozen(wave.enrolments.all(), "withdraw")
    in_parts_of("exclude", now)
    monkeypatch.setattr("rollout.actions.selections.LEFT_AT_ONCE", now)

    pks = list(wave.enrolments.order_by("pk").values_list("pk", flat=True))
    for shown, which in ((selection, "taken"), (left, "left")):
        assert [[row.pk for row in rows_listed(shown, which, start, 2)] for start in (0, 2, 4)] == [pks[:2], pks[2:4], pks[4:]]

    begin_selection(selection, digest=selection.digest, **WHY)
    parts = selection.parts.filter(is_taken=True).order_by("-position")
    counts = [len(part.keys) for part in parts]
    for done, part in enumerate(parts, 1):  # the last one, which is shorter, first
        SelectionPart.objects.filter(pk=part.pk).update(applied_at=AT)
        assert done_so_far(selection) == sum(counts[:done])
    assert (done_so_far(selection), done_so_far(left)) == (5, 0)


def test_a_part_is_done_once_and_whose_worker_died_is_done_after_a_while(phase, customers, planned):
    first, second = (planned(person) for person in customers(2))
    selection = frozen(phase.waves.all(), "pause")
    begin_selection(selection, digest=selection.digest, **WHY)
    dead = SelectionPart.objects.order_by("pk").first()
    SelectionPart.objects.filter(pk=dead.pk).update(claimed_at=AT)

    assert apply_part(selection, at=AT) == set()
    assert apply_part(selection, at=AT) is None  # the other part is in somebody's hands
    assert (first.holds.count(), second.holds.count(), selection.finished_at) == (0, 1, None)
    later = AT + FORGOTTEN + timedelta(seconds=1)
    assert apply_part(selection, at=later) == set()
    assert apply_part(selection, at=later) is None
    assert (first.holds.count(), second.holds.count(), selection.applied) == (1, 1, 2)


def test_who_takes_a_part_on_reads_that_one_and_not_all(customers, planned, in_parts_of):
    wave = planned(*customers(3))
    lock_wave(wave, **SAID)
    in_parts_of("prevalidate", 1)
    selection = frozen(wave.enrolments.all(), "prevalidate")
    begin_selection(selection, digest=selection.digest, **WHY)

    with CaptureQueriesContext(connection) as queries:
        apply_part(selection, at=AT)

    reading = [each["sql"] for each in queries if '"rollout_selectionpart"."keys"' in each["sql"].partition(" FROM ")[0]]
    assert reading
    assert all("LIMIT 1" in sql for sql in reading)


class Killed(BaseException):
    """The worker is gone: nothing that catches errors sees it."""


def dies_before_it_is_recorded(execute, sql, *given):
    if sql.startswith('UPDATE "rollout_selectionpart" SET "applied"'):
        raise Killed
    return execute(sql, *given)


@pytest.mark.parametrize("of", ["wave", "phase"])
def test_a_pause_is_set_once_though_the_worker_dies_between_the_hold_and_its_record(phase, customers, planned, of):
    row = planned(*customers(1)) if of == "wave" else phase
    selection = frozen(type(row).objects.filter(pk=row.pk), "pause")
    begin_selection(selection, digest=selection.digest, **WHY)
    with connection.execute_wrapper(dies_before_it_is_recorded), pytest.raises(Killed):
        apply_part(selection, at=AT)

    assert apply_part(selection, at=AT + FORGOTTEN + timedelta(seconds=1)) == set()

    assert (row.holds.count(), selection.applied) == (1, 1)
    assert Event.objects.filter(kind="hold_set").count() == 1


@pytest.mark.parametrize("of", ["wave", "phase"])
def test_who_pauses_after_a_worker_died_while_it_resumed_is_not_resumed_unseen(phase, customers, planned, of):
    row = planned(*customers(1)) if of == "wave" else phase
    set_hold(row, **WHY)
    selection = frozen(type(row).objects.filter(pk=row.pk), "resume")
    begin_selection(selection, digest=selection.digest, **WHY)
    with connection.execute_wrapper(dies_before_it_is_recorded), pytest.raises(Killed):
        apply_part(selection, at=AT)

    assert list(row.holds.values_list("state", flat=True)) == ["standing"], "nothing is half done"
    assert apply_part(selection, at=AT) == ({row.pk} if of == "wave" else set()), "the next worker takes it on at once"
    assert list(row.holds.values_list("state", flat=True)) == ["cleared"]


@pytest.fixture
def in_parts_of(monkeypatch):
    """What makes an act take so many rows at a time."""
    return lambda name, size: monkeypatch.setitem(BY_NAME, ("enrolment", name), replace(BY_NAME["enrolment", name], size=size))


@pytest.fixture
def refuse_to_move():
    """What makes the database refuse to move a place, and returns what makes it let go."""
    words = "the disk is odd"
    sqlite = ("", f"BEGIN SELECT RAISE(ABORT, '{words}'); END", "DROP TRIGGER odd")
    raising = f"CREATE FUNCTION odd() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE '{words}'; END $$"
    postgres = (raising, "FOR EACH ROW WHEN (OLD.id = {pk}) EXECUTE FUNCTION odd()", "DROP TRIGGER odd ON rollout_enrolment")
    before, body, after = postgres if connection.vendor == "postgresql" else sqlite
    when = "" if connection.vendor == "postgresql" else "WHEN OLD.id = {pk} "

    def refuse(pk):
        with connection.cursor() as cursor:
            if before:
                cursor.execute(before)
            cursor.execute(f"CREATE TRIGGER odd BEFORE UPDATE ON rollout_enrolment {when}{body}".replace("{pk}", str(pk)))

        def let_go():
            with connection.cursor() as cursor:
                cursor.execute(after)

        return let_go

    return refuse


def test_a_part_that_an_accident_ends_is_given_up_after_some_tries_and_explained(started, customers, in_parts_of, refuse_to_move):
    wave = started(*customers(3))
    first = wave.enrolments.order_by("pk").first()
    in_parts_of("exclude", 1)
    refuse_to_move(first.pk)
    selection = frozen(wave.enrolments.all())
    begin_selection(selection, digest=selection.digest, **WHY)

    tries = [apply_part(selection, at=AT) for _ in range(4)]
    assert tries == [set(), set(), set(), None], "the others went on, and the one that failed rests"
    assert not selection.finished_at
    (accident,) = selection_as_json(selection)["accidents"]
    assert (accident["rows"], accident["tries"]) == (1, 1)
    assert "the disk is odd" in accident["text"]
    assert [apply_part(selection, at=AT + number * A_REST) for number in (1, 2, 3)] == [set(), set(), None]

    selection.refresh_from_db()
    assert (selection.taken, selection.applied, selection.explained) == (3, 2, 1)
    assert (selection.refused, selection.given_up) == (0, 1), "nothing had changed since the preview"
    name, code, text = unapplied(selection)[first.pk]
    assert (name, code) == (str(first.person), "ACCIDENT")
    assert "the disk is odd" in text
    assert wave.members_by_state() == {PersonState.QUEUED: 1, PersonState.EXCLUDED: 2}
    assert selection_as_json(selection)["accidents"] == []


def test_a_part_whose_accident_was_mended_is_applied(started, customers, refuse_to_move):
    wave = started(*customers(2))
    let_go = refuse_to_move(wave.enrolments.first().pk)
    selection = frozen(wave.enrolments.all())
    begin_selection(selection, digest=selection.digest, **WHY)
    apply_part(selection, at=AT)
    assert wave.members_by_state() == {PersonState.QUEUED: 2}, "all of a part or nothing"
    let_go()

    apply_part(selection, at=AT + A_REST)

    assert (selection.applied, selection.explained) == (2, 0)


def test_nothing_is_claimed_that_nobody_confirmed(customers, planned):
    wave = planned(*customers(2))
    lock_wave(wave, **SAID)
    for selection in (frozen(wave.enrolments.all(), "prevalidate"), frozen(wave.enrolments.all())):
        assert apply_part(selection, at=AT) is None
        assert not selection.parts.exclude(claimed_at=None, applied_at=None).exists()
    assert wave.members_by_state() == {PersonState.ENROLLED: 2}


def test_a_part_is_claimed_by_one_until_it_is_forgotten(customers, planned):
    wave = planned(*customers(2))
    lock_wave(wave, **SAID)
    selection = frozen(wave.enrolments.all(), "prevalidate")
    begin_selection(selection, digest=selection.digest, **WHY)
    selection.parts.update(claimed_at=AT)

    assert apply_part(selection, at=AT + FORGOTTEN) is None
    assert apply_part(selection, at=AT + FORGOTTEN + timedelta(seconds=1)) == set()
    assert selection.applied == 2


def test_too_many_rows_and_unknown_acts_are_refused(started, customers, monkeypatch):
    rows = started(*customers(3)).enrolments.all()
    monkeypatch.setattr("rollout.actions.selections.MOST", 2)

    with pytest.raises(SelectionTooLarge):
        frozen(rows)
    with pytest.raises(SelectionInvalid, match="no act 'explode'"):
        frozen(rows, "explode")
    with pytest.raises(SelectionInvalid, match="later wave"):
        frozen(rows, "defer")
    assert not Selection.objects.exists()


def test_criteria_mean_rows_and_say_so_in_words(started, customers, customer):
    wave = started(*customers(2), customer("ann"))
    wave.enrolments.filter(person__user="c1").update(state=PersonState.NEEDS_ATTENTION, code="OOPS")
    criteria = Criteria(wave=wave.pk, states=("needs_attention",), codes=("OOPS",))

    assert [str(row.person) for row in rows_meant("enrolment", criteria)] == ["c1"]
    assert str(criteria) == f"wave {wave.pk}, state needs attention, code OOPS"
    assert rows_meant("enrolment", Criteria(users=("ann", "other/c1"))).get().person.user == "ann"
    assert rows_meant("wave", Criteria(phase=wave.phase_id)).get() == wave
    for subject, wrong in (
        ("enrolment", Criteria()), ("wave", Criteria(users=("ann",))), ("phase", Criteria(wave=1)), ("plan", Criteria(plan=1)),
        ("enrolment", Criteria(states=("odd",))),
    ):  # fmt: skip
        with pytest.raises(SelectionInvalid):
            rows_meant(subject, wrong)


def test_every_rule_is_of_states_that_there_are():
    assert all(rule.states for rules in (PEOPLE, WAVES, PHASES) for rule in rules.values())
