"""Validating: the same page on both systems, or a finding that says where it is another one; unknown is never pass."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from migration.actions import (
    decide_finding,
    facts,
    import_customizations,
    translate_customizations,
    validate_customizations,
    validate_people,
    validations,
)
from migration.engine import compare
from migration.models import Customization, Decision, Finding, Person, Validation
from migration.states import CustomizationState
from slots.actions import save_body
from slots.markup import ops
from slots.models import ComponentVersion
from tests.migration.conftest import AT, FUZZED, LOST, NEW, SAMPLES, edit, line

pytestmark = pytest.mark.django_db
Bring = Callable[..., Customization]


def validate(**filters: Any) -> Any:
    keys = list(Customization.objects.filter(**filters).order_by("pk").values_list("pk", flat=True))
    return validate_customizations(keys, at=AT, by="alice")


def decide(code: str, decision: Decision = Decision.ACCEPTED) -> None:
    for finding in Finding.objects.filter(code=code):
        decide_finding(finding, decision=decision, by="dora", at=AT, reason="its owner said so")


def spoil(row: Customization) -> None:
    """Give the translation operations that make another page than the old system's."""
    assert row.translation is not None
    assert row.translation.body is not None
    wrong = row.translation.body.operations.replace("Order now", "Buy now")
    row.translation.body = save_body(ops.loads(wrong), at=AT)
    row.translation.save()


def test_equal_pages_pass_and_name_what_was_seen(bring: Bring, card: ComponentVersion) -> None:
    row = bring()

    validation = Validation.objects.get()
    assert (validation.is_passed, validation.is_equal, validation.similarity_min) == (True, True, 1.0)
    assert [page["sample"] for page in validation.pages] == [sample["name"] for sample in SAMPLES]
    assert validation.source_digest == card.content_digest
    assert validation.body_digest == row.translation.body_id
    assert validation.metric_version == compare.METRIC_VERSION
    assert row.state == CustomizationState.VALIDATED


def test_other_page_is_found_with_its_place(bring: Bring) -> None:
    row = bring()
    spoil(row)

    report = validate()

    row.refresh_from_db()
    findings = Finding.objects.filter(code="PAGES_DIFFER")
    assert (report.total, report.equal, report.passed) == (1, 0, 0)
    assert sorted(findings.values_list("place", flat=True)) == ["mug", "special"]
    assert all("Order now" in each.text and "Buy now" in each.text for each in findings)
    assert row.state == CustomizationState.NEEDS_REVIEW


def test_accepted_difference_passes_and_only_that(bring: Bring) -> None:
    row = bring()
    spoil(row)
    validate()
    first, second = Finding.objects.filter(code="PAGES_DIFFER")
    decide_finding(first, decision=Decision.ACCEPTED, by="dora", at=AT, reason="wanted")
    assert validate().passed == 0

    decide_finding(second, decision=Decision.ACCEPTED, by="dora", at=AT, reason="wanted")
    report = validate()

    row.refresh_from_db()
    assert (report.passed, report.equal, report.computed) == (1, 0, 0)
    assert row.state == CustomizationState.VALIDATED


def test_acceptance_does_not_outlive_the_pages_it_was_about(bring: Bring, card: ComponentVersion) -> None:
    row = bring()
    spoil(row)
    validate()
    decide("PAGES_DIFFER")
    validate()
    card.samples = [*SAMPLES, {"name": "third", "context": {"product": {"name": "Cup"}}}]
    card.save()

    report = validate()

    row.refresh_from_db()
    assert (report.passed, report.computed) == (0, 1)
    assert row.state == CustomizationState.NEEDS_REVIEW


def test_customization_that_comes_back_passes_once_somebody_wants_it(bring: Bring) -> None:
    row = bring(LOST, base_version="1.0")
    assert not Finding.objects.filter(code="PAGES_DIFFER").exists()
    assert not Validation.objects.get().is_passed
    assert row.state == CustomizationState.NEEDS_REVIEW

    decide("RESTORES_CUSTOMIZATION")
    validate()

    row.refresh_from_db()
    validation = Validation.objects.get()
    assert (validation.is_passed, validation.is_equal) == (True, False)
    assert row.state == CustomizationState.VALIDATED


def test_refused_payload_is_not_rendered_before_it_is_accepted(bring: Bring) -> None:
    row = bring(edit(NEW, ("In stock", "In stock<script>x</script>")))
    assert not Validation.objects.exists()

    assert validate().not_rendered == 1
    decide("UNSAFE_HTML")
    report = validate()

    row.refresh_from_db()
    assert (report.not_rendered, report.passed) == (0, 1)
    assert row.state == CustomizationState.VALIDATED


def test_error_on_both_sides_alike_is_no_pass(bring: Bring) -> None:
    row = bring(edit(NEW, ("In stock", '{% include "nothing.html" %}')))
    decide("KIND_NOT_ALLOWED")

    report = validate()

    row.refresh_from_db()
    validation = Validation.objects.get()
    assert (report.passed, validation.is_passed) == (0, False)
    assert all(page["equal"] and page["problems"] for page in validation.pages)
    assert set(Finding.objects.filter(validation=validation).values_list("code", flat=True)) == {"RENDER_ERROR"}
    assert row.state == CustomizationState.NEEDS_REVIEW


def test_page_that_cannot_be_compared_is_no_pass(bring: Bring, card: ComponentVersion) -> None:
    card.samples = [{"name": "huge", "context": {"product": {"name": "x" * 5_300_000}}}]
    card.save()

    row = bring()

    assert not Validation.objects.get().is_passed
    assert Finding.objects.get().code == "PAGES_NOT_COMPARED"
    assert row.state == CustomizationState.NEEDS_REVIEW


def test_context_that_is_not_there_is_an_error_not_an_empty_page(bring: Bring, card: ComponentVersion) -> None:
    card.contract = {"names": []}
    card.save()

    bring(FUZZED, base_version="1.0")

    assert Validation.objects.get().is_equal


def test_equal_translations_are_rendered_once(card: ComponentVersion, write: Callable[..., Path]) -> None:
    import_customizations([write([line(f"user{index}") for index in range(5)])], at=AT, by="alice")
    keys = list(Customization.objects.values_list("pk", flat=True))
    translate_customizations(keys, at=AT, by="alice")

    report = validate()

    assert (report.total, report.passed, report.computed, report.pages) == (5, 5, 1, 10)
    assert validate().computed == 0
    assert Validation.objects.count() == 1


def test_untranslated_is_skipped(card: ComponentVersion, write: Callable[..., Path]) -> None:
    import_customizations([write([line()])], at=AT, by="alice")

    assert (validate().total, validate().skipped) == (0, 1)


def test_people_are_validated_whole(card: ComponentVersion, write: Callable[..., Path]) -> None:
    import_customizations([write([line(), line("carol")])], at=AT, by="alice")
    translate_customizations(list(Customization.objects.values_list("pk", flat=True)), at=AT, by="alice")

    report = validate_people(Person.objects.filter(user="bob"), at=AT, by="alice")

    assert (report.total, report.passed) == (1, 1)
    assert Customization.objects.get(person__user="carol").state == CustomizationState.TRANSLATED


def test_newer_metric_makes_validation_stale(bring: Bring, monkeypatch: pytest.MonkeyPatch) -> None:
    row = bring()
    monkeypatch.setattr(facts.compare, "METRIC_VERSION", "next")

    report = validate_customizations([row.pk], at=AT + timedelta(days=1), by="alice")

    assert report.computed == 1
    assert Validation.objects.count() == 2
    assert validations.THRESHOLD == 0.95


def test_what_is_validated_costs_the_same_for_one_translation_and_for_three(
    card: ComponentVersion, write: Callable[..., Path], django_assert_num_queries: Any
) -> None:
    diffs = [edit(NEW, ("Add to cart", f"Order {word}")) for word in ("soon", "today", "tomorrow")]
    import_customizations([write([line(f"user{index}", text) for index, text in enumerate(diffs)])], at=AT, by="alice")
    keys = list(Customization.objects.order_by("pk").values_list("pk", flat=True))
    translate_customizations(keys, at=AT, by="alice")
    assert validate().computed == 3

    for some in (keys[:1], keys):
        with django_assert_num_queries(6):  # four for the facts, the validations with their pages, what was accepted
            validate_customizations(some, at=AT, by="alice")
