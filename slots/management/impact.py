"""Say an upgrade's impact in lines for people; two commands print it."""

from django.template.defaultfilters import pluralize
from django.utils.text import Truncator

from slots.actions.upgrades import Impact
from slots.models import CaseStatus

_SHOWN = 10


def impact_lines(found: Impact) -> list[str]:
    """Return the lines of an impact: counts, layers, and the conflicts that concern most configurations."""
    total = sum(found.counts.values())
    lines = [
        f"{found.component}@{found.version}: {total} configuration{pluralize(total)}, {found.distinct} distinct, "
        f"{found.ready} ready, {found.waiting} waiting, {found.moved} moved"
    ]
    lines += [f"  {found.counts[status]:>8} {status}" for status in CaseStatus.values if found.counts.get(status)]
    lines += [f"  {count:>8} not moved yet in the {layer} layer" for layer, count in found.layers.items()]
    if found.pinned:
        lines.append(f"  {found.pinned:>8} pinned, passed by")
    for group in found.groups[:_SHOWN]:
        decided = group["resolution"] or "open"
        lines.append(f"  {group['code']} {group['status']}, {decided}, {group['configurations']}×: {group['words']}")
        lines.append(f"      {Truncator(group['reason']).chars(160)}")
    if len(found.groups) > _SHOWN:
        lines.append(f"  and {len(found.groups) - _SHOWN} more kinds of conflict; --json lists all.")
    lines += [f"  refused, {count}×: {Truncator(text).chars(160)}" for text, count in found.refusals.items()]
    return lines
