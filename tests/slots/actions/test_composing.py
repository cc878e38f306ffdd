"""Composing ahead: what pages will ask for is there, once for everybody who shares it, and nothing depends on it."""

import pytest
from django.core.management import call_command
from rq import Queue

from slots.actions import render, set_current_version
from slots.actions.composing import compose_component
from slots.jobs import compose_above, compose_later, compose_pages
from slots.models import ComposedTemplate, Layer, SegmentMember
from slots.schema import PersonKey
from tests.slots.conftest import AT, CARD, add_component, lay, set_text

PRODUCT = {"product": {"name": "Mug"}}
TITLE = "{{ product.name }}"


@pytest.fixture(autouse=True)
def slots_alone(settings):
    settings.SLOTS_SYSTEM_RESOLVER = None


@pytest.fixture
def people(card):
    """Six people: three share a body, one of them has a segment; one has it alone; one has nothing; one is of another tenant."""
    for name in ("ann", "ben", "cem"):
        lay(card, [set_text(CARD, "Buy", "Order")], person=PersonKey("default", name))
    lay(card, [set_text(CARD, "Buy", "Take")], person=PersonKey("other", "ann"))
    lay(card, [set_text(CARD, TITLE, "Keen")], layer=Layer.SEGMENT, key="keen")
    for name in ("cem", "dan"):
        SegmentMember.objects.create(tenant="default", segment="keen", user=name)
    return [PersonKey("default", name) for name in ("ann", "ben", "cem", "dan", "eve")] + [PersonKey("other", "ann")]


def pages(people):
    return [render("shop.card", person, PRODUCT, at=AT) for person in people]


def test_every_distinct_stack_is_composed_once_and_no_page_misses(people, card):
    lay(card, [set_text(CARD, TITLE, "A site's {{ product.name }}")], layer=Layer.SITE)
    ComposedTemplate.objects.all().delete()

    missing = compose_component(card.component, at=AT)

    # default tenant: site; site + keen; site + body; site + keen + body. The other tenant: the body alone.
    assert missing == ComposedTemplate.objects.count() == 5
    assert compose_component(card.component, at=AT) == 0
    pages(people)
    assert ComposedTemplate.objects.count() == 5


def test_pages_are_the_same_composed_ahead_or_not(people, card):
    lay(card, [set_text(CARD, TITLE, "A site's {{ product.name }}")], layer=Layer.SITE)
    before = pages(people)
    ComposedTemplate.objects.all().delete()

    compose_component(card.component, at=AT)

    assert pages(people) == before


def test_new_base_is_composed_for_those_who_see_it(people, card):
    lay(card, [set_text(CARD, "Buy", "Get")], layer=Layer.DEFAULT)
    new = add_component("shop.card", CARD.replace("card", "card new"), version="2.0")
    set_current_version(card.component, new, at=AT, by="alice")
    ComposedTemplate.objects.all().delete()

    compose_component(card.component, at=AT)

    assert "card new" in ComposedTemplate.objects.get(component_version=new).source


def test_many_people_are_read_in_a_fixed_number_of_queries(card, django_assert_max_num_queries):
    for number in range(30):
        lay(card, [set_text(CARD, "Buy", f"Word {number % 3}")], person=PersonKey("default", f"u{number}"))
    ComposedTemplate.objects.all().delete()

    with django_assert_max_num_queries(10):
        assert compose_component(card.component, at=AT) == 3


@pytest.mark.django_db(transaction=True)
def test_message_is_sent_by_what_changes_many_peoples_pages(queue: Queue, card):
    add_component("shop.card", CARD.replace("card", "card new"), version="2.0")
    queue.empty()

    call_command("upgrade_component", "shop.card", "2.0", "--dry-run", verbosity=0)
    assert queue.count == 0
    call_command("upgrade_component", "shop.card", "2.0", verbosity=0)

    (job,) = queue.jobs
    assert (job.func, job.kwargs) == (compose_pages, {"component_pk": card.component_id})
    assert job.retries_left == 2


def test_job_of_a_component_that_is_gone_does_nothing(db):
    assert compose_pages(component_pk=4711, later="x") == 0


@pytest.mark.django_db(transaction=True)
def test_queue_that_is_away_is_said_in_the_log_and_stops_nothing(card, settings, caplog):
    settings.RQ_QUEUES = {settings.QUEUE_NAME: {"URL": "redis://127.0.0.1:1/0"}}

    compose_later(card.component)

    assert "queue is away" in caplog.text


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("named", [None, "elsewhere"])
def test_project_without_a_queue_is_told_so_and_waits_for_none(card, settings, caplog, named):
    caplog.set_level("INFO", logger="slots.jobs")
    del settings.QUEUE_NAME
    if named:
        settings.SLOTS_QUEUE = named
    else:
        del settings.RQ_QUEUES

    compose_later(card.component)

    assert [(record.levelname, "SLOTS_QUEUE" in record.message) for record in caplog.records] == [("INFO", True)]


@pytest.mark.django_db(transaction=True)
def test_queue_of_slots_wins_over_that_of_the_project(card, settings, queue):
    settings.QUEUE_NAME, settings.SLOTS_QUEUE = "nowhere", settings.QUEUE_NAME

    compose_later(card.component)

    assert [job.kwargs for job in queue.jobs] == [{"component_pk": card.component_id}]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("layer", "key", "count"), [("site", "", 1), ("segment", "keen", 1), ("user", "bob", 0)])
def test_only_layers_that_others_lie_on_are_composed_above(queue: Queue, card, layer, key, count):
    row = lay(card, [], layer=layer, key=key)
    queue.empty()

    compose_above(row)

    assert queue.count == count
