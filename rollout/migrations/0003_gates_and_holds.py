"""Add policies, samples, evaluations, waivers, breaches, holds and windows; give existing roles what comes with them."""

import datetime

import django.db.models.deletion
from django.apps import apps as installed
from django.contrib.auth.management import create_permissions
from django.db import migrations, models

VIEWED = tuple(
    f"view_{name}"
    for name in ("guardpolicy", "guardevaluation", "breach", "breachresponse", "hold", "sample", "waiver", "window")
)
GRANTED = {
    "operator": (*VIEWED, "add_guardpolicy", "add_sample", "add_window", "delete_window"),
    "approver": VIEWED,
    "auditor": VIEWED,
}


def grant(apps, schema_editor):
    """Add permissions to the groups that are there; what an administrator took away otherwise stays away."""
    groups = {group.name: group for group in apps.get_model("auth", "Group").objects.filter(name__in=GRANTED)}
    if not groups:
        return
    create_permissions(installed.get_app_config("rollout"), verbosity=0)
    permissions = apps.get_model("auth", "Permission").objects.filter(content_type__app_label="rollout")
    for name, group in groups.items():
        group.permissions.add(*permissions.filter(codename__in=GRANTED[name]))


class Migration(migrations.Migration):

    dependencies = [
        ('rollout', '0002_roles_of_drafts_and_upgrades'),
        ('auth', '0012_alter_user_first_name_max_length'),
    ]

    operations = [
        migrations.AlterField(
            model_name='event',
            name='subject',
            field=models.CharField(choices=[('plan', 'plan'), ('phase', 'phase'), ('wave', 'wave'), ('enrolment', 'enrolment'), ('person', 'person'), ('flag', 'flag'), ('policy', 'policy'), ('breach', 'breach'), ('hold', 'hold')], max_length=10),
        ),
        migrations.CreateModel(
            name='GuardPolicy',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=200)),
                ('purpose', models.CharField(choices=[('gate', 'gate'), ('guard', 'guard')], default='guard', max_length=10)),
                ('metric', models.CharField(choices=[('migration_success', 'migration success'), ('validation_score', 'validation score'), ('validation_accuracy', 'validation accuracy'), ('error_rate', 'error rate'), ('performance', 'performance'), ('satisfaction', 'satisfaction'), ('issue_reports', 'issue reports'), ('resolution_time', 'resolution time'), ('ticket_volume', 'ticket volume'), ('uptime', 'uptime')], max_length=30)),
                ('compare', models.CharField(choices=[('absolute', 'absolute'), ('baseline', 'baseline'), ('control', 'control')], default='absolute', max_length=10)),
                ('trip', models.FloatField(help_text='Beyond this a guard trips.')),
                ('clear', models.FloatField(help_text='Better than this a gate passes and a breach clears.')),
                ('window', models.DurationField(default=datetime.timedelta(days=1), help_text='How far back is looked.')),
                ('min_sample', models.PositiveIntegerField(default=20, help_text='Fewer observations are too few to judge.')),
                ('sustained', models.DurationField(default=datetime.timedelta(0), help_text='How long the threshold is crossed before a guard trips.')),
                ('no_data', models.CharField(choices=[('hold', 'hold'), ('trip', 'trip')], default='hold', max_length=10)),
                ('severity', models.CharField(choices=[('critical', 'critical'), ('high', 'high'), ('medium', 'medium'), ('low', 'low')], default='high', max_length=10)),
                ('respond_within', models.DurationField(blank=True, help_text='By when somebody has to have analysed the cases.', null=True)),
                ('responses', models.JSONField(blank=True, default=list, help_text='[{action, after_s}]: what a breach brings about, and when.')),
                ('needs_revalidation', models.BooleanField(default=False, help_text='Only the affected people validated again clear a breach.')),
                ('made_by', models.CharField(max_length=150)),
                ('made_at', models.DateTimeField()),
                ('retired_at', models.DateTimeField(blank=True, null=True)),
                ('phase', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='policies', to='rollout.phase')),
                ('plan', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='policies', to='rollout.plan')),
            ],
            options={
                'verbose_name_plural': 'guard policies',
                'ordering': ['plan', 'phase', 'pk'],
            },
        ),
        migrations.CreateModel(
            name='GuardEvaluation',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('verdict', models.CharField(choices=[('pass', 'pass'), ('hold', 'hold'), ('trip', 'trip')], max_length=10)),
                ('code', models.CharField(choices=[('WITHIN', 'within'), ('CLEAR', 'clear'), ('TARGET_MISSED', 'target missed'), ('NOT_CLEAR_YET', 'not clear yet'), ('CROSSED_RECENTLY', 'crossed recently'), ('CROSSED', 'crossed'), ('NO_READING', 'no reading'), ('NOT_REVALIDATED', 'not revalidated'), ('SOURCE_FAILED', 'source failed'), ('AMBIGUOUS', 'ambiguous'), ('STALE', 'stale'), ('FROM_THE_FUTURE', 'from the future'), ('NOT_FINITE', 'not finite'), ('IMPOSSIBLE', 'impossible'), ('ZERO_DENOMINATOR', 'zero denominator'), ('TOO_FEW', 'too few')], max_length=30)),
                ('text', models.TextField()),
                ('value', models.FloatField(blank=True, null=True)),
                ('inputs', models.JSONField()),
                ('at', models.DateTimeField()),
                ('seen_until', models.DateTimeField()),
                ('wave', models.ForeignKey(blank=True, help_text='Whose start asked for it.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='evaluations', to='rollout.wave')),
                ('policy', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='evaluations', to='rollout.guardpolicy')),
            ],
            options={
                'ordering': ['-pk'],
            },
        ),
        migrations.CreateModel(
            name='Breach',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('version', models.PositiveIntegerField(default=1, editable=False, help_text='Counts moves; a move names the one it read.')),
                ('state', models.CharField(choices=[('open', 'open'), ('cleared', 'cleared'), ('waived', 'waived')], default='open', max_length=10)),
                ('wave_attempt', models.PositiveIntegerField(default=0)),
                ('affected', models.JSONField(blank=True, default=list, help_text='Primary keys of the enrolments that had been attempted.')),
                ('opened_at', models.DateTimeField()),
                ('respond_by', models.DateTimeField(blank=True, null=True)),
                ('closed_at', models.DateTimeField(blank=True, null=True)),
                ('closed_by', models.CharField(blank=True, max_length=150)),
                ('closed_reason', models.TextField(blank=True)),
                ('wave', models.ForeignKey(blank=True, help_text='The latest when it opened.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='breaches', to='rollout.wave')),
                ('evaluation', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='breaches', to='rollout.guardevaluation')),
                ('policy', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='breaches', to='rollout.guardpolicy')),
            ],
            options={
                'verbose_name_plural': 'breaches',
                'ordering': ['-pk'],
            },
        ),
        migrations.CreateModel(
            name='Hold',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('version', models.PositiveIntegerField(default=1, editable=False, help_text='Counts moves; a move names the one it read.')),
                ('kind', models.CharField(choices=[('admin', 'paused by somebody'), ('guard', 'guard tripped'), ('freeze', 'everything is frozen'), ('incident', 'incident'), ('error', 'error'), ('window', 'window is closed')], max_length=10)),
                ('state', models.CharField(choices=[('standing', 'standing'), ('cleared', 'cleared')], default='standing', max_length=10)),
                ('reason', models.TextField()),
                ('set_by', models.CharField(max_length=150)),
                ('set_at', models.DateTimeField()),
                ('cleared_by', models.CharField(blank=True, max_length=150)),
                ('cleared_at', models.DateTimeField(blank=True, null=True)),
                ('cleared_reason', models.TextField(blank=True)),
                ('breach', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='holds', to='rollout.breach')),
                ('phase', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='holds', to='rollout.phase')),
                ('plan', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='holds', to='rollout.plan')),
                ('wave', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='holds', to='rollout.wave')),
            ],
            options={
                'ordering': ['-pk'],
            },
        ),
        migrations.CreateModel(
            name='Sample',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('metric', models.CharField(choices=[('migration_success', 'migration success'), ('validation_score', 'validation score'), ('validation_accuracy', 'validation accuracy'), ('error_rate', 'error rate'), ('performance', 'performance'), ('satisfaction', 'satisfaction'), ('issue_reports', 'issue reports'), ('resolution_time', 'resolution time'), ('ticket_volume', 'ticket volume'), ('uptime', 'uptime')], max_length=30)),
                ('arm', models.CharField(choices=[('treated', 'treated'), ('control', 'control'), ('baseline', 'baseline'), ('revalidated', 'revalidated')], default='treated', max_length=12)),
                ('numerator', models.FloatField()),
                ('denominator', models.FloatField()),
                ('count', models.PositiveIntegerField(help_text='Observations behind it.')),
                ('taken_at', models.DateTimeField()),
                ('source', models.CharField(help_text='Where it comes from: a monitor, a survey, a person.', max_length=100)),
                ('key', models.CharField(blank=True, help_text='What the source calls it; a second import of it is ignored.', max_length=100)),
                ('by', models.CharField(max_length=150)),
                ('note', models.TextField(blank=True)),
                ('phase', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='samples', to='rollout.phase')),
                ('plan', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='samples', to='rollout.plan')),
            ],
            options={
                'ordering': ['-taken_at', '-pk'],
            },
        ),
        migrations.CreateModel(
            name='Waiver',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('attempt', models.PositiveIntegerField()),
                ('by', models.CharField(max_length=150)),
                ('reason', models.TextField()),
                ('at', models.DateTimeField()),
                ('policy', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='waivers', to='rollout.guardpolicy')),
                ('wave', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='waivers', to='rollout.wave')),
            ],
            options={
                'ordering': ['-pk'],
            },
        ),
        migrations.CreateModel(
            name='Window',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('zone', models.CharField(default='UTC', help_text='An IANA zone, such as Europe/Berlin.', max_length=60)),
                ('opens', models.TimeField(help_text='Local time.')),
                ('closes', models.TimeField(help_text='Local time; up to `opens` it is of the next day.')),
                ('days', models.JSONField(default=list, help_text='Days on which it opens, 0 (Monday) to 6.')),
                ('phase', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='windows', to='rollout.phase')),
                ('plan', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='windows', to='rollout.plan')),
            ],
            options={
                'ordering': ['plan', 'phase', 'opens'],
            },
        ),
        migrations.CreateModel(
            name='BreachResponse',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('action', models.CharField(choices=[('pause', 'pause'), ('alert', 'alert'), ('escalate', 'escalate'), ('roll_back', 'roll back')], max_length=10)),
                ('due_at', models.DateTimeField()),
                ('done_at', models.DateTimeField(blank=True, null=True)),
                ('outcome', models.TextField(blank=True)),
                ('breach', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='responses', to='rollout.breach')),
            ],
            options={
                'ordering': ['due_at', 'pk'],
                'constraints': [models.CheckConstraint(condition=models.Q(('action__in', ['pause', 'alert', 'escalate', 'roll_back'])), name='rollout_response_known'), models.UniqueConstraint(fields=('breach', 'action'), name='rollout_response_once')],
            },
        ),
        migrations.AddConstraint(
            model_name='guardpolicy',
            constraint=models.CheckConstraint(condition=models.Q(('purpose__in', ['gate', 'guard'])), name='rollout_policy_purpose_known'),
        ),
        migrations.AddConstraint(
            model_name='guardpolicy',
            constraint=models.CheckConstraint(condition=models.Q(('metric__in', ['migration_success', 'validation_score', 'validation_accuracy', 'error_rate', 'performance', 'satisfaction', 'issue_reports', 'resolution_time', 'ticket_volume', 'uptime'])), name='rollout_policy_metric_known'),
        ),
        migrations.AddConstraint(
            model_name='guardpolicy',
            constraint=models.CheckConstraint(condition=models.Q(('compare__in', ['absolute', 'baseline', 'control'])), name='rollout_policy_compare_known'),
        ),
        migrations.AddConstraint(
            model_name='guardpolicy',
            constraint=models.CheckConstraint(condition=models.Q(('no_data__in', ['hold', 'trip'])), name='rollout_policy_no_data_known'),
        ),
        migrations.AddConstraint(
            model_name='guardpolicy',
            constraint=models.CheckConstraint(condition=models.Q(('severity__in', ['critical', 'high', 'medium', 'low'])), name='rollout_policy_severity_known'),
        ),
        migrations.AddConstraint(
            model_name='guardpolicy',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('clear__gte', models.F('trip')), ('metric__in', ['migration_success', 'satisfaction', 'uptime', 'validation_accuracy', 'validation_score'])), models.Q(models.Q(('metric__in', ['migration_success', 'satisfaction', 'uptime', 'validation_accuracy', 'validation_score']), _negated=True), ('clear__lte', models.F('trip'))), _connector='OR'), name='rollout_policy_clear_is_better'),
        ),
        migrations.AddConstraint(
            model_name='guardpolicy',
            constraint=models.CheckConstraint(condition=models.Q(('min_sample__gte', 1)), name='rollout_policy_needs_a_sample'),
        ),
        migrations.AddConstraint(
            model_name='guardpolicy',
            constraint=models.CheckConstraint(condition=models.Q(('window__gt', datetime.timedelta(0))), name='rollout_policy_looks_back'),
        ),
        migrations.AddConstraint(
            model_name='guardpolicy',
            constraint=models.UniqueConstraint(condition=models.Q(('retired_at__isnull', True)), fields=('plan', 'name'), name='rollout_policy_name_once'),
        ),
        migrations.AddIndex(
            model_name='guardevaluation',
            index=models.Index(fields=['policy', 'id'], name='rollout_evaluation_of_policy'),
        ),
        migrations.AddConstraint(
            model_name='guardevaluation',
            constraint=models.CheckConstraint(condition=models.Q(('verdict__in', ['pass', 'hold', 'trip'])), name='rollout_verdict_known'),
        ),
        migrations.AddConstraint(
            model_name='guardevaluation',
            constraint=models.CheckConstraint(condition=models.Q(('code__in', ['WITHIN', 'CLEAR', 'TARGET_MISSED', 'NOT_CLEAR_YET', 'CROSSED_RECENTLY', 'CROSSED', 'NO_READING', 'NOT_REVALIDATED', 'SOURCE_FAILED', 'AMBIGUOUS', 'STALE', 'FROM_THE_FUTURE', 'NOT_FINITE', 'IMPOSSIBLE', 'ZERO_DENOMINATOR', 'TOO_FEW'])), name='rollout_verdict_code_known'),
        ),
        migrations.AddConstraint(
            model_name='guardevaluation',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('verdict', 'pass'), _negated=True), ('value__isnull', False), _connector='OR'), name='rollout_unknown_is_not_pass'),
        ),
        migrations.AddConstraint(
            model_name='breach',
            constraint=models.UniqueConstraint(condition=models.Q(('state', 'open')), fields=('policy',), name='rollout_one_open_breach'),
        ),
        migrations.AddConstraint(
            model_name='breach',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['open', 'cleared', 'waived'])), name='rollout_breach_state_known'),
        ),
        migrations.AddConstraint(
            model_name='breach',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('closed_at__isnull', True), ('closed_by', ''), ('state', 'open')), models.Q(models.Q(('state', 'open'), _negated=True), ('closed_at__isnull', False), models.Q(('closed_by', ''), _negated=True)), _connector='OR'), name='rollout_breach_closed_by_name'),
        ),
        migrations.AddIndex(
            model_name='hold',
            index=models.Index(fields=['state'], name='rollout_hold_by_state'),
        ),
        migrations.AddConstraint(
            model_name='hold',
            constraint=models.CheckConstraint(condition=models.Q(('kind__in', ['admin', 'guard', 'freeze', 'incident', 'error'])), name='rollout_hold_kind_known'),
        ),
        migrations.AddConstraint(
            model_name='hold',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['standing', 'cleared'])), name='rollout_hold_state_known'),
        ),
        migrations.AddConstraint(
            model_name='hold',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('kind', 'freeze'), ('phase__isnull', True), ('plan__isnull', True), ('wave__isnull', True)), models.Q(models.Q(('kind', 'freeze'), _negated=True), models.Q(models.Q(('phase__isnull', True), ('plan__isnull', False), ('wave__isnull', True)), models.Q(('phase__isnull', False), ('plan__isnull', True), ('wave__isnull', True)), models.Q(('phase__isnull', True), ('plan__isnull', True), ('wave__isnull', False)), _connector='OR')), _connector='OR'), name='rollout_hold_on_one_thing'),
        ),
        migrations.AddConstraint(
            model_name='hold',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('breach__isnull', False), ('kind', 'guard')), models.Q(models.Q(('kind', 'guard'), _negated=True), ('breach__isnull', True)), _connector='OR'), name='rollout_hold_of_a_guard_has_a_breach'),
        ),
        migrations.AddConstraint(
            model_name='hold',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('cleared_at__isnull', True), ('cleared_by', ''), ('state', 'standing')), models.Q(('cleared_at__isnull', False), ('state', 'cleared'), models.Q(('cleared_by', ''), _negated=True)), _connector='OR'), name='rollout_hold_cleared_by_name'),
        ),
        migrations.AddConstraint(
            model_name='hold',
            constraint=models.UniqueConstraint(condition=models.Q(('kind', 'freeze'), ('state', 'standing')), fields=('kind',), name='rollout_one_freeze'),
        ),
        migrations.AddConstraint(
            model_name='hold',
            constraint=models.UniqueConstraint(condition=models.Q(('state', 'standing')), fields=('breach',), name='rollout_one_hold_of_a_breach'),
        ),
        migrations.AddIndex(
            model_name='sample',
            index=models.Index(fields=['metric', 'arm', 'taken_at'], name='rollout_sample_of_metric'),
        ),
        migrations.AddConstraint(
            model_name='sample',
            constraint=models.CheckConstraint(condition=models.Q(('metric__in', ['migration_success', 'validation_score', 'validation_accuracy', 'error_rate', 'performance', 'satisfaction', 'issue_reports', 'resolution_time', 'ticket_volume', 'uptime'])), name='rollout_sample_metric_known'),
        ),
        migrations.AddConstraint(
            model_name='sample',
            constraint=models.CheckConstraint(condition=models.Q(('arm__in', ['treated', 'control', 'baseline', 'revalidated'])), name='rollout_sample_arm_known'),
        ),
        migrations.AddConstraint(
            model_name='sample',
            constraint=models.CheckConstraint(condition=models.Q(('denominator__gte', 0), ('numerator__gte', 0)), name='rollout_sample_not_negative'),
        ),
        migrations.AddConstraint(
            model_name='sample',
            constraint=models.CheckConstraint(condition=models.Q(('phase__isnull', True), ('plan__isnull', False), _connector='OR'), name='rollout_sample_phase_with_plan'),
        ),
        migrations.AddConstraint(
            model_name='sample',
            constraint=models.UniqueConstraint(condition=models.Q(('key', ''), _negated=True), fields=('source', 'key'), name='rollout_sample_once'),
        ),
        migrations.AddConstraint(
            model_name='waiver',
            constraint=models.UniqueConstraint(fields=('policy', 'wave', 'attempt'), name='rollout_waived_once'),
        ),
        migrations.AddConstraint(
            model_name='waiver',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('by', ''), _negated=True), models.Q(('reason', ''), _negated=True)), name='rollout_waived_by_name'),
        ),
        migrations.AddConstraint(
            model_name='window',
            constraint=models.CheckConstraint(condition=models.Q(('opens', models.F('closes')), _negated=True), name='rollout_window_is_not_empty'),
        ),
        migrations.RunPython(grant, migrations.RunPython.noop),
    ]
