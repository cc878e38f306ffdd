"""Settings of the process that asks waffle's own flag: its tables in memory, its members in the local cache."""

SECRET_KEY = "of nothing that is served"  # noqa: S105 - no session, no signature
INSTALLED_APPS = ["django.contrib.auth", "django.contrib.contenttypes", "waffle"]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
USE_TZ = True
