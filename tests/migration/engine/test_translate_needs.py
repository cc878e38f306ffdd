"""What a payload needs is what it takes from elsewhere and the base does not have."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migration.engine.translate.needs import FEW, Needs
from slots.markup.ops import NOTHING, Requirements
from slots.markup.tree import parse

WORDS = ["x", "y", "for", "in", "as", "with", "=", "==", ",", ".", "|", "f", ":", "'", '"', "(", "-", " ", "\t", "é", "1", "_a"]
insides = st.lists(st.sampled_from(WORDS), max_size=12).map("".join)


def needs(payload, base="", custom=""):
    return Needs(parse(base), parse(custom)).of(payload)


@given(st.lists(insides, max_size=6), insides)
def test_few_names_are_told_from_those_of_the_base_as_many_are(constructs, payload):
    base = "".join(f"{{% x {inside} %}}{{{{ {inside} }}}}" for inside in constructs)
    few = needs(f"{{{{ {payload} }}}}", base).variables
    many = needs(f"{{{{ {payload} }}}}{{{{ {' '.join(f'n{number}' for number in range(FEW + 1))} }}}}", base).variables
    assert set(few) == {name for name in many if not name.startswith("n")}


@pytest.mark.parametrize(
    ("payload", "variables"),
    [
        ("plain text", ()),
        ("{{ b.c|default:d }}{{ a }}", ("a", "b")),
        ("{{ 'quoted'|add:\"more\" }}{{ 3 }}{{ -x }}", ()),
        ("{% if a and not b == c %}{% endif %}", ("a", "b", "c")),
        ("{% for a in b %}{{ a }}{{ forloop.first }}{% endfor %}", ("b",)),
        ("{% for a, c in b.items %}{{ c }}{% endfor %}", ("b",)),
        ("{% url 'x' a as link %}{{ link }}", ("a",)),
        ("{% with a=b %}{{ a }}{% endwith %}", ("b",)),
        ("{% blocktranslate with a=b|upper count c=d %}{{ a }}{{ c }}{% endblocktranslate %}", ("b", "d")),
        ("{% x form.in %}", ("form",)),
        ("{{ a(b) }}{{ c = d == e }}", ("b", "d", "e")),
        ("{% x for a in b %}{{ a }}", ("b", "for")),
        ("{% x for a.in %}", ("a", "for")),
        ("{% x as for a in b %}", ("a", "b")),
        ("{% block title %}{% endblock %}{% load shop %}{% csrf_token %}{{ block.super }}", ()),
        ("{% now 'Y' as year %}{{ year }}", ()),
        ("{{ a }}\n{{ b", ("a",)),
    ],
)
def test_variables_are_what_the_payload_names_and_does_not_bind(payload, variables):
    assert needs(payload).variables == variables


@pytest.mark.parametrize(
    ("base", "variables"),
    [
        ("", ("a",)),
        ("{{ a.b }}", ()),
        ("{% x a %}", ()),
        ("<p title='{{ a }}'>", ()),
        ("a", ("a",)),
        ("{{ b.a }}{{ 'a' }}{{ c|a }}{{ a:b", ("a",)),
        ("{{ a }}{% for a in c %}{% endfor %}", ("a",)),
        ("{{ a }}{% with a=c %}{% endwith %}", ("a",)),
        ("{% if a == c %}{% endif %}", ()),
    ],
)
def test_variable_is_offered_where_the_base_takes_it_from_its_context(base, variables):
    assert needs("{{ a }}", base).variables == variables


def test_blocks_and_includes_of_the_base_are_not_needed():
    payload = "{% block a %}{% include 'a.html' %}{% endblock %}"

    assert needs(payload) == Requirements(blocks=("a",), includes=("a.html",))
    assert needs(payload, payload) is NOTHING


def test_added_libraries_are_needed_by_tags_that_the_base_does_not_use():
    base, custom = "{% load a %}{% known %}", "{% load c a %}{% load b %}"

    assert needs("{% new %}", base, custom).libraries == ("b", "c")
    assert needs("{% known %}{% endknown %}{% if 1 %}", base, custom) is NOTHING


@given(st.lists(insides, max_size=4), insides, insides)
def test_constructs_are_read_one_by_one(tags, variable, other):
    parts = [*(f"{{% t {inside} %}}" for inside in tags), f"{{{{ {variable} }}}}", f"{{{{ {other} }}}}"]
    named = {name for part in parts for name in needs(part).variables}
    bound = {name for part in parts for name in named if name not in needs(f"{part}{{{{ {name} }}}}").variables}

    assert set(needs("".join(parts)).variables) == named - bound


@pytest.mark.parametrize(
    "line",
    [
        "{% x " + "for " * 4_900 + "%}",
        "{% x for" + " " * 19_000 + "%}",
        "{% x " + "for x " * 3_000 + "%}",
        "{% x " + "as " * 6_000 + "%}",
        "{% x = " + "a" * 19_000 + "%}",
        "{% " + "a" * 19_000,
        "{{ " + "a|" * 9_000 + "}}",
        "{{ " + "'a\"" * 6_000 + "}}",
        "{{ a" + " " * 19_000 + "}}",
        "{{ " * 6_000,
    ],
    ids=lambda line: line[:9],
)
def test_a_long_line_is_read_once(line):
    began = time.process_time()
    needs(line, line)

    assert time.process_time() - began < 1


def test_a_base_of_many_constructs_is_not_read_for_each_payload():
    read = Needs(parse("".join(f"{{% if a{number} %}}b{{% endif %}}\n" for number in range(6_000))), parse(""))
    began = time.process_time()
    needed = [read.of(f"{{% if a{number} and b{number} %}}").variables for number in range(3_000)]

    assert needed == [(f"b{number}",) for number in range(3_000)]
    assert time.process_time() - began < 2
