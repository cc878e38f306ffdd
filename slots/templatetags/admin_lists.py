"""Rows of the admin's lists with the name of its column on each cell, for screens on which a row is a card."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django import template
from django.utils.html import escape, strip_tags
from django.utils.safestring import SafeString, mark_safe

register = template.Library()
CELL = re.compile(r"^<(td|th)\b")


@register.simple_tag
def labelled_rows(results: Iterable[Sequence[str]], headers: Sequence[Mapping[str, Any]]) -> list[list[SafeString]]:
    """Return the cells of each row as the admin made them, each with `data-label`; the box that chooses a row needs none."""
    labels = [_label(header) for header in headers]
    return [[_labelled(str(cell), label) for cell, label in zip(row, labels, strict=False)] for row in results]


def _label(header: Mapping[str, Any]) -> str:
    if "action-checkbox-column" in str(header.get("class_attrib", "")):
        return ""
    text = strip_tags(str(header.get("text", ""))).strip()
    return escape(text[:1].upper() + text[1:])


def _labelled(cell: str, label: str) -> SafeString:
    # The admin escaped the cell when it made it, the label is escaped above; nothing else is added.
    return mark_safe(CELL.sub(lambda found: f'<{found[1]} data-label="{label}"', cell, count=1) if label else cell)
