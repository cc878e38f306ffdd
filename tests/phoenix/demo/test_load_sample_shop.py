"""`load_sample_shop`: everything there once, and once only."""

import io
import json

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command

from migration.models import Customization, Person
from phoenix.demo.customers import FEWEST, customers
from phoenix.demo.shelf import read_shelf
from slots.models import Component, ComponentVersion, Layer, SlotConfiguration


@pytest.fixture(autouse=True)
def _folder(settings, tmp_path):
    settings.VAR_DIR = tmp_path


def _load(*words):
    out = io.StringIO()
    call_command("load_sample_shop", "--people", str(FEWEST), "--json", *words, stdout=out, stderr=io.StringIO())
    return json.loads(out.getvalue())


@pytest.mark.django_db
def test_load_sample_shop_loads_components_with_a_default_people_and_customizations():
    report = _load()
    records = [record for each in customers(read_shelf(), seed=2026, people=FEWEST) for record in each.records]
    assert Component.objects.count() == 5
    assert ComponentVersion.objects.count() == sum(len(versions) for versions in read_shelf().values())
    assert Person.objects.count() == FEWEST
    assert Customization.objects.count() == len(records)
    assert report["accounts"] == User.objects.count() == FEWEST
    assert not any(User.objects.values_list("is_staff", flat=True))
    shown = dict(Component.objects.values_list("key", "current_version__version"))
    assert shown == {key: versions[-1].version for key, versions in read_shelf().items()}
    row = SlotConfiguration.objects.get(component__key="shop.product_card")
    assert (row.layer, row.key, row.is_active, row.origin) == (Layer.DEFAULT, "", True, "shipped")
    assert row.component_version == row.component.current_version


@pytest.mark.django_db
def test_load_sample_shop_twice_changes_nothing():
    _load()
    before = list(Customization.objects.order_by("pk").values())
    again = _load()
    assert list(Customization.objects.order_by("pk").values()) == before
    assert (again["accounts"], again["people"]["imported"], again["customizations"]["imported"]) == (0, 0, 0)


@pytest.mark.django_db
def test_load_sample_shop_dry_run_leaves_nothing(tmp_path):
    report = _load("--dry-run")
    assert report["people"]["imported"] == FEWEST
    assert (Person.objects.count(), Component.objects.count(), User.objects.count()) == (0, 0, 0)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.django_db
def test_load_sample_shop_with_too_few_people_is_wrong_usage():
    with pytest.raises(CommandError) as raised:
        _load("--people", str(FEWEST - 1))
    assert raised.value.returncode == 2
