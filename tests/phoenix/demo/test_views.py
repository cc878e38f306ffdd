"""The storefront: who may see what, at which cost, under which content policy."""

import hashlib
import re
from html.parser import HTMLParser

import pytest
from django.contrib.auth.models import User
from django.urls import reverse

from migration.engine import diff
from migration.models import Customization, Person
from phoenix.demo import catalogue
from phoenix.demo.edits import product_card
from phoenix.demo.shelf import read_shelf
from slots.actions import forget_compiled
from slots.models import Component
from tests.phoenix.demo.conftest import AT

EDITS = {edit.name: edit for edit in product_card.EDITS}


def customise(person, edit):
    component = Component.objects.get(key=edit.component)
    source = read_shelf()[edit.component][-1].source
    text = diff.make(source, edit.apply(source), path="template.html")
    return Customization.objects.create(
        external_id=edit.name,
        person=person,
        component_key=component.key,
        component=component,
        base=component.current_version,
        base_version=component.current_version.version,
        diff=text,
        diff_digest=hashlib.sha256(text.encode()).hexdigest(),
        imported_at=AT,
    )


class _Inline(HTMLParser):
    """Collect what a strict content policy would block."""

    def __init__(self):
        super().__init__()
        self.found = []

    def handle_starttag(self, tag, attrs):
        names = dict(attrs)
        if (tag == "script" and not names.get("src")) or tag == "style":
            self.found.append(tag)
        self.found += [name for name in names if name.startswith("on")]


def test_shop_stranger_is_sent_to_the_door(client, shop):
    assert client.get(reverse("demo:shop")).headers["Location"] == reverse("demo:sign_in")


def test_shop_shows_24_products_and_every_component(client, shop, bob):
    client.force_login(User.objects.get(username="bob"))
    page = client.get(reverse("demo:shop")).content.decode()
    assert page.count('<article class="product-card') == len(catalogue.products(str)) == 24
    for mark in ('class="promo promo-warm"', 'class="list-header"', 'class="cart"', 'class="reviews"'):
        assert mark in page


def test_shop_says_which_system_and_why(client, shop, bob):
    client.force_login(User.objects.get(username="bob"))
    page = client.get(reverse("demo:shop")).content.decode()
    assert "system-legacy" in page
    assert "the person is in no wave" in page


def test_shop_shows_the_customer_their_customization(client, shop, bob):
    customise(bob, EDITS["order-now"])
    client.force_login(User.objects.get(username="bob"))
    page = client.get(reverse("demo:shop")).content.decode()
    sold = sum(product["in_stock"] for product in catalogue.products(str))
    assert page.count("Order now") == sold
    assert "changed: Product card ·" in re.sub(r"\s+", " ", page)


def test_component_without_a_title_goes_by_its_key(client, shop, bob):
    customise(bob, EDITS["order-now"])
    Component.objects.filter(key="shop.product_card").update(title="")
    client.force_login(User.objects.get(username="bob"))
    page = client.get(reverse("demo:shop")).content.decode()
    assert "changed: shop.product_card ·" in re.sub(r"\s+", " ", page)


def test_every_component_of_the_shelf_has_a_title(shop):
    assert not Component.objects.filter(title="").exists()


def test_shop_costs_the_same_whatever_a_person_changed(client, shop, bob, django_assert_num_queries):
    other = Person.objects.create(user="charlie", email="charlie@customers.example")
    User.objects.create_user("charlie")
    customise(bob, EDITS["order-now"])
    for edit in (EDITS["stars"],):
        customise(other, edit)
    counts = []
    for user in ("bob", "charlie"):
        forget_compiled()
        client.force_login(User.objects.get(username=user))
        client.get(reverse("demo:shop"))
        with django_assert_num_queries(7) as captured:  # one of them counts new messages
            client.get(reverse("demo:shop"))
        counts.append(len(captured))
    assert counts[0] == counts[1]


def test_shop_page_has_nothing_inline_but_style_attributes(client, shop, bob):
    client.force_login(User.objects.get(username="bob"))
    response = client.get(reverse("demo:shop"))
    parser = _Inline()
    parser.feed(response.content.decode())
    assert parser.found == []
    policy = dict(part.strip().split(" ", 1) for part in response.headers["Content-Security-Policy"].split(";"))
    assert policy["script-src"] == "'self'"
    assert policy["style-src"] == "'self'"
    assert policy["style-src-attr"] == "'unsafe-inline'"


def test_sign_in_page_allows_nothing_inline(client, shop, bob):
    response = client.get(reverse("demo:sign_in"))
    assert "unsafe-inline" not in response.headers["Content-Security-Policy"]


def test_sign_in_as_a_customer_opens_the_shop(client, shop, bob):
    response = client.post(reverse("demo:sign_in"), {"user": "bob"}, follow=True)
    assert response.redirect_chain == [(reverse("demo:shop"), 302)]
    assert response.context["user"].username == "bob"


@pytest.mark.parametrize("rights", [{"is_staff": True}, {"is_superuser": True}, {"is_active": False}])
def test_sign_in_never_opens_an_account_with_rights(client, shop, bob, rights):
    User.objects.filter(username="bob").update(**rights)
    assert client.post(reverse("demo:sign_in"), {"user": "bob"}).status_code == 404
    assert "_auth_user_id" not in client.session


def test_sign_in_never_opens_an_account_that_is_no_customer(client, shop):
    User.objects.create_user("eve")
    assert client.post(reverse("demo:sign_in"), {"user": "eve"}).status_code == 404


def test_sign_in_needs_the_form_of_the_page(shop, bob, client):
    strict = type(client)(enforce_csrf_checks=True)
    assert strict.post(reverse("demo:sign_in"), {"user": "bob"}).status_code == 403


def test_sign_in_finds_by_name_and_by_group(client, shop, bob):
    Person.objects.create(user="dilip", email="dilip@customers.example", region="apac", is_internal=True)
    found = {
        query: [person.user for person in client.get(reverse("demo:sign_in"), query_params=query_).context["page"]]
        for query, query_ in {
            "name": {"q": "dil"},
            "region": {"q": "eu-w"},
            "internal": {"show": "internal"},
            "slots": {"show": "slots"},
            "all": {},
        }.items()
    }
    assert found == {"name": ["dilip"], "region": ["bob"], "internal": ["dilip"], "slots": [], "all": ["bob", "dilip"]}


def test_sign_in_page_costs_the_same_for_one_and_for_many(client, shop, bob, django_assert_num_queries):
    with django_assert_num_queries(3):
        client.get(reverse("demo:sign_in"))
    Person.objects.bulk_create(
        Person(user=f"person-{number}", email=f"person-{number}@customers.example") for number in range(60)
    )
    with django_assert_num_queries(3):
        client.get(reverse("demo:sign_in"))


def test_preview_shows_staff_the_customers_page(client, shop, bob, alice):
    customise(bob, EDITS["order-now"])
    client.force_login(alice)
    response = client.get(reverse("demo:preview", args=["bob"]))
    assert "Order now" in response.content.decode()
    assert "Preview for staff" in response.content.decode()
    assert client.session["_auth_user_id"] == str(alice.pk)


def test_preview_is_for_staff_only(client, shop, bob):
    client.force_login(User.objects.get(username="bob"))
    response = client.get(reverse("demo:preview", args=["bob"]))
    assert response.status_code == 302
    assert "login" in response.headers["Location"]


def test_preview_of_nobody_is_not_found(client, shop, alice):
    client.force_login(alice)
    assert client.get(reverse("demo:preview", args=["nobody"])).status_code == 404


def test_sign_in_never_opens_the_account_of_a_real_customer(client, shop):
    Person.objects.create(user="real", email="real@elsewhere.test")
    User.objects.create_user("real")
    assert client.post(reverse("demo:sign_in"), {"user": "real"}).status_code == 404
    assert client.get(reverse("demo:sign_in")).context["total"] == 0


@pytest.mark.parametrize("name", ["shop", "sign_in"])
def test_pages_are_kept_by_no_cache(client, shop, bob, name):
    client.force_login(User.objects.get(username="bob"))
    assert "no-store" in client.get(reverse(f"demo:{name}")).headers["Cache-Control"]


def test_shop_only_answers_to_looking(client, shop, bob):
    client.force_login(User.objects.get(username="bob"))
    assert client.post(reverse("demo:shop")).status_code == 405
