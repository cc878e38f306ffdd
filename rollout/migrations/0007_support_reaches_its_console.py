"""Take from support what its console does not need; where an administrator has changed the role, leave it alone."""

from django.db import migrations

GIVEN = {
    "switch_person",
    "view_enrolment",
    "view_flagoverride",
    "view_snapshot",
    "view_wave",
    "view_person",
    "view_customization",
    "view_finding",
    "view_slotconfiguration",
}
KEPT = {"switch_person", "view_flagoverride"}


def narrow(apps, schema_editor):
    """Keep the two rights of the console in a group that is as it was made."""
    group = apps.get_model("auth", "Group").objects.filter(name="support").first()
    if group is None or set(group.permissions.values_list("codename", flat=True)) != GIVEN:
        return
    group.permissions.remove(*group.permissions.exclude(codename__in=KEPT))


class Migration(migrations.Migration):
    dependencies = [
        ("rollout", "0006_selections"),
        ("auth", "0012_alter_user_first_name_max_length"),
    ]

    operations = [migrations.RunPython(narrow, migrations.RunPython.noop)]
