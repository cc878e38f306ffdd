"""Add indexes that tell who is on slots and when they were switched, which is asked of a million people every few seconds."""

from django.db import migrations, models

from rollout.indexing import AddIndexWhileWritten


class Migration(migrations.Migration):
    atomic = False  # writers go on meanwhile

    dependencies = [
        ('migration', '0004_indexes_of_searches'),
        ('rollout', '0007_support_reaches_its_console'),
    ]

    operations = [
        AddIndexWhileWritten(
            model_name='enrolment',
            index=models.Index(condition=models.Q(('state__in', ['settled', 'switched'])), fields=['wave', 'state', 'switched_at'], name='rollout_switched_at'),
        ),
        AddIndexWhileWritten(
            model_name='enrolment',
            index=models.Index(condition=models.Q(('is_live', True), ('state__in', ['rolling_back', 'settled', 'switched', 'switching'])), fields=['person'], name='rollout_on_slots'),
        ),
    ]
