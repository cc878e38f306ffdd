"""The card that everybody renders: one text with six places, what stands in them by default, and what somebody wants there.

The texts keep to what Django's and Jinja's languages share, so that each contestant shows the same page of the same texts.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

CARDS: Final = 24
KEY: Final = "bench.card"

TEXT: Final = """\
<article class="product-card{% if not product.in_stock %} is-sold-out{% endif %}" data-sku="{{ product.sku }}">
  <a class="media" href="{{ product.url }}">
    <img class="photo" src="{{ product.image_url }}" alt="{{ product.name }}" width="320" height="240" loading="lazy">
    [badges]
  </a>
  <div class="details">
    <p class="brand">{{ product.brand }}</p>
    [title]
    [rating]
    <ul class="tags">{% for tag in product.tags %}<li>{{ tag }}</li>{% endfor %}</ul>
    [summary]
  </div>
  <footer class="footer">
    [prices]
    [actions]
  </footer>
</article>
"""
DEFAULTS: Final = {
    "badges": '{% if product.old_price %}<span class="badge badge-sale">Sale</span>{% endif %}',
    "title": '<h3 class="title"><a href="{{ product.url }}">{{ product.name }}</a></h3>',
    "rating": '{% if product.rating %}<p class="rating">{{ product.rating }} / 5</p>{% endif %}',
    "summary": '<p class="summary">{{ product.summary }}</p>',
    "prices": '<p class="prices">{% if product.old_price %}<del class="old-price">{{ product.old_price }}</del>{% endif %}'
    '<span class="price">{{ product.price }}</span></p>',
    "actions": '{% if product.in_stock %}<button class="button" type="button" data-action="add">Add to cart</button>'
    '{% else %}<span class="note">Sold out</span>{% endif %}',
}
OVERRIDES: Final = {
    "badges": '<span class="badge badge-partner">Partner price</span>{% if product.old_price %}'
    '<span class="badge badge-sale">Save {{ product.saving }}</span>{% endif %}',
    "title": '<h2 class="title title-large"><a href="{{ product.url }}">{{ product.brand }}: {{ product.name }}</a></h2>',
    "rating": '{% if product.rating %}<p class="rating" aria-label="Rating"><b>{{ product.rating }}</b> of 5</p>{% endif %}',
    "summary": '<p class="summary summary-short">{{ product.summary|upper }}</p><p class="delivery">Delivered free of charge</p>',
    "prices": '<p class="prices prices-partner"><span class="price">{{ product.price }}</span>'
    "{% if product.old_price %}<del>instead of {{ product.old_price }}</del>{% endif %}</p>",
    "actions": '{% if product.in_stock %}<button class="button button-wide" type="button" data-action="order">Order now</button>'
    '{% else %}<a class="button" href="{{ product.url }}#notify">Tell me when it is back</a>{% endif %}',
}


def product(number: int) -> dict[str, Any]:
    """Return the values of one card; neighbours differ in what their conditions say."""
    return {
        "sku": f"SKU-{number:04}",
        "url": f"/shop/mug-{number}/",
        "image_url": f"/media/mug-{number}.jpg",
        "name": f"Mug & saucer No. {number}",
        "brand": "Hearth",
        "summary": "Stoneware, dishwasher safe, holds three decilitres.",
        "rating": "4.6" if number % 3 else "",
        "tags": ["kitchen", "gift", "new"][: 1 + number % 3],
        "price": "€ 19.90",
        "old_price": "€ 24.90" if number % 2 else "",
        "saving": "€ 5.00",
        "in_stock": bool(number % 4),
    }


def products() -> list[dict[str, Any]]:
    """Return the values of the grid; the card that is shown alone is the second."""
    return [product(number) for number in range(CARDS)]


def filled(place: Callable[[str], str]) -> str:
    """Return the card with `place(name)` at each of the six places."""
    text = TEXT
    for name in DEFAULTS:
        text = text.replace(f"[{name}]", place(name))
    return text


def base() -> str:
    """Return the component with its slots declared."""
    return filled(lambda name: f'{{% slot "{name}" %}}{DEFAULTS[name]}{{% endslot %}}')


def customized() -> str:
    """Return the component with other content in its slots."""
    return filled(lambda name: f'{{% slot "{name}" %}}{OVERRIDES[name]}{{% endslot %}}')


def fork() -> str:
    """Return the template as somebody forks it by hand."""
    return filled(lambda name: OVERRIDES[name])


def write(folder: Path) -> None:
    """Write the templates of all contestants, each in a folder of its own."""
    for path, text in files().items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")


def files() -> dict[str, str]:
    """Return the templates of all contestants by path."""
    blocks = filled(lambda name: f"{{% block {name} %}}{DEFAULTS[name]}{{% endblock %}}")
    overriding = _each("{{% block {name} %}}{text}{{% endblock %}}")
    optional = filled(lambda name: f"{{% if {name} %}}{{{{ {name} }}}}{{% else %}}{DEFAULTS[name]}{{% endif %}}")
    called = filled(
        lambda name: (
            f'{{% set given = content("{name}") %}}{{% if given %}}{{{{ given }}}}{{% else %}}{DEFAULTS[name]}{{% endif %}}'
        )
    )
    return {
        "django/fork.html": fork(),
        "django/blocks.html": blocks,
        "django/overriding.html": '{% extends "blocks.html" %}' + overriding,
        **_pages("django/fork", '{% include "fork.html" with product=product only %}'),
        **_pages("django/blocks", '{% include "overriding.html" with product=product only %}'),
        **_pages("django/component", f'{{% render_component "{KEY}" product=product %}}', before="{% load slots %}"),
        "jinja2/blocks.html": blocks,
        "jinja2/overriding.html": '{% extends "blocks.html" %}' + overriding,
        **_pages("jinja2/page", '{% include "overriding.html" %}'),
        "jinjax/Card.jinja": "{#def product #}\n" + called,
        **_pages("jinjax/Page", _jinjax_call(), before="{#def product=None, products=() #}\n", suffix=".jinja"),
        "django_components/card.html": base(),
        **_pages(
            "django_components/page",
            '{% component "card" product=product %}' + _each('{{% fill "{name}" %}}{text}{{% endfill %}}') + "{% endcomponent %}",
        ),
        "django_cotton/cotton/card.html": optional,
        **_pages(
            "django_cotton/page",
            '<c-card :product="product" only>' + _each('<c-slot name="{name}">{text}</c-slot>') + "</c-card>",
        ),
        "slippers/components.yaml": "components:\n  card: card.html\n",
        "slippers/card.html": optional,
        **_pages(
            "slippers/page",
            _each("{{% fragment as {name} %}}{text}{{% endfragment %}}")
            + "{% card product=product "
            + " ".join(f"{name}={name}" for name in DEFAULTS)
            + " %}",
        ),
    }


def _pages(path: str, call: str, *, before: str = "", suffix: str = ".html") -> dict[str, str]:
    """Return the page with one card and the page with a grid of them."""
    return {
        f"{path}_card{suffix}": before + call,
        f"{path}_grid{suffix}": f"{before}{{% for product in products %}}{call}{{% endfor %}}",
    }


def _each(form: str) -> str:
    """Return the form once for each slot with its name and what is wanted there."""
    return "".join(form.format(name=name, text=text) for name, text in OVERRIDES.items())


def _jinjax_call() -> str:
    """Return the call of a JinjaX component; it asks its caller for each slot by name."""
    answers = "{% elif _slot == ".join(f'"{name}" %}}{text}' for name, text in OVERRIDES.items())
    return f"<Card product={{{{ product }}}}>{{% if _slot == {answers}{{% endif %}}</Card>"
