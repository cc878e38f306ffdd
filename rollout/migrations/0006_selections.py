"""Add selections, which hold on whom an act on many was previewed, and let the roles see them."""

import django.db.models.deletion
from django.apps import apps as installed
from django.contrib.auth.management import create_permissions
from django.db import migrations, models

SEEING = ("operator", "approver", "auditor", "CTO", "VP Engineering", "VP Product")


def grant(apps, schema_editor):
    """Add permissions to the groups that are there; what an administrator took away otherwise stays away."""
    groups = list(apps.get_model("auth", "Group").objects.filter(name__in=SEEING))
    if not groups:
        return
    create_permissions(installed.get_app_config("rollout"), verbosity=0)
    seen = apps.get_model("auth", "Permission").objects.get(content_type__app_label="rollout", codename="view_selection")
    for group in groups:
        group.permissions.add(seen)


class Migration(migrations.Migration):

    dependencies = [
        ('migration', '0004_indexes_of_searches'),
        ('rollout', '0005_alerts_and_reading'),
    ]

    operations = [
        migrations.CreateModel(
            name='Selection',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('subject', models.CharField(choices=[('plan', 'plan'), ('phase', 'phase'), ('wave', 'wave'), ('enrolment', 'enrolment'), ('person', 'person'), ('flag', 'flag'), ('policy', 'policy'), ('breach', 'breach'), ('hold', 'hold')], max_length=10)),
                ('act', models.CharField(max_length=30)),
                ('criteria', models.TextField(help_text='What was selected, in words.')),
                ('options', models.JSONField(blank=True, default=dict, help_text='What else the act was told, such as the later wave.')),
                ('digest', models.CharField(max_length=64)),
                ('looked_at', models.PositiveIntegerField(default=0)),
                ('taken', models.PositiveIntegerField(default=0, help_text='Rows that the act is about.')),
                ('reasons', models.JSONField(blank=True, default=list)),
                ('made_by', models.CharField(max_length=150)),
                ('made_at', models.DateTimeField()),
                ('begun_by', models.CharField(blank=True, max_length=150)),
                ('begun_at', models.DateTimeField(blank=True, null=True)),
                ('reason', models.TextField(blank=True)),
                ('finished_at', models.DateTimeField(blank=True, null=True)),
                ('applied', models.PositiveIntegerField(default=0)),
                ('changes', models.JSONField(blank=True, default=list)),
            ],
            options={
                'ordering': ['-pk'],
            },
        ),
        migrations.CreateModel(
            name='SelectionPart',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('is_taken', models.BooleanField()),
                ('position', models.PositiveIntegerField()),
                ('keys', models.JSONField()),
                ('notes', models.JSONField()),
                ('applied', models.PositiveIntegerField(default=0)),
                ('unapplied', models.JSONField(blank=True, default=list)),
                ('claimed_at', models.DateTimeField(blank=True, help_text='When somebody took it on, where its rows are not locked.', null=True)),
                ('applied_at', models.DateTimeField(blank=True, null=True)),
                ('tries', models.PositiveSmallIntegerField(default=0, help_text='How often an accident ended it.')),
                ('error', models.CharField(blank=True, max_length=300)),
                ('retry_at', models.DateTimeField(blank=True, null=True)),
            ],
            options={
                'ordering': ['selection', '-is_taken', 'position'],
            },
        ),
        migrations.AddIndex(
            model_name='enrolment',
            index=models.Index(condition=models.Q(('code', ''), _negated=True), fields=['code', 'id'], name='rollout_enrolment_by_code'),
        ),
        migrations.AddIndex(
            model_name='selection',
            index=models.Index(condition=models.Q(('begun_at__isnull', False), ('finished_at__isnull', True)), fields=['begun_at'], name='rollout_selection_at_work'),
        ),
        migrations.AddField(
            model_name='selectionpart',
            name='selection',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='parts', to='rollout.selection'),
        ),
        migrations.AddConstraint(
            model_name='selectionpart',
            constraint=models.UniqueConstraint(fields=('selection', 'is_taken', 'position'), name='rollout_selection_part_once'),
        ),
        migrations.RunPython(grant, migrations.RunPython.noop),
    ]
