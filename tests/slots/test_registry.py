"""The registry of components from code."""

import sys
from types import ModuleType

import pytest
from django.apps import apps
from django.core.management import call_command

from slots.apps import discovered
from slots.checks import check_registry, check_settings
from slots.errors import ComponentUnknown
from slots.markup import edits, ops
from slots.markup.address import slot_nodes
from slots.markup.tree import parse
from slots.models import Component, Layer, SlotConfiguration
from slots.registry import ComponentDefinition, ComponentDuplicate, ComponentRecord, SlotRegistry, read_record

CARD = ComponentDefinition(
    "shop.card", "Card", versions=(ComponentRecord("shop.card", "1", "<p></p>", contract={"names": ["a"]}),)
)


def test_registry_holds_definitions_by_key():
    registry = SlotRegistry([CARD, ComponentDefinition("shop.banner")])

    assert ([each.key for each in registry], len(registry), "shop.card" in registry) == (["shop.banner", "shop.card"], 2, True)
    assert registry.get("shop.card") is CARD


def test_one_key_is_declared_once():
    registry = SlotRegistry([CARD, CARD])

    with pytest.raises(ComponentDuplicate):
        registry.register(ComponentDefinition("shop.card", "Another"))


def test_unknown_component_is_a_fault():
    with pytest.raises(ComponentUnknown):
        SlotRegistry().get("shop.nothing")


@pytest.fixture
def declared(monkeypatch):
    """An installed app whose slots.py declares the card."""
    module = ModuleType("waffle.slots")
    module.COMPONENTS = [CARD]
    monkeypatch.setitem(sys.modules, "waffle.slots", module)
    real = apps.get_app_config("slots").registry
    monkeypatch.setattr("slots.apps.module_has_submodule", lambda package, name: package.__name__ == "waffle")
    monkeypatch.setattr(apps.get_app_config("slots"), "registry", discovered())
    return real


def test_components_of_installed_apps_are_found(declared):
    assert "shop.card" in apps.get_app_config("slots").registry


def test_declared_components_are_mirrored_with_their_default_layer(declared, db):
    call_command("import_components", declared=True, verbosity=0)
    call_command("import_components", declared=True, verbosity=0)

    component = Component.objects.get()
    assert (component.key, component.title, component.current_version.version) == ("shop.card", "", "1")
    assert SlotConfiguration.objects.get().layer == Layer.DEFAULT


@pytest.mark.parametrize(
    ("source", "ids"),
    [
        ("<p>{{ a }}</p>", []),
        ('{% slot "x" %}{% endslot %}{% slot "x" %}{% endslot %}', ["slots.E006"]),
        ("{% if %}", ["slots.E007"]),
    ],
)
def test_declared_source_is_checked(source, ids):
    record = ComponentRecord("shop.card", "1", source, contract={"names": ["a"]})

    found = check_registry(SlotRegistry([ComponentDefinition("shop.card", versions=(record,))]))

    assert [message.id for message in found] == ids


def test_component_without_names_is_warned_about():
    record = ComponentRecord("shop.card", "1", "<p></p>")

    found = check_registry(SlotRegistry([ComponentDefinition("shop.card", versions=(record,))]))

    assert [message.id for message in found] == ["slots.W001"]


SLOTTED = """{% slot "price" aliases="cost" %}<b>{{ a }}</b>{% endslot %}{% slot "old" deprecated="Use price." %}x{% endslot %}"""


def default_on(source, slot):
    tree = parse(source)
    return edits.insertion(tree, slot_nodes(tree)[slot], ops.APPEND, "new").as_json()


@pytest.mark.parametrize(
    ("defaults", "ids", "words"),
    [
        ((default_on(SLOTTED, "price"),), [], ""),
        ((default_on(SLOTTED, "old"),), ["slots.W003"], "SLOT_DEPRECATED"),
        ((default_on(SLOTTED.replace("price", "cost"), "cost"),), ["slots.W003"], "SLOT_RENAMED"),
        ((default_on(SLOTTED.replace("price", "gone"), "gone"),), ["slots.E009", "slots.E009"], "SLOT_UNKNOWN"),
        (({"kind": "paint"},), ["slots.E008"], "cannot be read"),
    ],
    ids=["fits", "deprecated", "renamed", "unknown", "unreadable"],
)
def test_default_operations_are_held_to_the_newest_version(defaults, ids, words):
    sources = {"1": "<p></p>", "2": SLOTTED}
    versions = tuple(ComponentRecord("shop.card", name, source, contract={"names": ["a"]}) for name, source in sources.items())

    found = check_registry(SlotRegistry([ComponentDefinition("shop.card", versions=versions, defaults=defaults)]))

    assert [message.id for message in found] == ids
    assert not words or any(words in message.msg for message in found)


def test_sample_that_breaks_the_types_is_refused():
    record = {"key": "shop.card", "version": "1", "source": "<p></p>", "contract": {"types": {"count": "number"}}}

    refusal = read_record({**record, "samples": [{"name": "many", "context": {"count": "7"}}]})

    assert refusal.code == "SAMPLES_INVALID"
    assert "`count` is of the type str; the contract says number." in refusal.text
    assert read_record({**record, "contract": {"types": {"count": "colour"}}}).code == "CONTRACT_INVALID"


def test_missing_folder_is_an_error(tmp_path):
    definition = ComponentDefinition("shop.card", folder=str(tmp_path / "nowhere"))

    assert [message.id for message in check_registry(SlotRegistry([definition]))] == ["slots.E004"]


def test_folder_of_another_component_is_an_error(tmp_path):
    (tmp_path / "shop.other" / "1").mkdir(parents=True)
    (tmp_path / "shop.other" / "1" / "template.html").write_text("<p></p>")

    found = check_registry(SlotRegistry([ComponentDefinition("shop.card", folder=str(tmp_path))]))

    assert [message.id for message in found] == ["slots.E005"]


@pytest.mark.parametrize(
    ("setting", "value", "ids"),
    [
        ("SLOTS_SYSTEM_RESOLVER", "nowhere.Resolver", ["slots.E001"]),
        ("SLOTS_PERSON_RESOLVER", "phoenix.people.nobody", ["slots.E001"]),
        ("SLOTS_PERSON_RESOLVER", None, ["slots.W002"]),
        ("SLOTS_PERSON_RESOLVER", "", ["slots.W002"]),
        ("SLOTS_SYSTEM_RESOLVER", "collections.OrderedDict", ["slots.E002"]),
        ("SLOTS_SYSTEM_RESOLVER", None, []),
        ("SLOTS_RENDER_OBSERVER", "nowhere.observe", ["slots.E001"]),
        ("SLOTS_RENDER_OBSERVER", "slots.schema.OK", ["slots.E002"]),
        ("SLOTS_RENDER_OBSERVER", None, []),
        ("SLOTS_COMPILED_TEMPLATES", 0, ["slots.E003"]),
        ("SLOTS_RENDER_LIMITS", {"rounds": 0}, ["slots.E010"]),
        ("SLOTS_RENDER_LIMITS", {"loops": 5}, ["slots.E010"]),
        ("SLOTS_RENDER_LIMITS", {"rounds": True}, ["slots.E010"]),
        ("SLOTS_RENDER_LIMITS", [("rounds", 5)], ["slots.E010"]),
        ("SLOTS_RENDER_LIMITS", {"rounds": 5_000}, []),
    ],
)
def test_settings_are_checked(settings, setting, value, ids):
    settings.SLOTS_SYSTEM_RESOLVER = None
    setattr(settings, setting, value)

    assert [message.id for message in check_settings()] == ids
