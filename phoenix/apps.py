"""Django's name for the composition root, which holds the commands that run the whole site."""

from django.apps import AppConfig


class PhoenixConfig(AppConfig):
    """Configure the composition root."""

    name = "phoenix"
