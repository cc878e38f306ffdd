"""Name lists as the ways to them do."""

from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ('rollout', '0012_operators_keep_segments'),
    ]

    operations = [
        migrations.AlterModelOptions(
            name='enrolment',
            options={'ordering': ['wave', 'pk'], 'verbose_name_plural': 'people in waves'},
        ),
        migrations.AlterModelOptions(
            name='selection',
            options={'ordering': ['-pk'], 'verbose_name_plural': 'acts on many'},
        ),
    ]
