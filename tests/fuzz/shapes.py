"""Templates of hostile shape: a piece repeated as often as a source has room, or as the limits of a template allow.

They are made when asked for, so that a process that looks at one does not hold all of them. In a piece `#` stands for the
number of the repetition.
"""

from dataclasses import dataclass
from functools import cache

from slots.markup import limits
from slots.schema import MAX_SOURCE_BYTES

# How much longer each attempt is to find how much the limits allow.
STEP = 1.3


@dataclass(frozen=True)
class Shape:
    """Say what is repeated; `closing` is repeated as often behind all pieces, `count` is how often at most."""

    piece: str
    before: str = ""
    after: str = ""
    closing: str = ""
    count: int = MAX_SOURCE_BYTES

    def whole(self):
        """Return as many repetitions as a source may hold; the limits may refuse it for all else."""
        return self.written(self._counted(MAX_SOURCE_BYTES - 100))

    @cache  # noqa: B019 - shapes are few, and are there as long as the process
    def allowed(self, most=MAX_SOURCE_BYTES - 1_000):
        """Return as much as the limits of a template allow: as long as may be, and that on as many lines as may be."""
        inner = _largest(min(self.count, self._counted(most)), self.written)
        length = len(self.written(inner).encode()) + 1
        outer = _largest(max(1, most // length), lambda count: self.written(inner, lines=count))
        return self.written(inner, lines=outer)

    def written(self, count, *, lines=1):
        """Return so many repetitions, so many times."""
        return "".join(
            f"{self.before}{self._pieces(line * count, count)}{self.closing * count}{self.after}\n" for line in range(lines)
        )

    def _pieces(self, start, count):
        if "#" not in self.piece:
            return self.piece * count
        return "".join([self.piece.replace("#", numbered(start + number)) for number in range(count)])

    def _counted(self, most):
        """Return how often the shape fits into so many bytes."""
        room = most - len(f"{self.before}{self.after}\n".encode())
        count = 0
        while count < self.count:
            room -= len(self.piece.replace("#", numbered(count)).encode()) + len(self.closing.encode())
            if room < 0:
                break
            count += 1
        return count


def numbered(number):
    """Return a number in as few letters and digits as may stand in a name."""
    digits = ""
    while True:
        number, digit = divmod(number, 36)
        digits = "0123456789abcdefghijklmnopqrstuvwxyz"[digit] + digits
        if not number:
            return digits


def _largest(most, write):
    """Return the largest count up to `most`, as far as steps hit it, that the limits let through; at least 1."""
    found, following = 1, 2
    while found < most and limits.refusal(write(min(following, most))) is None:
        found = min(following, most)
        following = int(following * STEP) + 1
    return found


CONSTRUCTS = {
    "a line of {%": Shape("{%"),
    "a line of {{": Shape("{{"),
    "a line of {#": Shape("{#"),
    "a line of {% if %}": Shape("{% if a %}"),
    "a line of {% endif %}": Shape("{% endif %}"),
    "tags that close too early": Shape("{% a %\n"),
    "variables that close too early": Shape("{{ a }"),
    "notes": Shape("{# x #}\n"),
    "deep blocks": Shape("{% if a %}\n", closing="{% endif %}\n"),
    "blocks never closed": Shape("{% if a %}\n", after="{% endif %}"),
    "conditions of many branches": Shape("{% else %}\n", before="{% if a %}", after="{% endif %}"),
    "conditions of many lines": Shape("{% elif a# %}b\n", before="{% if a %}", after="{% endif %}"),
    "conditions side by side": Shape("{% if a# %}b{% endif %}\n"),
    "blocks of one name": Shape("{% block a %}{% endblock %}\n"),
    "blocks of many names": Shape("{% block a# %}x{% endblock %}\n"),
    "slots of many names": Shape("{% slot 'a#' %}x{% endslot %}\n"),
    "deep bindings": Shape("{% with a#=a %}\n", closing="{% endwith %}\n"),
    "deep loops": Shape("{% for a in b %}\n", closing="{{ a }}{% endfor %}\n"),
    "aliases": Shape("{% url a# as b# %}\n"),
    "loads": Shape("{% load a# %}\n"),
    "one load": Shape(" a#", before="{% load", after=" %}"),
    "verbatim of many names": Shape("{% verbatim a# %}{% endverbatim b# %}\n"),
    "comments of Django never closed": Shape("{% comment %}\n"),
    "blocktranslate": Shape(" a\n", before="{% blocktranslate %}", after="{% endblocktranslate %}"),
    "escaped quotes in arguments": Shape('\\" ', before="{% trans ", after=" %}"),
    "filters": Shape("|b", before="{{ a", after=" }}"),
}

ELEMENTS = {
    "deep elements": Shape("<div>\n", closing="</div>\n"),
    "deep elements, never closed": Shape("<div>\n"),
    "closed, never opened": Shape("</div>\n"),
    "crossed": Shape("{% if a %}<b>{% else %}<i>{% endif %}\n"),
    "interleaved": Shape("<b><i></b></i>\n"),
    "paragraphs around formatting": Shape("<p><b>\n"),
    "links in links": Shape("<a href=x>y\n"),
    "tables in cells": Shape("<table><tr><td>\n"),
    "pictures in SVG": Shape("<svg><br>\n"),
    "alike items": Shape("<li>same</li>\n", before="<ul>\n", after="</ul>"),
    "unlike items": Shape("<li>#</li>\n", before="<ul>\n", after="</ul>"),
    "unlike names": Shape("<a#></a#>\n"),
    "void elements": Shape("<br>\n"),
    "many identifiers": Shape('<p id="a#">x</p>\n'),
    "raw text never closed": Shape("<script>\n"),
    "a script of lines": Shape("a\n", before="<script>\n", after="</script>"),
    "a script of constructs": Shape("{{ a }}\n", before="<script>\n", after="</script>"),
    "text areas": Shape("<textarea>\n a</textarea>\n"),
    "doctypes never closed": Shape("<!doctype \n"),
    "CDATA": Shape("<![CDATA[\n"),
    "comments that never end": Shape("<!--\n"),
    "comments that begin blocks": Shape("<!-- {% if a %} -->\n"),
    "comments that never end, of {%": Shape("<!-- {%{%\n"),
    "a comment of {%": Shape("{%", before="<!-- ", after=" -->"),
    "comments of {%": Shape("{%{% --><!-- ", before="<!-- "),
    "conditional comments": Shape("<!--[if IE]><p><![endif]-->\n"),
}

TAGS = {
    "100,000 attributes": Shape("#\n", before="<p\n", after=">x</p>", count=100_000),
    "attributes with values": Shape("a#=1\n", before="<p\n", after=">x</p>"),
    "the same attribute again": Shape("a=1\n", before="<p\n", after=">x</p>"),
    "attributes of constructs": Shape("{{ a# }}\n", before="<p\n", after=">x</p>"),
    "attributes of blocks": Shape("{% if a# %}b{% endif %}\n", before="<p\n", after=">x</p>"),
    "one long class": Shape("c#\n", before='<p class="', after='">x</p>'),
    "one long style": Shape("color: red;\n", before='<p style="', after='">x</p>'),
    "a style of many properties": Shape("p#:1;\n", before='<p style="', after='">x</p>'),
    "a style of one family": Shape("margin-#:1;\n", before='<p style="', after='">x</p>'),
    "a style of brackets": Shape("(", before='<p style="a:', after='">x</p>'),
    "one long value of blocks": Shape("{% if a %}b{% endif %}\n", before='<p title="', after='">x</p>'),
    "quotes that never end": Shape("<a b='\n"),
    "tags that never end": Shape("<a b=c \n"),
    "tags that begin in constructs": Shape("<a {{ b>\n"),
    "open angles": Shape("<"),
    "slashes in a tag": Shape("/", before="<a ", after=">"),
    "white space in a tag": Shape("\n", before="<a ", after=">x</a>"),
}

TEXTS = {
    "references": Shape("&amp;"),
    "references never closed": Shape("&"),
    "one long word": Shape("x"),
    "unlike words": Shape("w# "),
    "unlike lines": Shape("#\n"),
    "blank lines": Shape("\n"),
    "blank lines between": Shape("<b>x</b>\n" + "\n" * 200),
    "blanks": Shape(" "),
    "blanks at the ends of lines": Shape("x" + " " * 200 + "\n"),
    "lines ended twice": Shape("\r\n"),
    "signs outside the plane": Shape("\U0001f600"),
    "marks of the canonical form": Shape("\x1e"),
}

SHAPES = {**CONSTRUCTS, **ELEMENTS, **TAGS, **TEXTS}
