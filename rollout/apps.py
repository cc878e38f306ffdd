"""Django's name for the rollout app."""

from django.apps import AppConfig
from django.core.signals import request_finished
from django.db.models.signals import post_migrate


class RolloutConfig(AppConfig):
    """Configure the rollout app."""

    name = "rollout"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register the checks, count renders after each response, and make roles and flag once the tables are there."""
        from rollout import checks, renders, roles  # noqa: F401, PLC0415  # models are loaded only now

        request_finished.connect(renders.after_request, dispatch_uid="rollout.renders")
        post_migrate.connect(roles.ensure_roles, sender=self, dispatch_uid="rollout.ensure_roles")
