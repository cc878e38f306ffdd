"""Keep what a message said with it: the text once for all who read the same, where it went, and the words of alerts."""

import hashlib
import json
from datetime import UTC
from string import Formatter
from zoneinfo import ZoneInfo

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

# How a notice was worded in that release. It stays as it is here, whatever becomes of `rollout.notifications`.
KNOWN = ("user", "wave", "starts_at", "support")


class Unfit(Exception):
    """A text was written past the check."""


def filled(text, values):
    """Return the text with its names replaced and the person's left open; every other brace is written twice."""
    try:
        parts = list(Formatter().parse(text))
    except ValueError as malformed:
        raise Unfit from malformed
    if any(name is not None and (name not in KNOWN or form or conversion) for _, name, form, conversion in parts):
        raise Unfit
    return "".join(
        doubled(literal) + ("" if name is None else "{user}" if name == "user" else doubled(" ".join(values[name].split())))
        for literal, name, _, _ in parts
    )


def doubled(text):
    return text.replace("{", "{{").replace("}", "}}")


def worded(notice, values):
    """Return subject and body as they are kept; of what cannot be filled, as it stands."""
    try:
        if not notice.subject.strip() or not notice.body.strip():
            raise Unfit
        if len(notice.subject.splitlines()) > 1 or not notice.subject.isprintable():
            raise Unfit
        return filled(notice.subject, values), filled(notice.body, values)
    except Unfit:
        return doubled(notice.subject), doubled(notice.body)


def instant_in(at, time_zone):
    """Return an instant by the clock of a zone and in UTC; in UTC alone where no zone, or an unknown one, is named."""
    if at is None:
        return "a time that is not set yet"
    utc = at.astimezone(UTC)
    try:
        local = at.astimezone(ZoneInfo(time_zone)) if time_zone and time_zone != "UTC" else None
    except (KeyError, ValueError, OSError):
        local = None
    if local is None:
        return f"{day(utc)}, {utc:%H:%M} UTC"
    there = f"{utc:%H:%M} UTC" if utc.date() == local.date() else f"{day(utc)}, {utc:%H:%M} UTC"
    return f"{day(local)}, {local:%H:%M} ({time_zone}; {there})"


def day(at):
    return f"{at:%A}, {at.day} {at:%B} {at.year}"


def keep_words(apps, schema_editor):
    """Give the messages that were sent before the words that were shown of them until now: with the dates of today."""
    deliveries, texts, waves, notices = (
        apps.get_model("rollout", name).objects for name in ("NoticeDelivery", "NoticeText", "Wave", "Notice")
    )
    sent = deliveries.filter(state="sent", text=None).order_by()
    for notice_pk, wave_pk, zone in list(sent.values_list("notice", "wave", "enrolment__person__time_zone").distinct()):
        notice, wave = notices.get(pk=notice_pk), waves.select_related("phase").get(pk=wave_pk)
        subject, body = worded(
            notice,
            {
                "wave": f"{wave.phase.name} / {wave.name}",
                "starts_at": instant_in(wave.starts_at or wave.started_at, zone),
                "support": settings.SUPPORT_CONTACT,
            },
        )
        digest = hashlib.sha256(json.dumps([subject, body]).encode()).hexdigest()
        text, _ = texts.get_or_create(digest=digest, defaults={"subject": subject, "body": body})
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
