"""Many customizations at once."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from migration.actions import import_customizations, translate_customizations, validate_customizations
from migration.models import Customization
from slots.models import ComponentVersion
from tests.migration.conftest import AT

Fill = Callable[[list[dict[str, Any]]], None]


@pytest.fixture
def fill(write: Callable[..., Path], card: ComponentVersion) -> Fill:
    """Return what imports, translates and validates many."""

    def bring_all(lines: list[dict[str, Any]]) -> None:
        import_customizations([write(lines)], at=AT, by="alice")
        keys = list(Customization.objects.values_list("pk", flat=True))
        translate_customizations(keys, at=AT, by="alice")
        validate_customizations(keys, at=AT, by="alice")

    return bring_all


def spelled(text: str, user: str) -> str:
    """Return the diff as another export would spell it: other names and times, so that it has another digest."""
    return text.replace("--- a/shop.card/template.html", f"--- a/shop.card/template.html\t2026-01-01 {user}")
