"""The libraries that a team could take instead, each used as its documentation says, with everything cached.

Each function sets up one library in a process that serves nothing else, and returns its scenes. Modules are imported by name,
because a library that is not installed is left out.
"""

from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, Final, NamedTuple

import django
from django.conf import settings
from django.template import Context, engines

from phoenix.management.bench.render.card import products
from phoenix.management.bench.render.scenes import Scenes

urlpatterns: Final[list[Any]] = []  # django-components asks for some
DJANGO: Final = "django.template.backends.django.DjangoTemplates"
CACHED: Final = "django.template.loaders.cached.Loader"
FILES: Final = ["django.template.loaders.filesystem.Loader", "django.template.loaders.app_directories.Loader"]


class Peer(NamedTuple):
    """Say how a peer is set up, by which module its presence is known, and under which name its release is."""

    scenes: Callable[[Path], Scenes]
    module: str
    distribution: str


def jinja2(folder: Path) -> Scenes:
    """Jinja2: a template that extends another, included in the page."""
    library = import_module("jinja2")
    environment = library.Environment(
        loader=library.FileSystemLoader(folder), autoescape=True, auto_reload=False, keep_trailing_newline=True
    )
    card, grid = (environment.get_template(f"page_{scene}.html") for scene in Scenes._fields)
    shown = products()
    return Scenes(lambda: str(card.render(product=shown[1])), lambda: str(grid.render(products=shown)))


def jinjax(folder: Path) -> Scenes:
    """JinjaX: a component that asks its caller for the content of each slot."""
    catalog = import_module("jinjax").Catalog(auto_reload=False)
    catalog.jinja_env.autoescape = True
    catalog.add_folder(folder)
    shown = products()
    return Scenes(
        lambda: str(catalog.render("Page_card", product=shown[1])), lambda: str(catalog.render("Page_grid", products=shown))
    )


def django_components(folder: Path) -> Scenes:
    """django-components: a component class, its slots filled in the page."""
    options = {"loaders": [(CACHED, FILES)], "builtins": ["django_components.templatetags.component_tags"]}
    _set_up(
        folder,
        "django_components",
        options,
        BASE_DIR=folder,
        ROOT_URLCONF=__name__,
        COMPONENTS={"autodiscover": False, "dirs": []},
    )
    library = import_module("django_components")

    def get_template_data(self: Any, args: Any, kwargs: Mapping[str, Any], slots: Any, context: Any) -> dict[str, Any]:
        return {"product": kwargs["product"]}

    members = {"template_file": "card.html", "get_template_data": get_template_data, "__module__": __name__}
    library.register("card")(type("Card", (library.Component,), members))
    return _pages()


def django_cotton(folder: Path) -> Scenes:
    """django-cotton: a component with `only`, so that it sees no more than a template included with `only`."""
    _set_up(folder, "django_cotton", {})
    return _pages()


def slippers(folder: Path) -> Scenes:
    """Slippers: fragments handed to a component, which sees nothing else."""
    _set_up(folder, "slippers", {"builtins": ["slippers.templatetags.slippers"]})
    return _pages()


PEERS: Final[dict[str, Peer]] = {
    "jinja2": Peer(jinja2, "jinja2", "Jinja2"),
    "jinjax": Peer(jinjax, "jinjax", "jinjax"),
    "django_components": Peer(django_components, "django_components", "django-components"),
    "django_cotton": Peer(django_cotton, "django_cotton", "django-cotton"),
    "slippers": Peer(slippers, "slippers", "slippers"),
}


def _set_up(folder: Path, app: str, options: Mapping[str, Any], **more: Any) -> None:
    template = {"BACKEND": DJANGO, "DIRS": [str(folder)], "OPTIONS": dict(options), "APP_DIRS": "loaders" not in options}
    settings.configure(INSTALLED_APPS=[app], TEMPLATES=[template], **more)
    django.setup()


def _pages() -> Scenes:
    names = [f"page_{scene}.html" for scene in Scenes._fields]
    card, grid = (engines["django"].get_template(name).template for name in names)  # type: ignore[attr-defined]
    shown = products()
    return Scenes(lambda: card.render(Context({"product": shown[1]})), lambda: grid.render(Context({"products": shown})))
