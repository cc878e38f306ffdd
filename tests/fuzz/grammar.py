"""Seeded template sources, edits of them and broken diffs, all as lists of pieces so that a failing one can be made smaller."""

from tests.slots.markup.sources import PIECES

NAMES = ("div", "p", "span", "ul", "li", "section", "pre", "table", "textarea", "script", "b")
ATTRIBUTES = (
    "", "", ' class="card"', ' class="card wide {% if a %}on{% endif %}"', ' id="a"', ' id="b"', " hidden",
    ' style="color: red; top: 0"',
    ' href="/x"', " data-x='{{ y }}'", '{% if a %} title="t"{% endif %}', ' class=""', " title=bare", ' value="{% trans "q" %}"',
)  # fmt: skip
BLOCKS = (
    ("{% if a %}", "{% endif %}"), ("{% if b %}", "{% endif %}"), ("{% for i in l %}", "{% endfor %}"),
    ("{% block one %}", "{% endblock %}"), ("{% block two %}", "{% endblock two %}"), ('{% slot "head" %}', "{% endslot %}"),
    ("{% blocktranslate %}", "{% endblocktranslate %}"), ("{% with x=1 %}", "{% endwith %}"),
    ("{% spaceless %}", "{% endspaceless %}"),
)  # fmt: skip
LEAVES = (
    "Hello", "a longer line of text here", "{{ name }}", "{{ product.price|floatformat:2 }}", "{% trans 'Home' %}",
    "<br>", "<hr/>",
    '<input name="q">', "{# note #}", "<!-- c -->", "{% load i18n %}", '{% include "p.html" %}', "&nbsp;", "&amp;",
    "x = 1;\n", "é",
    "{% csrf_token %}", "<img src='{% static \"a.png\" %}'>",
)  # fmt: skip
SPACES = ("", "", " ", "\n", "\n  ", "\r\n", "\n\n")
MARKS = (
    "@@ -1,3 +1,4 @@",
    "@@ -0,0 +1 @@",
    "--- a/x",
    "+++ b/x",
    "\\ No newline at end of file",
    "diff --git a/x b/x",
    "-",
    "+",
    " ",
    "",
)


def template(chance, depth=4):
    """Return the pieces of a source in which HTML and template constructs nest."""
    pieces = []
    for _ in range(chance.randint(0, 5)):
        pieces.append(chance.choice(SPACES))
        turn = chance.random()
        if depth == 0 or turn < 0.45:
            pieces.append(chance.choice(LEAVES))
        elif turn < 0.8:
            name = chance.choice(NAMES)
            pieces += [f"<{name}{chance.choice(ATTRIBUTES)}>", *template(chance, depth - 1), f"</{name}>"]
        else:
            head, tail = chance.choice(BLOCKS)
            pieces += [head, *template(chance, depth - 1)]
            if head.startswith(("{% if", "{% for")) and chance.random() < 0.3:
                pieces += ["{% else %}" if "if" in head else "{% empty %}", *template(chance, depth - 1)]
            pieces.append(tail)
    return [piece for piece in pieces if piece]


def soup(chance):
    """Return pieces in no order at all."""
    return [chance.choice(PIECES) for _ in range(chance.randint(0, 40))]


def edited(chance, pieces):
    """Return the pieces after one to four edits: taken out, put in, wrapped, moved, doubled, cut through."""
    found = list(pieces)
    for _ in range(chance.randint(1, 4)):
        at = chance.randint(0, len(found))
        stop = min(len(found), at + chance.randint(1, 6))
        turn = chance.randrange(7)
        if turn == 0:
            del found[at:stop]
        elif turn == 1:
            found[at:at] = template(chance, 2)
        elif turn == 2:
            taken = found[at:stop]
            del found[at:stop]
            to = chance.randint(0, len(found))
            found[to:to] = taken
        elif turn == 3:
            found[at:stop] = ["<div class='wrap'>", *found[at:stop], "</div>"]
        elif turn == 4:
            found[at:at] = found[at:stop]
        elif turn == 5:
            found.insert(at, chance.choice(PIECES))
        elif at < len(found) and len(found[at]) > 1:
            cut = chance.randrange(1, len(found[at]))
            found[at] = found[at][:cut] + chance.choice(("", " ", "x", '"', "\n")) + found[at][cut:]
    return found


def sources(chance):
    """Return a base, a customization of it and a later release, each as pieces; half of them nest, half are soup."""
    base = template(chance) if chance.random() < 0.5 else soup(chance)
    return base, edited(chance, base), edited(chance, base)


def broken_lines(chance, lines):
    """Return the lines of a diff after some were lost, doubled, replaced or cut."""
    found = list(lines)
    for _ in range(chance.randint(0, 3)):
        at = chance.randint(0, len(found))
        turn = chance.randrange(4)
        if turn == 0:
            del found[at : at + 1]
        elif turn == 1:
            found[at:at] = found[at : at + chance.randint(1, 3)]
        elif turn == 2:
            found.insert(at, chance.choice(MARKS))
        elif at < len(found):
            found[at] = found[at][: chance.randint(0, len(found[at]))]
    return found
