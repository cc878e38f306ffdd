"""Keep what a message said with it: the text once for all who read the same, where it went, and the words of alerts."""

import django.db.models.deletion
from django.db import migrations, models

from rollout.errors import NoticeInvalid
from rollout.notifications import Wording, word


def keep_words(apps, schema_editor):
    """Give the messages that were sent before the words that were shown of them until now: with the dates of today."""
    deliveries, texts, waves, notices = (
        apps.get_model("rollout", name).objects for name in ("NoticeDelivery", "NoticeText", "Wave", "Notice")
    )
    sent = deliveries.filter(state="sent", text=None).order_by()
    for notice_pk, wave_pk, zone in list(sent.values_list("notice", "wave", "enrolment__person__time_zone").distinct()):
        notice, wave = notices.get(pk=notice_pk), waves.select_related("phase").get(pk=wave_pk)
        try:
            wording = word(
                notice, wave=f"{wave.phase.name} / {wave.name}", starts_at=wave.starts_at or wave.started_at, time_zone=zone
            )
        except NoticeInvalid:  # written past the check: as it stands
            wording = Wording(*(text.replace("{", "{{").replace("}", "}}") for text in (notice.subject, notice.body)))
        text, _ = texts.get_or_create(digest=wording.digest, defaults={"subject": wording.subject, "body": wording.body})
        these = sent.filter(notice=notice, wave=wave, enrolment__person__time_zone=zone)
        deliveries.filter(pk__in=these.values("pk")).update(text=text)


class Migration(migrations.Migration):

    dependencies = [
        ('rollout', '0008_indexes_of_who_is_on_slots'),
    ]

    operations = [
        migrations.CreateModel(
            name='NoticeText',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('digest', models.CharField(help_text='SHA-256 of subject and body, in hex.', max_length=64, unique=True)),
                ('subject', models.TextField()),
                ('body', models.TextField(help_text='Plain text; a brace itself is written twice.')),
            ],
            options={
                'default_permissions': (),
            },
        ),
        migrations.AddField(
            model_name='alert',
            name='body',
            field=models.TextField(blank=True),
        ),
        migrations.AddField(
            model_name='alert',
            name='subject',
            field=models.TextField(blank=True),
        ),
        migrations.AddField(
            model_name='noticedelivery',
            name='address',
            field=models.EmailField(blank=True, help_text='Where it was sent to; empty in the application.', max_length=254),
        ),
        migrations.AddField(
            model_name='noticedelivery',
            name='text',
            field=models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='rollout.noticetext'),
        ),
        migrations.RunPython(keep_words, migrations.RunPython.noop),
    ]
