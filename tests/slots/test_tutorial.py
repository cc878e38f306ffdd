"""The tutorial of docs/slots.md, step by step as it is written there."""

import io
import re
import sys
import types
from pathlib import Path

import pytest
from django.contrib.auth.models import AnonymousUser, User
from django.core.management import call_command
from django.template import Context, Engine
from django.test import RequestFactory

from slots.checks import check_settings

PAGE = (Path(__file__).parents[2] / "docs" / "slots.md").read_text("utf-8").partition("## Reference")[0]


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


@pytest.mark.django_db
def test_tutorial_works_as_it_is_written(tmp_path, settings, monkeypatch):
    settings.SLOTS_SYSTEM_RESOLVER = None
    template, page = blocks("html")
    folder = tmp_path / "shop.teaser" / "1.0"
    (folder / "samples").mkdir(parents=True)
    (folder / "template.html").write_text(template)
    (folder / "contract.toml").write_text(blocks("toml")[0])
    (folder / "samples" / "plain.json").write_text(blocks("json")[0])
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
