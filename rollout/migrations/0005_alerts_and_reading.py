"""Add the messages to those who have to hear of a breach, and when people read what they were told in the application."""

import django.db.models.deletion
from django.apps import apps as installed
from django.contrib.auth.management import create_permissions
from django.db import migrations, models

GRANTED_TO = ("operator", "approver", "auditor", "CTO", "VP Engineering", "VP Product")


def grant(apps, schema_editor):
    """Let the roles that see everything see these too; what an administrator took away otherwise stays away."""
    groups = list(apps.get_model("auth", "Group").objects.filter(name__in=GRANTED_TO))
    if not groups:
        return
    create_permissions(installed.get_app_config("rollout"), verbosity=0)
    view = apps.get_model("auth", "Permission").objects.filter(content_type__app_label="rollout", codename="view_alert")
    for group in groups:
        group.permissions.add(*view)


class Migration(migrations.Migration):

    dependencies = [
        ('rollout', '0004_plans_in_full'),
    ]

    operations = [
        migrations.AlterField(
            model_name='guardpolicy',
            name='responses',
            field=models.JSONField(blank=True, default=list, help_text='[{action, after_s, roles}]: what a breach brings about, when, and who is told.'),
        ),
        migrations.CreateModel(
            name='Alert',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(help_text='The account.', max_length=150)),
                ('role', models.CharField(help_text='As whom it is told: a group of accounts.', max_length=150)),
                ('address', models.EmailField(max_length=254)),
                ('state', models.CharField(choices=[('pending', 'pending'), ('sent', 'sent'), ('failed', 'failed'), ('cancelled', 'cancelled')], default='pending', max_length=10)),
                ('due_at', models.DateTimeField()),
                ('sent_at', models.DateTimeField(blank=True, null=True)),
                ('tries', models.PositiveSmallIntegerField(default=0)),
                ('error', models.TextField(blank=True)),
                ('response', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='alerts', to='rollout.breachresponse')),
            ],
            options={
                'ordering': ['pk'],
                'indexes': [models.Index(condition=models.Q(('state', 'pending')), fields=['due_at'], name='rollout_alert_due')],
                'constraints': [models.UniqueConstraint(fields=('response', 'name'), name='rollout_never_alerted_twice'), models.CheckConstraint(condition=models.Q(('state__in', ['pending', 'sent', 'failed', 'cancelled'])), name='rollout_alert_state_known'), models.CheckConstraint(condition=models.Q(models.Q(('sent_at__isnull', False), ('state', 'sent')), models.Q(models.Q(('state', 'sent'), _negated=True), ('sent_at__isnull', True)), _connector='OR'), name='rollout_alert_sent_at_an_instant')],
            },
        ),
        migrations.AddField(
            model_name='noticedelivery',
            name='read_at',
            field=models.DateTimeField(blank=True, help_text='When the person marked it as read in the application.', null=True),
        ),
        migrations.AddConstraint(
            model_name='noticedelivery',
            constraint=models.CheckConstraint(condition=models.Q(('read_at__isnull', True), ('state', 'sent'), _connector='OR'), name='rollout_read_after_sent'),
        ),
        migrations.RunPython(grant, migrations.RunPython.noop),
    ]
