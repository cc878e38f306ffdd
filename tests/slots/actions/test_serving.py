"""Pages for one person: the right version and layers, in a constant number of queries."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.db.models import CharField, Value
from django.template import Context, Engine
from django.test import RequestFactory

from slots.actions import PersonPage, forget_compiled, render, serving, set_current_version
from slots.actions.stacks import base_tree
from slots.actions.waiting import record_waiting
from slots.errors import ComponentUnknown
from slots.models import Body, Component, ComposedTemplate, ConfigurationIssue, Layer, SegmentMember
from slots.renderer import ContextNotPlain, RenderLimits
from slots.schema import FELL_BACK, OK, RAISED, PersonKey
from tests.slots.conftest import AT, CARD, add_component, insert, lay, set_text

PRODUCT = {"product": {"name": "Mug & saucer"}}


@pytest.fixture(autouse=True)
def slots_alone(settings):
    settings.SLOTS_SYSTEM_RESOLVER = None


class Shouting:
    """Another system: shows the base in capitals."""

    name = "shouting"

    def render(self, component, version, source, context):
        return f"{component}@{version} {len(source)} {context['product']['name']}".upper()


class Resolver:
    """Put people whose name starts with `old` on the other system."""

    def standing_query(self, person):
        text = CharField()
        return Component.objects.filter(key="shop.card").values_list(*(Value(e, text) for e in ("a", "b", "c", "d", person.user)))

    def choose(self, person, rows):
        assert rows == [("a", "b", "c", "d", person.user)]
        return Shouting() if person.user.startswith("old") else None


def test_base_is_shown_escaped_where_nobody_configured_anything(card, bob):
    html = render("shop.card", bob, PRODUCT, at=AT)

    assert html == CARD.replace("{{ product.name }}", "Mug &amp; saucer").replace('{% slot "actions" %}', "").replace(
        "{% endslot %}", ""
    )


def test_persons_own_layer_shows_to_them_alone(card, bob):
    lay(card, [set_text(CARD, "Buy", "Order")], person=bob)

    assert ">Order<" in render("shop.card", bob, PRODUCT, at=AT)
    assert ">Buy<" in render("shop.card", PersonKey("default", "carol"), PRODUCT, at=AT)
    assert ">Buy<" in render("shop.card", PersonKey("other", "bob"), PRODUCT, at=AT)
    assert ">Buy<" in render("shop.card", None, PRODUCT, at=AT)


def test_higher_layers_win(card, bob):
    lay(card, [set_text(CARD, "Buy", "Site")], layer=Layer.SITE)
    lay(card, [set_text(CARD, "Buy", "Low")], layer=Layer.SEGMENT, key="low", priority=1)
    lay(card, [set_text(CARD, "Buy", "High")], layer=Layer.SEGMENT, key="high", priority=2)
    for segment in ("low", "high"):
        SegmentMember.objects.create(user="carol", segment=segment)
    SegmentMember.objects.create(user="bob", segment="high")
    lay(card, [set_text(CARD, "Buy", "Bob")], person=bob)

    shown = {
        name: render("shop.card", name and PersonKey("default", name), PRODUCT, at=AT) for name in ("", "bob", "carol", "dan")
    }

    assert [">Site<" in shown[""], ">Bob<" in shown["bob"], ">High<" in shown["carol"], ">Site<" in shown["dan"]] == [True] * 4


def test_person_stays_on_the_version_their_layer_was_made_for(card, bob):
    lay(card, [set_text(CARD, "Buy", "Order")], person=bob)
    newer = add_component("shop.card", "<p>{{ product.name }}</p>", version="2.0")
    set_current_version(card.component, newer, at=AT, by="alice")

    assert ">Order<" in render("shop.card", bob, PRODUCT, at=AT)
    assert render("shop.card", None, PRODUCT, at=AT) == "<p>Mug &amp; saucer</p>"


def test_default_layer_pins_nobody(card, bob):
    lay(card, [set_text(CARD, "Buy", "Shipped")], layer=Layer.DEFAULT)
    newer = add_component("shop.card", CARD.replace("h3", "h2"), version="2.0")
    set_current_version(card.component, newer, at=AT, by="alice")

    html = render("shop.card", bob, PRODUCT, at=AT)

    assert "<h2" in html
    assert ">Shipped<" in html


def test_unknown_component_is_a_fault(card, bob):
    with pytest.raises(ComponentUnknown):
        render("shop.nothing", bob, PRODUCT, at=AT)


def test_objects_with_methods_are_refused(card, bob):
    with pytest.raises(ContextNotPlain) as raised:
        render("shop.card", bob, {"product": {"owner": User(username="x")}}, at=AT)

    assert raised.value.place == "product.owner"


def test_names_outside_the_contract_are_not_seen(db, bob):
    add_component("shop.leak", "{{ secret }}{{ product.name }}")

    assert render("shop.leak", bob, {**PRODUCT, "secret": "s3cret"}, at=AT) == "Mug &amp; saucer"


def test_failing_customization_shows_the_base_and_counts_an_issue(card, bob):
    lay(card, [set_text(CARD, "Buy", "{{ product.name|floatformat:product }}{% if product.name|add:1|date:1 %}")], person=bob)

    page = PersonPage(bob, at=AT)
    shown = [page.render("shop.card", PRODUCT) for _ in range(2)]

    assert [">Buy<" in html for html in shown] == [True, True]
    assert page.record() == 2
    issue = ConfigurationIssue.objects.get()
    assert (issue.code, issue.occurrences, issue.component_version) == ("RENDER_ERROR", 2, card)


FAILING = "{{ product.name }}{% widthratio product.name 0 'x' %}"  # makes output first


def test_payload_that_fails_touches_neither_other_payloads_nor_components_nor_tenants(card, bob):
    other = add_component("shop.other", CARD.replace("card", "other"))
    name = set_text(CARD, "Buy", FAILING)
    heading = insert(CARD, '<h3 class="title">', "<i>new {{ product.name }}</i>")
    lay(card, [heading], layer=Layer.SITE)
    lay(card, [name], person=bob)
    lay(other, [set_text(other.source, "Buy", "Order")], person=bob)
    lay(card, [set_text(CARD, "Buy", "{{ product.name|upper }}")], person=PersonKey("other", "bob"))

    page = PersonPage(bob, at=AT)
    html, second = page.render("shop.card", PRODUCT), page.render("shop.other", PRODUCT)
    elsewhere = PersonPage(PersonKey("other", "bob"), at=AT)

    assert (">Buy<" in html, "<i>new Mug &amp; saucer</i>" in html, ">Order<" in second) == (True, True, True)
    assert ">MUG &amp; SAUCER<" in elsewhere.render("shop.card", PRODUCT)
    assert (len(page.found), elsewhere.found) == (1, [])
    issue = page.found[0].issue
    assert (issue.code, issue.operation) == ("RENDER_ERROR", name.id)
    assert all(part in issue.text for part in ("shop.card", name.id, "user layer", "what it displaced is shown"))


def test_payloads_that_fail_are_one_row_each_however_many_requests(card, bob):
    lay(card, [set_text(CARD, "Buy", FAILING), insert(CARD, '<h3 class="title">', FAILING)], person=bob)

    for _ in range(3):
        forget_compiled()
        page = PersonPage(bob, at=AT)
        shown = [page.render("shop.card", PRODUCT) for _ in range(2)]
        assert [">Buy<" in html for html in shown] == [True, True]
        page.record()

    rows = ConfigurationIssue.objects.order_by("place")
    assert [(row.code, row.occurrences) for row in rows] == [("RENDER_ERROR", 6)] * 2
    assert len({row.place for row in rows}) == 2


def test_template_composed_by_an_earlier_release_is_composed_again(card, bob):
    lay(card, [set_text(CARD, "Buy", FAILING)], person=bob)
    ComposedTemplate.objects.update(spans=None, source="stale")

    page = PersonPage(bob, at=AT)

    assert ">Buy<" in page.render("shop.card", PRODUCT)
    assert page.found[0].issue.operation
    row = ComposedTemplate.objects.get()
    assert (row.source == "stale", row.spans is None) == (False, False)


def test_strict_contract_cleans_what_a_payload_shows(db, bob):
    strict = add_component("shop.strict", policy="strict")
    lay(strict, [set_text(CARD, "Buy", 'Order<b onclick="x">now</b>')], person=bob)
    lay(strict, [set_text(CARD, "Buy", "Order<b>now")], person=PersonKey("default", "carol"))

    page = PersonPage(bob, at=AT)

    assert ">Buy<" in page.render("shop.strict", PRODUCT)
    assert page.found[0].issue.code == "UNSAFE_HTML"
    assert ">Order<b>now</b><" in render("shop.strict", PersonKey("default", "carol"), PRODUCT, at=AT)


def test_limits_are_those_of_the_settings(settings):
    settings.SLOTS_RENDER_LIMITS = {"rounds": 7}
    assert serving._limits() == RenderLimits(rounds=7)

    settings.SLOTS_RENDER_LIMITS = {"rounds": "many"}
    assert serving._limits() == RenderLimits()


def test_issue_of_a_request_is_stored_after_it(card, bob):
    lay(card, [set_text(CARD, "Buy", "{% if %}")], person=bob)

    _, html = show(["shop.card"], user="bob")
    assert ">Buy<" in html
    assert not ConfigurationIssue.objects.exists()
    record_waiting()

    assert ConfigurationIssue.objects.get().occurrences == 1


def test_composed_template_that_was_dropped_is_made_again(card, bob):
    lay(card, [set_text(CARD, "Buy", "Order")], person=bob)
    before = ComposedTemplate.objects.get().source
    ComposedTemplate.objects.all().delete()

    assert ">Order<" in render("shop.card", bob, PRODUCT, at=AT)
    assert ComposedTemplate.objects.get().source == before


def show(keys, *, user):
    request = RequestFactory().get("/")
    request.user = User(username=user)
    tags = "".join(f'{{% render_component "{key}" product=product %}}' for key in keys)
    template = Engine(builtins=["slots.templatetags.slots"]).from_string(tags)
    return request, template.render(Context({"request": request, **PRODUCT}))


@pytest.fixture
def grid(db, bob):
    """24 components, each with a layer of the site and one of bob."""
    keys = [f"shop.card{number}" for number in range(24)]
    for number, key in enumerate(keys):
        source = CARD.replace("card", f"card{number}")
        version = add_component(key, source)
        lay(version, [set_text(source, "Buy", f"Order {number}")], person=bob)
    add_component("shop.card")
    return keys


@pytest.mark.parametrize(("user", "resolver"), [("bob", None), ("old bob", "Resolver"), ("bob", "Resolver")])
def test_page_costs_two_queries_cold_and_one_warm_for_1_and_24_components(
    grid, user, resolver, settings, django_assert_num_queries
):
    settings.SLOTS_SYSTEM_RESOLVER = resolver and f"{__name__}.{resolver}"
    for keys in (grid[:1], grid):
        forget_compiled()
        with django_assert_num_queries(2):
            show(keys, user=user)
        with django_assert_num_queries(1):
            show(keys, user=user)


def test_second_card_of_a_page_looks_nothing_up(card, bob, django_assert_num_queries):
    lay(card, [set_text(CARD, "Buy", "Order")], person=bob)
    page = PersonPage(bob, at=AT)
    first = page.render("shop.card", PRODUCT)
    forget_compiled()  # what threads share: were it asked again, it would have to fetch

    with django_assert_num_queries(0):
        assert page.render("shop.card", PRODUCT) == first


def test_a_miss_of_24_composed_templates_costs_no_more_than_one(grid, django_assert_max_num_queries):
    ComposedTemplate.objects.all().delete()

    with django_assert_max_num_queries(8):
        _, html = show(grid, user="bob")

    assert [f">Order {number}<" in html for number in range(24)] == [True] * 24


def test_other_system_gets_the_current_source_and_plain_values(grid, settings):
    settings.SLOTS_SYSTEM_RESOLVER = f"{__name__}.Resolver"

    _, html = show(["shop.card"], user="old bob")

    assert html == f"SHOP.CARD@1.0 {len(CARD)} MUG & SAUCER"


HEARD = []


def hear(*render):
    """Observe renders."""
    HEARD.append(render)


def hear_badly(*render):
    """Observe renders, and fail at it."""
    raise ZeroDivisionError


class Breaking:
    """A system that renders nothing."""

    name = "broken"
    fell_back = False

    def render(self, component, version, source, context):
        """Fail."""
        raise ZeroDivisionError


def heard(page, key="shop.card"):
    """Render, and return what the observer heard of it but for the seconds."""
    HEARD.clear()
    with suppress(ZeroDivisionError, ComponentUnknown):
        page.render(key, PRODUCT)
    return [(component, person, system, outcome) for component, person, system, _, outcome in HEARD]


def test_an_observer_hears_of_each_render(card, bob, settings):
    settings.SLOTS_RENDER_OBSERVER = f"{__name__}.hear"
    lay(card, [set_text(CARD, "Buy", "{{ product.name|nonsense }}")], person=bob)

    assert heard(PersonPage(None, at=AT)) == [("shop.card", None, "slots", OK)]
    assert 0 < HEARD[0][3] < 60
    assert heard(PersonPage(bob, at=AT), "shop.nothing") == []  # asked for what there is not

    page = PersonPage(bob, at=AT)
    page.system = Breaking()
    assert heard(page) == [("shop.card", bob, "broken", RAISED)]
    page.system = Breaking()
    page.system.fell_back, page.system.render = True, lambda *about: "<p></p>"
    assert heard(page) == [("shop.card", bob, "broken", FELL_BACK)]


def test_an_observer_that_raises_costs_no_page(card, bob, settings):
    settings.SLOTS_RENDER_OBSERVER = f"{__name__}.hear_badly"

    assert "Buy" in PersonPage(bob, at=AT).render("shop.card", PRODUCT)


@pytest.fixture
def read_only(db):
    """A database that takes no writes, as a replica or a full disk."""
    if connection.vendor != "sqlite":
        pytest.skip("only SQLite can be made read-only inside a transaction")
    yield lambda: connection.cursor().execute("PRAGMA query_only = 1")
    connection.cursor().execute("PRAGMA query_only = 0")


def test_page_stands_where_nothing_can_be_stored(card, bob, read_only):
    lay(card, [set_text(CARD, "Buy", "Order")], person=bob)
    ComposedTemplate.objects.all().delete()
    read_only()

    assert ">Order<" in PersonPage(bob, at=AT).render("shop.card", PRODUCT)


def test_issue_that_cannot_be_stored_breaks_nothing(card, bob, read_only, caplog):
    lay(card, [set_text(CARD, "Buy", "{% if %}")], person=bob)
    show(["shop.card"], user="bob")
    read_only()

    assert record_waiting() == 0
    assert "Issues of a page could not be stored" in caplog.text


def test_page_does_not_wait_for_ever_for_another_thread(card, bob, monkeypatch):
    monkeypatch.setattr(serving, "PATIENCE_S", 0.01)

    with serving._fetching:
        html = render("shop.card", bob, PRODUCT, at=AT)

    assert ">Buy<" in html


def test_body_that_cannot_be_read_is_left_out_with_an_issue(card, bob):
    row = lay(card, [set_text(CARD, "Buy", "Order")], person=bob)
    Body.objects.filter(pk=row.body_id).update(operations="{}")
    ComposedTemplate.objects.all().delete()

    assert ">Buy<" in render("shop.card", bob, PRODUCT, at=AT)
    assert ConfigurationIssue.objects.get().code == "SCHEMA_INVALID"


def test_operation_that_does_not_fit_is_an_issue_when_it_is_composed(card, bob):
    newer = add_component("shop.card", "<p>{{ product.name }}</p>", version="2.0")
    lay(newer, [set_text(CARD, "Buy", "Order")], person=bob)

    issue = ConfigurationIssue.objects.get()

    assert (issue.code, issue.component_version) == ("TARGET_MISSING", newer)


def test_contract_is_part_of_what_is_cached(card, bob):
    render("shop.card", bob, PRODUCT, at=AT)
    twin = add_component("shop.twin", CARD, names=())

    assert "Mug" not in render("shop.twin", bob, PRODUCT, at=AT)
    assert twin.digest == card.digest


def test_stack_that_another_process_stores_first_is_fetched(card, bob, monkeypatch):
    lay(card, [set_text(CARD, "Buy", "Order")], person=bob)
    ComposedTemplate.objects.all().delete()
    asked = serving._material_query

    def overtaken(stacks):
        stacks = list(stacks)
        rows = list(asked(stacks))
        serving.compose_stacks(stacks, at=AT)
        return rows

    monkeypatch.setattr(serving, "_material_query", overtaken)

    assert ">Order<" in render("shop.card", bob, PRODUCT, at=AT)


def test_threads_share_no_tree():
    """What is noted down in a tree's memo on the way is no matter of two threads."""
    with ThreadPoolExecutor(1) as other:
        elsewhere = other.submit(base_tree, CARD).result()

    assert base_tree(CARD) is base_tree(CARD)
    assert base_tree(CARD) is not elsewhere
