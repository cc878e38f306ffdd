"""Add what a whole plan needs: shares, dates, throttles, notices, sign-offs, tasks, freezes, certificates, rehearsals."""

import datetime
import django.db.models.deletion
import rollout.models.plans
from decimal import Decimal
from django.apps import apps as installed
from django.contrib.auth.management import create_permissions
from django.db import migrations, models


VIEWED = tuple(
    f"view_{name}"
    for name in (
        "freeze", "notice", "noticedelivery", "noticewaiver", "rehearsal", "rollbackcertificate", "signoff",
        "signoffrequirement", "task",
    )
)  # fmt: skip
GRANTED = {
    "operator": (
        *VIEWED, "add_notice", "change_notice", "delete_notice", "add_task", "change_task", "add_freeze", "delete_freeze",
        "add_signoffrequirement", "add_rehearsal",
    ),
    "approver": VIEWED,
    "auditor": VIEWED,
}  # fmt: skip


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
        ('migration', '0001_initial'),
        ('rollout', '0003_gates_and_holds'),
    ]

    operations = [
        migrations.CreateModel(
            name='Freeze',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('starts_at', models.DateTimeField()),
                ('ends_at', models.DateTimeField()),
                ('reason', models.TextField()),
                ('set_by', models.CharField(max_length=150)),
                ('set_at', models.DateTimeField()),
            ],
            options={
                'ordering': ['starts_at'],
            },
        ),
        migrations.CreateModel(
            name='Notice',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=200)),
                ('channel', models.CharField(choices=[('email', 'e-mail'), ('in_app', 'in the application')], default='email', max_length=10)),
                ('moment', models.CharField(choices=[('before_start', 'before the wave starts'), ('after_switch', 'after the person is switched')], default='before_start', max_length=12)),
                ('lead', models.DurationField(help_text='How long before the start, or after the switch.')),
                ('subject', models.CharField(max_length=200)),
                ('body', models.TextField(help_text='Plain text; {user}, {wave}, {starts_at} and {support} are filled in.')),
                ('is_required', models.BooleanField(default=True, help_text='The wave waits for it.')),
            ],
            options={
                'ordering': ['plan', 'phase', '-lead'],
            },
        ),
        migrations.CreateModel(
            name='NoticeDelivery',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('attempt', models.PositiveIntegerField()),
                ('schedule_version', models.PositiveIntegerField()),
                ('state', models.CharField(choices=[('pending', 'pending'), ('sent', 'sent'), ('failed', 'failed'), ('cancelled', 'cancelled')], default='pending', max_length=10)),
                ('due_at', models.DateTimeField()),
                ('sent_at', models.DateTimeField(blank=True, null=True)),
                ('tries', models.PositiveSmallIntegerField(default=0)),
                ('error', models.TextField(blank=True)),
            ],
            options={
                'verbose_name_plural': 'notice deliveries',
                'ordering': ['-pk'],
            },
        ),
        migrations.CreateModel(
            name='NoticeWaiver',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('attempt', models.PositiveIntegerField()),
                ('schedule_version', models.PositiveIntegerField()),
                ('by', models.CharField(max_length=150)),
                ('reason', models.TextField()),
                ('at', models.DateTimeField()),
            ],
            options={
                'ordering': ['-pk'],
            },
        ),
        migrations.CreateModel(
            name='Rehearsal',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('scenario', models.CharField(blank=True, help_text='Empty: nothing goes wrong.', max_length=40)),
                ('seed', models.PositiveIntegerField()),
                ('people', models.PositiveIntegerField()),
                ('content_hash', models.CharField(max_length=64)),
                ('digest', models.CharField(blank=True, help_text='SHA-256 of the report; the same seed gives the same one.', max_length=64)),
                ('is_completed', models.BooleanField(default=False)),
                ('violations', models.PositiveIntegerField(default=0)),
                ('report', models.JSONField(default=dict)),
                ('by', models.CharField(max_length=150)),
                ('asked_at', models.DateTimeField()),
                ('finished_at', models.DateTimeField(blank=True, null=True)),
                ('error', models.TextField(blank=True, help_text='Why there is no report.')),
            ],
            options={
                'ordering': ['-pk'],
            },
        ),
        migrations.CreateModel(
            name='RollbackCertificate',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('roster', models.PositiveIntegerField()),
                ('roster_digest', models.CharField(help_text='SHA-256 over the members that it stands for.', max_length=64)),
                ('people', models.PositiveIntegerField()),
                ('effective_ms', models.FloatField()),
                ('reconciled_ms', models.FloatField()),
                ('projected_s', models.FloatField()),
                ('is_exact', models.BooleanField()),
                ('engine_version', models.CharField(max_length=20)),
                ('text', models.TextField(blank=True, help_text='What was found, in words.')),
                ('by', models.CharField(max_length=150)),
                ('at', models.DateTimeField()),
            ],
            options={
                'ordering': ['-pk'],
            },
        ),
        migrations.CreateModel(
            name='Signoff',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('decision', models.CharField(choices=[('approved', 'approved'), ('rejected', 'rejected')], max_length=10)),
                ('content_hash', models.CharField(help_text='SHA-256 of the content that was shown.', max_length=64)),
                ('evidence', models.JSONField(default=dict)),
                ('by', models.CharField(max_length=150)),
                ('reason', models.TextField(blank=True)),
                ('at', models.DateTimeField()),
            ],
            options={
                'ordering': ['-pk'],
            },
        ),
        migrations.CreateModel(
            name='SignoffRequirement',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('role', models.CharField(help_text='A group of accounts, such as CTO.', max_length=100)),
            ],
            options={
                'ordering': ['plan', 'phase', 'role'],
            },
        ),
        migrations.CreateModel(
            name='Task',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('position', models.PositiveSmallIntegerField()),
                ('text', models.CharField(max_length=300)),
                ('due_at', models.DateTimeField(blank=True, null=True)),
                ('is_required', models.BooleanField(default=True)),
                ('done_at', models.DateTimeField(blank=True, null=True)),
                ('done_by', models.CharField(blank=True, max_length=150)),
                ('note', models.TextField(blank=True)),
            ],
            options={
                'ordering': ['phase', 'position'],
            },
        ),
        migrations.AlterModelOptions(
            name='plan',
            options={'ordering': ['-created_at'], 'permissions': [('operate_rollout', 'Can start, finish and roll back waves'), ('approve_rollout', 'Can approve plans and open phases'), ('sign_off_rollout', 'Can sign plans and phases off in the name of a role they hold')]},
        ),
        migrations.AddField(
            model_name='enrolment',
            name='checks_done',
            field=models.PositiveSmallIntegerField(default=0),
        ),
        migrations.AddField(
            model_name='enrolment',
            name='chosen_for',
            field=models.CharField(blank=True, help_text='Why the wave took the person: rules, stratum, rank.', max_length=200),
        ),
        migrations.AddField(
            model_name='enrolment',
            name='deferrals',
            field=models.PositiveSmallIntegerField(default=0, help_text='How often the person asked for a later wave.'),
        ),
        migrations.AddField(
            model_name='enrolment',
            name='leases_lost',
            field=models.PositiveSmallIntegerField(default=0, help_text='Workers that died or stalled with this person in hand.'),
        ),
        migrations.AddField(
            model_name='enrolment',
            name='next_check_at',
            field=models.DateTimeField(blank=True, help_text='When the person is looked at next after the switch.', null=True),
        ),
        migrations.AddField(
            model_name='phase',
            name='finished_at',
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='phase',
            name='frozen_at',
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='phase',
            name='needs_certificate',
            field=models.BooleanField(default=False, help_text='No wave starts without a freshly measured rollback.'),
        ),
        migrations.AddField(
            model_name='phase',
            name='objective',
            field=models.TextField(blank=True),
        ),
        migrations.AddField(
            model_name='phase',
            name='population',
            field=models.PositiveIntegerField(blank=True, help_text='People, frozen when the first wave is locked.', null=True),
        ),
        migrations.AddField(
            model_name='phase',
            name='share',
            field=models.DecimalField(blank=True, decimal_places=3, help_text='Per cent; empty where its waves name their people.', max_digits=6, null=True),
        ),
        migrations.AddField(
            model_name='phase',
            name='share_of',
            field=models.CharField(choices=[('customized', 'everybody who is customized'), ('remaining', 'everybody who is customized and in no wave yet')], default='customized', max_length=10),
        ),
        migrations.AddField(
            model_name='phase',
            name='soak',
            field=models.DurationField(default=datetime.timedelta(0), help_text='How long it is watched after its last wave.'),
        ),
        migrations.AddField(
            model_name='phase',
            name='soaking_at',
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='phase',
            name='started_at',
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='phase',
            name='starts_at',
            field=models.DateTimeField(blank=True, help_text='When it is to open, at the earliest.', null=True),
        ),
        migrations.AddField(
            model_name='plan',
            name='certificate_valid_for',
            field=models.DurationField(default=datetime.timedelta(days=7), help_text='How long a measured rollback counts.'),
        ),
        migrations.AddField(
            model_name='plan',
            name='deferral_limit',
            field=models.DurationField(default=datetime.timedelta(days=14), help_text='How much later that wave may start.'),
        ),
        migrations.AddField(
            model_name='plan',
            name='max_deferrals',
            field=models.PositiveSmallIntegerField(default=1, help_text='How often one person may ask for a later wave.'),
        ),
        migrations.AddField(
            model_name='plan',
            name='starts_on',
            field=models.DateField(blank=True, help_text='First day of its first week.', null=True),
        ),
        migrations.AddField(
            model_name='plan',
            name='template',
            field=models.CharField(blank=True, help_text='The template that it was made from, with its version.', max_length=100),
        ),
        migrations.AddField(
            model_name='plan',
            name='time_zone',
            field=models.CharField(default='UTC', help_text='The IANA zone that its days are counted in.', max_length=60),
        ),
        migrations.AddField(
            model_name='wave',
            name='allowance',
            field=models.FloatField(default=0, editable=False, help_text='People that the rate lets be claimed at `allowed_at`.'),
        ),
        migrations.AddField(
            model_name='wave',
            name='allowed_at',
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
        migrations.AddField(
            model_name='wave',
            name='batch_size',
            field=models.PositiveIntegerField(default=100, help_text='People in the next batch; adapts to how long one takes.'),
        ),
        migrations.AddField(
            model_name='wave',
            name='checks',
            field=models.JSONField(blank=True, default=rollout.models.plans.checks_of_a_day, help_text='When each person is looked at after the switch, in seconds.'),
        ),
        migrations.AddField(
            model_name='wave',
            name='lock_lead',
            field=models.DurationField(default=datetime.timedelta(days=8), help_text='How long before that its people are frozen.'),
        ),
        migrations.AddField(
            model_name='wave',
            name='max_batch',
            field=models.PositiveIntegerField(default=100, help_text='People in a batch at most.'),
        ),
        migrations.AddField(
            model_name='wave',
            name='max_workers',
            field=models.PositiveSmallIntegerField(default=4, help_text='Workers at once at most.'),
        ),
        migrations.AddField(
            model_name='wave',
            name='rate',
            field=models.PositiveIntegerField(blank=True, help_text='People a minute at most; empty: as fast as it goes.', null=True),
        ),
        migrations.AddField(
            model_name='wave',
            name='share',
            field=models.DecimalField(blank=True, decimal_places=3, help_text="Per cent of its phase's frozen population.", max_digits=6, null=True),
        ),
        migrations.AddField(
            model_name='wave',
            name='starts_at',
            field=models.DateTimeField(blank=True, help_text='When it starts by itself; empty: somebody starts it.', null=True),
        ),
        migrations.AlterField(
            model_name='wave',
            name='audience',
            field=models.JSONField(blank=True, default=dict, help_text='{internal, users, limit, rules, strata, holdout}: who is meant.'),
        ),
        migrations.AddIndex(
            model_name='enrolment',
            index=models.Index(condition=models.Q(('next_check_at__isnull', False)), fields=['next_check_at'], name='rollout_next_check'),
        ),
        migrations.AddConstraint(
            model_name='phase',
            constraint=models.CheckConstraint(condition=models.Q(('share__isnull', True), models.Q(('share__gt', 0), ('share__lte', Decimal('100'))), _connector='OR'), name='rollout_phase_share_is_percent'),
        ),
        migrations.AddConstraint(
            model_name='phase',
            constraint=models.CheckConstraint(condition=models.Q(('share_of__in', ['customized', 'remaining'])), name='rollout_phase_share_of_known'),
        ),
        migrations.AddConstraint(
            model_name='wave',
            constraint=models.CheckConstraint(condition=models.Q(('share__isnull', True), models.Q(('share__gt', 0), ('share__lte', Decimal('100'))), _connector='OR'), name='rollout_wave_share_is_percent'),
        ),
        migrations.AddConstraint(
            model_name='wave',
            constraint=models.CheckConstraint(condition=models.Q(('batch_size__gte', 1), ('max_batch__gte', 1), ('max_workers__gte', 1), models.Q(('rate__isnull', True), ('rate__gte', 1), _connector='OR')), name='rollout_wave_limits_let_somebody_through'),
        ),
        migrations.AddField(
            model_name='freeze',
            name='plan',
            field=models.ForeignKey(blank=True, help_text='Empty: every plan.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='freezes', to='rollout.plan'),
        ),
        migrations.AddField(
            model_name='notice',
            name='phase',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='notices', to='rollout.phase'),
        ),
        migrations.AddField(
            model_name='notice',
            name='plan',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='notices', to='rollout.plan'),
        ),
        migrations.AddField(
            model_name='noticedelivery',
            name='enrolment',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='deliveries', to='rollout.enrolment'),
        ),
        migrations.AddField(
            model_name='noticedelivery',
            name='notice',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='deliveries', to='rollout.notice'),
        ),
        migrations.AddField(
            model_name='noticedelivery',
            name='wave',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='deliveries', to='rollout.wave'),
        ),
        migrations.AddField(
            model_name='noticewaiver',
            name='notice',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='waivers', to='rollout.notice'),
        ),
        migrations.AddField(
            model_name='noticewaiver',
            name='wave',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='notice_waivers', to='rollout.wave'),
        ),
        migrations.AddField(
            model_name='rehearsal',
            name='plan',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='rehearsals', to='rollout.plan'),
        ),
        migrations.AddField(
            model_name='rollbackcertificate',
            name='phase',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='certificates', to='rollout.phase'),
        ),
        migrations.AddField(
            model_name='rollbackcertificate',
            name='wave',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='certificates', to='rollout.wave'),
        ),
        migrations.AddField(
            model_name='signoffrequirement',
            name='phase',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='signoff_requirements', to='rollout.phase'),
        ),
        migrations.AddField(
            model_name='signoffrequirement',
            name='plan',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='signoff_requirements', to='rollout.plan'),
        ),
        migrations.AddField(
            model_name='signoff',
            name='requirement',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='signoffs', to='rollout.signoffrequirement'),
        ),
        migrations.AddField(
            model_name='task',
            name='phase',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='tasks', to='rollout.phase'),
        ),
        migrations.AddConstraint(
            model_name='freeze',
            constraint=models.CheckConstraint(condition=models.Q(('ends_at__gt', models.F('starts_at'))), name='rollout_freeze_is_not_empty'),
        ),
        migrations.AddConstraint(
            model_name='freeze',
            constraint=models.CheckConstraint(condition=models.Q(('reason', ''), _negated=True), name='rollout_freeze_says_why'),
        ),
        migrations.AddConstraint(
            model_name='notice',
            constraint=models.UniqueConstraint(fields=('phase', 'name'), name='rollout_notice_once_per_phase'),
        ),
        migrations.AddConstraint(
            model_name='notice',
            constraint=models.UniqueConstraint(condition=models.Q(('phase', None)), fields=('plan', 'name'), name='rollout_notice_once_of_plan'),
        ),
        migrations.AddConstraint(
            model_name='notice',
            constraint=models.CheckConstraint(condition=models.Q(('channel__in', ['email', 'in_app'])), name='rollout_notice_channel_known'),
        ),
        migrations.AddConstraint(
            model_name='notice',
            constraint=models.CheckConstraint(condition=models.Q(('moment__in', ['before_start', 'after_switch'])), name='rollout_notice_moment_known'),
        ),
        migrations.AddConstraint(
            model_name='notice',
            constraint=models.CheckConstraint(condition=models.Q(('moment', 'before_start'), ('is_required', False), _connector='OR'), name='rollout_required_notice_is_before_start'),
        ),
        migrations.AddIndex(
            model_name='noticedelivery',
            index=models.Index(condition=models.Q(('state', 'pending')), fields=['due_at'], name='rollout_delivery_due'),
        ),
        migrations.AddIndex(
            model_name='noticedelivery',
            index=models.Index(fields=['wave', 'notice', 'state'], name='rollout_delivery_of_wave'),
        ),
        migrations.AddConstraint(
            model_name='noticedelivery',
            constraint=models.UniqueConstraint(fields=('notice', 'enrolment', 'attempt', 'schedule_version'), name='rollout_never_told_twice'),
        ),
        migrations.AddConstraint(
            model_name='noticedelivery',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['pending', 'sent', 'failed', 'cancelled'])), name='rollout_delivery_state_known'),
        ),
        migrations.AddConstraint(
            model_name='noticedelivery',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('sent_at__isnull', False), ('state', 'sent')), models.Q(models.Q(('state', 'sent'), _negated=True), ('sent_at__isnull', True)), _connector='OR'), name='rollout_sent_at_an_instant'),
        ),
        migrations.AddConstraint(
            model_name='noticewaiver',
            constraint=models.UniqueConstraint(fields=('notice', 'wave', 'attempt', 'schedule_version'), name='rollout_notice_waived_once'),
        ),
        migrations.AddConstraint(
            model_name='noticewaiver',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('by', ''), _negated=True), models.Q(('reason', ''), _negated=True)), name='rollout_notice_waived_by_name'),
        ),
        migrations.AddConstraint(
            model_name='signoffrequirement',
            constraint=models.UniqueConstraint(fields=('phase', 'role'), name='rollout_role_once_per_phase'),
        ),
        migrations.AddConstraint(
            model_name='signoffrequirement',
            constraint=models.UniqueConstraint(condition=models.Q(('phase__isnull', True)), fields=('plan', 'role'), name='rollout_role_once_per_plan'),
        ),
        migrations.AddConstraint(
            model_name='signoffrequirement',
            constraint=models.CheckConstraint(condition=models.Q(('role', ''), _negated=True), name='rollout_requirement_names_a_role'),
        ),
        migrations.AddConstraint(
            model_name='signoff',
            constraint=models.UniqueConstraint(fields=('requirement', 'content_hash'), name='rollout_one_decision_of_a_role'),
        ),
        migrations.AddConstraint(
            model_name='signoff',
            constraint=models.CheckConstraint(condition=models.Q(('decision__in', ['approved', 'rejected'])), name='rollout_decision_known'),
        ),
        migrations.AddConstraint(
            model_name='signoff',
            constraint=models.CheckConstraint(condition=models.Q(('by', ''), _negated=True), name='rollout_signed_by_name'),
        ),
        migrations.AddConstraint(
            model_name='task',
            constraint=models.UniqueConstraint(fields=('phase', 'position'), name='rollout_task_position_once'),
        ),
        migrations.AddConstraint(
            model_name='task',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('done_at__isnull', True), ('done_by', '')), models.Q(('done_at__isnull', False), models.Q(('done_by', ''), _negated=True)), _connector='OR'), name='rollout_task_done_by_name'),
        ),
        # Fewer indexes of a place in a wave: each is written whenever the person's state changes.
        migrations.RemoveConstraint(
            model_name='enrolment',
            name='rollout_person_once_per_wave',
        ),
        migrations.AlterField(
            model_name='enrolment',
            name='lease_until',
            field=models.DateTimeField(blank=True, null=True),
        ),
        # PostgreSQL keeps a conditional constraint as an index, which dropping the column's own index would take along
        migrations.RemoveConstraint(
            model_name='enrolment',
            name='rollout_one_live_enrolment',
        ),
        migrations.AlterField(
            model_name='enrolment',
            name='person',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='enrolments', to='migration.person'),
        ),
        migrations.AddConstraint(
            model_name='enrolment',
            constraint=models.UniqueConstraint(condition=models.Q(('is_live', True)), fields=('person',), name='rollout_one_live_enrolment'),
        ),
        migrations.AlterField(
            model_name='enrolment',
            name='wave',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='enrolments', to='rollout.wave'),
        ),
        migrations.AlterField(
            model_name='snapshot',
            name='act',
            field=models.UUIDField(help_text='The act that switched; its history rows carry the same id.'),
        ),
        migrations.AddIndex(
            model_name='enrolment',
            index=models.Index(condition=models.Q(('lease_until__isnull', False)), fields=['lease_until'], name='rollout_lease'),
        ),
        migrations.AddConstraint(
            model_name='enrolment',
            constraint=models.UniqueConstraint(fields=('person', 'wave'), name='rollout_person_once_per_wave'),
        ),
        migrations.RunPython(grant, migrations.RunPython.noop),
    ]
