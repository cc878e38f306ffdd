"""The settings as production has them, in a process of their own."""

import json
import os
import secrets
import subprocess
import sys

import pytest

PRINT_SETTINGS = """
import django, json
django.setup()
from django.conf import settings as s
print(json.dumps({name: getattr(s, name) for name in (
    "DEBUG", "ALLOWED_HOSTS", "PHOENIX_DEMO", "SECURE_SSL_REDIRECT", "SECURE_HSTS_SECONDS", "SESSION_COOKIE_SECURE",
    "CSRF_COOKIE_SECURE", "SESSION_COOKIE_NAME", "WHITENOISE_USE_FINDERS")}))
"""
OPEN_LOGIN = """
import django
django.setup()
from django.test import Client
page = Client(headers={"host": "shop.example.org"}).get("/login/", secure=True)
print(page.status_code, page["Strict-Transport-Security"])
print(page.content.decode())
"""


@pytest.fixture
def production(repository, tmp_path):
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(repository),
        "DJANGO_SETTINGS_MODULE": "phoenix.settings",
        "DJANGO_SECRET_KEY": secrets.token_urlsafe(64),
        "ALLOWED_HOSTS": "shop.example.org",
        "REDIS_URL": "redis://127.0.0.1:6379/0",
        "PHOENIX_VAR": str(tmp_path),
    }

    def run(*arguments: str, **changes: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, *arguments]
        return subprocess.run(command, cwd=repository, env={**environment, **changes}, capture_output=True, text=True)

    return run


def test_production_is_closed_by_default(production):
    found = json.loads(production("-c", PRINT_SETTINGS).stdout)

    assert found == {
        "DEBUG": False,
        "ALLOWED_HOSTS": ["shop.example.org"],
        "PHOENIX_DEMO": False,
        "SECURE_SSL_REDIRECT": True,
        "SECURE_HSTS_SECONDS": 31_536_000,
        "SESSION_COOKIE_SECURE": True,
        "CSRF_COOKIE_SECURE": True,
        "SESSION_COOKIE_NAME": "__Host-session",
        "WHITENOISE_USE_FINDERS": False,
    }


def test_a_variable_that_does_not_fit_stops_every_command_with_its_name(production):
    outcome = production("manage.py", "check", ALLOWED_HOSTS="*", LOG_LEVEL="LOUD")

    assert outcome.returncode == 1
    assert "ENV_HOSTS_OPEN ALLOWED_HOSTS" in outcome.stderr
    assert "ENV_NOT_A_CHOICE LOG_LEVEL" in outcome.stderr


@pytest.mark.slow
def test_pages_link_to_collected_files_by_their_content(production, tmp_path):
    assert production("manage.py", "migrate", "--verbosity", "0").returncode == 0
    assert production("manage.py", "collectstatic", "--no-input", "--verbosity", "0").returncode == 0

    outcome = production("-c", OPEN_LOGIN)

    assert outcome.stdout.splitlines()[0] == "200 max-age=31536000; includeSubDomains"
    (link,) = (line for line in outcome.stdout.splitlines() if 'rel="stylesheet"' in line)
    name = link.split("/static/")[1].split('"')[0]
    assert name.startswith("phoenix/site.")
    assert name != "phoenix/site.css"
    assert (tmp_path / "static" / name).exists()
