"""Let a customization's state move without writing an index.

PostgreSQL leaves every index alone where no indexed column changes and the new version of the row fits on the page of the old
one. So the state is in no index, and pages keep room. Pages that are full already get theirs when their rows have moved once.
"""

import django.db.models.deletion
from django.db import migrations, models


def set_fillfactor(schema_editor, percent):
    """Say how much of a page new rows may fill, where the database has such a setting."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(f"ALTER TABLE migration_customization SET (fillfactor = {percent})")


def leave_room(apps, schema_editor):
    """Leave half of each page to the rows' next versions."""
    set_fillfactor(schema_editor, 50)


def fill_pages(apps, schema_editor):
    """Fill pages as PostgreSQL does by itself."""
    set_fillfactor(schema_editor, 100)


class Migration(migrations.Migration):

    dependencies = [
        ('migration', '0001_initial'),
    ]

    operations = [
        migrations.AlterField(
            model_name='customization',
            name='base',
            field=models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='customizations', to='slots.componentversion'),
        ),
        migrations.AlterField(
            model_name='customization',
            name='diff_digest',
            field=models.CharField(help_text='SHA-256 of the diff as UTF-8, in hex.', max_length=64),
        ),
        migrations.AlterField(
            model_name='customization',
            name='person',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='customizations', to='migration.person'),
        ),
        migrations.AlterField(
            model_name='customization',
            name='state',
            field=models.CharField(choices=[('imported', 'imported'), ('translated', 'translated'), ('validated', 'validated'), ('migrated', 'migrated'), ('needs_review', 'needs review'), ('rejected', 'rejected'), ('archived', 'archived')], default='imported', max_length=20),
        ),
        migrations.AlterField(
            model_name='historicalcustomization',
            name='diff_digest',
            field=models.CharField(help_text='SHA-256 of the diff as UTF-8, in hex.', max_length=64),
        ),
        migrations.AlterField(
            model_name='historicalcustomization',
            name='state',
            field=models.CharField(choices=[('imported', 'imported'), ('translated', 'translated'), ('validated', 'validated'), ('migrated', 'migrated'), ('needs_review', 'needs review'), ('rejected', 'rejected'), ('archived', 'archived')], default='imported', max_length=20),
        ),
        migrations.RunPython(leave_room, fill_pages),
    ]
