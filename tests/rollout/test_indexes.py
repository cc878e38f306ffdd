"""What is asked of a million people every few seconds is told by an index, on PostgreSQL.

Of a few rows the planner reads the table, so reading tables is made dear: what then still reads one has no index to use.
"""

import pytest
from django.db import connection, transaction
from django.db.models import Max

from rollout.actions.due import orphans
from rollout.actions.metrics import waves_started
from rollout.actions.ticket_metrics import on_slots, taken_back_since
from rollout.models import Enrolment, NoticeDelivery, Ticket, Wave
from rollout.states import PersonState

pytestmark = [
    pytest.mark.postgresql,
    pytest.mark.skipif(connection.vendor != "postgresql", reason="the plans are PostgreSQL's: set DATABASE_URL"),
    pytest.mark.django_db,
]
SWITCHED = Enrolment.objects.filter(wave=1, state=PersonState.SWITCHED)
SAID = Ticket.objects.filter(reported_at__gt="2027-01-01T00:00Z")
QUESTIONS = {
    "whom the waves have on slots": (on_slots(waves_started()), "rollout_switched_at"),
    "who reported and was taken back": (taken_back_since(SAID, waves_started()), "rollout_ticket_reported"),
    "whose slots nothing keeps": (orphans().order_by("person").values_list("person_id"), "rollout_on_slots"),
    "who was watched long enough": (SWITCHED.filter(switched_at__lte="2027-01-01T00:00Z"), "rollout_switched_at"),
    "when the last one was switched": (SWITCHED.values("wave").annotate(Max("switched_at")), "rollout_switched_at"),
    "how many messages failed": (NoticeDelivery.objects.filter(state="failed").values("notice"), "rollout_delivery_failed"),
    "how many are on slots": (Wave.objects.counted().filter(pk=1), "rollout_wave_by_state"),
}


@pytest.mark.parametrize("question", QUESTIONS)
def test_an_index_tells(question):
    rows, index = QUESTIONS[question]

    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("SET LOCAL enable_bitmapscan = off")
        plan = rows.explain()

    assert index in plan
    assert "Seq Scan on rollout_enrolment" not in plan
    assert "Seq Scan on rollout_snapshot" not in plan
