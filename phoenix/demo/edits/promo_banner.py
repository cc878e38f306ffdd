"""Edits of the promotional banner at the top of the shop."""

from phoenix.demo.edits.edit import Edit, Level, legacy_on
from phoenix.demo.edits.strokes import Stroke, drop, insert_after, insert_before, move_block, rewrite, swap, wrap_block

KEY = "shop.promo_banner"
_LINK = ('<a class="btn" href="{{ promo.cta_url }}">', '<a class="button" href="{{ promo.cta_url }}">')


def _edit(name: str, level: Level, on: str, *strokes: Stroke) -> Edit:
    return Edit(name, KEY, level, strokes, legacy_on(on))


EDITS = (
    _edit(
        "headline-upper",
        Level.SIMPLE,
        "1.0 plain, 1.1 plain, 2.0 clean, 2.1 clean",
        swap("{{ promo.headline }}", "{{ promo.headline|upper }}"),
    ),
    _edit(
        "left-aligned",
        Level.SIMPLE,
        "1.0 plain, 1.1 plain, 2.0 clean, 2.1 clean",
        swap(("text-align: center", "text-align: start"), "text-align: left; font-style: italic"),
    ),
    _edit("go-label", Level.SIMPLE, "1.0 plain, 1.1 plain, 2.0 fuzz, 2.1 clean", swap("{{ promo.cta_label }}", "Go →")),
    _edit(
        "quiet-promo",
        Level.SIMPLE,
        "1.0 plain, 1.1 plain, 2.0 clean, 2.1 clean",
        swap(('class="promo"', 'class="promo promo-'), 'class="promo quiet promo-'),
    ),
    _edit("coupon-word", Level.SIMPLE, "1.1 plain, 2.0 clean, 2.1 clean", swap('{% translate "Code" %}', "Coupon")),
    _edit("no-promo-text", Level.MEDIUM, "1.0 plain, 1.1 plain, 2.0 clean, 2.1 clean", drop('<p class="promo-text">')),
    _edit(
        "hidden-promo",
        Level.MEDIUM,
        "1.0 plain, 1.1 plain, 2.0 clean, 2.1 clean",
        swap('<aside class="promo', '<aside hidden class="promo'),
    ),
    _edit(
        "small-print",
        Level.MEDIUM,
        "1.0 plain, 1.1 plain, 2.0 clean, 2.1 clean",
        insert_after('<p class="promo-text">', '<small class="promo-print">While stocks last.</small>'),
    ),
    _edit(
        "star-before-headline",
        Level.MEDIUM,
        "1.0 plain, 1.1 plain, 2.0 clean, 2.1 clean",
        insert_before('<strong class="promo-headline">', '<span class="promo-star" aria-hidden="true">★</span>'),
    ),
    _edit(
        "text-before-headline",
        Level.MEDIUM,
        "1.0 plain, 1.1 plain, 2.0 clean, 2.1 clean",
        move_block('<p class="promo-text">', "", before='<strong class="promo-headline">'),
    ),
    _edit(
        "linked-headline",
        Level.MEDIUM,
        "1.0 plain, 1.1 plain, 2.0 clean, 2.1 clean",
        wrap_block('<strong class="promo-headline">', "", '<a href="{{ promo.cta_url }}">', "</a>"),
    ),
    _edit(
        "framed-button",
        Level.MEDIUM,
        "1.0 plain, 1.1 plain, 2.0 fuzz, 2.1 clean",
        wrap_block(_LINK, "", '<p class="promo-action">', "</p>"),
    ),
    _edit(
        "one-line-promo",
        Level.COMPLEX,
        "1.0 plain, 1.1 plain, 2.0 plain, 2.1 clean",
        rewrite(
            '<p class="promo-line">\n'
            "  <b>{{ promo.headline }}</b> {{ promo.text }}\n"
            '  <a href="{{ promo.cta_url }}">{{ promo.cta_label|default:"More" }}</a>\n'
            "</p>\n"
        ),
    ),
)
