"""Many send, announce and start at once: everybody is told once, every wave takes each step once."""

import pytest
from django.db import connection, transaction

from rollout.actions.due import do_what_is_due
from rollout.actions.messages import send_due_notices
from rollout.actions.notices import plan_notices
from rollout.actions.waves import lock_wave
from rollout.models import Event, NoticeDelivery, Wave
from rollout.states import WaveState
from tests.conftest import IS_THOROUGH
from tests.rollout.conftest import AT, SAID
from tests.rollout.telling import DAY, Server, dated, write_notice
from tests.rollout.test_races import at_once

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.scaled]
PEOPLE = 50 if IS_THOROUGH or connection.vendor == "postgresql" else 12  # SQLite lets one after another write


@pytest.fixture
def wave(customer, planned, phase):
    """A planned wave of as many people with a date."""
    write_notice(phase.plan)
    people = [customer(f"p{number}", email=f"p{number}@example.org") for number in range(PEOPLE)]
    return dated(planned(*people), AT + 8 * DAY)


def test_many_senders_send_each_message_once(wave):
    lock_wave(wave, **SAID)
    server = Server()

    reports = at_once(lambda: send_due_notices(at=AT + DAY, transport=server))

    assert [each for each in reports if isinstance(each, Exception)] == []
    assert sum(each.sent for each in reports) == PEOPLE
    assert sorted(server.recipients) == sorted(f"p{number}@example.org" for number in range(PEOPLE))
    assert {(row.state, row.tries) for row in NoticeDelivery.objects.all()} == {("sent", 1)}


def test_many_plan_each_message_once(wave, phase):
    lock_wave(wave, **SAID)
    write_notice(phase.plan, "Another", lead=DAY)

    planned = at_once(lambda: plan_notices(Wave.objects.select_related("phase").get(pk=wave.pk), at=AT))

    assert sorted(planned) == [0] * 7 + [PEOPLE]


def test_many_reconcilers_take_each_step_once(wave):
    server = Server()
    for at in (AT, AT + DAY, AT + 8 * DAY):
        answers = at_once(lambda at=at: do_what_is_due(at=at, transport=server))
        assert [each for each in answers if isinstance(each, Exception)] == []

    wave.refresh_from_db()
    assert wave.state == WaveState.RUNNING
    moved = Event.objects.about("wave", wave.pk).filter(kind="moved").values_list("to_state", flat=True)
    assert list(moved) == ["locked", "announced", "running"]
    assert len(server.sent) == len(set(server.recipients)) == PEOPLE


def test_a_real_message_is_never_sent_inside_a_transaction_that_may_be_undone(wave):
    lock_wave(wave, **SAID)
    server = Server()
    server.is_real = True

    with pytest.raises(RuntimeError, match="durable"), transaction.atomic():
        send_due_notices(at=AT + DAY, transport=server)

    assert server.sent == []
