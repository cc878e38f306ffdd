"""Rows and values that tests of slots share."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from slots.actions import Placement, forget_compiled, import_component, install_configuration, save_body
from slots.markup import ops
from slots.markup.address import describe
from slots.markup.tree import parse
from slots.models import Layer
from slots.registry import ComponentRecord
from slots.schema import DEFAULT_TENANT, PersonKey

AT = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
CARD = """<article class="card">
  <h3 class="title">{{ product.name }}</h3>
  {% slot "actions" %}<button class="buy" type="button">Buy</button>{% endslot %}
</article>
"""


@pytest.fixture
def at():
    return AT


@pytest.fixture(autouse=True)
def cold():
    """Start every test with nothing compiled."""
    forget_compiled()


@pytest.fixture
def card(db):
    """The current version of a small component."""
    return add_component("shop.card", CARD)


@pytest.fixture
def bob():
    return PersonKey(DEFAULT_TENANT, "bob")


def add_component(key, source=CARD, *, version="1.0", names=("product",), **contract):
    """Import one component version and return it."""
    record = ComponentRecord(key, version, source, contract={"names": list(names), **contract})
    return import_component(record, at=AT, by="alice").version


def find(source, own):
    """Return the node of a source whose own text (open tag or leaf) is `own`."""
    tree = parse(source)
    return tree, next(node for node in tree.nodes if tree.open(node) == own)


def set_text(source, old, new):
    """Return the operation that replaces a text of a source."""
    tree, node = find(source, old)
    return identified(ops.Operation(ops.SET_TEXT, describe(tree, node), payload=(new,), displaced=(old,)))


def insert(source, own, text):
    """Return the operation that puts a text after the node of a source whose own text is `own`."""
    tree, node = find(source, own)
    return identified(ops.Operation(ops.INSERT, describe(tree, node), payload=(text,), place="after"))


def identified(operation):
    """Return the operation with the id that its content gives."""
    return replace(operation, id=operation.identifier())


def lay(version, operations, *, person=None, layer=Layer.USER, key="", tenant=DEFAULT_TENANT, **options):
    """Install operations as a layer of a component and return the row."""
    if person is not None:
        tenant, key = person.tenant, person.user
    placement = Placement(tenant, layer, key, version, save_body(operations, at=AT).digest, **options)
    return install_configuration(placement, by="alice", at=AT, reason="test")
