"""Many keys in one parameter."""

import pytest

from slots.models import Component, Keys, keys

pytestmark = pytest.mark.django_db


def test_more_keys_than_a_statement_may_have_parameters_are_named():
    made = Component.objects.bulk_create(Component(key=f"shop.c{number}") for number in range(3))
    asked = [*range(made[-1].pk + 1, made[-1].pk + 70_000), made[0].pk, made[2].pk]

    found = Component.objects.filter(pk__in=Keys(asked)).order_by("pk")

    assert [each.key for each in found] == ["shop.c0", "shop.c2"]
    assert found.query.sql_with_params()[1][0].count(",") == len(asked) - 1


def test_no_key_names_nobody():
    Component.objects.create(key="shop.card")

    assert not Component.objects.filter(pk__in=Keys([])).exists()
    assert Component.objects.exclude(pk__in=Keys([])).exists()


@pytest.mark.parametrize("listed", [1, 2, 3])
def test_keys_name_the_same_rows_listed_or_unfolded(monkeypatch, listed):
    monkeypatch.setattr(keys, "LISTED", listed)
    made = Component.objects.bulk_create(Component(key=f"shop.c{number}") for number in range(3))

    found = Component.objects.filter(pk__in=Keys([made[2].pk, made[0].pk])).order_by("pk")

    assert [each.key for each in found] == ["shop.c0", "shop.c2"]


def test_what_is_no_whole_number_is_no_key():
    with pytest.raises(ValueError, match="invalid literal"):
        Keys(["1) OR (1 = 1"])
