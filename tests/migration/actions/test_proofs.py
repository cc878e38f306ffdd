"""Proofs: a person moves as a whole, on what is true now."""

from collections.abc import Callable
from pathlib import Path

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from migration.actions import (
    Proof,
    Unproven,
    configurations_for,
    decide_finding,
    facts,
    import_customizations,
    proof_of,
    proofs_of,
    settle_rejected,
    translate_customizations,
    validate_customizations,
)
from migration.engine import diff, translate
from migration.models import Customization, Decision, Finding, Person, RejectedRecord, Translation, Validation
from slots.actions import Placement, install_configuration, save_body
from slots.models import ComponentVersion, SegmentMember
from tests.migration.conftest import AT, CARD, NEW, edit, line, ship

pytestmark = pytest.mark.django_db
Bring = Callable[..., Customization]
Write = Callable[..., Path]


def reason(person: Person) -> str:
    found = proof_of(person)
    assert isinstance(found, Unproven)
    return found.code


def do_all() -> None:
    keys = list(Customization.objects.order_by("pk").values_list("pk", flat=True))
    translate_customizations(keys, at=AT, by="alice")
    validate_customizations(keys, at=AT, by="alice")


def test_validated_person_has_proof_and_configurations(bring: Bring, card: ComponentVersion) -> None:
    row = bring()

    proof = proof_of(row.person)

    assert isinstance(proof, Proof)
    assert [(each.customization, each.component, each.version) for each in proof.items] == [(row.pk, CARD, card.pk)]
    assert configurations_for(proof) == [(card, row.translation.body)]


def test_person_without_customizations_has_proof_of_nothing(db: None) -> None:
    proof = proof_of(Person.objects.create(user="nobody"))

    assert isinstance(proof, Proof)
    assert configurations_for(proof) == []


def test_one_bad_customization_keeps_the_whole_person(card: ComponentVersion, write: Write) -> None:
    ship("1.0", NEW, key="shop.other")
    lines = [line(), line(external_id="other", component="shop.other", base_version="1.0", diff="broken")]
    import_customizations([write(lines)], at=AT, by="alice")
    do_all()

    found = proof_of(Person.objects.get())

    assert isinstance(found, Unproven)
    assert [each.code for each in found.reasons] == ["FINDING_OPEN"]
    assert "shop.other" in found.text


def test_inactive_customization_keeps_nobody(card: ComponentVersion, write: Write) -> None:
    import_customizations([write([line(), line(external_id="old", diff="broken", active=False)])], at=AT, by="alice")
    do_all()

    assert isinstance(proof_of(Person.objects.get()), Proof)


def test_each_step_that_is_missing_is_named(card: ComponentVersion, write: Write) -> None:
    import_customizations([write([line()])], at=AT, by="alice")
    person, row = Person.objects.get(), Customization.objects.get()
    assert reason(person) == "NOT_TRANSLATED"
    translate_customizations([row.pk], at=AT, by="alice")
    assert reason(person) == "NOT_VALIDATED"
    validate_customizations([row.pk], at=AT, by="alice")
    assert isinstance(proof_of(person), Proof)
    row.refresh_from_db()
    row.translation.validations.update(is_passed=False)
    assert reason(person) == "VALIDATION_FAILED"
    Translation.objects.update(is_proven=False)
    assert reason(person) == "NOT_PROVEN"


def test_proof_goes_stale_with_version_samples_contract_and_engine(
    bring: Bring, card: ComponentVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = bring()
    card.samples = [{"name": "one", "context": {}}]
    card.save()
    assert reason(row.person) == "NOT_VALIDATED"
    do_all()
    card.contract = {"names": ["product", "shop"]}
    card.save()
    assert reason(row.person) == "NOT_TRANSLATED"
    do_all()
    with monkeypatch.context() as patched:
        patched.setattr(facts.translate, "ENGINE_VERSION", "next")
        assert reason(row.person) == "NOT_TRANSLATED"
    assert isinstance(proof_of(row.person), Proof)
    ship("3.0", NEW + "\n")
    assert reason(row.person) == "NOT_TRANSLATED"


def test_changed_diff_makes_proof_stale(bring: Bring, write: Write) -> None:
    row = bring()
    before = proof_of(row.person)
    assert isinstance(before, Proof)
    import_customizations([write([line(text=edit(NEW, ("In stock", "Here")))])], at=AT, by="alice")
    assert reason(row.person) == "NOT_TRANSLATED"
    do_all()

    after = proof_of(row.person)

    assert isinstance(after, Proof)
    assert after.digest != before.digest


def test_translation_of_another_diff_proves_nothing(bring: Bring) -> None:
    row = bring()
    Customization.objects.update(diff_digest="0" * 64)

    assert reason(row.person) == "NOT_TRANSLATED"


@pytest.mark.parametrize("named", ["source_digest", "body_digest", "samples_digest", "engine_version", "metric_version"])
def test_validation_of_something_else_proves_nothing(bring: Bring, named: str) -> None:
    row = bring()
    Validation.objects.update(**{named: "another"})

    assert reason(row.person) == "NOT_VALIDATED"


def test_open_finding_blocks_until_accepted_and_validated_again(bring: Bring) -> None:
    row = bring(edit(NEW, ("In stock", "In stock<script>x</script>")))
    assert reason(row.person) == "FINDING_OPEN"
    for finding in Finding.objects.all():
        decide_finding(finding, decision=Decision.ACCEPTED, by="dora", at=AT, reason="looked at it")
    assert reason(row.person) == "NOT_VALIDATED"

    validate_customizations([row.pk], at=AT, by="alice")

    assert isinstance(proof_of(row.person), Proof)


def test_rejected_record_keeps_its_person_until_settled(bring: Bring, write: Write) -> None:
    row = bring()
    import_customizations([write([line(external_id="worse", active="?")])], at=AT, by="alice")
    assert reason(row.person) == "RECORD_REJECTED"

    settle_rejected(RejectedRecord.objects.all(), by="alice", at=AT, reason="a test record")

    assert isinstance(proof_of(row.person), Proof)


def test_namesake_in_another_tenant_keeps_nobody(bring: Bring, card: ComponentVersion, write: Write) -> None:
    row = bring()
    import_customizations([write([line(tenant="other", external_id="worse", active="?")])], at=AT, by="alice")
    SegmentMember.objects.create(tenant="other", user="bob", segment="vip")
    lay("segment", "vip", card, edit(NEW, ("In stock", "Here")))

    assert RejectedRecord.objects.get().tenant == "other"
    assert isinstance(proof_of(row.person), Proof)


def lay(layer: str, key: str, card: ComponentVersion, diff_text: str = "") -> None:
    """Install a layer below that of people, with or without operations."""
    changes = () if not diff_text else translate.translate(NEW, diff.parse(diff_text)).operations
    body = save_body(changes, at=AT)
    install_configuration(Placement("default", layer, key, card, body.digest), by="alice", at=AT, reason="test")


@pytest.mark.parametrize(("layer", "key"), [("default", ""), ("site", ""), ("segment", "vip")])
def test_layer_that_changes_the_page_keeps_those_who_would_see_it(
    bring: Bring, card: ComponentVersion, layer: str, key: str
) -> None:
    row, other = bring(), bring(user="carol")
    SegmentMember.objects.create(tenant="default", user="bob", segment="vip")
    lay(layer, key, card)
    assert isinstance(proof_of(row.person), Proof)

    lay(layer, key, card, edit(NEW, ("In stock", "Here")))

    assert reason(row.person) == "LAYERS_BELOW"
    assert isinstance(proof_of(other.person), Proof) == (layer == "segment")


def test_query_count_does_not_grow_with_people(card: ComponentVersion, write: Write) -> None:
    import_customizations([write([line(f"user{index}") for index in range(20)])], at=AT, by="alice")
    do_all()
    counts = []
    for size in (1, 20):
        with CaptureQueriesContext(connection) as queries:
            found = proofs_of(Person.objects.all()[:size])
        counts.append(len(queries))
        assert all(isinstance(each, Proof) for each in found.values())

    assert counts[0] == counts[1] <= 8
