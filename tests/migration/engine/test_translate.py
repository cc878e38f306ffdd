import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from migration.engine.translate import translate_sources
from slots.markup import canonical, ops
from slots.markup.compose import compose
from tests.conftest import examples
from tests.slots.markup.sources import edits, soup_edits, soups


def check(base, custom):
    found = translate_sources(base, custom)
    assert found.proven
    assert found.byte_exact
    stored = ops.loads(ops.dumps(found.operations))
    assert stored == found.operations
    composed = compose(base, stored)
    assert composed.issues == ()
    assert composed.source == custom
    bare = compose(base, stored, layout=False)
    assert bare.issues == ()
    assert canonical.equal(bare.source, custom)
    assert 0.0 <= found.fineness <= 1.0
    return found


@settings(max_examples=examples(60), deadline=None)
@given(edits())
def test_composing_a_translation_gives_the_edit(pair):
    check(*pair)


@settings(max_examples=examples(60), deadline=None)
@given(soup_edits)
def test_composing_a_translation_gives_the_edit_of_broken_sources(pair):
    check(*pair)


@settings(max_examples=examples(60), deadline=None)
@given(soups, soups)
def test_any_source_translates_to_any_other(base, custom):
    check(base, custom)


@pytest.mark.slow
@settings(max_examples=2000, deadline=None)
@given(st.one_of(edits(), soup_edits))
def test_composing_many_translations_gives_the_edits(pair):
    check(*pair)


def test_white_space_appears_in_an_empty_source():
    assert not check("", "\n").replaced_source
