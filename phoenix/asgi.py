"""Serve Phoenix through ASGI, for hosts that expect it."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "phoenix.settings")

application = get_asgi_application()
