"""Django's name for the slots app, which fills the registry of components that code declares."""

from importlib import import_module
from importlib.metadata import entry_points

from django.apps import AppConfig, apps
from django.utils.module_loading import module_has_submodule

from slots.registry import ENTRY_POINTS, SlotRegistry


class SlotsConfig(AppConfig):
    """Configure the slots app; `registry` holds the components of installed apps and packages."""

    name = "slots"
    default_auto_field = "django.db.models.BigAutoField"
    registry: SlotRegistry

    def ready(self) -> None:
        """Fill the registry; connect the checks and what is stored after a request."""
        self.registry = discovered()
        import_module("slots.actions.waiting")
        import_module("slots.checks")


def discovered() -> SlotRegistry:
    """Return a registry of `COMPONENTS` in every installed app's `slots.py` and of the packages that name an entry point.

    Raises:
        ComponentDuplicate: two of them claim one key.
    """
    registry = SlotRegistry()
    for app in apps.get_app_configs():
        if app.module is not None and module_has_submodule(app.module, "slots"):
            for definition in getattr(import_module(f"{app.name}.slots"), "COMPONENTS", ()):
                registry.register(definition)
    for point in entry_points(group=ENTRY_POINTS):
        for definition in point.load():
            registry.register(definition)
    return registry
