"""Give the roles of an existing installation what came with drafts, segments and upgrades; a new one has it from the start."""

from django.apps import apps as installed
from django.contrib.auth.management import create_permissions
from django.db import migrations

VIEWED = ("view_draft", "view_segment", "view_upgrade", "view_upgradecase", "view_upgradeconflict")
GRANTED = {
    "operator": (*VIEWED, "change_upgrade", "add_draft", "change_draft", "change_slotconfiguration"),
    "approver": (*VIEWED, "change_upgradeconflict"),
    "auditor": VIEWED,
}


def grant(apps, schema_editor):
    """Add permissions to the groups that are there; what an administrator took away otherwise stays away."""
    groups = {group.name: group for group in apps.get_model("auth", "Group").objects.filter(name__in=GRANTED)}
    if not groups:
        return
    create_permissions(installed.get_app_config("slots"), verbosity=0)
    permissions = apps.get_model("auth", "Permission").objects.filter(content_type__app_label="slots")
    for name, group in groups.items():
        group.permissions.add(*permissions.filter(codename__in=GRANTED[name]))


class Migration(migrations.Migration):
    dependencies = [
        ("rollout", "0001_initial"),
        ("slots", "0002_segments_drafts_and_upgrades"),
        ("auth", "0012_alter_user_first_name_max_length"),
    ]

    operations = [migrations.RunPython(grant, migrations.RunPython.noop)]
