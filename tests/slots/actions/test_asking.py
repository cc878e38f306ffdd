"""The one query of a request: built once where it is the same for everybody, and then answered as if it were built anew."""

import pytest
from django.db import connection
from django.db.models import CharField, Value
from django.db.models.functions import Lower

from rollout.switch import SystemResolver
from slots.actions import asking
from slots.models import Component, Layer, SegmentMember
from slots.schema import PersonKey
from tests.slots.conftest import CARD, lay, set_text

BOB = PersonKey("default", "bob")
TEXT = CharField()


class Naming:
    """Ask for one row that names the person; `tenant` and `user` say how."""

    is_query_fixed = True

    def tenant(self, person):
        return Value(person.tenant, TEXT)

    def user(self, person):
        return Value(person.user, TEXT)

    def standing_query(self, person):
        blank = Value("", TEXT)
        return Component.objects.filter(key="shop.card").values_list(self.tenant(person), self.user(person), blank, blank, blank)

    def choose(self, person, rows):
        return None


class LowerCase(Naming):
    def user(self, person):
        return Value(person.user.lower(), TEXT)


class Stripped(Naming):
    def tenant(self, person):
        return Value(person.tenant.strip(), TEXT)


class Joined(Naming):
    def user(self, person):
        return Value(f"{person.tenant}/{person.user}", TEXT)


class OtherText(Naming):
    def user(self, person):
        return Lower(Value(person.user, TEXT)) if person.user.islower() else Value(person.user, TEXT)


class Counting(Naming):
    """Count how often the query is built, and say nothing of it being the same for everybody."""

    is_query_fixed = False

    def __init__(self):
        self.built = 0

    def standing_query(self, person):
        self.built += 1
        return super().standing_query(person)


@pytest.fixture
def layers(card):
    """Layers of every kind, of bob and of others."""
    lay(card, [set_text(CARD, "Buy", "Shipped")], layer=Layer.DEFAULT)
    lay(card, [set_text(CARD, "Buy", "Site")], layer=Layer.SITE)
    lay(card, [set_text(CARD, "Buy", "Elsewhere")], layer=Layer.SITE, tenant="other")
    lay(card, [set_text(CARD, "Buy", "Gold")], layer=Layer.SEGMENT, key="gold", priority=7)
    lay(card, [set_text(CARD, "Buy", "Tin")], layer=Layer.SEGMENT, key="tin")
    lay(card, [set_text(CARD, "Buy", "Bob")], person=BOB)
    lay(card, [set_text(CARD, "Buy", "Carol")], person=PersonKey("default", "carol"))
    SegmentMember.objects.create(user="bob", segment="gold")


@pytest.mark.parametrize("resolver", [None, Naming(), SystemResolver()])
@pytest.mark.parametrize("person", [BOB, PersonKey("other", "bob"), PersonKey("default", "bob' OR 1=1 --"), None])
def test_query_that_was_built_once_answers_as_one_built_anew(layers, person, resolver, django_assert_num_queries):
    built_anew = list(asking.page_query(person or asking.STRANGER, resolver))

    with django_assert_num_queries(1):
        asked = asking.ask(person, resolver)

    assert sorted(map(str, asked)) == sorted(map(str, built_anew))
    assert asking._form("default", resolver) is not None
    assert {len(row) for row in asked} == {9}


def test_rows_are_those_of_the_person(layers):
    rows = asking.ask(BOB, Naming())

    shown = {(kind, *five[:4]) for *five, kind, _, _, _ in rows}
    assert shown == {
        ("standing", "default", "bob", "", ""),
        ("layer", "shop.card", "default", "", "0"),
        ("layer", "shop.card", "site", "", "0"),
        ("layer", "shop.card", "segment", "gold", "7"),
        ("layer", "shop.card", "user", "bob", "0"),
        ("current", "shop.card", "", "", ""),
    }


@pytest.mark.parametrize("resolver", [LowerCase(), Stripped(), Joined(), OtherText()])
def test_query_that_makes_something_else_of_the_person_is_built_anew(layers, resolver):
    person = PersonKey("default", "Bob ")

    assert asking._form("default", resolver) is None
    assert sorted(map(str, asking.ask(person, resolver))) == sorted(map(str, asking.page_query(person, resolver)))


def test_resolver_that_does_not_say_so_is_asked_each_time(layers):
    resolver = Counting()

    for _ in range(3):
        asking.ask(BOB, resolver)

    assert resolver.built == 3


def test_fixed_query_is_built_once_for_everybody(layers):
    resolver = Counting()
    resolver.is_query_fixed = True

    for user in ("bob", "carol", "dan"):
        asking.ask(PersonKey("default", user), resolver)

    assert resolver.built == len(asking._NOBODY)


def test_rollout_says_that_its_query_is_fixed():
    assert SystemResolver.is_query_fixed


def test_the_one_query_seeks_the_rows_of_the_person_and_reads_no_others(layers):
    if connection.vendor != "sqlite":
        pytest.skip("other planners read tables as small as these from end to end")
    form = asking._form("default", None)

    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN QUERY PLAN {form.sql}", form.parameters)
        steps = [row[-1] for row in cursor.fetchall() if "slots_slotconfiguration" in row[-1].split("USING")[0]]

    assert len(steps) == 3
    assert all("tenant=? AND layer=? AND key=?" in step for step in steps)
