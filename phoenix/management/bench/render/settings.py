"""Settings of the process that runs Phoenix: a project with a database in memory and the benchmark's own templates."""

import os

from phoenix import settings as product
from phoenix.settings import *  # noqa: F403 - a settings module is made of another one's names

DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
TEMPLATES = [{**product.TEMPLATES[0], "DIRS": [product.VAR_DIR / "django"]}]
SLOTS_SYSTEM_RESOLVER = "phoenix.management.bench.render.own.Resolver"
SLOTS_COMPILED_TEMPLATES = int(os.environ["BENCH_COMPILED_TEMPLATES"])
