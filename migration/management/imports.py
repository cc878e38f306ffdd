"""What the two import commands have in common."""

from collections import Counter
from pathlib import Path

from migration.actions import ImportReport
from slots.management.base import Report, WrongUsage

SHOWN = 20


def existing(names: list[str], *, folders: bool = True) -> list[Path]:
    """Return the named files and folders; a name that is not there, or a folder where none is taken, is wrong usage."""
    paths = [Path(name) for name in names]
    for path in paths:
        if not path.exists():
            raise WrongUsage(f"There is no file or folder {path}.", "FILE_UNKNOWN")
        if not folders and path.is_dir():
            raise WrongUsage(f"{path} is a folder; name a JSON Lines file.")
    return paths


def import_report(report: ImportReport, *, dry_run: bool) -> Report:
    """Return what an import command prints; the first rejected records are shown, --json has them all."""
    stored = f", stored, needs a person: {report.stored}" if report.stored else ""
    lines = [f"Imported {report.imported} ({report.updated} of them changed), unchanged {report.unchanged}{stored}."]
    if report.ignored_fields:
        lines.append("Fields that nothing reads: " + ", ".join(sorted(report.ignored_fields)) + ".")
    lines += [
        f"{each.source}:{each.line} {each.code}{f' (diff line {each.diff_line})' if each.diff_line else ''}: {each.text}"
        for each in report.rejected[:SHOWN]
    ]
    if len(report.rejected) > SHOWN:
        lines.append(f"… and {len(report.rejected) - SHOWN} more; --json lists them all.")
    needed = ""
    if report.rejected:
        codes = ", ".join(f"{code} {count}" for code, count in sorted(Counter(each.code for each in report.rejected).items()))
        count = len(report.rejected)
        whereabouts = "Nothing was kept: this was a dry run." if dry_run else "What was read is kept; the admin lists it."
        needed = f"{'1 record needs' if count == 1 else f'{count} records need'} a person: {codes}. {whereabouts}"
    elif not report.total:
        needed = "There is no record in what was named; look whether it is the right file or folder."
    return Report(report.as_json(), lines, needed)
