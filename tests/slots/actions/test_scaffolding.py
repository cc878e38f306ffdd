"""Files of a new component: what its template is given is found, and what is made can be imported and shown."""

import pytest
from django.template import Engine, Template

from slots.actions import import_component, render
from slots.actions.component_files import read_version_folder
from slots.actions.scaffolding import Scaffold, ScaffoldRefused, scaffold, shapes, write_scaffold
from slots.errors import Refusal
from tests.slots.conftest import AT


def asked(source):
    return {name: shape.sample(name) for name, shape in shapes(Template(source)).items()}


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("{{ name }}", {"name": "Name"}),
        (
            "{{ product.name }} {{ product.price.net }}",
            {"product": {"name": "Name of product", "price": {"net": "Net of price of product"}}},
        ),
        ("{% for tag in product.tags %}{{ tag }}{% endfor %}", {"product": {"tags": ["Tags of product 1", "Tags of product 2"]}}),
        (
            "{% for l in lines %}{{ l.name }}{% empty %}{{ none }}{% endfor %}",
            {"lines": [{"name": "Name of lines 1"}, {"name": "Name of lines 2"}], "none": "None"},
        ),
        ("{{ rows.0.name }}", {"rows": [{"name": "Name of rows 1"}, {"name": "Name of rows 2"}]}),
        (
            "{% if a and not b.c or d == e %}x{% elif f %}y{% endif %}",
            {"a": True, "b": {"c": True}, "d": "D", "e": "E", "f": True},
        ),
        (
            "{% with p=product %}{{ p.name }}{{ q }}{% endwith %}{{ p }}",
            {"p": "P", "product": {"name": "Name of product"}, "q": "Q"},
        ),
        ("{{ a|default:b|date:'Y' }}", {"a": "2026-01-31", "b": "B"}),
        ("{{ x.at|time }}{{ y|timesince:z }}", {"x": {"at": "2026-01-31"}, "y": "2026-01-31", "z": "Z"}),
        ("{{ n|floatformat:2 }}{{ m }} item{{ m|pluralize }}", {"n": 2, "m": 2}),
        ("{{ tags|length|pluralize }}{{ name|upper|date }}", {"tags": "Tags", "name": "Name"}),
        ("{% for tag in tags %}{% endfor %}{{ tags|pluralize }}", {"tags": ["Tags 1", "Tags 2"]}),
        ("{% if x.is_new %}new{% endif %}{{ x.sold|yesno }}", {"x": {"is_new": True, "sold": True}}),
        ("{% if name %}{{ name }}{% endif %}{% if a|length %}{% endif %}", {"name": "Name", "a": "A"}),
        ("{% with n=x.is_new %}{% if n %}new{% endif %}{% endwith %}", {"x": {"is_new": True}}),
        (
            "{% load i18n %}{% translate 'x' as word %}{{ word }}{% blocktranslate with n=count %}{{ n }}{% endblocktranslate %}",
            {"count": "Count"},
        ),
        ("{% url 'shop:cart' id=product.id as link %}{{ link }}{{ forloop.counter }}", {"product": {"id": "Id of product"}}),
        ("{% load slots %}{% slot 'price' %}{{ product.price }}{% endslot %}", {"product": {"price": "Price of product"}}),
    ],
)
def test_names_that_a_template_is_given_are_found_with_their_shape(source, expected):
    assert asked(source) == expected


def test_filters_of_a_library_are_known_by_the_name_that_they_have_there():
    engine = Engine(libraries={"humanize": "django.contrib.humanize.templatetags.humanize"})

    found = shapes(engine.from_string("{% load humanize %}{{ n|intcomma }}{{ at|naturalday }}"))

    assert {name: shape.type for name, shape in found.items()} == {"at": "date", "n": "number"}


@pytest.mark.parametrize("source", ["", "<ul>{% for line in cart.lines %}<li>{{ line.name }}</li>{% endfor %}</ul>{{ total }}\n"])
def test_what_is_made_can_be_imported_and_shown(tmp_path, db, source, settings):
    settings.SLOTS_SYSTEM_RESOLVER = None
    made = scaffold("shop.teaser", "1.0", source)

    paths = write_scaffold(made, tmp_path)

    assert [path.name for path in paths] == ["template.html", "contract.toml", "example.json"]
    record = read_version_folder(tmp_path / "shop.teaser" / "1.0")
    assert not isinstance(record, Refusal)
    import_component(record, at=AT, by="alice")
    (sample,) = record.samples
    page = render("shop.teaser", None, sample["context"], at=AT)
    assert "Name of lines of cart 2" in page if source else "Title of teaser" in page


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("{% load i18n %}{% blocktranslate %}Hello {{ name }}{% endblocktranslate %}", {"name": "Name"}),
        (
            "{% regroup rows by kind as kinds %}{% for k in kinds %}{{ k.grouper }}{% for row in k.list %}{{ row.name }}"
            "{% endfor %}{% endfor %}",
            {"rows": [{"kind": f"Kind of rows {number}", "name": f"Name of rows {number}"} for number in (1, 2)]},
        ),
        ("{% load slots %}{% slot 'x' data='item=thing' %}{{ item.name }}{% endslot %}", {"thing": {"name": "Name of thing"}}),
        (
            "{% for a, b in pairs %}{{ a }}{{ b }}{% endfor %}",
            {"pairs": [["Part 1 of pairs 1", "Part 2 of pairs 1"], ["Part 1 of pairs 2", "Part 2 of pairs 2"]]},
        ),
    ],
)
def test_names_that_tags_bind_are_not_asked_for_and_those_inside_are(source, expected):
    assert asked(source) == expected


def test_types_are_written_into_the_contract():
    assert (
        'types = { "at" = "date", "cart" = "object", "is_new" = "boolean", "m" = "number", "rows" = "list" }'
        in scaffold("a", "1", "{{ cart.x }}{{ rows.0 }}{{ n }}{{ at|date }}{{ m|floatformat }}{% if is_new %}{% endif %}").files[
            "contract.toml"
        ]
    )


@pytest.mark.parametrize(
    ("key", "source", "words"),
    [("shop.card", "{% if %}", "does not compile"), ("no key!", "", "`key` takes letters")],
)
def test_what_cannot_be_a_component_is_refused(key, source, words):
    with pytest.raises(ScaffoldRefused, match=words):
        scaffold(key, "1", source)


def test_nothing_is_written_over_or_outside(tmp_path):
    made = scaffold("shop.teaser", "1.0")
    write_scaffold(made, tmp_path)

    with pytest.raises(ScaffoldRefused, match="there already"):
        write_scaffold(made, tmp_path)
    with pytest.raises(ScaffoldRefused, match="outside"):
        write_scaffold(Scaffold("a/../../b", "1", {"x": ""}, ()), tmp_path / "inner")


def test_folder_that_cannot_be_written_is_said(tmp_path):
    (tmp_path / "shop.teaser").write_text("a file")

    with pytest.raises(ScaffoldRefused, match="cannot be written"):
        write_scaffold(scaffold("shop.teaser", "1.0"), tmp_path)
