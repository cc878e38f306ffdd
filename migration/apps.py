"""Django's name for the migration app."""

from django.apps import AppConfig


class MigrationConfig(AppConfig):
    """Configure the migration app."""

    name = "migration"
    default_auto_field = "django.db.models.BigAutoField"
