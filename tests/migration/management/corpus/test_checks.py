"""Each sign of a wrong result, once present and once absent: a check that cannot find anything proves nothing."""

from migration.management.corpus import checks
from migration.management.corpus.checks import Place, inspect

BASE = '{% load i18n %}\n<div class="card">\n  <h3>{{ title }}</h3>\n  <a href="/buy">Buy</a>\n</div>\n'
OURS = BASE.replace("Buy", "Order now")
THEIRS = BASE.replace("<h3>{{ title }}</h3>", "<h3>{{ title }}</h3>\n  <p>{{ price }}</p>")
RIGHT = THEIRS.replace("Buy", "Order now")


def test_right_result_has_no_signs():
    assert inspect(BASE, OURS, THEIRS, RIGHT).as_json() == {}


def test_lost_edit_is_found_with_the_removal_that_came_back():
    ours = BASE.replace("{{ title }}", "{{ product.label }}")
    base, theirs = (source.replace("{{ title }}", "{{ product.title }}") for source in (BASE, THEIRS))

    found = inspect(base, ours, theirs, theirs)

    assert found.lost == ("{{ product.label }}",)
    assert found.undone == ("{{ product.title }}",)


def test_short_token_that_stands_in_many_places_is_not_called_undone():
    assert inspect(BASE, BASE.replace("Buy", "Order"), THEIRS, THEIRS).undone == ()


def test_lost_class_of_many_is_found():
    ours = BASE.replace('class="card"', 'class="card wide"')

    assert inspect(BASE, ours, THEIRS, THEIRS).lost == ("class:wide",)


def test_upstream_change_that_is_missing_is_found():
    assert inspect(BASE, OURS, THEIRS, OURS).upstream_missing == ("<p", "{{ price }}")


def test_upstream_removal_that_was_undone_is_found():
    base = BASE.replace('href="/buy"', 'href="{{ product.url }}"')
    theirs = base.replace('  <a href="{{ product.url }}">Buy</a>\n', "")
    ours = base.replace("card", "box")

    assert inspect(base, ours, theirs, ours).upstream_undone == ("href={{ product.url }}",)


def test_upstream_change_inside_a_kept_place_is_excused_and_no_other():
    theirs = THEIRS.replace("Buy", "Add to basket")
    result = theirs.replace("Add to basket", "Order now")
    kept = [Place(base="Buy", ours="Order now", theirs="Add to basket")]

    assert inspect(BASE, OURS, theirs, result, kept=kept).upstream_missing == ()
    assert inspect(BASE, OURS, theirs, result).upstream_missing == ("Add", "basket", "to")
    assert inspect(BASE, OURS, theirs, OURS, kept=kept).upstream_missing == ("<p", "{{ price }}")


def test_line_that_both_sides_add_must_not_stand_twice():
    added = '  <p class="note">Free delivery</p>\n'
    ours = theirs = BASE.replace("</div>\n", added + "</div>\n")

    assert inspect(BASE, ours, theirs, theirs).doubled == ()
    assert inspect(BASE, ours, theirs, theirs.replace(added, added * 2)).doubled == (added.strip(),)


def test_short_or_closing_lines_do_not_count_as_doubled():
    assert not checks.is_telling("</div></section>{% endif %}")
    assert not checks.is_telling("<br>")
    assert checks.is_telling('<p class="note">')


def test_new_imbalance_of_html_is_found():
    assert inspect(BASE, OURS, THEIRS, RIGHT.replace("</div>\n", "")).unbalanced == (
        "<div> is not closed",
        "a branch of a block does not balance",
    )


def test_new_imbalance_of_template_tags_is_found():
    assert inspect(BASE, OURS, THEIRS, RIGHT + "{% if sale %}").unbalanced == ("if is not closed",)


def test_new_imbalance_inside_a_branch_is_found():
    crossed = RIGHT.replace("<h3>", "{% if a %}<h3>{% endif %}{% if b %}").replace("</h3>", "</h3>{% endif %}")

    assert "a branch of a block does not balance" in inspect(BASE, OURS, THEIRS, crossed).unbalanced


def test_imbalance_that_an_input_had_is_not_blamed_on_the_result():
    broken = BASE.replace("</div>\n", "")

    assert inspect(broken, broken, broken, broken).unbalanced == ()


def test_library_that_got_lost_is_found():
    result = RIGHT.replace("{{ title }}", "{% translate 'Hello' %}")

    assert inspect(BASE, OURS, THEIRS, result).missing_library == ()
    assert inspect(BASE, OURS, THEIRS, result.replace("{% load i18n %}", "")).missing_library == ("i18n",)


def test_library_counts_where_its_tag_stands_in_an_attribute():
    assert checks.missing_libraries('<a href="{% static "a.css" %}">') == {"static"}
    assert checks.missing_libraries('{% load staticfiles %}<a href="{% static "a.css" %}">') == frozenset()
    assert checks.missing_libraries('{% load static from extras i18n %}{% static "a" %}') == {"static"}


def test_id_that_stands_twice_is_found():
    ours = BASE.replace("<h3>", '<h3 id="name">')
    theirs = BASE.replace("<h3>", '<h3 id="name">')
    twice = ours.replace("</div>", '<p id="name"></p></div>')

    assert inspect(BASE, ours, theirs, twice).duplicate_id == ("name",)


def test_respelling_is_not_a_lost_edit():
    ours = BASE.replace("Buy", "{% trans 'Order' %}")
    theirs = BASE.replace("Buy", '{% translate "Order" %}')

    assert inspect(BASE, ours, theirs, theirs).as_json() == {}


def test_contains_edit_needs_every_added_and_no_removed_line():
    line = "  <p>new</p>\n"
    ours = BASE.replace("</div>", line + "</div>").replace("  <h3>{{ title }}</h3>\n", "")

    assert checks.contains_edit(BASE, ours, ours + "<hr>")
    assert not checks.contains_edit(BASE, ours, ours.replace(line, ""))
    assert not checks.contains_edit(BASE, ours, BASE.replace("</div>", line + "</div>"))
