"""The sample shop as a Django app."""

from django.apps import AppConfig


class DemoConfig(AppConfig):
    """Name the app."""

    name = "phoenix.demo"
    label = "demo"
    verbose_name = "Sample shop"
