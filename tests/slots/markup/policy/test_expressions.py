from django.utils.text import smart_split
from hypothesis import example, given
from hypothesis import strategies as st

from slots.markup.policy import expressions


@given(st.text(alphabet="a \"'\\", max_size=12))
@example('a \\" b')
@example("'a\\' b' c")
@example('"a\\')
def test_split_parts_as_django_does(content):
    assert expressions.split(content) == list(smart_split(content))


def test_split_looks_for_the_end_of_each_quote_once(monkeypatch):
    looked = []
    closing = expressions._closing
    monkeypatch.setattr(expressions, "_closing", lambda content, quote: looked.append(quote) or closing(content, quote))

    found = expressions.split('\\" ' * 100_000)

    assert len(found) == 100_000
    assert sorted(looked) == ['"', "'"]
