"""Icons are the library's own, drawn once."""

import heroicons
import pytest
from django.template import Context, Template

TAG = '{{% load heroicons %}}{{% heroicon_{style} "{name}" size=18 class="x" %}}'


def draw(style: str, name: str) -> str:
    return Template(TAG.format(style=style, name=name)).render(Context())


@pytest.mark.parametrize("style", ["micro", "mini", "outline", "solid"])
def test_an_icon_is_drawn_as_the_library_draws_it(style: str) -> None:
    assert draw(style, "map") == heroicons._render_icon(style, "map", 18, {"class": "x"})


def test_an_icon_is_drawn_once(monkeypatch: pytest.MonkeyPatch) -> None:
    first = draw("outline", "beaker")
    monkeypatch.setattr(heroicons, "_render_icon", None)

    assert draw("outline", "beaker") == first


def test_a_name_that_the_library_does_not_know_is_an_error() -> None:
    with pytest.raises(heroicons.IconDoesNotExist):
        draw("outline", "nonsense")


def test_what_a_page_puts_into_an_icon_is_no_markup() -> None:
    tag = Template("{% load heroicons %}{% heroicon_outline 'map' class=name %}")

    assert 'class="&lt;b&gt;&quot;"' in tag.render(Context({"name": '<b>"'}))
