"""The tutorial of docs/slots.md, step by step as it is written there."""

import io
import os
import re
import subprocess
import sys
import types
from pathlib import Path

import pytest
from django.contrib.auth.models import AnonymousUser, User
from django.core.management import call_command
from django.template import Context, Engine
from django.test import RequestFactory

from slots.checks import check_settings

REPOSITORY = Path(__file__).parents[2]
PAGE = (REPOSITORY / "docs" / "slots.md").read_text("utf-8").partition("## Reference")[0]


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


def write_component(folder):
    release = folder / "shop.teaser" / "1.0"
    (release / "samples").mkdir(parents=True)
    (release / "template.html").write_text(blocks("html")[0])
    (release / "contract.toml").write_text(blocks("toml")[0])
    (release / "samples" / "plain.json").write_text(blocks("json")[0])


@pytest.mark.django_db
def test_tutorial_works_as_it_is_written(tmp_path, settings, monkeypatch):
    settings.SLOTS_SYSTEM_RESOLVER = None
    page = blocks("html")[1]
    write_component(tmp_path)
    teaser = {"teaser": {"title": "Autumn", "url": "/autumn/"}}

    call_command("import_components", str(tmp_path), stdout=io.StringIO())
    engine = Engine(libraries={"slots": "slots.templatetags.slots"})
    assert ">Read more<" in engine.from_string(page).render(Context(teaser))
    listed = io.StringIO()
    call_command("slots", "list", "shop.teaser", stdout=listed)
    assert "teaser/h2" in listed.getvalue()

    set_up, resolver, change = blocks("python")
    named = {"INSTALLED_APPS": []}
    exec(set_up, named)  # noqa: S102  # the tutorial's own lines
    assert set(named["INSTALLED_APPS"]) <= set(settings.INSTALLED_APPS)
    people = types.ModuleType("shop.people")
    exec(resolver, people.__dict__)  # noqa: S102
    monkeypatch.setitem(sys.modules, "shop", types.ModuleType("shop"))
    monkeypatch.setitem(sys.modules, "shop.people", people)
    settings.SLOTS_PERSON_RESOLVER = named["SLOTS_PERSON_RESOLVER"]
    assert check_settings() == []
    exec(change, {})  # noqa: S102

    shown = engine.from_string(page)
    for user, text in (
        (User(username="bob"), "To the sale"),
        (User(username="carol"), "Read more"),
        (AnonymousUser(), "Read more"),
    ):
        request = RequestFactory().get("/")
        request.user = user
        assert f">{text}<" in shown.render(Context(teaser | {"request": request}))
    for command in (("explain", "shop.teaser", "--user", "bob"), ("check",)):
        call_command("slots", *command, stdout=io.StringIO())


@pytest.fixture
def project(tmp_path):
    """Make a project as `startproject` leaves it, with steps 0 and 1 done; returns what runs its `manage.py`."""
    environment = {name: value for name, value in os.environ.items() if name not in {"DJANGO_SETTINGS_MODULE", "RQ_KEY_PREFIX"}}
    environment["PYTHONPATH"] = str(REPOSITORY)

    def run(*arguments):
        return subprocess.run([sys.executable, *arguments], cwd=tmp_path, env=environment, capture_output=True, text=True)

    assert run("-m", "django", "startproject", "house", ".").returncode == 0
    set_up, resolver = blocks("python")[:2]
    with (tmp_path / "house" / "settings.py").open("a") as settings_file:
        settings_file.write(set_up)
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "people.py").write_text(resolver)
    write_component(tmp_path / "components")
    return run


@pytest.mark.slow
def test_tutorial_works_in_a_new_project_that_has_no_queue(project):
    commands = re.findall(r"^python (manage\.py .+)$", PAGE.partition("### 3.")[0], re.MULTILINE)
    assert len(commands) == 3
    for command in commands:
        done = project(*command.split())
        assert (done.returncode, done.stderr) == (0, ""), command

    assert "teaser/h2" in done.stdout
    told = project("manage.py", "shell", "-c", ASKS_AHEAD).stderr
    assert "No queue is configured (SLOTS_QUEUE)" in told
    opened = project("manage.py", "shell", "-c", OPENS_ADMIN)
    assert opened.returncode == 0, opened.stderr
    assert project("manage.py", "check").stdout == "System check identified no issues (0 silenced).\n"


OPENS_ADMIN = """
from django.conf import settings
from django.contrib.auth.models import User
from django.contrib.staticfiles import finders
from django.test import Client
settings.ALLOWED_HOSTS = ["testserver"]
client = Client()
client.force_login(User.objects.create_superuser("alice"))
page = client.get("/admin/slots/draft/add/")
assert page.status_code == 200 and b"slots/admin.css" in page.content
assert finders.find("slots/admin.css")
"""
ASKS_AHEAD = """
import logging, sys
logging.basicConfig(level=logging.INFO)
from slots.jobs import compose_later
from slots.models import Component
compose_later(Component.objects.get())
assert "django_rq" not in sys.modules and "rq" not in sys.modules
"""
