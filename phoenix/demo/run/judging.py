"""Middle steps of the demo: translate everything, validate everything, and compare what became of each kind of record."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field

from django.db.models import Count

from migration.actions.translations import POLICY, translate_customizations
from migration.actions.validations import validate_customizations
from migration.models import Customization, Decision, Finding, LegacyOutcome, Validation
from migration.states import CustomizationState
from phoenix.demo.expectations import Outcome, expected_of, mismatch
from phoenix.demo.exports import Export
from phoenix.demo.records import Category, Record
from phoenix.demo.run.checks import Step, Table
from phoenix.demo.run.setting import Setting

SHOWN = 5  # mismatches of one category that the report spells out


@dataclass(slots=True)
class _Tally:
    """Count the records of one category."""

    total: int = 0
    fitting: int = 0
    states: Counter[str] = field(default_factory=Counter)
    codes: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)


def translate(setting: Setting) -> None:
    """Translate every active customization."""
    wanted = _active_keys()
    with setting.printer.step("Translate into slot operations", len(wanted)) as (step, advance):
        report = translate_customizations(wanted, progress=advance, **setting.traced_deed("sample shop")).as_json()
        step.facts.append(
            f"{report['translated']:,} of {report['total']:,} translated, {report['proven']:,} proven, "
            f"{report['needs_review']} wait for a person, {report['failed']} without operations, "
            f"{report['skipped']} on slots already"
        )
        step.facts.append(
            f"{report['distinct']} different ones serve them; {report['computed']} diffs were computed now, those without "
            f"operations included; mean fineness {report['fineness_mean']}, whole source replaced for {report['replaced_source']}"
        )
        kinds = sorted(report["ops_by_kind"].items(), key=lambda each: -each[1])
        rows = tuple((kind, f"{count:,}", "▇" * max(1, round(30 * count / kinds[0][1]))) for kind, count in kinds)
        step.tables.append(Table("Operations by kind", ("operation", "#number", ""), rows))


def validate(setting: Setting) -> None:
    """Render every translated customization both ways and compare the pages."""
    wanted = _active_keys()
    with setting.printer.step("Validate: render both ways and compare", len(wanted)) as (step, advance):
        report = validate_customizations(wanted, progress=advance, **setting.traced_deed("sample shop")).as_json()
        differing = report["total"] - report["equal"] - report["not_rendered"]
        step.facts.append(
            f"{report['total']:,} looked at over {report['pages']:,} pages: {report['equal']:,} equal, {differing} different, "
            f"{report['not_rendered']} not rendered because the policy refuses them; {report['passed']:,} passed"
        )
        step.facts.append(
            f"{report['computed']} comparisons computed now; smallest similarity {_share(report['similarity_min'])}"
        )


def judge(setting: Setting, written: Export) -> None:
    """Hold what became of every record against what was expected of its category."""
    with setting.printer.step("Compare with what was expected") as (step, _advance):
        found = _outcomes()
        tallies: defaultdict[Category, _Tally] = defaultdict(_Tally)
        for record in written.records:
            outcome = found.get((record.user, record.external_id))
            _count(tallies[record.category], record, outcome)
        rows = []
        for category in Category:
            tally = tallies[category]
            step.check(f"records of category {category.value} as expected", expected=tally.total, found=tally.fitting)
            step.facts += [f"{category.value}: {each}" for each in tally.wrong[:SHOWN]]
            rows.append((category.value, f"{tally.total:,}", f"{tally.fitting:,}", _words(tally.states), _words(tally.codes)))
        columns = ("category", "#records", "#as expected", "ended as", "findings")
        step.tables.append(Table("Expected and found", columns, tuple(rows)))
        step.tables.append(_findings())
        _check_equal_pages(step)


def _findings() -> Table:
    """Return every code that keeps customizations waiting or is worth knowing, with how many it concerns and an example."""
    concerned: Counter[tuple[str, str]] = Counter()
    example: dict[tuple[str, str], str] = {}
    shared = dict(
        Customization.objects.active()
        .filter(translation__isnull=False)
        .order_by()
        .values_list("translation")
        .annotate(Count("pk"))
    )
    for finding in Finding.objects.order_by("pk"):
        key = (finding.code, finding.severity)
        concerned[key] += 1 if finding.customization_id else shared.get(finding.translation_id, 0)
        example.setdefault(key, finding.text)
    rows = tuple(
        (code, severity, f"{count:,}", example[code, severity]) for (code, severity), count in sorted(concerned.items()) if count
    )
    return Table("Findings by code", ("code", "severity", "#customizations", "for example"), rows)


def _check_equal_pages(step: Step) -> None:
    """Check the promise: what legacy shows without fuzz and no policy refuses looks the same on slots, on every sample."""
    clean = Customization.objects.active().filter(translation__legacy_outcome=LegacyOutcome.CLEAN)
    refused = Finding.objects.filter(details__origin=POLICY).values("translation")
    promised = clean.exclude(translation__in=refused).exclude(state=CustomizationState.ARCHIVED)
    validations = Validation.objects.filter(translation__in=promised.values("translation"))
    newest: dict[int, Validation] = {each.translation_id: each for each in validations.order_by("pk")}
    pages = [page for validation in newest.values() for page in validation.pages]
    same = sum(page["equal"] and page["proven"] and not page["problems"] for page in pages)
    total = promised.count()
    held = sum(newest[pk].is_equal for pk in promised.values_list("translation", flat=True) if pk in newest)
    step.check("customizations that legacy applies without fuzz: equal on every sample", expected=total, found=held)
    step.check("their different pages: equal by both parsers", expected=len(pages), found=same)
    step.facts.append(
        f"{total:,} customizations that legacy applies without fuzz and no policy refuses: {held:,} equal, {same:,} pages"
    )


def _active_keys() -> list[int]:
    return list(Customization.objects.active().order_by("pk").values_list("pk", flat=True))


def _outcomes() -> dict[tuple[str, str], Outcome]:
    """Return what became of every stored customization, by person and external id."""
    shared, own = _findings_about("translation"), _findings_about("customization")
    rows = Customization.objects.values_list(
        "pk", "person__user", "external_id", "state", "translation", "translation__legacy_outcome"
    )
    outcomes = {}
    for pk, user, external_id, state, translation, legacy in rows:
        findings = own[pk] + shared[translation]
        codes = {finding.code for finding in findings}
        policy = {finding.code for finding in findings if finding.details.get("origin") == POLICY}
        is_decided = any(finding.decision != Decision.OPEN for finding in findings)
        outcomes[user, external_id] = Outcome(state, legacy, codes, policy, is_decided)
    return outcomes


def _findings_about(subject: str) -> defaultdict[int | None, list[Finding]]:
    """Return every finding by the primary key of what it is about."""
    found: defaultdict[int | None, list[Finding]] = defaultdict(list)
    for finding in Finding.objects.filter(**{f"{subject}__isnull": False}):
        found[getattr(finding, f"{subject}_id")].append(finding)
    return found


def _count(tally: _Tally, record: Record, outcome: Outcome | None) -> None:
    tally.total += 1
    if outcome is None:
        tally.wrong.append(f"{record.external_id}: not stored")
        return
    tally.states[outcome.state] += 1
    tally.codes.update(outcome.codes)
    expected = expected_of(record)
    problem = mismatch(expected, outcome) if expected else ""
    tally.fitting += not problem
    if problem:
        tally.wrong.append(f"{record.external_id} ({record.label}): {problem}")


def _words(counts: Counter[str]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in counts.most_common())


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value:.4f}"
