"""The storefront on both systems: the same shop, at a constant cost, and back again at once."""

import re

import pytest
from django.contrib.auth.models import User
from django.urls import reverse

from migration.actions import translate_customizations, validate_customizations
from migration.models import Customization, Person
from phoenix.demo.edits import cart_summary, product_card, promo_banner
from rollout.actions.people import override_person
from rollout.switch import engage_kill_switch
from rollout.waves import System
from slots.actions import forget_compiled
from tests.phoenix.demo.conftest import AT
from tests.phoenix.demo.test_views import customise
from tests.scenes import kept

SAID = {"by": "alice", "at": AT, "reason": "test"}
EDITS = {(edit.component, edit.name): edit for edit in product_card.EDITS + cart_summary.EDITS + promo_banner.EDITS}
BOBS = (("shop.product_card", "footer-grid"), ("shop.cart_summary", "lines-as-text"), ("shop.promo_banner", "small-print"))


@pytest.fixture
@kept
def on_slots(shop, bob):
    """Put bob, who changed three components, on slots."""
    for name in BOBS:
        customise(bob, EDITS[name])
    _prove()
    override_person(bob, system=System.SLOTS, **SAID)
    return bob


def _prove():
    wanted = list(Customization.objects.values_list("pk", flat=True))
    translate_customizations(wanted, at=AT, by="alice")
    validate_customizations(wanted, at=AT, by="alice")


def _page(client, user):
    client.force_login(User.objects.get(username=user))
    forget_compiled()
    html = client.get(reverse("demo:shop")).content.decode()
    system = re.search(r'class="system system-(\w+)"', html).group(1)
    components = html[html.index("</section>") : html.index('<footer class="colophon">')]
    return system, components


def test_shop_is_the_same_on_both_systems(client, on_slots):
    on_slots_system, on_slots_page = _page(client, "bob")
    override_person(on_slots, system=System.LEGACY, **SAID)
    legacy_system, legacy_page = _page(client, "bob")
    assert (on_slots_system, legacy_system) == ("slots", "legacy")
    assert on_slots_page == legacy_page
    assert "footer-grid" in legacy_page
    assert "While stocks last." in legacy_page


def test_shop_goes_back_to_legacy_with_the_kill_switch(client, on_slots):
    engage_kill_switch(**SAID)
    assert _page(client, "bob")[0] == "legacy"


def test_shop_on_slots_costs_the_same_for_one_change_and_for_three(client, on_slots, django_assert_num_queries):
    other = Person.objects.create(user="charlie", email="charlie@customers.example")
    User.objects.create_user("charlie")
    customise(other, EDITS["shop.product_card", "stars"])
    _prove()
    override_person(other, system=System.SLOTS, **SAID)
    for user in ("bob", "charlie"):
        _page(client, user)
        with django_assert_num_queries(6):
            client.get(reverse("demo:shop"))
        forget_compiled()
        with django_assert_num_queries(7):
            client.get(reverse("demo:shop"))
