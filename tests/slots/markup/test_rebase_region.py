"""Keeping a region where an operation has no place: what becomes of it depends on what upstream has there."""

import pytest

from migration.engine.translate import translate_sources
from slots.markup.rebase import Status, prepare, region
from slots.markup.rebase.outcomes import Carried, Outcome

BASE = "<header>{{ shop.name }}</header>\n<ul>\n  <li>{{ product.name }}</li>\n</ul>\n<footer>{{ shop.address }}</footer>\n"
OURS = BASE.replace("<li>{{ product.name }}</li>", "{% if product.stock %}<li>{{ product.name }}</li>{% endif %}")


def kept(theirs, *, base=BASE, ours=OURS):
    operations = [each for each in translate_sources(base, ours).operations if not each.layout]
    lost = [Carried(None, Outcome(operation.id, Status.CONFLICT)) for operation in operations]
    return region.keep(prepare(base, theirs), operations, lost, range(len(operations)))


@pytest.mark.parametrize(
    ("theirs", "status"),
    [
        (BASE, Status.ADAPTED),  # nothing changed there
        (OURS, Status.ABSORBED),
        (OURS.replace("{% if", "  {%  if"), Status.ABSORBED),
        (OURS.replace("<li>", "<li data-sku='{{ product.sku }}'>"), Status.KEPT),
        (BASE.replace("<li>{{ product.name }}</li>", "<li>{{ product.title }}</li>"), Status.KEPT),
    ],
)
def test_region_is_looked_at_only_where_upstream_has_more(theirs, status):
    assert [each.outcome.status for each in kept(theirs)] == [status]


def test_region_that_has_all_can_still_be_kept():
    (found,) = kept(BASE)

    assert found.fallback is not None
    assert found.fallback.outcome.status is Status.KEPT
    assert found.fallback.operation == found.operation


def test_absorbed_region_leaves_nothing_to_do():
    (found,) = kept(OURS)

    assert found.operation is None


def test_region_is_composed_of_what_can_change_it(monkeypatch):
    base = "".join(f"<div><p id='a{number}'>text {number}</p></div>\n" for number in range(40))
    ours = base.replace("<p", "<p class='own'")
    theirs = "".join(f"<div><em>other {number}</em></div>\n" for number in range(40))
    composed = []
    compose = region.compose
    monkeypatch.setattr(region, "compose", lambda tree, operations: composed.append(len(operations)) or compose(tree, operations))

    found = kept(theirs, base=base, ours=ours)

    assert [each.operation.text for each in found[:2]] == [
        f"<p class='own' id='a{number}'>text {number}</p>" for number in (0, 1)
    ]
    assert composed == [3] * 40
