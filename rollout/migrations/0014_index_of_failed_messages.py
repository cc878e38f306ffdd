"""Add an index of the messages that failed, which the first page counts."""

from django.db import migrations, models

from rollout.indexing import AddIndexWhileWritten


class Migration(migrations.Migration):
    atomic = False  # writers go on meanwhile

    dependencies = [
        ('rollout', '0013_lists_named_as_the_ways'),
    ]

    operations = [
        AddIndexWhileWritten(
            model_name='noticedelivery',
            index=models.Index(condition=models.Q(('state', 'failed')), fields=['notice'], name='rollout_delivery_failed'),
        ),
    ]
