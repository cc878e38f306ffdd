from hypothesis import given, settings

from migration.engine.translate import translate_sources
from slots.markup import canonical, ops
from slots.markup.compose import compose
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


@settings(max_examples=300, deadline=None)
@given(edits())
def test_composing_a_translation_gives_the_edit(pair):
    check(*pair)


@settings(max_examples=300, deadline=None)
@given(soup_edits)
def test_composing_a_translation_gives_the_edit_of_broken_sources(pair):
    check(*pair)


@settings(deadline=None)
@given(soups, soups)
def test_any_source_translates_to_any_other(base, custom):
    check(base, custom)
