"""Add tickets, let support and operators handle them, and let who sees everything see them."""

import django.db.models.deletion
from django.apps import apps as installed
from django.contrib.auth.management import create_permissions
from django.db import migrations, models

HANDLING = ("support", "operator")
SEEING = (*HANDLING, "approver", "auditor", "CTO", "VP Engineering", "VP Product")


def grant(apps, schema_editor):
    """Add permissions to the groups that are there; what an administrator took away otherwise stays away."""
    groups = list(apps.get_model("auth", "Group").objects.filter(name__in=SEEING))
    if not groups:
        return
    create_permissions(installed.get_app_config("rollout"), verbosity=0)
    known = apps.get_model("auth", "Permission").objects.filter(content_type__app_label="rollout")
    for group in groups:
        rights = ("view_ticket", "add_ticket", "change_ticket") if group.name in HANDLING else ("view_ticket",)
        group.permissions.add(*known.filter(codename__in=rights))


class Migration(migrations.Migration):

    dependencies = [
        ('migration', '0004_indexes_of_searches'),
        ('rollout', '0010_sent_says_what'),
    ]

    operations = [
        migrations.AlterField(
            model_name='event',
            name='subject',
            field=models.CharField(choices=[('plan', 'plan'), ('phase', 'phase'), ('wave', 'wave'), ('enrolment', 'enrolment'), ('person', 'person'), ('flag', 'flag'), ('policy', 'policy'), ('breach', 'breach'), ('hold', 'hold'), ('ticket', 'ticket')], max_length=10),
        ),
        migrations.AlterField(
            model_name='selection',
            name='subject',
            field=models.CharField(choices=[('plan', 'plan'), ('phase', 'phase'), ('wave', 'wave'), ('enrolment', 'enrolment'), ('person', 'person'), ('flag', 'flag'), ('policy', 'policy'), ('breach', 'breach'), ('hold', 'hold'), ('ticket', 'ticket')], max_length=10),
        ),
        migrations.CreateModel(
            name='Ticket',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('version', models.PositiveIntegerField(default=1, editable=False, help_text='Counts moves; a move names the one it read.')),
                ('severity', models.CharField(choices=[('critical', 'critical'), ('high', 'high'), ('medium', 'medium'), ('low', 'low')], max_length=10)),
                ('state', models.CharField(choices=[('open', 'open'), ('answered', 'answered'), ('resolved', 'resolved'), ('reopened', 'reopened')], default='open', max_length=10)),
                ('subject', models.CharField(max_length=200)),
                ('text', models.TextField(blank=True, help_text='What the person said.')),
                ('source', models.CharField(blank=True, help_text='The helpdesk that it came from; empty: opened here.', max_length=100)),
                ('external_id', models.CharField(blank=True, help_text='What the helpdesk calls it; taken in once.', max_length=100)),
                ('reported_at', models.DateTimeField()),
                ('waiting_since', models.DateTimeField(help_text='The report, or the last reopening: from then on the deadline is counted.')),
                ('respond_by', models.DateTimeField()),
                ('answered_at', models.DateTimeField(blank=True, help_text='The first answer.', null=True)),
                ('resolved_at', models.DateTimeField(blank=True, null=True)),
                ('opened_by', models.CharField(max_length=150)),
                ('handled_by', models.CharField(blank=True, help_text='Who answered or resolved it last.', max_length=150)),
                ('person', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='tickets', to='migration.person')),
                ('wave', models.ForeignKey(blank=True, help_text='That had moved the person when they reported.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='tickets', to='rollout.wave')),
            ],
            options={
                'ordering': ['-pk'],
                'indexes': [models.Index(condition=models.Q(('state__in', ['open', 'reopened'])), fields=['respond_by'], name='rollout_ticket_unanswered'), models.Index(fields=['reported_at'], name='rollout_ticket_reported'), models.Index(condition=models.Q(('resolved_at__isnull', False)), fields=['resolved_at'], name='rollout_ticket_resolved')],
                'constraints': [models.UniqueConstraint(condition=models.Q(('external_id', ''), _negated=True), fields=('source', 'external_id'), name='rollout_ticket_once'), models.CheckConstraint(condition=models.Q(('severity__in', ['critical', 'high', 'medium', 'low'])), name='rollout_ticket_severity'), models.CheckConstraint(condition=models.Q(('state__in', ['open', 'answered', 'resolved', 'reopened'])), name='rollout_ticket_state_known'), models.CheckConstraint(condition=models.Q(('external_id', ''), models.Q(('source', ''), _negated=True), _connector='OR'), name='rollout_ticket_id_of_a_source'), models.CheckConstraint(condition=models.Q(models.Q(('opened_by', ''), _negated=True), models.Q(('subject', ''), _negated=True)), name='rollout_ticket_says_what_and_who'), models.CheckConstraint(condition=models.Q(('respond_by__gt', models.F('waiting_since')), ('waiting_since__gte', models.F('reported_at'))), name='rollout_ticket_due_after_its_report'), models.CheckConstraint(condition=models.Q(models.Q(('answered_at__isnull', True), ('answered_at__gte', models.F('reported_at')), _connector='OR'), models.Q(models.Q(('state', 'open'), _negated=True), ('answered_at__isnull', True), _connector='OR'), models.Q(models.Q(('state__in', ['answered', 'resolved']), _negated=True), ('answered_at__isnull', False), _connector='OR')), name='rollout_ticket_answered_at_an_instant'), models.CheckConstraint(condition=models.Q(models.Q(('resolved_at__gte', models.F('reported_at')), ('resolved_at__isnull', False), ('state', 'resolved')), models.Q(models.Q(('state', 'resolved'), _negated=True), ('resolved_at__isnull', True)), _connector='OR'), name='rollout_ticket_resolved_at_an_instant')],
            },
        ),
        migrations.RunPython(grant, migrations.RunPython.noop),
    ]
