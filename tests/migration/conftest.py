"""A small shop: one component in two versions, and ways to write its customizations."""

import json
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from migration.actions import import_customizations, translate_customizations, validate_customizations
from migration.engine import diff
from migration.models import Customization
from slots.actions import import_component, set_current_version
from slots.models import ComponentVersion
from slots.registry import ComponentRecord
from tests.scenes import kept

AT = datetime(2026, 11, 2, 9, tzinfo=UTC)
CARD = "shop.card"
OLD = """\
<article class="card">
  <h3 class="title">{{ product.name }}</h3>
  <p class="summary">{{ product.summary }}</p>
  <ul class="facts">
    <li>Handmade</li>
    <li>Safe in the dishwasher</li>
  </ul>
  <footer class="foot">
    <span class="price">{{ product.price }}</span>
    <button class="buy">Add to cart</button>
  </footer>
</article>
"""
NEW = OLD.replace('<p class="summary">', '<p class="summary" lang="en">').replace(
    '  <ul class="facts">\n', '  <p class="hint">In stock</p>\n  <ul class="facts">\n'
)
SAMPLES = (
    {"name": "mug", "context": {"product": {"name": "Mug", "summary": "For tea.", "price": 18}}},
    {"name": "special", "context": {"product": {"name": "<b>&", "summary": "", "price": 0}}},
)
CONTRACT = {"names": ["product"]}


def record(version: str, source: str, *, key: str = CARD, **more: Any) -> ComponentRecord:
    """Return a version of the component as it is imported."""
    return ComponentRecord(key=key, version=version, source=source, contract=CONTRACT, samples=SAMPLES, **more)


def ship(version: str, source: str, *, key: str = CARD) -> ComponentVersion:
    """Import a version and show it."""
    done = import_component(record(version, source, key=key), at=AT, by="alice")
    return set_current_version(done.version.component, done.version, at=AT, by="alice")


@pytest.fixture
@kept
def card(db: None) -> ComponentVersion:
    """Return the current version of the card; 1.0 is there too."""
    ship("1.0", OLD)
    return ship("2.0", NEW)


def edit(source: str, *swaps: tuple[str, str]) -> str:
    """Return the diff that these replacements make."""
    changed = source
    for old, new in swaps:
        assert old in changed
        changed = changed.replace(old, new)
    return diff.make(source, changed, path="shop.card/template.html")


ORDER_NOW = ("Add to cart", "Order now")
CARRIED = edit(OLD, ORDER_NOW)  # the lines around it are still there
FUZZED = edit(OLD, ("Handmade", "Made by hand"))  # of the lines before it one is changed and one is new
LOST = edit(OLD, ('<p class="summary">', '<p class="summary wide">'))  # the line itself is changed


def line(user: str = "bob", text: str | None = None, **fields: Any) -> dict[str, Any]:
    """Return one customization in the import format."""
    return {
        "external_id": f"{user}/card",
        "user": user,
        "component": CARD,
        "base_version": "2.0",
        "diff": edit(NEW, ORDER_NOW) if text is None else text,
        "active": True,
        "created_at": "2026-10-01T09:00:00+00:00",
        **fields,
    }


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Return what writes lines (objects or bytes) to a file."""

    def write_lines(lines: Iterable[dict[str, Any] | bytes], name: str = "records.jsonl") -> Path:
        path = tmp_path / name
        path.write_bytes(b"".join((each if isinstance(each, bytes) else json.dumps(each).encode()) + b"\n" for each in lines))
        return path

    return write_lines


@pytest.fixture
def bring(write: Callable[..., Path], card: ComponentVersion) -> Callable[..., Customization]:
    """Return what imports one customization, translates and validates it, and returns it."""

    def bring_in(text: str | None = None, user: str = "bob", **fields: Any) -> Customization:
        fact = line(user, text, **fields)
        import_customizations([write([fact])], at=AT, by="alice")
        row = Customization.objects.get(person__user=user, external_id=fact["external_id"])
        translate_customizations([row.pk], at=AT, by="alice")
        validate_customizations([row.pk], at=AT, by="alice")
        row.refresh_from_db()
        return row

    return bring_in
