"""Lines of openers that nothing closes cost no more than their length."""

import time

import pytest

from migration.engine.translate import translate_sources
from slots.markup.compose import compose


@pytest.mark.parametrize("opener", ["{{", "{%", "{% a ", "{{ a ", "{#"])
def test_a_long_line_of_openers_translates_within_the_budget(opener):
    base = "<div>\n<p>a</p>\n</div>\n"
    custom = base.replace("<p>a</p>", f"<p>a</p>\n{opener * 10_000}")

    began = time.process_time()
    translation = translate_sources(base, custom)

    assert time.process_time() - began < 5
    assert compose(base, translation.operations).source == custom
