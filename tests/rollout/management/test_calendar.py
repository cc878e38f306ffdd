"""The calendar, the agenda and the notices from the shell."""

import json
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from rollout.actions.messages import send_due_notices
from rollout.actions.waves import lock_wave
from rollout.models import Freeze, NoticeWaiver
from tests.rollout.conftest import AT, SAID
from tests.rollout.telling import DAY, Server, dated, write_notice

pytestmark = pytest.mark.django_db


@pytest.fixture
def rollout(capsys):
    """What runs an act and returns its JSON object."""

    def run(*words):
        call_command("rollout", *map(str, words), "--json")
        return json.loads(capsys.readouterr().out)

    return run


def test_a_freeze_is_added_shown_and_taken_off(rollout, phase):
    day = f"{timezone.now() + timedelta(days=30):%Y-%m-%d}"

    made = rollout(
        "block", phase.plan_id, "--from", f"{day}T00:00+01:00", "--to", f"{day}T12:00", "--reason", "Snow", "--by", "bea"
    )
    shown = rollout("calendar")

    assert shown["freezes"] == [{name: value for name, value in made.items() if name != "dry_run"}]
    assert (made["plan"], made["reason"], made["by"]) == (phase.plan_id, "Snow", "bea")
    row = Freeze.objects.get()
    assert row.ends_at - row.starts_at == timedelta(hours=13)
    assert rollout("unblock", row.pk)["pk"] == made["pk"]
    assert rollout("calendar", phase.plan_id)["freezes"] == []


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (("block", "--from", "soon", "--to", "2099-01-01"), "'soon' is no instant"),
        (("block", "--from", "2020-01-01", "--to", "2020-01-02"), "FREEZE_INVALID"),
        (("unblock", "77"), "There is no freeze 77. `manage.py rollout calendar` lists them."),
        (("agenda", "77"), "There is no plan 77"),
    ],
)
def test_what_makes_no_sense_is_said(db, words, text):
    with pytest.raises(CommandError, match=text):
        call_command("rollout", *words)


def test_the_agenda_says_what_comes_next(rollout, planned, customer, phase):
    wave = dated(planned(customer("ann")), timezone.now() + 20 * DAY)

    found = rollout("agenda", phase.plan_id)

    assert [(due["kind"], due["wave"]) for due in found["next"]] == [(kind, wave.pk) for kind in ("lock", "start", "late")]
    assert found["now"] < found["next"][0]["at"]


def test_what_people_were_told_is_shown_and_waived_by_name(rollout, planned, customer, phase):
    notice = write_notice(phase.plan)
    wave = dated(planned(customer("ann", email="ann@example.org"), customer("ben")), AT + 8 * DAY)
    lock_wave(wave, **SAID)
    send_due_notices(at=AT + DAY, transport=Server())

    shown = rollout("notices", wave.pk)
    assert (shown["notices"][0]["sent"], shown["notices"][0]["failed"], shown["missing"][0]["notice"]) == (1, 1, notice.pk)
    assert rollout("waive-notices", wave.pk, "--by", "dora", "--reason", "called", "--dry-run")["waived"] == [notice.pk]
    assert NoticeWaiver.objects.count() == 0

    assert rollout("waive-notices", wave.pk, "--notice", notice.pk, "--by", "dora", "--reason", "called")["waived"] == [notice.pk]
    assert rollout("notices", wave.pk)["missing"] == []
    assert NoticeWaiver.objects.get().by == "dora"
