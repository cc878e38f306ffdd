"""Remove the tables of waffle's own flag, which `rollout.Flag` replaces.

waffle's migrations create them although the model is swapped out. They would stay empty for ever, and since no model stands for
them PostgreSQL refuses to flush the tables of accounts and groups that they refer to.
"""

from django.db import migrations


def remove(apps, schema_editor):
    """Drop the flag's table and those of its users and groups."""
    schema_editor.delete_model(apps.get_model("waffle", "Flag"))


def restore(apps, schema_editor):
    """Create them again, empty as they were."""
    schema_editor.create_model(apps.get_model("waffle", "Flag"))


class Migration(migrations.Migration):
    """Run after the last of waffle's migrations."""

    dependencies = [("waffle", "0004_update_everyone_nullbooleanfield")]

    operations = [migrations.RunPython(remove, restore)]
