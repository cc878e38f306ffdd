"""Add an index of the messages that failed, which the first page counts."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('rollout', '0013_lists_named_as_the_ways'),
    ]

    operations = [
        migrations.AddIndex(
            model_name='noticedelivery',
            index=models.Index(condition=models.Q(('state', 'failed')), fields=['notice'], name='rollout_delivery_failed'),
        ),
    ]
