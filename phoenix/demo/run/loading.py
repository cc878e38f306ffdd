"""First steps of the demo: fill the shop, write the export, import it."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from phoenix.demo.accounts import make_customer_accounts
from phoenix.demo.customers import Customer, customers
from phoenix.demo.exports import Export, write_export
from phoenix.demo.records import Category, distinct
from phoenix.demo.run.checks import Table
from phoenix.demo.run.printing import Advance
from phoenix.demo.run.setting import Setting, run_command
from phoenix.demo.shelf import Shelf
from phoenix.demo.shop import load_components

NOT_SEEN_BY_IMPORT = frozenset({"HUNK_DOES_NOT_APPLY"})  # found when the diff is applied, not when it is read


def load(setting: Setting, shelf: Shelf) -> None:
    """Store the components and their default layers."""
    with setting.printer.step("Load the components") as (step, _advance):
        loaded = load_components(shelf, **setting.traced_deed("sample shop"))
        step.facts.append(
            f"{loaded.components} components in {loaded.versions} versions, {loaded.imported} new; "
            f"{loaded.defaults} default configurations"
        )
        step.check("components with a default configuration", expected=loaded.components, found=loaded.defaults)


def export(setting: Setting, shelf: Shelf) -> Export:
    """Write what the old shop would hand over."""
    with setting.printer.step("Write the old shop's export", setting.people) as (step, advance):
        people = customers(shelf, seed=setting.seed, people=setting.people)
        written = write_export(setting.folder, _counted(people, advance))
        counts = Counter(record.category for record in written.records)
        step.facts.append(
            f"{written.customers:,} people, {len(written.records):,} customizations ({distinct(written.records)} different), "
            f"{len(written.bad_lines)} lines that are no records"
        )
        step.facts.append(f"seed {setting.seed}; files in {setting.folder}")
        rows = tuple((category.value, f"{counts[category]:,}") for category in Category)
        step.tables.append(Table("What the customizations are", ("category", "#records"), rows))
    return written


def import_export(setting: Setting, written: Export) -> None:
    """Import people and customizations with the commands; the bad records, and only they, have to be refused."""
    expected_people = {
        f"{path.name}:{line}": bad.code for (path, line), bad in written.bad_lines.items() if path == written.people
    }
    with setting.printer.step("Import the people") as (step, _advance):
        code, report = run_command("import_people", str(written.people), "--by", setting.operator)
        step.facts.append(
            f"{report['imported']:,} imported, {report['unchanged']:,} unchanged, {len(report['rejected'])} refused"
        )
        step.check("exit code", expected=1, found=code)
        step.check("people taken", expected=written.customers, found=report["imported"] + report["unchanged"])
        step.check("refused records and their codes", expected=expected_people, found=_refused(report))
        made = make_customer_accounts()
        step.facts.append(f"{made:,} accounts made")
    with setting.printer.step("Import the customizations") as (step, _advance):
        files = (str(written.customizations), str(written.folder))
        code, report = run_command("import_customizations", *files, "--by", setting.operator, "--reason", "sample shop")
        expected = {
            f"{path.name}:{line}": bad.code for (path, line), bad in written.bad_lines.items() if path == written.customizations
        }
        unusable = {
            record.external_id: record.code for record in written.records if record.code and record.code not in NOT_SEEN_BY_IMPORT
        }
        taken = len(written.records) - len(unusable)
        step.facts.append(
            f"{report['imported']:,} imported, {report['unchanged']:,} unchanged, {len(report['rejected'])} that need a person"
        )
        step.check("exit code", expected=1, found=code)
        step.check("usable customizations taken", expected=taken, found=report["imported"] + report["unchanged"])
        step.check("refused records and their codes", expected=expected, found=_refused(report))
        stored = {each["external_id"]: each["code"] for each in report["rejected"] if each["stored"]}
        step.check("stored although they cannot be used", expected=unusable, found=stored)
        counts = Counter(each["code"] for each in report["rejected"])
        sentences = {each["code"]: each["text"] for each in report["rejected"]}
        rows = tuple((code, f"{count}", sentences[code]) for code, count in sorted(counts.items()))
        step.tables.append(Table("Refused, each with its place and a sentence", ("code", "#records", "for example"), rows))


def _counted(people: Iterator[Customer], advance: Advance) -> Iterator[Customer]:
    for customer in people:
        advance(1)
        yield customer


def _refused(report: dict[str, Any]) -> dict[str, str]:
    """Return the codes of the records that did not become rows, by file name and line."""
    return {
        f"{each['source'].rpartition('/')[2]}:{each['line']}": each["code"] for each in report["rejected"] if not each["stored"]
    }
