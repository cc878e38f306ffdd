"""Leave out what no query asks: indexes that begin another one, and those for patterns in digests."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('slots', '0003_composed_template_spans'),
    ]

    operations = [
        migrations.AlterField(
            model_name='historicalslotconfiguration',
            name='body',
            field=models.ForeignKey(blank=True, db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='slots.body'),
        ),
        migrations.AlterField(
            model_name='historicalslotconfiguration',
            name='component_version',
            field=models.ForeignKey(blank=True, db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='slots.componentversion'),
        ),
        migrations.AlterField(
            model_name='slotconfiguration',
            name='body',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='configurations', to='slots.body'),
        ),
        migrations.AlterField(
            model_name='slotconfiguration',
            name='component_version',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='configurations', to='slots.componentversion'),
        ),
        migrations.AddIndex(
            model_name='slotconfiguration',
            index=models.Index(fields=['body'], name='slots_config_of_body'),
        ),
    ]
