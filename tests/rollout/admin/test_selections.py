"""Acts on many through the admin: chosen in a list, shown, confirmed, done, and what came of it."""

import json
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.models import F
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from phoenix.workers import work_off
from rollout.actions.prevalidation import readiness_of
from rollout.actions.selection_parts import QUIET
from rollout.actions.selections import begin_selection, freeze_selection
from rollout.actions.waves import lock_wave
from rollout.jobs import wake_forgotten_selections
from rollout.models import Event, Selection, Wave
from rollout.states import PersonState, WaveState
from tests.rollout.admin.conftest import text_of
from tests.rollout.conftest import AT, SAID

pytestmark = pytest.mark.django_db
PEOPLE = "admin:rollout_enrolment_changelist"


@pytest.fixture
def stuck(customers, started):
    """A wave at work with so many people who failed."""

    def make(count):
        wave = started(*customers(count))
        wave.enrolments.update(state=PersonState.NEEDS_ATTENTION, code="OOPS", text="It broke.")
        return wave

    return make


def chosen(client, name, *rows, query="", across=False, **more):
    address = reverse(f"admin:rollout_{rows[0]._meta.model_name}_changelist") + query
    checked = {"action": name, "_selected_action": [row.pk for row in rows], "select_across": "1" if across else "0", "index": 0}
    return client.post(address, {**checked, **more})


def confirm(client, selection, **changes):
    said = {"reason": "because", "digest": selection.digest, **changes}
    return client.post(reverse("admin:rollout_selection_change", args=[selection.pk]), said, follow=True)


def test_checked_people_are_shown_first_and_then_exactly_they_are_acted_on(client, alice, stuck):
    wave = stuck(3)
    first, second, third = wave.enrolments.order_by("pk")
    client.force_login(alice)

    asked = chosen(client, "exclude", first, second)
    selection = Selection.objects.get()
    assert asked["Location"] == reverse("admin:rollout_selection_change", args=[selection.pk])
    shown = text_of(client.get(asked["Location"]))
    assert "Nothing has happened yet" in shown
    assert f"{first.person} needs attention" in shown
    assert str(third.person) not in shown
    assert wave.members_by_state() == {PersonState.NEEDS_ATTENTION: 3}

    second.step(PersonState.QUEUED, by="worker", at=wave.started_at)
    done = text_of(confirm(client, selection))
    assert "Leave out: 1 of 2 done." in done
    assert "It was moved since the preview and is queued now." in done
    assert wave.members_by_state() == {PersonState.QUEUED: 1, PersonState.NEEDS_ATTENTION: 1, PersonState.EXCLUDED: 1}


def test_all_rows_that_a_filter_leaves_are_taken_and_said_in_words(client, alice, stuck):
    wave = stuck(3)
    wave.enrolments.filter(person__user="c1").update(state=PersonState.VALIDATION_FAILED)
    client.force_login(alice)

    chosen(client, "retry", wave.enrolments.first(), query="?state__exact=needs_attention", across=True)

    selection = Selection.objects.get()
    assert (selection.looked_at, selection.taken) == (2, 2)
    assert selection.criteria == "all rows; state: needs attention"
    assert (selection.made_by, selection.begun_at) == ("alice", None)


def test_failed_people_of_a_wave_are_tried_again_by_one_button(client, alice, stuck):
    wave = stuck(2)
    wave.enrolments.filter(person__user="c1").update(state=PersonState.QUEUED)
    client.force_login(alice)
    address = reverse("admin:rollout_selection_failed", args=[wave.pk])

    page = client.get(reverse("admin:rollout_wave_change", args=[wave.pk]))
    assert f'action="{address}"' in page.content.decode()
    assert "Try the 1 that failed again" in page.content.decode()
    assert client.get(address).status_code == 405
    client.post(address)
    confirm(client, Selection.objects.get())

    assert wave.members_by_state() == {PersonState.QUEUED: 2}


@pytest.mark.django_db(transaction=True)
def test_many_are_left_to_the_workers_and_the_page_says_how_far_they_are(client, alice, stuck, queue, monkeypatch):
    wave = stuck(3)
    monkeypatch.setattr("rollout.admin.selections.AT_ONCE", dict.fromkeys(("enrolment", "wave", "phase"), 0))
    client.force_login(alice)
    chosen(client, "exclude", *wave.enrolments.all())
    selection = Selection.objects.get()

    waiting = text_of(confirm(client, selection))
    assert "3 rows are left to the workers." in waiting
    assert "0 of 3 are done." in waiting
    assert work_off() >= 1

    selection.refresh_from_db()
    assert (selection.applied, selection.finished_at is not None) == (3, True)
    assert wave.members_by_state() == {PersonState.EXCLUDED: 3}


def test_several_people_are_proven_ahead_from_the_list(client, alice, customers, planned):
    wave = planned(*customers(3))
    lock_wave(wave, **SAID)
    client.force_login(alice)

    chosen(client, "prevalidate", *wave.enrolments.all())

    assert "Prove ahead: 3 of 3 done." in text_of(confirm(client, Selection.objects.get()))
    assert readiness_of(wave).proven == 3


def test_what_a_worker_holds_is_said_to_be_left_to_the_workers(client, alice, customers, planned):
    wave = planned(*customers(2))
    lock_wave(wave, **SAID)
    client.force_login(alice)
    selection = freeze_selection(wave.enrolments.all(), "prevalidate", criteria="some", **SAID)
    selection.parts.update(claimed_at=timezone.now())

    shown = text_of(confirm(client, selection))

    assert "2 rows are left to the workers: some hold them already" in shown
    assert "0 of 2 done" not in shown


def test_the_page_says_what_failed_and_is_tried_again(client, alice, stuck):
    client.force_login(alice)
    chosen(client, "exclude", *stuck(2).enrolments.all())
    selection = Selection.objects.get()
    begin_selection(selection, digest=selection.digest, **SAID, reason="because")
    selection.parts.update(tries=2, error="IntegrityError: odd")

    shown = text_of(client.get(reverse("admin:rollout_selection_change", args=[selection.pk])))

    assert "2 rows wait for another try (2 so far). IntegrityError: odd" in shown


@pytest.mark.django_db(transaction=True)
def test_a_selection_whose_message_was_lost_is_found_by_the_reconciler(client, alice, stuck, queue, monkeypatch):
    wave = stuck(2)
    monkeypatch.setattr("rollout.admin.selections.AT_ONCE", dict.fromkeys(("enrolment", "wave", "phase"), 0))
    client.force_login(alice)
    chosen(client, "exclude", *wave.enrolments.all())
    confirm(client, Selection.objects.get())
    queue.empty()

    call_command("tick")
    assert work_off() == 0, "it was begun just now"
    Selection.objects.update(begun_at=F("begun_at") - 2 * QUIET)
    call_command("tick")
    work_off()

    assert Selection.objects.get().applied == 2


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("column", ["claimed_at", "applied_at", "retry_at"])
def test_the_reconciler_leaves_a_selection_alone_that_somebody_works_on(stuck, queue, column):
    selection = freeze_selection(stuck(2).enrolments.all(), "exclude", criteria="some", **SAID)
    begin_selection(selection, digest=selection.digest, **SAID, reason="because")
    now = timezone.now()
    selection.parts.update(**{column: now - QUIET / 2})

    assert wake_forgotten_selections(at=now) == 0
    selection.parts.update(**{column: now - 2 * QUIET})
    assert [wake_forgotten_selections(at=now) for _ in range(3)] == [1, 1, 1]
    assert work_off() == 1, "asked in three rounds, one comes"


def test_several_are_deferred_after_the_later_wave_is_named(client, alice, customers, planned):
    first, later = planned(*customers(2)), planned(name="Later")
    Wave.objects.filter(pk=first.pk).update(starts_at=AT + timedelta(days=10))
    Wave.objects.filter(pk=later.pk).update(starts_at=AT + timedelta(days=12))
    first.refresh_from_db()
    lock_wave(first, **SAID)
    client.force_login(alice)

    asked = chosen(client, "defer", *first.enrolments.all())
    assert "to which later wave?" in text_of(asked)
    assert not Selection.objects.exists()
    chosen(client, "defer", *first.enrolments.all(), to=later.pk)
    confirm(client, Selection.objects.get())

    assert later.enrolments.count() == 2


def test_a_grave_act_on_many_asks_to_type_how_many_they_are(client, alice, stuck, planned):
    wave = stuck(3)
    client.force_login(alice)
    chosen(client, "exclude", *wave.enrolments.all())
    page = client.get(reverse("admin:rollout_selection_change", args=[Selection.objects.get().pk]))
    assert 'name="typed"' not in page.content.decode()

    waves = [planned("c1"), planned("c2")]
    chosen(client, "cancel", *waves)
    selection = Selection.objects.first()
    for given in ({}, {"typed": "3"}):
        confirm(client, selection, **given)
        assert {Wave.objects.get(pk=wave.pk).state for wave in waves} == {WaveState.PLANNED}
    assert "This is not “2”. Nothing has happened." in text_of(confirm(client, selection, typed="3"))
    confirm(client, selection, typed=" 2 ")

    assert {Wave.objects.get(pk=wave.pk).state for wave in waves} == {WaveState.CANCELLED}


def test_waves_are_acted_on_the_same_way_and_what_keeps_one_is_said_before(client, alice, customers, planned):
    people = customers(2)
    waves = [planned(people[0]), planned("ghost")]
    client.force_login(alice)

    chosen(client, "lock", *waves)
    selection = Selection.objects.get()
    assert (selection.taken, selection.reasons[0][0]) == (1, "AUDIENCE_EMPTY")
    confirm(client, selection)

    assert [Wave.objects.get(pk=wave.pk).state for wave in waves] == [WaveState.LOCKED, WaveState.PLANNED]


def test_a_selection_is_refused_that_was_applied_or_is_not_the_one_shown(client, alice, stuck):
    client.force_login(alice)
    chosen(client, "exclude", *stuck(2).enrolments.all())
    selection = Selection.objects.get()

    assert "SELECTION_CHANGED" in text_of(confirm(client, selection, digest="0" * 64))
    assert "This field is required." in text_of(confirm(client, selection, reason=""))
    assert Event.objects.filter(to_state="excluded").count() == 0
    confirm(client, selection)
    assert "SELECTION_USED" in text_of(confirm(client, selection))


@pytest.mark.parametrize("role", ["sue", "arthur", "dora", "charlie"])
def test_only_operators_act(request, client, alice, stuck, role):
    wave = stuck(2)
    client.force_login(alice)
    chosen(client, "exclude", *wave.enrolments.all())
    selection = Selection.objects.get()
    address = reverse("admin:rollout_selection_change", args=[selection.pk])
    client.force_login(request.getfixturevalue(role))

    assert client.get(address).status_code == (200 if role in ("arthur", "dora") else 403)
    assert confirm(client, selection).status_code == 403
    assert client.post(reverse("admin:rollout_selection_failed", args=[wave.pk])).status_code == 403
    chosen(client, "exclude", *wave.enrolments.all())
    assert Selection.objects.count() == 1
    careful = Client(enforce_csrf_checks=True)
    careful.force_login(alice)
    assert confirm(careful, selection).status_code == 403


def test_the_page_costs_the_same_queries_for_one_and_for_fifty(client, alice, stuck):
    wave = stuck(50)
    client.force_login(alice)
    counts = []
    for rows in (wave.enrolments.all()[:2], wave.enrolments.all()):
        chosen(client, "exclude", *rows)
        address = reverse("admin:rollout_selection_change", args=[Selection.objects.first().pk])
        client.get(address)
        with CaptureQueriesContext(connection) as queries:
            client.get(address)
        counts.append(len(queries))

    assert counts[0] == counts[1]


def test_the_api_selects_shows_and_applies_for_operators_alone(client, alice, arthur, stuck):
    wave = stuck(2)
    body = json.dumps({"act": "exclude", "wave": wave.pk})

    def send(path, body):
        return client.post(path, body, content_type="application/json")

    assert send("/api/rollout/selections/", body).status_code == 401
    client.force_login(arthur)
    assert send("/api/rollout/selections/", body).status_code == 403
    client.force_login(alice)
    made = send("/api/rollout/selections/", body)
    shown = made.json()
    assert (made.status_code, shown["taken"], shown["begun"]) == (201, 2, False)
    assert send("/api/rollout/selections/", json.dumps({"act": "exclude"})).json()["code"] == "SELECTION_INVALID"
    assert send("/api/rollout/selections/", json.dumps({"wave": "x"})).status_code == 422
    for act in ("defer", "exclude"):
        refused = send("/api/rollout/selections/", json.dumps({"act": act, "wave": wave.pk, "to": 999}))
        assert (refused.status_code, refused.json()["code"]) == (409, "SELECTION_INVALID")
    assert send("/api/rollout/selections/", json.dumps({"act": "defer", "wave": wave.pk})).json()["code"] == "SELECTION_INVALID"
    address = f"/api/rollout/selections/{shown['pk']}/"
    assert send(f"{address}apply/", json.dumps({"hash": "0", "reason": "because"})).json()["code"] == "SELECTION_CHANGED"
    assert send(f"{address}apply/", json.dumps({"hash": shown["hash"], "reason": "because"})).status_code == 202
    assert client.get(address).json()["begun"] is True
    assert client.get("/api/rollout/selections/999/").status_code == 404
    client.force_login(arthur)
    assert client.get(address).status_code == 200


def test_rows_that_an_accident_ended_are_named_apart(client, alice, stuck):
    wave = stuck(2)
    client.force_login(alice)
    chosen(client, "retry", *wave.enrolments.all())
    Selection.objects.update(
        begun_at=AT, begun_by="alice", finished_at=AT, changes=[["ACCIDENT", "odd", 1], ["MOVED", "It was moved.", 1]]
    )

    page = text_of(client.get(reverse("admin:rollout_selection_change", args=[Selection.objects.get().pk])))
    listed = text_of(client.get(reverse("admin:rollout_selection_changelist")))

    assert "Changed since the preview, or refused 1 Given up after an accident 1" in page
    assert "1 changed or refused, 1 given up" in listed
