"""Edits of the product card, the component that most people customise."""

from phoenix.demo.edits.edit import Edit, Level, legacy_on
from phoenix.demo.edits.strokes import (
    Stroke,
    drop,
    insert_after,
    insert_before,
    move_block,
    replace_block,
    rewrite,
    swap,
    wrap_block,
)

KEY = "shop.product_card"
_BUY = ('{% translate "Buy" %}', '{% translate "Add to cart" %}')
_BUTTON = ('class="btn btn-primary"', 'class="button button-primary"')


def _edit(name: str, level: Level, on: str, *strokes: Stroke) -> Edit:
    return Edit(name, KEY, level, strokes, legacy_on(on))


_SIMPLE = (
    _edit("order-now", Level.SIMPLE, "1.0 plain, 1.1 fuzz, 2.0 fuzz, 2.1 fuzz, 2.2 clean", swap(_BUY, "Order now")),
    _edit(
        "into-the-basket",
        Level.SIMPLE,
        "1.0 plain, 1.1 fuzz, 2.0 fuzz, 2.1 fuzz, 2.2 clean",
        swap(_BUY, '{% translate "Put into the basket" %}'),
    ),
    _edit(
        "sold-out-wording",
        Level.SIMPLE,
        "1.0 plain, 1.1 plain, 2.0 plain, 2.1 plain, 2.2 clean",
        swap('{% translate "Sold out" %}', "Back in spring"),
    ),
    _edit(
        "upper-case-brand",
        Level.SIMPLE,
        "1.0 fuzz, 1.1 fuzz, 2.0 fuzz, 2.1 clean, 2.2 clean",
        swap("{{ product.brand }}", "{{ product.brand|upper }}"),
    ),
    _edit(
        "longer-summary",
        Level.SIMPLE,
        "1.0 plain, 1.1 plain, 2.0 plain, 2.1 clean, 2.2 clean",
        swap("truncatechars:90", "truncatechars:160"),
    ),
    _edit(
        "no-cents",
        Level.SIMPLE,
        "1.0 plain, 1.1 plain, 2.0 fuzz, 2.1 clean, 2.2 clean",
        swap("{{ product.price|floatformat:2 }}", "{{ product.price|floatformat }}"),
    ),
    _edit(
        "wide-button",
        Level.SIMPLE,
        "1.0 plain, 1.1 fuzz, 2.0 fuzz, 2.1 fuzz, 2.2 clean",
        swap(_BUTTON, 'class="button button-primary button-wide"'),
    ),
    _edit(
        "compact-card",
        Level.SIMPLE,
        "1.0 plain, 1.1 plain, 2.0 fuzz, 2.1 clean, 2.2 clean",
        swap('class="product-card{%', 'class="product-card compact{%'),
    ),
    _edit(
        "button-test-id",
        Level.SIMPLE,
        "1.0 plain, 1.1 fuzz, 2.0 fuzz, 2.1 fuzz, 2.2 clean",
        swap('data-action="add"', 'data-action="add" data-test="buy"'),
    ),
    _edit(
        "title-tooltip",
        Level.SIMPLE,
        "1.0 plain, 1.1 plain, 2.0 plain, 2.1 clean, 2.2 clean",
        swap('<h3 class="title">', '<h3 class="title" title="{{ product.name }}">'),
    ),
    _edit(
        "round-corners",
        Level.SIMPLE,
        "1.0 plain, 1.1 plain, 2.0 plain, 2.1 clean, 2.2 clean",
        swap('class="footer"', 'class="footer" style="border-radius: 12px"'),
    ),
    _edit(
        "larger-photo",
        Level.SIMPLE,
        "1.0 plain, 1.1 plain, 2.0 plain, 2.1 fuzz, 2.2 clean",
        swap('width="320" height="240"', 'width="480" height="360"'),
    ),
    _edit(
        "tags-upper",
        Level.SIMPLE,
        "1.0 plain, 1.1 plain, 2.0 clean, 2.1 clean, 2.2 clean",
        swap("{{ tag|capfirst }}", "{{ tag|upper }}"),
    ),
)

_MEDIUM = (
    _edit(
        "eco-badge",
        Level.MEDIUM,
        "1.0 fuzz, 1.1 fuzz, 2.0 fuzz, 2.1 clean, 2.2 clean",
        insert_before('<p class="brand">', '<span class="badge badge-eco">{% translate "Eco" %}</span>'),
    ),
    _edit(
        "low-stock-warning",
        Level.MEDIUM,
        "1.0 plain, 1.1 plain, 2.0 fuzz, 2.1 clean, 2.2 clean",
        insert_after(
            '<span class="price">',
            "{% if product.stock and product.stock < 10 %}",
            '<small class="low-stock">{{ product.stock }} in the warehouse</small>',
            "{% endif %}",
        ),
    ),
    _edit("no-brand", Level.MEDIUM, "1.0 fuzz, 1.1 fuzz, 2.0 fuzz, 2.1 clean, 2.2 clean", drop('<p class="brand">')),
    _edit("no-tags", Level.MEDIUM, "1.0 plain, 1.1 plain, 2.0 fuzz, 2.1 clean, 2.2 clean", drop('<ul class="tags">', "</ul>")),
    _edit(
        "hidden-summary",
        Level.MEDIUM,
        "1.0 plain, 1.1 plain, 2.0 plain, 2.1 clean, 2.2 clean",
        swap('<p class="summary">', '<p class="summary" hidden>'),
    ),
    _edit(
        "brand-below-title",
        Level.MEDIUM,
        "1.0 plain, 1.1 plain, 2.0 plain, 2.1 clean, 2.2 clean",
        move_block('<p class="brand">', "", before='<p class="summary">'),
    ),
    _edit(
        "wish-list",
        Level.MEDIUM,
        "1.0 plain, 1.1 fuzz, 2.0 fuzz, 2.1 fuzz, 2.2 clean",
        insert_after('data-action="add"', '<a class="wish" href="/wishes/?add={{ product.sku|urlencode }}">♡</a>'),
    ),
    _edit(
        "price-in-link",
        Level.MEDIUM,
        "1.0 plain, 1.1 plain, 2.0 fuzz, 2.1 clean, 2.2 clean",
        wrap_block('<span class="price">', "", '<a class="price-link" href="{{ product.url }}">', "</a>"),
    ),
    _edit(
        "delivery-note",
        Level.MEDIUM,
        "1.0 plain, 1.1 plain, 2.0 plain, 2.1 clean, 2.2 clean",
        insert_before(('<p class="prices">', '<span class="price">'), '<p class="delivery">Delivered in 2 to 3 days</p>'),
    ),
    _edit(
        "sku-line",
        Level.MEDIUM,
        "1.0 plain, 1.1 plain, 2.0 plain, 2.1 clean, 2.2 clean",
        insert_after('<h3 class="title">', '<p class="sku">No. {{ product.sku }}</p>'),
    ),
    _edit(
        "heading-level",
        Level.MEDIUM,
        "1.0 plain, 1.1 plain, 2.0 plain, 2.1 clean, 2.2 clean",
        swap('<h3 class="title">', '<h4 class="title">'),
        swap("</a></h3>", "</a></h4>"),
    ),
    _edit(
        "members-and-delivery",
        Level.MEDIUM,
        "1.0 plain, 1.1 plain, 2.0 plain, 2.1 fuzz, 2.2 clean",
        swap(_BUY, "Order now"),
        insert_before('<p class="brand">', '<p class="members">Members save {{ product.currency }}2</p>'),
        swap('class="title"', 'class="title title-large"'),
    ),
)

_COMPLEX = (
    _edit(
        "stars",
        Level.COMPLEX,
        "1.0 plain, 1.1 plain, 2.0 plain, 2.1 clean, 2.2 clean",
        replace_block(
            '<p class="rating"',
            "</p>",
            '<p class="rating stars" role="img" aria-label="{{ product.rating|floatformat:1 }} of 5 stars">',
            "  {% if product.rating >= 4.5 %}",
            '  <span aria-hidden="true">★★★★★</span>',
            "  {% elif product.rating >= 3.5 %}",
            '  <span aria-hidden="true">★★★★☆</span>',
            "  {% else %}",
            '  <span aria-hidden="true">★★★☆☆</span>',
            "  {% endif %}",
            "</p>",
        ),
    ),
    _edit(
        "footer-grid",
        Level.COMPLEX,
        "1.0 plain, 1.1 plain, 2.0 plain, 2.1 plain, 2.2 clean",
        replace_block(
            '<footer class="footer"',
            "</footer>",
            '<footer class="footer footer-grid">',
            '  <div class="cell">',
            '    <span class="price">{{ product.currency }}{{ product.price|floatformat:2 }}</span>',
            "    {% if product.old_price %}",
            "    <small>instead of {{ product.currency }}{{ product.old_price|floatformat:2 }}</small>",
            "    {% endif %}",
            "  </div>",
            '  <div class="cell cell-end">',
            "    {% if product.in_stock %}",
            '    <button class="button" type="button" data-action="add">{% translate "Add to cart" %}</button>',
            "    {% else %}",
            '    <a href="/notify/?sku={{ product.sku|urlencode }}">{% translate "Tell me when it is back" %}</a>',
            "    {% endif %}",
            "  </div>",
            "</footer>",
        ),
    ),
    _edit(
        "footer-first",
        Level.COMPLEX,
        "1.0 plain, 1.1 plain, 2.0 plain, 2.1 plain, 2.2 clean",
        move_block('<footer class="footer"', "</footer>", before='<div class="details">'),
    ),
    _edit(
        "details-in-disclosure",
        Level.COMPLEX,
        "1.0 plain, 1.1 plain, 2.0 plain, 2.1 clean, 2.2 clean",
        wrap_block('<ul class="tags">', "</ul>", '<details class="more"><summary>{% translate "More" %}</summary>', "</details>"),
        insert_after('<h3 class="title">', '<p class="by">by {{ product.brand|default:"our own workshop" }}</p>'),
        drop('<p class="brand">'),
    ),
    _edit(
        "list-row",
        Level.COMPLEX,
        "1.0 plain, 1.1 plain, 2.0 plain, 2.1 plain, 2.2 clean",
        rewrite(
            "{% load i18n %}\n"
            '<article class="product-row">\n'
            '  <a class="row-name" href="{{ product.url }}">{{ product.name }}</a>\n'
            '  <span class="row-brand">{{ product.brand }}</span>\n'
            "  {% with total=product.review_count %}\n"
            '  <span class="row-reviews">{{ total }} review{{ total|pluralize }}</span>\n'
            "  {% endwith %}\n"
            '  <b class="row-price">{{ product.currency }}{{ product.price|floatformat:2 }}</b>\n'
            "  {% if product.in_stock %}\n"
            '  <button type="button" class="button" data-action="add">{% translate "Add" %}</button>\n'
            "  {% endif %}\n"
            "</article>\n"
        ),
    ),
)

EDITS = _SIMPLE + _MEDIUM + _COMPLEX
