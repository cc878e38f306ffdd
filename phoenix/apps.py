"""Django's names for the composition root, which holds the commands that run the whole site, and for its administration."""

from django.apps import AppConfig
from django.contrib.admin import apps


class PhoenixConfig(AppConfig):
    """Configure the composition root."""

    name = "phoenix"
    default = True


class PhoenixAdminConfig(apps.AdminConfig):
    """Configure the administration to be ours; the models register with it as with Django's own."""

    default = False
    default_site = "phoenix.sites.PhoenixAdminSite"
