"""Edits of the box with customers' reviews; its current version renders fills under the strict policy."""

from phoenix.demo.edits.edit import Edit, Level, legacy_on
from phoenix.demo.edits.strokes import Stroke, drop, insert_after, insert_before, move_block, replace_block, swap, wrap_block

KEY = "shop.review_box"
_TITLE = ('{% translate "Reviews" %}</h3>', '{% translate "What customers say" %}</h3>')


def _edit(name: str, level: Level, on: str, *strokes: Stroke) -> Edit:
    return Edit(name, KEY, level, strokes, legacy_on(on))


EDITS = (
    _edit("voices", Level.SIMPLE, "1.0 plain, 1.1 plain, 1.2 clean, 1.3 clean", swap(_TITLE, "Voices</h3>")),
    _edit(
        "be-the-first",
        Level.SIMPLE,
        "1.0 fuzz, 1.1 fuzz, 1.2 fuzz, 1.3 clean",
        swap('{% translate "No reviews yet." %}', "Be the first to write one."),
    ),
    _edit("checked-buyer", Level.SIMPLE, "1.1 plain, 1.2 clean, 1.3 clean", swap('{% translate "Verified" %}', "Checked buyer")),
    _edit(
        "review-tint",
        Level.SIMPLE,
        "1.0 plain, 1.1 plain, 1.2 clean, 1.3 clean",
        swap('<blockquote class="review">', '<blockquote class="review tinted">'),
    ),
    _edit(
        "short-reviews",
        Level.SIMPLE,
        "1.0 plain, 1.1 plain, 1.2 clean, 1.3 clean",
        swap(("{{ review.text|truncatewords:40 }}", "{{ review.text }}"), "{{ review.text|truncatewords:12 }}"),
    ),
    _edit(
        "author-first",
        Level.MEDIUM,
        "1.0 plain, 1.1 plain, 1.2 clean, 1.3 clean",
        move_block('<p class="review-author">', "", before='<p class="review-text">'),
    ),
    _edit("no-average", Level.MEDIUM, "1.1 plain, 1.2 clean, 1.3 clean", drop("{% if average %}", "{% endif %}")),
    _edit(
        "hidden-authors",
        Level.MEDIUM,
        "1.0 plain, 1.1 plain, 1.2 clean, 1.3 clean",
        swap('<p class="review-author">', '<p class="review-author" hidden>'),
    ),
    _edit(
        "review-number",
        Level.MEDIUM,
        "1.0 plain, 1.1 plain, 1.2 clean, 1.3 clean",
        insert_before('<p class="review-text">', '<p class="review-number">No. {{ forloop.counter }}</p>'),
    ),
    _edit(
        "reviews-note",
        Level.MEDIUM,
        "1.0 plain, 1.1 plain, 1.2 clean, 1.3 clean",
        insert_after('<h3 class="reviews-title">', '<p class="reviews-note">We publish every review, the bad ones too.</p>'),
    ),
    _edit(
        "review-frame",
        Level.MEDIUM,
        "1.0 plain, 1.1 plain, 1.2 clean, 1.3 clean",
        wrap_block('<p class="review-text">', "", '<div class="review-frame">', "</div>"),
    ),
    _edit(
        "reviews-as-list",
        Level.COMPLEX,
        "1.0 plain, 1.1 plain, 1.2 clean, 1.3 clean",
        replace_block(
            '<blockquote class="review">',
            "</blockquote>",
            '<div class="review-item">',
            '  <strong>{{ review.author|default:"Somebody" }}</strong>',
            "  <q>{{ review.text|truncatechars:80 }}</q>",
            "</div>",
        ),
    ),
)
