"""The developer tooling: what it lists, explains and finds."""

import io
import json
import types

import pytest
from django.core.management import call_command

from slots.errors import IssueCode
from slots.management.base import CommandError, NeedsPerson, WrongUsage
from slots.models import Component, Layer, SegmentMember, SlotConfiguration
from slots.schema import PersonKey
from tests.slots.conftest import CARD, add_component, lay, set_text

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def slots_alone(settings):
    settings.SLOTS_SYSTEM_RESOLVER = None


def run(*args):
    out = io.StringIO()
    try:
        call_command("slots", *args, "--json", stdout=out)
    except NeedsPerson as needs:
        assert needs.returncode == 1
    return json.loads(out.getvalue())


def printed(*args):
    out = io.StringIO()
    call_command("slots", *args, stdout=out)
    return out.getvalue()


def test_list_shows_declared_and_derived_slots(card):
    (component,) = run("list")["components"]

    assert [(slot["line"], slot["kind"], slot["name"]) for slot in component["slots"]] == [
        (1, "derived", "card"),
        (2, "derived", "card/title"),
        (3, "declared", "actions"),
        (3, "derived", "card/actions/buy"),
    ]


def test_list_can_leave_the_derived_ones_out(card):
    assert printed("list", "shop.card", "--declared") == "shop.card@1.0: 1 slot\n  line    3  declared  actions\n"


def test_list_shows_what_slots_declare():
    source = (
        '{% slot "price@2" kinds="text rich_text" required aliases="price cost" deprecated="Use amount." %}1{% endslot %}'
        '{% slot "a" many %}{% endslot %}<p></p>'
    )
    add_component("shop.price", source)

    lines = printed("list", "shop.price").splitlines()
    price, free, derived = run("list", "shop.price")["components"][0]["slots"]

    declared = '  kinds="text rich_text"  aliases="price cost"  required  deprecated="Use amount."'
    assert [line.partition("  line    1  ")[2] for line in lines[1:]] == [
        f"declared  price@2{declared}",
        "declared  a  many",
        "derived   p",
    ]
    assert {name: price[name] for name in ("kinds", "required", "many", "aliases", "deprecated")} == {
        "kinds": ["text", "rich_text"],
        "required": True,
        "many": False,
        "aliases": ["price", "cost"],
        "deprecated": "Use amount.",
    }
    assert (free["kinds"], free["many"], "kinds" in derived) == ([], True, False)


def test_list_of_another_version(card):
    add_component("shop.card", "<p></p>", version="2.0")

    assert run("list", "shop.card", "--version", "2.0")["components"][0]["version"] == "2.0"


@pytest.mark.parametrize("args", [("list", "shop.nothing"), ("explain", "shop.nothing"), ("list", "shop.card", "--version", "9")])
def test_unknown_component_or_version_is_said(card, args):
    with pytest.raises(CommandError) as raised:
        printed(*args)

    assert raised.value.returncode == 2


def test_explain_names_layer_revision_who_and_what_was_shadowed(card):
    lay(card, [set_text(CARD, "Buy", "Site")], layer=Layer.SITE)
    lay(card, [set_text(CARD, "Buy", "Order")], person=PersonKey("default", "bob"))
    revisions = dict(SlotConfiguration.history.values_list("layer", "history_id"))

    explained = run("explain", "shop.card", "--user", "bob")

    (value,) = explained["values"]
    assert (value["layer"], value["key"], value["revision"], value["by"]) == ("user", "bob", str(revisions["user"]), "alice")
    assert [each["layer"] for each in value["shadowed"]] == ["site"]
    assert [issue["code"] for issue in explained["issues"]] == [IssueCode.OP_SHADOWED]
    assert value["words"] in printed("explain", "shop.card", "--user", "bob")


def test_explain_of_a_stranger_shows_the_base(card):
    assert "Nothing lies over the base." in printed("explain", "shop.card")


def people(tenant):
    return [(PersonKey(tenant, "dora"), {})]


class OfPeople:
    """A resolver on which everybody is on the system `legacy`, and which knows dora."""

    def standing_query(self, person):
        return Component.objects.none().values_list("key", "key", "key", "key", "key")

    def choose(self, person, rows):
        return types.SimpleNamespace(name="legacy")

    def knows(self, person):
        return person.user == "dora"


@pytest.mark.parametrize(
    ("names", "told"),
    [
        ({}, {"bob": "", "carol": "", "dora": "they see what everybody sees", "nobody": "they see what everybody sees"}),
        (
            {"SLOTS_PEOPLE": f"{__name__}.people"},
            {"bob": "", "dora": ""},
        ),
        ({"SLOTS_SYSTEM_RESOLVER": f"{__name__}.OfPeople"}, {"bob": "", "dora": ""}),
    ],
)
def test_explain_says_what_is_known_of_a_person(card, settings, names, told):
    lay(card, [set_text(CARD, "Buy", "Order")], person=PersonKey("default", "bob"))
    SegmentMember.objects.create(tenant="default", segment="friends", user="carol")
    for name, path in names.items():
        setattr(settings, name, path)

    for user, sentence in told.items():
        last = printed("explain", "shop.card", "--user", user).splitlines()[-1]
        assert sentence in last
        assert ("no segment names" in last.lower()) == bool(sentence)
    assert "no segment names" not in printed("explain", "shop.card")
    if names:
        with pytest.raises(WrongUsage, match="PERSON_UNKNOWN: Nobody knows nobody, and no layer and no segment names them"):
            printed("explain", "shop.card", "--user", "nobody")


def test_explain_says_first_that_a_person_on_another_system_sees_none_of_it(card, settings):
    lay(card, [set_text(CARD, "Buy", "Order")], person=PersonKey("default", "bob"))
    told = "bob is on legacy: none of this shows to them now."
    assert told not in printed("explain", "shop.card", "--user", "bob")
    settings.SLOTS_SYSTEM_RESOLVER = f"{__name__}.OfPeople"

    assert printed("explain", "shop.card", "--user", "bob").splitlines()[1].strip() == told


def test_check_is_content_with_what_is_right(card):
    lay(card, [set_text(CARD, "Buy", "Order")], person=PersonKey("default", "bob"))

    assert run("check") == {"components": 1, "problems": []}


def test_check_finds_bad_sources_and_bad_configurations_once(card):
    add_component("shop.broken", "{% if %}")
    add_component("shop.twice", '{% slot "a" %}{% endslot %}{% slot "a" %}{% endslot %}')
    for user in ("bob", "carol"):
        lay(card, [set_text(CARD, "Buy", "{{ settings.SECRET_KEY|nothing }}")], person=PersonKey("default", user))

    problems = run("check")["problems"]

    assert sorted((problem["subject"].partition(" ")[0], problem["code"]) for problem in problems) == [
        ("shop.broken@1.0", "RENDER_ERROR"),
        ("shop.card@1.0", "KIND_NOT_ALLOWED"),
        ("shop.card@1.0", "RENDER_ERROR"),
        ("shop.card@1.0", "REQUIREMENT_MISSING"),
        ("shop.twice@1.0", "DUPLICATE_ID"),
    ]
    assert "(2 configurations)" in problems[-1]["subject"] or any("(2 configurations)" in each["subject"] for each in problems)


def test_check_finds_what_does_not_fit_any_more(card):
    lay(
        add_component("shop.card", "<p></p>", version="2.0"), [set_text(CARD, "Buy", "Order")], person=PersonKey("default", "bob")
    )

    assert [problem["code"] for problem in run("check")["problems"]] == [IssueCode.TARGET_MISSING]


def test_check_finds_samples_that_fail(card):
    card.samples = [{"name": "odd", "context": {"product": {"name": 1}}}]
    card.source = "{% for x in product.name %}{% endfor %}{% include product.name %}"
    card.save()

    (problem,) = run("check")["problems"]

    assert "odd" in problem["text"]


def test_condense_reports_and_its_dry_run_changes_nothing(card):
    lay(card, [set_text(CARD, "Buy", "Order"), set_text(CARD, "Buy", "Take")], person=PersonKey("default", "bob"))

    tried = run("condense", "shop.card", "--dry-run")
    done = run("condense", "--by", "olga", "--reason", "tidy up")

    assert (tried.pop("dry_run"), done.pop("dry_run")) == (True, False)
    assert tried == done
    assert (done["total"], done["condensed"], done["dropped"]) == (1, 1, 1)
    assert done["components"]["shop.card"]["operations"] == 2
    newest = SlotConfiguration.history.first()
    assert (newest.history_user_id, newest.history_change_reason) == ("olga", "tidy up")
    assert "0 condensed" in printed("condense")


def test_scaffold_makes_files_of_a_template_that_is_there(tmp_path):
    template = tmp_path / "card.html"
    template.write_text("<b>{{ product.name }}</b>")
    options = ["scaffold", "shop.teaser", "--from", str(template), "--into", str(tmp_path / "components")]

    tried = run(*options, "--dry-run")
    assert not (tmp_path / "components").exists()
    done = run(*options)

    assert tried["files"] == done["files"]
    assert done["names"] == ["product"]
    assert (tmp_path / "components/shop.teaser/1.0/template.html").read_text() == "<b>{{ product.name }}</b>"
    with pytest.raises(CommandError, match="SCAFFOLD_REFUSED"):
        printed(*options)


def test_scaffold_of_a_template_that_cannot_be_read_is_wrong_usage(tmp_path):
    with pytest.raises(CommandError, match="cannot be read") as raised:
        printed("scaffold", "shop.teaser", "--from", str(tmp_path / "none.html"))
    assert raised.value.returncode == 2
