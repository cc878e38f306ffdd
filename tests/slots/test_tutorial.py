"""The tutorial of docs/slots.md, step by step as it is written there."""

import io
import re
from pathlib import Path

import pytest
from django.core.management import call_command
from django.template import Context, Engine

from slots.actions import render
from slots.schema import PersonKey
from tests.slots.conftest import AT

PAGE = (Path(__file__).parents[2] / "docs" / "slots.md").read_text("utf-8").partition("## Reference")[0]


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


@pytest.mark.django_db
def test_tutorial_works_as_it_is_written(tmp_path, settings):
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

    exec(blocks("python")[0], {"now": AT})  # noqa: S102  # the tutorial's own lines

    assert ">To the sale<" in render("shop.teaser", PersonKey("default", "bob"), teaser, at=AT)
    assert ">Read more<" in render("shop.teaser", PersonKey("default", "carol"), teaser, at=AT)
    for command in (("explain", "shop.teaser", "--user", "bob"), ("check",)):
        call_command("slots", *command, stdout=io.StringIO())
