"""The same acts on many from the shell: select, look, apply."""

import json
from dataclasses import replace

import pytest
from django.core.management import call_command
from django.db.models import F
from django.utils import timezone

from rollout.actions.bulk import BY_NAME
from rollout.actions.waves import lock_wave
from rollout.models import Selection, SelectionPart
from rollout.states import PersonState
from slots.management.base import NeedsPerson, WrongUsage
from tests.rollout.conftest import SAID
from tests.scenes import kept

pytestmark = pytest.mark.django_db


def said(capsys, *words, **options):
    capsys.readouterr()
    call_command("rollout", *words, "--json", "--by", "alice", "--reason", "because", **options)
    return json.loads(capsys.readouterr().out)


@pytest.fixture
@kept
def wave(customers, started):
    wave = started(*customers(3))
    wave.enrolments.exclude(person__user="c3").update(state=PersonState.NEEDS_ATTENTION, code="OOPS")
    return wave


def test_what_was_selected_is_what_is_applied(wave, capsys):
    shown = said(capsys, "select", "retry", "--wave", str(wave.pk))
    assert (shown["looked_at"], shown["taken"], shown["begun"]) == (3, 2, False)
    assert shown["reasons"] == [{"code": "STATE", "text": "It is queued.", "rows": 1}]
    assert wave.members_by_state() == {PersonState.QUEUED: 1, PersonState.NEEDS_ATTENTION: 2}

    done = said(capsys, "apply", str(shown["pk"]), "--hash", shown["hash"])

    assert (done["applied"], done["explained"], done["finished"]) == (2, 0, True)
    assert wave.members_by_state() == {PersonState.QUEUED: 3}


def test_who_changed_in_between_needs_a_person(wave, capsys):
    pk = said(capsys, "select", "exclude", "--wave", str(wave.pk), "--code", "OOPS")["pk"]
    wave.enrolments.get(person__user="c1").step(PersonState.QUEUED, by="bob", at=wave.started_at)

    with pytest.raises(NeedsPerson, match="1 rows are not what the preview showed"):
        call_command("rollout", "apply", str(pk), "--reason", "because")

    shown = said(capsys, "selection", str(pk))
    assert [each["text"] for each in shown["changes"]] == ["It was moved since the preview and is queued now."]


def test_what_a_worker_holds_is_left_to_the_workers(customers, planned, capsys):
    wave = planned(*customers(2))
    lock_wave(wave, **SAID)
    pk = said(capsys, "select", "prevalidate", "--wave", str(wave.pk))["pk"]
    SelectionPart.objects.update(claimed_at=timezone.now())

    call_command("rollout", "apply", str(pk), "--reason", "because")

    shown = capsys.readouterr().out
    assert "2 rows are left to the workers: some hold them already" in shown
    assert "0 done" not in shown
    assert said(capsys, "selection", str(pk))["finished"] is False


def test_what_an_accident_ended_for_good_needs_a_person(wave, capsys, monkeypatch):
    def break_down(_rows, _said, _options):
        raise ValueError("odd")

    pk = said(capsys, "select", "retry", "--wave", str(wave.pk))["pk"]
    SelectionPart.objects.update(tries=2)
    monkeypatch.setitem(BY_NAME, ("enrolment", "retry"), replace(BY_NAME["enrolment", "retry"], run=break_down))

    with pytest.raises(NeedsPerson, match="2 rows were given up after an accident") as needs:
        call_command("rollout", "apply", str(pk), "--reason", "because")

    assert "what the preview showed" not in str(needs.value)
    assert said(capsys, "selection", str(pk))["changes"] == [{"code": "ACCIDENT", "text": "ValueError: odd", "rows": 2}]


def test_rows_that_an_accident_ended_are_counted_apart_from_those_that_had_changed(wave, capsys, monkeypatch):
    def break_down(_rows, _said, _options):
        raise ValueError("odd")

    act = replace(BY_NAME["enrolment", "retry"], run=break_down, size=1)
    monkeypatch.setitem(BY_NAME, ("enrolment", "retry"), act)
    pk = said(capsys, "select", "retry", "--wave", str(wave.pk))["pk"]
    SelectionPart.objects.update(tries=2)
    wave.enrolments.filter(person__user="c1").update(version=F("version") + 1)

    with pytest.raises(NeedsPerson, match=r"1 rows were given up after an accident.* 1 rows are not what the preview showed"):
        call_command("rollout", "apply", str(pk), "--reason", "because")

    assert "0 done, 1 changed since the preview or refused, 1 given up after an accident." in capsys.readouterr().out
    shown = said(capsys, "selection", str(pk))
    assert (shown["explained"], shown["refused"], shown["given_up"]) == (2, 1, 1)


def test_a_dry_run_leaves_no_trace(wave, capsys):
    assert said(capsys, "select", "exclude", "--users", "c1", dry_run=True)["taken"] == 1
    assert not Selection.objects.exists()


def test_what_cannot_be_selected_is_refused(wave):
    with pytest.raises(Exception, match="SELECTION_INVALID"):
        call_command("rollout", "select", "retry")
    with pytest.raises(Exception, match="There is no wave 999 to defer to"):
        call_command("rollout", "select", "defer", "--wave", str(wave.pk), "--to", "999")
    with pytest.raises(Exception, match="takes no other wave"):
        call_command("rollout", "select", "retry", "--wave", str(wave.pk), "--to", str(wave.pk))
    with pytest.raises(WrongUsage, match="rollout select ACT"):
        call_command("rollout", "apply", "999")
