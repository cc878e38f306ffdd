"""What is read of people: complexity and risk by their definitions, everything else as it stands, unknown as unknown."""

import hashlib
from datetime import timedelta

import pytest
from django.db.models import OuterRef

from migration.engine import diff
from migration.models import Customization, Finding, Person, Translation, Validation
from rollout.actions.candidates import find_candidates
from rollout.actions.proofs import translate_people, validate_people
from rollout.actions.traits import COMPLEXITIES, RISKS, TraitReader, complexity_of, customizations_of, risk_of
from rollout.audiences import Audience, Rule
from rollout.audiences.traits import KINDS
from tests.rollout.conftest import AT, GOOD, HOSTILE, SAID, SOURCE

pytestmark = pytest.mark.django_db
LINES = "".join(f'  <li class="item{number}">{{{{ product.name }}}}</li>\n' for number in range(8))
EVERYTHING = Audience(limit=1, rules=tuple(Rule(trait) for trait in KINDS if trait != "component"))


def levels(person):
    row = Person.objects.annotate(c=complexity_of(OuterRef("pk")), r=risk_of(OuterRef("pk")), n=customizations_of(OuterRef("pk")))
    complexity, risk, count = row.values_list("c", "r", "n").get(pk=person.pk)
    return COMPLEXITIES.get(complexity), RISKS.get(risk), count


def added(lines):
    """Return a diff that adds so many lines."""
    more = "".join(f"  <p>{number}</p>\n" for number in range(lines))
    return diff.make(SOURCE, SOURCE.replace("</article>", f"{more}</article>"), path="template.html")


def customize(person, key, text, state="imported"):
    return Customization.objects.create(
        external_id=f"{person}/{key}",
        person=person,
        component_key=key,
        base_version="1.0",
        diff=text,
        diff_digest=hashlib.sha256(text.encode()).hexdigest(),
        imported_at=AT,
        state=state,
    )


@pytest.mark.parametrize(
    ("lines", "complexity"), [(1, "simple"), (10, "simple"), (11, "medium"), (60, "medium"), (61, "complex")]
)
def test_a_diff_that_was_not_translated_is_as_complex_as_it_is_long(customer, lines, complexity):
    assert levels(customer("ann", added(lines))) == (complexity, None, 1)


@pytest.mark.parametrize(
    ("kinds", "complexity"),
    [({"set_text": 2}, "simple"), ({"set_text": 2, "remove": 1}, "medium"), ({"a": 5, "b": 5}, "medium"), ({"a": 11}, "complex")],
)
def test_a_translation_counts_by_its_operations(customer, kinds, complexity):
    ann = customer("ann")
    translate_people([ann], **SAID)
    Translation.objects.update(kinds=kinds)

    assert levels(ann)[0] == complexity


def test_a_source_that_was_replaced_as_a_whole_is_complex(customer):
    ann = customer("ann")
    translate_people([ann], **SAID)
    Translation.objects.update(replaced_source=True)

    assert levels(ann)[0] == "complex"


def test_a_person_is_as_complex_as_their_most_complex_active_customization(customer):
    ann = customer("ann")
    customize(ann, "shop.footer", added(30))
    Customization.objects.filter(pk=customize(ann, "shop.header", added(70)).pk).update(is_active=False)

    assert levels(ann) == ("medium", None, 2)


def test_whoever_has_nothing_has_neither(customer):
    assert levels(customer("bare", None)) == (None, None, 0)


@pytest.fixture
def proven(customer):
    """Somebody whose customization is translated and validated."""
    ann = customer("ann")
    translate_people([ann], **SAID)
    validate_people([ann], **SAID)
    return ann


def test_who_is_proven_and_equal_is_of_low_risk(proven):
    assert levels(proven)[1] == "low"


def test_who_is_not_validated_is_of_unknown_risk(customer):
    ann = customer("ann")
    assert levels(ann)[1] is None
    translate_people([ann], **SAID)
    assert levels(ann)[1] is None


@pytest.mark.parametrize(
    ("model", "changes", "risk"),
    [
        (Customization, {"state": "needs_review"}, "high"),
        (Customization, {"state": "rejected"}, "high"),
        (Customization, {"state": "imported"}, None),
        (Translation, {"is_proven": False}, "high"),
        (Translation, {"legacy_outcome": "plain"}, "high"),
        (Translation, {"legacy_outcome": "fuzz"}, "medium"),
        (Translation, {"replaced_source": True}, "medium"),
        (Validation, {"is_passed": False}, "high"),
        (Validation, {"similarity_min": 0.94}, "high"),
        (Validation, {"similarity_min": 0.96, "is_equal": False}, "medium"),
    ],
)
def test_risk_is_what_translation_and_validation_say(proven, model, changes, risk):
    model.objects.update(**changes)

    assert levels(proven)[1] == risk


@pytest.mark.parametrize(
    ("severity", "decision", "risk"),
    [
        ("blocking", "open", "high"),
        ("blocking", "refused", "high"),
        ("blocking", "accepted", "low"),
        ("warning", "open", "medium"),
        ("information", "open", "low"),
    ],
)
@pytest.mark.parametrize("of_translation", [True, False])
def test_findings_raise_the_risk(proven, severity, decision, risk, of_translation):
    subject = {"translation": Translation.objects.get()} if of_translation else {"customization": Customization.objects.get()}
    Finding.objects.create(code="X", severity=severity, decision=decision, text="x", created_at=AT, **subject)

    assert levels(proven)[1] == risk


def test_a_new_comparison_counts_and_the_old_one_does_not(proven):
    old = Validation.objects.get()
    Validation.objects.filter(pk=old.pk).update(is_passed=False)
    old.pk, old.metric_version, old.is_passed = None, "next", True
    old.save()

    assert levels(proven)[1] == "low"


def test_one_risky_customization_is_enough_and_an_unknown_one_hides_what_is_not_high(proven):
    customize(proven, "shop.footer", GOOD)
    assert levels(proven)[1] is None

    customize(proven, "shop.header", HOSTILE, state="needs_review")
    assert levels(proven)[1] == "high"


def traits_of(*audiences, at=AT):
    reader = TraitReader.of(audiences, at=at)
    return {user: traits for _, user, traits, _ in find_candidates(Audience(), reader=reader).people}


def test_what_is_known_of_a_person_is_read_and_what_is_not_is_none(customer):
    customer(
        "ann",
        region="EU",
        language="de",
        time_zone="Europe/Vienna",
        engagement=0.5,
        is_technical=True,
        signed_up_at=AT - timedelta(days=10, hours=23),
    )
    customer("bob")

    found = traits_of(EVERYTHING)

    ann, bob = found["ann"], found["bob"]
    assert (ann.region, ann.language, ann.time_zone, ann.engagement) == ("EU", "de", "Europe/Vienna", 0.5)
    assert (ann.technical, ann.internal, ann.tenure_days, ann.customizations, ann.complexity) == (True, False, 10, 1, "simple")
    assert (bob.region, bob.language, bob.time_zone, bob.engagement, bob.tenure_days, bob.risk) == (None,) * 6


def test_only_what_is_asked_about_is_read(customer):
    customer("ann", region="EU", language="de")

    assert traits_of(Audience(limit=1, strata=("region",)))["ann"].language is None
    assert traits_of(Audience(limit=1))["ann"].region is None


def test_the_components_that_rules_ask_about_are_read(customer):
    customize(customer("ann"), "shop.footer", GOOD)
    customer("bob")
    audience = Audience(rules=(Rule("component", one_of=("shop.footer", "shop.header")),))

    found = traits_of(audience)

    assert found["ann"].components == {"shop.footer"}
    assert found["bob"].components == set()
