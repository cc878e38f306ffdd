"""What the migrations of the rollout make of rows that were there before."""

from importlib import import_module

import pytest
from django.apps import apps
from django.core.management import call_command

from migration.models import Person
from rollout.actions.messages import messages_for, send_due_notices
from rollout.actions.waves import lock_wave
from rollout.models import Notice, NoticeDelivery, NoticeText
from tests.rollout.conftest import AT, SAID
from tests.rollout.telling import DAY, Server, dated, in_app


@pytest.mark.django_db(transaction=True)
def test_messages_that_were_sent_before_keep_what_was_shown_of_them(customer, planned, phase):
    in_app(phase.plan, body="Dear {user}, {wave} moves at {starts_at}.")
    in_app(phase.plan, "Unfit", subject="Unfit", lead=6 * DAY)
    people = [customer("ann", time_zone="Europe/Berlin"), customer("ben")]
    lock_wave(dated(planned(*people)), **SAID)
    send_due_notices(at=AT + 2 * DAY, transport=Server())
    before = {str(person): [(each.subject, each.body) for each in messages_for(person)] for person in Person.objects.all()}
    Notice.objects.filter(name="Unfit").update(body="Dear {name}")  # as somebody might have written past the check
    call_command("migrate", "rollout", "0009", verbosity=0)
    try:
        NoticeDelivery.objects.update(text=None)
        NoticeText.objects.all().delete()

        import_module("rollout.migrations.0009_words_as_sent").keep_words(apps, None)
    finally:
        call_command("migrate", "rollout", verbosity=0)

    assert len(before["ann"]) == 2
    for person in Person.objects.all():
        now = [(each.subject, each.body) for each in messages_for(person)]
        assert now == [("Unfit", "Dear {name}"), before[str(person)][1]]
