"""Hypothesis strategies for template sources: well-formed ones, broken ones, and edits of them."""

from hypothesis import strategies as st

PIECES = [
    "<div>", "</div>", '<div class="card wide">', '<p id="lead">', "</p>", "<p>", "<span>", "</span>", "<b>", "</b>",
    "<br>", "<br/>", '<a href="/x" {% if y %} title="z"{% endif %}>', "</a>", '<a class="b {% if on %}on{% endif %} c">',
    "<li>", "</li>", "<ul>", "</ul>", "<pre>", "</pre>", "<script>", "</script>", "<title>", "</title>", "<textarea>",
    "</textarea>", '<input checked value="{{ v }}">', "{% if a %}", "{% if b %}", "{% elif c %}", "{% else %}",
    "{% endif %}", "{% for i in items %}", "{% empty %}", "{% endfor %}", "{% block one %}", "{% block two %}",
    "{% endblock %}", "{% endblock one %}", "{% blocktranslate %}", "{% plural %}", "{% endblocktranslate %}",
    "{% load i18n %}", "{% load static i18n %}", "{% trans 'Home' %}", '{% include "part.html" %}', "{% comment %}",
    "{% endcomment %}", "{% verbatim %}", "{% endverbatim %}", '{% slot "head" %}', "{% endslot %}", "{{ name }}",
    "{{ name|default:'x' }}", "{# note #}", "{{ block.super }}", "<!-- c -->", "<!--", "-->", "<!doctype html>", " ",
    "\n", "\n    ", "  ", "\t", "\xa0", "&nbsp;", "&amp;", "Hello", "world", "a longer line of text here",
    "x = 1;\ny = 2;", "<", ">", '"', "'", "{%", "%}", "{{", "}}", "{", "=", "</", "<a", '<a b="', "\xe9", "\x00", "\r\n",
    "\x1e", "\ud800",
]  # fmt: skip

pieces = st.lists(st.sampled_from(PIECES), max_size=40)
soups = st.one_of(pieces.map("".join), st.text(max_size=80))


@st.composite
def well_formed(draw: st.DrawFn, depth: int = 4) -> list[str]:
    """Return the pieces of a source in which HTML and template constructs nest."""
    found: list[str] = []
    for _ in range(draw(st.integers(0, 4))):
        space = draw(st.sampled_from(["", " ", "\n", "\n  "]))
        choice = draw(st.integers(0, 5 if depth else 2))
        if choice <= 1:
            leaves = ["Hello world", "{{ name }}", "{% trans 'Home' %}", "<br>", "{{ product.price }}", "<input name='q'>"]
            found += [space, draw(st.sampled_from(leaves))]
        elif choice == 2:
            found += [
                space,
                draw(st.sampled_from(["Buy", "{% url 'shop:cart' %}", "{# note #}", "<!-- c -->", "{% load i18n %}"])),
            ]
        elif choice <= 4:
            name = draw(st.sampled_from(["div", "p", "span", "li", "section", "pre"]))
            attributes = draw(
                st.sampled_from(["", ' class="card"', ' class="card wide" style="color: red"', ' id="a"', " hidden"])
            )
            found += [space, f"<{name}{attributes}>", *draw(well_formed(depth - 1)), f"</{name}>"]
        else:
            head, tail = draw(
                st.sampled_from([("if a", "endif"), ("if b", "endif"), ("for i in l", "endfor"), ("block one", "endblock")])
            )
            found += [space, f"{{% {head} %}}", *draw(well_formed(depth - 1)), f"{{% {tail} %}}"]
    return found


@st.composite
def edits(draw: st.DrawFn, source: st.SearchStrategy[list[str]] | None = None) -> tuple[str, str]:
    """Return a source and an edit of it: pieces taken out, put in, wrapped or moved."""
    base = draw(well_formed() if source is None else source)
    return "".join(base), "".join(_edited(draw, base))


@st.composite
def versions(draw: st.DrawFn, source: st.SearchStrategy[list[str]] | None = None) -> tuple[str, str, str, str]:
    """Return a source, two edits of it, and an edit of one of these."""
    base = draw(well_formed() if source is None else source)
    ours, theirs = _edited(draw, base), _edited(draw, base)
    result = _edited(draw, draw(st.sampled_from([ours, theirs])))
    return "".join(base), "".join(ours), "".join(theirs), "".join(result)


def _edited(draw: st.DrawFn, base: list[str]) -> list[str]:
    custom = list(base)
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(custom)))
        action = draw(st.integers(0, 4))
        if action == 0 and custom:
            del custom[at : at + draw(st.integers(1, 3))]
        elif action == 1:
            custom[at:at] = draw(well_formed(2))
        elif action == 2:
            stop = min(len(custom), at + draw(st.integers(1, 6)))
            moved = custom[at:stop]
            del custom[at:stop]
            to = draw(st.integers(0, len(custom)))
            custom[to:to] = moved
        elif action == 3:
            stop = min(len(custom), at + draw(st.integers(1, 4)))
            custom[at:stop] = ["<div class='wrap'>", *custom[at:stop], "</div>"]
        else:
            custom.insert(at, draw(st.sampled_from(PIECES)))
    return custom


soup_edits = edits(pieces)
soup_versions = versions(pieces)
