"""Let operators add segments and say who is in them; until now no role could."""

from django.apps import apps as installed
from django.contrib.auth.management import create_permissions
from django.db import migrations

RIGHTS = ("add_segment", "add_segmentmember", "delete_segmentmember")


def grant(apps, schema_editor):
    """Add the rights to the group if it is there; a new installation makes it with them."""
    group = apps.get_model("auth", "Group").objects.filter(name="operator").first()
    if group is not None:
        create_permissions(installed.get_app_config("slots"), verbosity=0)
        known = apps.get_model("auth", "Permission").objects.filter(content_type__app_label="slots", codename__in=RIGHTS)
        group.permissions.add(*known)


class Migration(migrations.Migration):
    dependencies = [
        ("rollout", "0011_tickets"),
        ("slots", "0004_indexes_that_are_asked"),
        ("auth", "0012_alter_user_first_name_max_length"),
    ]

    operations = [migrations.RunPython(grant, migrations.RunPython.noop)]
