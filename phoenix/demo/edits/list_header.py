"""Edits of the header above the product list."""

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

KEY = "shop.product_list_header"


def _edit(name: str, level: Level, on: str, *strokes: Stroke) -> Edit:
    return Edit(name, KEY, level, strokes, legacy_on(on))


EDITS = (
    _edit("title-upper", Level.SIMPLE, "1.0 plain, 1.1 plain, 2.0 clean, 2.1 clean", swap("{{ title }}", "{{ title|upper }}")),
    _edit(
        "order-by",
        Level.SIMPLE,
        "1.0 plain, 1.1 fuzz, 2.0 clean, 2.1 clean",
        swap(("<span>Sort by</span>", '<span>{% translate "Sort by" %}</span>'), "<span>Order by</span>"),
    ),
    _edit(
        "sticky-header",
        Level.SIMPLE,
        "1.0 plain, 1.1 plain, 2.0 clean, 2.1 clean",
        swap('class="list-header"', 'class="list-header sticky"'),
    ),
    _edit(
        "count-in-bold",
        Level.SIMPLE,
        "1.0 plain, 1.1 plain, 2.0 clean, 2.1 clean",
        swap('<p class="list-count">', '<p class="list-count" style="font-weight: 600">'),
    ),
    _edit("no-count", Level.MEDIUM, "1.0 plain, 1.1 plain, 2.0 clean, 2.1 clean", drop('<p class="list-count">')),
    _edit(
        "count-first",
        Level.MEDIUM,
        "1.0 plain, 1.1 plain, 2.0 clean, 2.1 clean",
        move_block('<p class="list-count">', "", before='<h2 class="list-title">'),
    ),
    _edit(
        "hidden-sort",
        Level.MEDIUM,
        "1.0 plain, 1.1 plain, 2.0 clean, 2.1 clean",
        swap('<label class="list-sort">', '<label class="list-sort" hidden>'),
    ),
    _edit(
        "free-returns",
        Level.MEDIUM,
        "1.0 plain, 1.1 plain, 2.0 clean, 2.1 clean",
        insert_before('<label class="list-sort">', '<p class="list-promise">{% translate "Returns are free for 30 days." %}</p>'),
    ),
    _edit(
        "title-link",
        Level.MEDIUM,
        "1.0 plain, 1.1 plain, 2.0 clean, 2.1 clean",
        wrap_block('<h2 class="list-title">', "", '<a class="list-home" href="/">', "</a>"),
    ),
    _edit(
        "empty-hint",
        Level.MEDIUM,
        "1.0 plain, 1.1 plain, 2.0 clean, 2.1 clean",
        insert_after(
            '<p class="list-count">',
            "{% if not count %}",
            '<p class="list-hint">Nothing here. <a href="/">See everything</a></p>',
            "{% endif %}",
        ),
    ),
    _edit(
        "sort-as-links",
        Level.COMPLEX,
        "1.0 plain, 1.1 plain, 2.0 clean, 2.1 clean",
        replace_block(
            '<label class="list-sort">',
            "</label>",
            '<nav class="list-sort" aria-label="{% translate "Sort by" %}">',
            "  {% for option in sort_options %}",
            "  {% if option.selected %}",
            '  <a class="current" href="?sort={{ option.value|urlencode }}" aria-current="true">{{ option.label }}</a>',
            "  {% else %}",
            '  <a href="?sort={{ option.value|urlencode }}">{{ option.label }}</a>',
            "  {% endif %}",
            "  {% endfor %}",
            "</nav>",
        ),
    ),
    _edit(
        "one-line-header",
        Level.COMPLEX,
        "1.0 plain, 1.1 plain, 2.0 plain, 2.1 clean",
        rewrite(
            "{% load i18n %}\n"
            '<header class="list-line">\n'
            "  <h2>{{ title }} <small>{{ count }}</small></h2>\n"
            "  {% if filters %}\n"
            "  <p>{% for filter in filters %}{{ filter.label }}{% if not forloop.last %}, {% endif %}{% endfor %}</p>\n"
            "  {% endif %}\n"
            "</header>\n"
        ),
    ),
)
