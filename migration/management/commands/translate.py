"""Translate diffs into slot operations."""

from typing import Any

from django.template.defaultfilters import pluralize

from migration.actions import Need, TranslationReport, needs_of, translate_customizations
from migration.jobs import translate_chunk
from migration.management.selection import OnCustomizations, needs_lines
from slots.management.base import Deed, Report


class Command(OnCustomizations):
    """Translate the chosen customizations; equal diffs once."""

    help = "Translate customizations into slot operations, and prove them."

    def work(self, deed: Deed, **options: Any) -> Report:
        """Translate and report, or leave it to the workers."""
        chosen = self.chosen(**options)
        if options["later"]:
            return self.left_to_workers(translate_chunk, deed, chosen)
        with self.ticking("translate", chosen.count()) as ticker:
            keys = list(chosen.values_list("pk", flat=True))
            report = translate_customizations(keys, **deed.keywords(), progress=ticker.advance)
        return _report(report, needs_of(keys))


def _report(report: TranslationReport, needs: list[Need]) -> Report:
    data = report.as_json() | {"needs_person": [need.as_json() for need in needs]}
    waits = f"{report.needs_review} {pluralize(report.needs_review, 'waits,wait')}"
    fineness = "" if data["fineness_mean"] is None else f"; mean fineness {data['fineness_mean']:.3g}"
    lines = [
        f"{report.total} customization{pluralize(report.total)}: {report.translated} translated, {report.proven} proven, "
        f"{report.failed} without operations, {waits} for a person, {report.skipped} skipped.",
        f"{len(report.distinct)} distinct translation{pluralize(report.distinct)}, {report.computed} of them new; "
        f"{report.replaced_source} {pluralize(report.replaced_source, 'replaces,replace')} the whole source{fineness}.",
        "Operations: " + (", ".join(f"{kind} {count}" for kind, count in data["ops_by_kind"].items()) or "none") + ".",
    ]
    waiting = report.failed + report.needs_review
    needed = (
        f"{waiting} customization{pluralize(waiting, ' needs,s need')} a person; the admin lists the findings." if waiting else ""
    )
    return Report(data, [*lines, *needs_lines(needs)], needed)
