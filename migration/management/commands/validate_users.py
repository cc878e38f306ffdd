"""Compare both systems' pages for people's customizations."""

from typing import Any

from django.template.defaultfilters import pluralize

from migration.actions import Need, ValidationReport, needs_of, validate_customizations
from migration.jobs import validate_chunk
from migration.management.selection import OnCustomizations, needs_lines
from slots.management.base import Deed, Report


class Command(OnCustomizations):
    """Validate the chosen customizations over the sample contexts of their components."""

    help = "Render customizations on both systems and compare the pages."

    def work(self, deed: Deed, **options: Any) -> Report:
        """Compare and report, or leave it to the workers."""
        chosen = self.chosen(**options)
        if options["later"]:
            return self.left_to_workers(validate_chunk, deed, chosen)
        with self.ticking("validate", chosen.count()) as ticker:
            keys = list(chosen.values_list("pk", flat=True))
            report = validate_customizations(keys, **deed.keywords(), progress=ticker.advance)
        return _report(report, needs_of(keys))


def _report(report: ValidationReport, needs: list[Need]) -> Report:
    data = report.as_json() | {"needs_person": [need.as_json() for need in needs]}
    lines = [
        f"{report.total} customization{pluralize(report.total)} compared: {report.equal} equal, {report.passed} passed, "
        f"{report.below_threshold} below the threshold, {report.not_rendered} not rendered; {report.skipped} skipped.",
        f"{report.pages} page{pluralize(report.pages)}, {report.computed} translation{pluralize(report.computed)} rendered anew"
        f"{_similarity(data)}.",
    ]
    needed = ""
    if report.failed or report.skipped:
        needed = (
            f"{report.failed} customization{pluralize(report.failed)} did not pass and {report.skipped} "
            f"{pluralize(report.skipped, 'has,have')} nothing to compare; see their findings."
        )
    return Report(data, [*lines, *needs_lines(needs)], needed)


def _similarity(data: dict[str, Any]) -> str:
    """Return the similarities to three digits, nothing where no page was compared."""
    if data["similarity_min"] is None:
        return ""
    return f"; smallest similarity {data['similarity_min']:.3g}, mean {data['similarity_mean']:.3g}"
