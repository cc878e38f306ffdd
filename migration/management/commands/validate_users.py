"""Compare both systems' pages for people's customizations."""

from typing import Any

from migration.actions import ValidationReport, validate_customizations
from migration.jobs import validate_chunk
from migration.management.selection import OnCustomizations
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
            return _report(validate_customizations(keys, **deed.keywords(), progress=ticker.advance))


def _report(report: ValidationReport) -> Report:
    data = report.as_json()
    lines = [
        f"{report.total} customizations compared: {report.equal} equal, {report.passed} passed, {report.below_threshold} below "
        f"the threshold, {report.not_rendered} not rendered; {report.skipped} skipped.",
        f"{report.pages} pages, {report.computed} translations rendered anew; smallest similarity {data['similarity_min']}, "
        f"mean {data['similarity_mean']}.",
    ]
    needed = ""
    if report.failed or report.skipped:
        needed = f"{report.failed} customizations did not pass and {report.skipped} have nothing to compare; see their findings."
    return Report(data, lines, needed)
