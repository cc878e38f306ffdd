"""Django's name for the slots app."""

from django.apps import AppConfig


class SlotsConfig(AppConfig):
    """Configure the slots app."""

    name = "slots"
    default_auto_field = "django.db.models.BigAutoField"
