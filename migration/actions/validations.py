"""Validating translations: both systems render every sample context, and the pages must be the same.

A validation names the versions of everything that it saw. It passes where every page is rendered without an error and equal by
both parsers, or where somebody with the right accepted exactly what differs. What the policy refuses is not rendered before it
is accepted, so it has no validation; what could not be rendered or compared is not a pass.
"""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from statistics import fmean
from typing import Any, Final

from django.db import transaction

from migration.actions.facts import Fact, facts_about, samples_digest
from migration.actions.pages import PagePair, as_stored, difference_digest
from migration.actions.people import CHUNK, Progress, in_chunks
from migration.actions.routes import RESTORES_CUSTOMIZATION
from migration.actions.settling import KEPT, settle, settle_facts
from migration.actions.translations import DOES_NOT_COMPILE, POLICY
from migration.engine import compare, translate
from migration.models import Customization, Decision, Finding, Person, Severity, Translation, Validation

THRESHOLD: Final = 0.95
PAGES_DIFFER: Final = "PAGES_DIFFER"
PAGES_NOT_COMPARED: Final = "PAGES_NOT_COMPARED"
RENDER_ERROR: Final = "RENDER_ERROR"


@dataclass(slots=True)
class ValidationReport:
    """Count customizations by what the comparison said; `skipped` have no current translation or are on slots already.

    `not_rendered` are those that the policy refuses or that do not compile.
    """

    total: int = 0
    equal: int = 0
    passed: int = 0
    below_threshold: int = 0
    not_rendered: int = 0
    skipped: int = 0
    pages: int = 0
    computed: int = 0
    similarities: list[float] = field(default_factory=list)

    @property
    def failed(self) -> int:
        """Return how many were compared or refused and did not pass."""
        return self.total - self.passed

    def as_json(self) -> dict[str, Any]:
        """Return the object that the command prints."""
        return {
            "total": self.total,
            "equal": self.equal,
            "passed": self.passed,
            "below_threshold": self.below_threshold,
            "not_rendered": self.not_rendered,
            "skipped": self.skipped,
            "pages": self.pages,
            "computed": self.computed,
            "similarity_min": min(self.similarities, default=None),
            "similarity_mean": fmean(self.similarities) if self.similarities else None,
        }


def validate_people(people: Iterable[Person], *, at: datetime, by: str, reason: str = "validate") -> ValidationReport:
    """Validate every active customization of these people."""
    pks = Customization.objects.active().filter(person__in=list(people)).order_by("pk").values_list("pk", flat=True)
    return validate_customizations(pks, at=at, by=by, reason=reason)


def validate_customizations(
    primary_keys: Iterable[int],
    *,
    at: datetime,
    by: str,
    reason: str = "validate",
    act: uuid.UUID | None = None,
    progress: Progress = lambda count: None,
) -> ValidationReport:
    """Compare both systems' pages for those customizations and move each to its state; equal translations once.

    Customizations without a current translation are skipped: translate them first.
    """
    del by, act  # a validation is found, not decided; the states' events carry the reason
    report = ValidationReport()
    for chunk in in_chunks(primary_keys, CHUNK):
        _validate_chunk(chunk, report, at=at, reason=reason)
        progress(len(chunk))
    return report


def _validate_chunk(chunk: Sequence[int], report: ValidationReport, *, at: datetime, reason: str) -> None:
    facts = facts_about(chunk)
    due = [fact for fact in facts if fact.customization.state not in KEPT and fact.translation and fact.translation.body_id]
    report.skipped += len(facts) - len(due)
    done, is_same = _validations(due, report, at=at)
    if is_same:
        settle_facts(facts, at=at, reason=reason)
    else:
        settle([fact.customization.pk for fact in facts], at=at, reason=reason)
    for fact in due:
        _count(done[fact.translation.pk] if fact.translation else None, report)


def _validations(due: Sequence[Fact], report: ValidationReport, *, at: datetime) -> tuple[dict[int, Validation | None], bool]:
    """Return the current validation of each translation, decided anew, and whether every one is as it was.

    It is None where the template must not be rendered.
    """
    translations: dict[int, Fact] = {}
    for fact in due:
        if fact.translation is not None:
            translations.setdefault(fact.translation.pk, fact)
    rendered = {pk: fact for pk, fact in translations.items() if not is_refused(fact)}
    known = Validation.objects.in_bulk([fact.validation.pk for fact in rendered.values() if fact.validation])
    found = {pk: _validated(fact, pk, known, report, at=at) for pk, fact in rendered.items()}
    is_same = not _decide(found.values(), at=at) and len(known) == len(found)
    return {pk: found.get(pk) for pk in translations}, is_same


def is_refused(fact: Fact) -> bool:
    """Say whether the template must not be rendered: the policy refuses it and nobody accepted that, or it does not compile."""
    return any(each.details.get("origin") == POLICY or each.code == DOES_NOT_COMPILE for each in fact.blocking)


def _validated(
    fact: Fact, translation: int, known: Mapping[int, Validation], report: ValidationReport, *, at: datetime
) -> Validation:
    """Return the translation's current validation; where there is none, render and compare."""
    if fact.validation is not None and fact.validation.pk in known:
        return known[fact.validation.pk]
    report.computed += 1
    return _compare(fact.customization.pk, translation, at=at)


def _compare(customization: int, translation_pk: int, *, at: datetime) -> Validation:
    """Render and compare, and store what was found."""
    translation = Translation.objects.select_related("target", "body").get(pk=translation_pk)
    text = Customization.objects.values_list("diff", flat=True).get(pk=customization)
    if translation.body is None:
        raise ValueError(f"translation {translation_pk} has no operations, so there is nothing to compare")
    pair = PagePair(translation.target, text, translation.body.operations)
    pages = pair.pages()
    similarities = [page.comparison.similarity for page in pages]
    with transaction.atomic():
        validation, is_new = Validation.objects.get_or_create(
            translation=translation,
            source_digest=translation.target.content_digest,
            body_digest=translation.body.digest,
            samples_digest=samples_digest(translation.target.samples),
            engine_version=translate.ENGINE_VERSION,
            metric_version=compare.METRIC_VERSION,
            defaults={
                "is_passed": False,
                "is_equal": all(page.comparison.equal and page.comparison.proven for page in pages),
                "similarity_min": min(similarities),
                "similarity_mean": fmean(similarities),
                "difference_digest": difference_digest(pages),
                "pages": as_stored(pages),
                "at": at,
            },
        )
        restores = translation.findings.filter(code=RESTORES_CUSTOMIZATION).exists()
        if is_new:
            Finding.objects.bulk_create(
                _finding(validation, page, at=at)
                for page in validation.pages
                if not page["same"] and not _is_expected(page, restores)
            )
    return validation


def _is_expected(page: dict[str, Any], restores: bool) -> bool:
    """Say whether the pages differ only because slots brings back what the old system lost; that has its own finding."""
    return restores and not page["problems"] and not page["equal"]


def _finding(validation: Validation, page: dict[str, Any], *, at: datetime) -> Finding:
    if page["problems"]:
        is_error = any(problem.startswith(("old system: ", "slots: ")) for problem in page["problems"])
        code, text = RENDER_ERROR if is_error else PAGES_NOT_COMPARED, "; ".join(page["problems"])
    elif page["equal"]:
        code, text = PAGES_NOT_COMPARED, "The two parsers disagree about these pages, so that they look equal proves nothing."
    else:
        code, text = PAGES_DIFFER, page["first_difference"]
    return Finding(
        translation_id=validation.translation_id,
        validation=validation,
        code=code,
        severity=Severity.BLOCKING,
        place=page["sample"][:500],
        text=text or "The pages differ.",
        created_at=at,
    )


def _decide(validations: Iterable[Validation], *, at: datetime) -> int:
    """Let each validation pass if every page is the same, or somebody accepted what is not; return how many that changes."""
    found = list(validations)
    accepted = Finding.objects.filter(translation__in=[each.translation_id for each in found], decision=Decision.ACCEPTED)
    rows = list(accepted.order_by("pk").values_list("translation_id", "validation_id", "code", "place"))
    restored = {translation for translation, _, code, _ in rows if code == RESTORES_CUSTOMIZATION}
    places = {(validation, place) for _, validation, _, place in rows}
    changed = 0
    for each in found:
        restores = each.translation_id in restored
        is_passed = all(
            page["same"] or (each.pk, page["sample"][:500]) in places or _is_expected(page, restores) for page in each.pages
        )
        if each.is_passed != is_passed:
            each.is_passed, each.at = is_passed, at
            each.save(update_fields=["is_passed", "at"])
            changed += 1
    return changed


def _count(validation: Validation | None, report: ValidationReport) -> None:
    report.total += 1
    if validation is None:
        report.not_rendered += 1
        return
    report.pages += len(validation.pages)
    report.equal += validation.is_equal
    report.passed += validation.is_passed
    if validation.similarity_min is not None:
        report.similarities.append(validation.similarity_min)
        report.below_threshold += validation.similarity_min < THRESHOLD
