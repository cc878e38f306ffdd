"""Three versions of a place: one side holds what the other changed only with all of it, in the same order."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slots.markup.rebase.versions import holds, said

BASE = '<ul class="links"><li>{{ product.name }}</li><li>{{ product.price }}</li></ul>'
CHANGED = BASE.replace("<li>{{ product.price", '<li title="{{ product.currency }}">{{ product.price')


@pytest.mark.parametrize(
    "other",
    [
        CHANGED,
        CHANGED.replace('class="links"', 'class="links wide" id="links"'),
        CHANGED.replace("</ul>", "<li>more</li></ul>"),
        CHANGED.replace("<li>{{ product.name }}</li>", ""),
        f"<div>{CHANGED}</div>",
    ],
)
def test_version_with_all_of_the_change_holds_it(other):
    assert holds(BASE, CHANGED, other)


@pytest.mark.parametrize(
    "other",
    [
        BASE,
        CHANGED.replace("{{ product.currency }}", "{{ product.unit }}"),
        BASE.replace("<li>{{ product.name", '<li title="{{ product.currency }}">{{ product.name'),  # on another node
        BASE + '<i title="{{ product.currency }}"></i>',
    ],
)
def test_version_that_lacks_it_or_has_it_elsewhere_does_not(other):
    assert not holds(BASE, CHANGED, other)


@pytest.mark.parametrize(
    ("base", "changed", "other", "is_held"),
    [
        ("<p><b>{{ a }}</b></p>", "<p>{{ a }}</p>", '<p class="x"><b>{{ a }}</b></p>', False),  # it keeps what went
        ("<p><b>{{ a }}</b></p>", "<p>{{ a }}</p>", '<p class="x">{{ a }}</p>', True),
        ("<p>{{ a }}</p>", "<div><p>{{ a }}</p></div>", "<div><p>{{ a }} x</p></div>", False),  # a bare tag is found anywhere
        ("<p>{{ a }}</p>", "<div data-a='{{ a }}'><p>{{ a }}</p></div>", "<div data-a='{{ a }}'><p>{{ a }} x</p></div>", True),
        ("{{ a }}", "{% if ok_for_all %}{{ a }}{% endif %}", "{% if ok_for_all %}<b>{{ a }}</b>{% endif %}", True),
        ("{{ a }}", "{% if ok_for_all %}{{ a }}{% endif %}", "{% if ok_for_all %}{% endif %}{{ a }}", False),
        ("<b>{{ a }}</b><i>{{ b }}</i>", "<b>{{ a }}<i>{{ b }}</i></b>", "<i>{{ b }}</i><b>{{ a }}</b>", False),  # both moved
        (
            "<b>{{ a }}{{ c }}</b><i>{{ b }}</i>",
            "{% if ok_for_all %}<b>{{ a }}{{ c }}</b>{% endif %}<i>{{ b }}</i>",
            "<i>{{ b }}</i>{% if ok_for_all %}<b>{{ a }}{{ c }}</b>{% endif %}",  # only the customization moved
            True,
        ),
        ("{{ a.name }}", "{{ a.name }}{# a note of old #}", "<b>{{ a.name }}</b>{# a note of old #}", True),
        ("{{ a.name }}", "{{ a.name }}{% url 'home' %}", "{{ a.name }}{# {% url 'home' %} #}", False),  # a comment says nothing
    ],
)
def test_what_counts(base, changed, other, is_held):
    assert holds(base, changed, other) is is_held


def test_respellings_and_the_order_of_attributes_do_not_count():
    one = "{% ifequal a b %}<i class='x y' id='z'>{% trans 'A' %}</i>{% endifequal %}"
    other = '{% if a == b %}<i id="z" class="y x">{% translate "A" %}</i>{% endif %}'

    assert said(one) == said(other)


PAGES = st.lists(
    st.sampled_from(["<p>one</p>", "<p class='wide'>two</p>", "{{ product.teaser }}", "{% if a %}x{% endif %}", "<b>three</b>"]),
    max_size=6,
).map("".join)


@given(PAGES, PAGES)
def test_every_version_holds_what_nobody_changed(base, other):
    assert holds(base, base, other)


@given(PAGES, st.lists(st.sampled_from(["<p data-x='{{ product.sku }}'>", "{{ product.stock }}"]), min_size=1, max_size=2))
def test_a_version_holds_itself_and_its_base_does_not(base, added):
    changed = base + "".join(added)

    assert holds(base, changed, changed)
    assert not holds(base, changed, base)
