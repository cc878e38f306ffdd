"""Translating: which road leads to what the old system shows, what is shared, and what a person is asked."""

from collections.abc import Callable
from pathlib import Path

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from migration.actions import import_customizations, translate_customizations
from migration.actions.legacy import apply_as_legacy
from migration.engine import patch
from migration.engine import translate as engine
from migration.models import Customization, CustomizationEvent, Finding, LegacyOutcome, Route, Severity, Translation
from migration.states import CustomizationState
from slots.actions import import_component
from slots.markup import canonical, compose, ops
from slots.models import ComponentVersion
from tests.migration.conftest import AT, CARD, CARRIED, FUZZED, LOST, NEW, OLD, ORDER_NOW, edit, line, record, ship

pytestmark = pytest.mark.django_db
Bring = Callable[..., Customization]
Write = Callable[..., Path]

FAR = "<p>{{ product.name }}</p>\n" * 3


def translate(**filters: object) -> object:
    keys = Customization.objects.filter(**filters).order_by("pk").values_list("pk", flat=True)
    return translate_customizations(list(keys), at=AT, by="alice")


def composed(row: Customization) -> str:
    """Return the current source with the stored operations."""
    assert row.translation is not None
    assert row.translation.body is not None
    return compose.compose(row.translation.target.source, ops.loads(row.translation.body.operations)).source


def shown(row: Customization, source: str = NEW) -> str:
    """Return the source that the old system shows."""
    patched = apply_as_legacy(source, row.diff)
    return patched.source if isinstance(patched, patch.Patched) else source


def codes(row: Customization) -> list[tuple[str, str]]:
    return list(Finding.objects.filter(translation=row.translation).order_by("pk").values_list("code", "severity"))


def test_diff_of_current_version_is_translated_against_it(bring: Bring) -> None:
    row = bring()

    assert row.translation is not None
    assert (row.translation.route, row.translation.legacy_outcome) == (Route.BASE, LegacyOutcome.CLEAN)
    assert (row.translation.is_proven, row.translation.is_byte_exact, row.translation.kinds) == (True, True, {"set_text": 1})
    assert composed(row) == shown(row) != NEW
    assert (row.state, codes(row)) == (CustomizationState.VALIDATED, [])


def test_diff_of_earlier_version_is_carried(bring: Bring) -> None:
    row = bring(CARRIED, base_version="1.0")

    assert row.translation is not None
    assert (row.translation.route, row.translation.legacy_outcome, row.translation.is_proven) == (
        Route.CARRIED,
        LegacyOutcome.CLEAN,
        True,
    )
    assert canonical.equal(composed(row), shown(row))
    assert row.translation.outcomes[0]["status"] == "clean"


def test_diff_that_needs_fuzz_is_translated_from_what_is_shown(bring: Bring) -> None:
    row = bring(FUZZED, base_version="1.0")

    assert row.translation is not None
    assert (row.translation.route, row.translation.legacy_outcome) == (Route.RESULT, LegacyOutcome.FUZZ)
    assert codes(row) == [("FUZZED", Severity.WARNING)]
    assert composed(row) == shown(row)
    assert row.state == CustomizationState.VALIDATED


def test_customization_that_legacy_lost_waits_for_person(bring: Bring) -> None:
    row = bring(LOST, base_version="1.0")

    assert row.translation is not None
    assert (row.translation.route, row.translation.legacy_outcome) == (Route.CARRIED, LegacyOutcome.PLAIN)
    assert ("RESTORES_CUSTOMIZATION", Severity.BLOCKING) in codes(row)
    assert 'class="summary wide" lang="en"' in composed(row)
    assert row.state == CustomizationState.NEEDS_REVIEW


def test_customization_that_upstream_took_over_needs_nobody(bring: Bring) -> None:
    row = bring(edit(OLD, ('<p class="summary">', '<p class="summary" lang="en">')), base_version="1.0")

    assert row.translation is not None
    assert row.translation.legacy_outcome == LegacyOutcome.PLAIN
    assert codes(row) == []
    assert canonical.equal(composed(row), NEW)
    assert row.state == CustomizationState.VALIDATED


def test_conflict_keeps_three_texts(card: ComponentVersion, bring: Bring) -> None:
    price = '    <span class="price">{{ product.price }}</span>\n'
    ship("3.0", NEW.replace(price, ""))

    row = bring(edit(OLD, (price, ""), ('  <p class="summary">', f'{price}  <p class="summary">')), base_version="1.0")

    conflict = Finding.objects.get(code="CARRY_CONFLICT")
    assert conflict.severity == Severity.BLOCKING
    assert {"base", "ours", "theirs"} <= conflict.details.keys()
    assert any(conflict.details[name] for name in ("base", "ours", "theirs"))
    assert row.state == CustomizationState.NEEDS_REVIEW


def test_line_by_line_result_wins_over_structure(card: ComponentVersion, bring: Bring) -> None:
    twice = FAR + NEW
    ship("3.0", twice)
    ship("4.0", "<p>{{ product.name }}</p>\n" + twice)
    text = edit(twice, (FAR, FAR + "<i>x</i>\n")).replace("@@ -1,6 +1,7 @@", "@@ -1,6 +1,7 @@")

    row = bring(text, base_version="3.0")

    assert row.translation is not None
    assert canonical.equal(composed(row), shown(row, "<p>{{ product.name }}</p>\n" + twice))
    assert row.translation.is_proven


def test_diff_of_current_version_recorded_for_another_is_translated_against_it(bring: Bring) -> None:
    row = bring(edit(NEW, ("In stock", "Here")), base_version="1.0")

    assert row.translation is not None
    assert row.translation.route == Route.BASE
    assert codes(row) == [("BASE_MISDATED", Severity.INFORMATION)]
    assert Finding.objects.get().details == {"fits": "2.0", "exact": True, "also": []}
    assert composed(row) == shown(row)
    assert row.state == CustomizationState.VALIDATED


def test_diff_of_earlier_version_recorded_for_another_is_carried_from_it(card: ComponentVersion, bring: Bring) -> None:
    last = NEW.replace("Handmade", "Made here").replace("dishwasher", "machine")
    ship("3.0", last)

    row = bring(edit(OLD, ORDER_NOW, ("{{ product.name }}", "<b>{{ product.name }}</b>")), base_version="2.0")

    assert row.translation is not None
    assert (row.translation.route, row.translation.legacy_outcome) == (Route.CARRIED, LegacyOutcome.PLAIN)
    assert Finding.objects.get(code="BASE_MISDATED").details["fits"] == "1.0"
    assert composed(row) == last.replace(*ORDER_NOW).replace("{{ product.name }}", "<b>{{ product.name }}</b>")


def test_diff_that_fits_no_version_is_translated_from_what_is_shown(card: ComponentVersion, bring: Bring) -> None:
    # Several places fit, of which GNU patch takes the nearest: strictly it fits nowhere.
    row_of = "<p>{{ product.name }}</p>\n"
    twice = row_of * 8
    ship("3.0", "<i>x</i>\n" + twice)
    ship("4.0", "<i>y</i>\n" + twice)
    text = "--- a/x\n+++ b/x\n@@ -20,2 +20,3 @@\n <p>{{ product.name }}</p>\n+<b>new</b>\n <p>{{ product.name }}</p>\n"

    row = bring(text, base_version="3.0")

    assert row.translation is not None
    assert row.translation.route == Route.RESULT
    assert codes(row) == [("BASE_DOES_NOT_FIT", Severity.WARNING)]
    assert composed(row) == shown(row, "<i>y</i>\n" + twice)


def test_lost_diff_recorded_for_current_version_waits_for_person_with_the_version_it_fits(bring: Bring) -> None:
    row = bring(LOST, base_version="2.0")

    assert row.translation is not None
    assert (row.translation.route, row.translation.legacy_outcome) == (Route.CARRIED, LegacyOutcome.PLAIN)
    assert codes(row) == [("BASE_MISDATED", Severity.INFORMATION), ("RESTORES_CUSTOMIZATION", Severity.BLOCKING)]
    assert Finding.objects.get(code="BASE_MISDATED").details == {"fits": "1.0", "exact": True, "also": []}
    assert 'class="summary wide" lang="en"' in composed(row)
    assert row.state == CustomizationState.NEEDS_REVIEW


def test_lost_diff_of_unknown_version_is_tried_against_all(bring: Bring) -> None:
    row = bring(LOST, base_version="0.9")

    assert Finding.objects.get(code="BASE_MISDATED").details["fits"] == "1.0"
    assert 'class="summary wide" lang="en"' in composed(row)
    assert row.state == CustomizationState.NEEDS_REVIEW


def test_versions_that_mean_the_same_are_no_ambiguity(card: ComponentVersion, bring: Bring) -> None:
    ship("1.5", OLD.replace("Add to cart", "Buy"))
    ship("2.5", NEW.replace("Add to cart", "Take it"))

    row = bring(LOST, base_version="2.5")

    assert Finding.objects.get(code="BASE_MISDATED").details == {"fits": "1.5", "exact": True, "also": ["1.0"]}
    assert "BASE_AMBIGUOUS" not in dict(codes(row))
    assert row.state == CustomizationState.NEEDS_REVIEW


def test_versions_that_mean_different_things_are_named(db: None, bring: Bring) -> None:
    item, other = "<li>{{ product.name }}</li>\n", "<li>{{ product.price }}</li>\n"
    ship("3.0", f"<ol>\n{item * 3}</ol>\n<ul>\n{other}</ul>\n")
    ship("4.0", f"<ul>\n{item * 3}</ul>\n<ol>\n{other}</ol>\n")
    ship("5.0", f"<ol>\n{other}</ol>\n<ul>\n{other}{other}</ul>\n")
    text = f"--- a/x\n+++ b/x\n@@ -2,3 +2,3 @@\n {item}-{item}+<li>new</li>\n {item}"

    row = bring(text, base_version="5.0")

    assert dict(codes(row))["BASE_AMBIGUOUS"] == Severity.WARNING
    assert Finding.objects.get(code="BASE_AMBIGUOUS").details == {"fits": "4.0", "also": ["3.0"]}


def test_diff_that_fitted_no_version_is_tried_again_when_there_is_another(card: ComponentVersion, bring: Bring) -> None:
    older = OLD.replace("Handmade", "Thrown by hand")
    row = bring(edit(older, ("Thrown by hand", "Ours")), base_version="0.9")
    assert row.state == CustomizationState.REJECTED
    assert Finding.objects.get(code="HUNK_DOES_NOT_APPLY").details == {"tried": ["1.0", "2.0"]}
    assert translate().computed == 0

    import_component(record("0.9", older), at=AT, by="alice")
    translate()
    row.refresh_from_db()
    assert row.state == CustomizationState.NEEDS_REVIEW
    assert row.translation is not None
    assert row.translation.body is not None


def test_unknown_version_is_tried_on_current_one(bring: Bring) -> None:
    row = bring(base_version="0.9")

    assert row.translation is not None
    assert row.translation.base == row.translation.target
    assert composed(row) == shown(row)
    assert row.state == CustomizationState.NEEDS_REVIEW


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        ('<script>alert("x")</script>', "UNSAFE_HTML"),
        ('<a href="javascript:alert(1)">x</a>', "UNSAFE_HTML"),
        ("{{ request.user.password }}", "REQUIREMENT_MISSING"),
        ('{% include "admin/base.html" %}', "KIND_NOT_ALLOWED"),
    ],
)
def test_hostile_diff_is_translated_and_proven_but_blocked(bring: Bring, payload: str, code: str) -> None:
    row = bring(edit(NEW, ("Add to cart", f"Add to cart{payload}")))

    assert row.translation is not None
    assert row.translation.is_proven
    assert composed(row) == shown(row)
    blocking = Finding.objects.filter(translation=row.translation).blocking()
    assert code in set(blocking.values_list("code", flat=True))
    assert all(each.details["origin"] == "policy" for each in blocking)
    assert row.state == CustomizationState.NEEDS_REVIEW


def test_template_that_does_not_compile_is_named(bring: Bring) -> None:
    row = bring(edit(NEW, ("Add to cart", "{% if product.name %}Add")))

    finding = Finding.objects.get(code="DOES_NOT_COMPILE")
    assert "TemplateSyntaxError" in finding.text
    assert "people see the plain component" in finding.text
    assert row.state == CustomizationState.NEEDS_REVIEW


def test_equal_diffs_are_translated_once(card: ComponentVersion, write: Write) -> None:
    import_customizations([write([line(f"user{index}") for index in range(7)])], at=AT, by="alice")

    report = translate()

    assert Translation.objects.count() == 1
    assert (report.total, report.translated, report.computed, len(report.distinct)) == (7, 7, 1, 1)
    assert report.as_json()["ops_by_kind"] == {"set_text": 7}


def test_translating_twice_equals_once(card: ComponentVersion, write: Write) -> None:
    texts = [None, "broken", FUZZED, edit(NEW, ("Add to cart", "<script>x</script>"))]
    import_customizations([write([line(f"user{index}", text) for index, text in enumerate(texts)])], at=AT, by="alice")
    first = translate()
    models = (Customization, Translation, Finding, CustomizationEvent)
    before = [list(model.objects.order_by("pk").values()) for model in models]

    second = translate()

    assert [list(model.objects.order_by("pk").values()) for model in models] == before
    assert second.as_json() == first.as_json() | {"computed": 0}


def test_query_count_does_not_grow_with_people(card: ComponentVersion, write: Write) -> None:
    counts = []
    for size in (2, 40):
        import_customizations([write([line(f"user{size}-{index}") for index in range(size)])], at=AT, by="alice")
        Translation.objects.all().delete()
        keys = list(Customization.objects.filter(person__user__startswith=f"user{size}-").values_list("pk", flat=True))
        with CaptureQueriesContext(connection) as queries:
            translate_customizations(keys, at=AT, by="alice")
        counts.append(len(queries))

    assert counts[0] == counts[1]


def test_new_version_makes_translation_stale(bring: Bring) -> None:
    row = bring()
    ship("3.0", NEW.replace("In stock", "Available"))

    translate()

    row.refresh_from_db()
    assert row.translation is not None
    assert (row.translation.target.version, row.state) == ("3.0", CustomizationState.TRANSLATED)
    assert "Available" in composed(row)


def test_changed_contract_is_judged_again(bring: Bring, card: ComponentVersion) -> None:
    row = bring(edit(NEW, ("In stock", "{{ product.price|add:1 }}")))
    assert row.state == CustomizationState.NEEDS_REVIEW
    filters = sorted({*card.terms.filters, "add"})
    card.contract = {**card.contract, "filters": filters}
    card.save()

    translate()

    row.refresh_from_db()
    assert row.state == CustomizationState.TRANSLATED


def test_component_that_comes_later_is_linked(write: Write, db: None) -> None:
    import_customizations([write([line()])], at=AT, by="alice")
    assert translate().failed == 1
    ship("2.0", NEW)

    translate()

    row = Customization.objects.get()
    assert (row.component.key, row.state) == (CARD, CustomizationState.TRANSLATED)
    assert not Finding.objects.exists()
    assert row.history.first().history_change_reason == "component or version became known"


def test_migrated_customization_is_left_alone(bring: Bring) -> None:
    row = bring()
    Customization.objects.filter(pk=row.pk).update(state=CustomizationState.MIGRATED)
    ship("3.0", OLD)

    report = translate()

    row.refresh_from_db()
    assert (report.skipped, row.state, row.translation.target.version) == (1, CustomizationState.MIGRATED, "2.0")


def test_defect_of_the_engine_strikes_nobody_else(
    card: ComponentVersion, write: Write, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    import_customizations([write([line(), line("carol", edit(NEW, ("In stock", "Here")))])], at=AT, by="alice")
    real = engine.translate_sources

    def failing(base: str, custom: str, **options: object) -> object:
        if "Order now" in custom:
            raise RuntimeError("a defect")
        return real(base, custom, **options)

    with monkeypatch.context() as broken:
        broken.setattr(engine, "translate_sources", failing)
        report = translate()

    struck = Customization.objects.get(person__user="bob")
    assert (report.translated, report.failed, struck.state) == (1, 1, CustomizationState.NEEDS_REVIEW)
    assert "RuntimeError: a defect" in Finding.objects.get(customization=struck, code="ENGINE_ERROR").text
    assert "ENGINE_ERROR" in caplog.text

    assert translate().translated == 2
    struck.refresh_from_db()
    assert struck.state == CustomizationState.TRANSLATED
    assert not Finding.objects.exists()


def test_operations_beyond_the_limit_are_not_stored(bring: Bring) -> None:
    text = "".join(f"<p>{'x' * 9_000}</p>\n" for _line in range(32))

    row = bring(edit(NEW, ("  <footer", f"{text}  <footer")))

    assert row.translation is not None
    assert (row.translation.body, row.translation.is_proven, row.state) == (None, False, CustomizationState.REJECTED)
    assert codes(row)[-1] == ("LIMIT_EXCEEDED", Severity.BLOCKING)


@pytest.mark.parametrize(
    "added",
    ["<i>" * 250 + "x" + "</i>" * 250, f"<p {' '.join(f'a{number}' for number in range(300))}>x</p>"],
    ids=["too deep", "too many attributes"],
)
@pytest.mark.parametrize("base", ["1.0", "2.0"])
def test_customization_beyond_the_limits_stays_on_the_old_system(bring: Bring, added: str, base: str) -> None:
    source = {"1.0": OLD, "2.0": NEW}[base]
    row = bring(edit(source, ("  <footer", f"{added}\n  <footer")), base_version=base)

    assert row.translation is not None
    assert (row.translation.body, row.translation.is_proven, row.state) == (None, False, CustomizationState.REJECTED)
    assert codes(row) == [("LIMIT_EXCEEDED", Severity.BLOCKING)]
    assert "of the customized template" in Finding.objects.get(translation=row.translation).text
    assert added in shown(row)
    assert translate().computed == 0


def test_each_move_is_an_event(bring: Bring) -> None:
    row = bring()

    assert list(row.events.values_list("to_state", flat=True)) == ["imported", "translated", "validated"]
