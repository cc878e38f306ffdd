"""Let the database refuse a message that was sent without what it said; apart, since rows and table are not changed at once."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('rollout', '0009_words_as_sent'),
    ]

    operations = [
        migrations.AddConstraint(
            model_name='noticedelivery',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'sent'), _negated=True), ('text__isnull', False), _connector='OR'), name='rollout_sent_says_what'),
        ),
    ]
