"""Django's name for the rollout app."""

from django.apps import AppConfig


class RolloutConfig(AppConfig):
    """Configure the rollout app."""

    name = "rollout"
    default_auto_field = "django.db.models.BigAutoField"
