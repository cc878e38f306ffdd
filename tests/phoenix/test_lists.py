"""What every list of the administration has in common: its queries, its files, its cards, what is saved above it."""

import csv
import json
import re

import pytest
from django.contrib import admin
from django.contrib.auth.models import Permission
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from migration.models import Customization, Person
from phoenix.models import SavedFilter
from rollout.models import Enrolment, Event, Ticket, Wave
from slots.admin.exports import csv_lines, plain
from slots.admin.paging import QuickPaginator
from tests.conftest import person as account
from tests.rows import AT, make_row

pytestmark = pytest.mark.django_db
LISTS = sorted(admin.site._registry, key=lambda model: model._meta.label)
OURS = [model for model in LISTS if hasattr(admin.site._registry[model], "list_file_view")]


def address_of(model, page="changelist", *args):
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=args)


def queries_of(client, address):
    with CaptureQueriesContext(connection) as queries:
        response = client.get(address)
        assert response.status_code == 200
        if response.streaming:
            b"".join(response.streaming_content)
    return [each["sql"] for each in queries]


@pytest.mark.parametrize("model", LISTS, ids=lambda model: model._meta.label_lower)
def test_a_list_and_its_files_cost_the_same_queries_with_one_row_and_with_fifty(admin_client, model):
    addresses = [address_of(model)]
    if model in OURS:
        addresses += [address_of(model, "exported_changelist", kind) for kind in ("csv", "json")]
    make_row(model)
    queries_of(admin_client, addresses[0])  # and those by which a process learns what stays
    before = {address: queries_of(admin_client, address) for address in addresses}
    for _ in range(49):
        make_row(model)

    for address in addresses:
        now = queries_of(admin_client, address)
        assert len(now) == len(before[address]), "\n".join(now)


def file_of(client, model, kind, query=""):
    response = client.get(address_of(model, "exported_changelist", kind) + query)
    assert response.status_code == 200, response
    return b"".join(response.streaming_content).decode()


def test_a_file_has_what_the_list_shows_with_its_filters_and_its_search(admin_client):
    for user, region in (("ann", "EU"), ("anton", "EU"), ("ben", "EU"), ("anna", "US")):
        Person.objects.create(user=user, region=region, is_technical=user == "ann")

    rows = list(csv.DictReader(file_of(admin_client, Person, "csv", "?region=EU&q=an").splitlines()))
    objects = json.loads(file_of(admin_client, Person, "json", "?region=EU&q=an"))

    assert [(row["user"], row["region"], row["is technical"]) for row in rows] == [
        ("ann", "EU", "True"),
        ("anton", "EU", "False"),
    ]
    assert [(row["user"], row["is technical"], row["active customizations"]) for row in objects] == [
        ("ann", True, "0"),
        ("anton", False, "0"),
    ]
    assert [int(row["pk"]) for row in rows] == [row["pk"] for row in objects]


def test_formulas_are_texts_in_a_file():
    cells = ["=1+1", "+1", "-1", "@A1", "\tx", "a=b", -1, 2.5, ""]

    line = next(csv_lines([cells]))

    assert next(csv.reader([line])) == ["'=1+1", "'+1", "'-1", "'@A1", "'\tx", "a=b", "-1", "2.5", ""]


def test_markup_is_text_in_a_file(admin_client):
    row = make_row(Enrolment)

    shown = json.loads(file_of(admin_client, Enrolment, "json"))

    assert [(each["person"], each["wave"], each["state"]) for each in shown] == [(str(row.person), str(row.wave), "enrolled")]
    assert plain("<b>as it is</b>") == "<b>as it is</b>"


@pytest.mark.parametrize("model", OURS, ids=lambda model: model._meta.label_lower)
def test_a_file_is_for_who_may_see_the_list_and_the_list_offers_it(client, charlie, admin_user, model):
    address = address_of(model, "exported_changelist", "csv")
    client.force_login(charlie)
    assert client.get(address).status_code == 403
    client.force_login(admin_user)

    assert f'href="{address}' in client.get(address_of(model)).content.decode()
    assert client.get(address_of(model, "exported_changelist", "xls")).status_code == 404
    assert client.get(f"{address}?nonsense__gt=1").status_code == 302


def save(client, model, query, name="Mine", **more):
    sent = {"listing": model._meta.label_lower, "query": query, "name": name, **more}
    return client.post(reverse("admin:save_filter"), sent, follow=True)


def test_a_filter_is_saved_under_a_name_shown_above_the_list_and_deleted_again(client, admin_user):
    client.force_login(admin_user)
    asked = client.get(address_of(Wave) + "?state__exact=running&p=1").content.decode()
    assert 'value="state__exact=running"' in asked

    shown = save(client, Wave, "state__exact=running&p=2&e=1").content.decode()
    assert 'href="?state__exact=running" aria-current="page">Mine</a>' in shown
    assert 'aria-current="page">Mine' not in client.get(address_of(Wave)).content.decode()
    assert "Mine" not in client.get(address_of(Enrolment)).content.decode()
    save(client, Wave, "q=x")
    assert list(SavedFilter.objects.values_list("query", flat=True)) == ["q=x"]

    client.post(reverse("admin:forget_filter", args=[SavedFilter.objects.get().pk]))
    client.get(reverse("admin:index"))  # says that it is gone
    assert "Mine" not in client.get(address_of(Wave)).content.decode()


def test_filters_are_their_owners_unless_they_are_for_everybody(client, admin_user):
    auditor = account("arthur", staff=True, role="auditor")
    client.force_login(auditor)
    save(client, Wave, "q=a", "Private")
    save(client, Wave, "q=b", "Shared", shared="1")
    client.force_login(admin_user)
    shown = client.get(address_of(Wave)).content.decode()

    assert "Shared" in shown
    assert "Private" not in shown
    client.force_login(account("dora", staff=True, role="approver"))
    for saved in SavedFilter.objects.all():
        assert client.post(reverse("admin:forget_filter", args=[saved.pk])).status_code == 404
    assert SavedFilter.objects.count() == 2


def test_an_operator_takes_off_what_others_share_and_nothing_else(client, db):
    client.force_login(account("arthur", staff=True, role="auditor"))
    save(client, Wave, "q=a", "Private")
    save(client, Wave, "q=b", "Shared", shared="1")
    client.force_login(account("alice", staff=True, role="operator"))
    private, shared = SavedFilter.objects.order_by("name")

    assert reverse("admin:forget_filter", args=[shared.pk]) in client.get(address_of(Wave)).content.decode()
    statuses = [client.post(reverse("admin:forget_filter", args=[each.pk])).status_code for each in (private, shared)]

    assert statuses == [404, 302]
    assert list(SavedFilter.objects.values_list("name", flat=True)) == ["Private"]


def test_what_somebody_shared_stays_when_their_account_goes_and_an_operator_takes_it_off(client, db):
    arthur = account("arthur", staff=True, role="auditor")
    client.force_login(arthur)
    save(client, Wave, "q=a", "Private")
    save(client, Wave, "q=b", "Shared", shared="1")
    arthur.delete()
    client.force_login(account("alice", staff=True, role="operator"))

    shown = client.get(address_of(Wave)).content.decode()
    (left,) = SavedFilter.objects.all()

    assert 'href="?q=b">Shared</a>' in shown
    assert "left behind" in shown
    client.post(reverse("admin:forget_filter", args=[left.pk]))
    assert not SavedFilter.objects.exists()


def test_who_may_not_see_a_list_any_more_takes_nothing_of_it_off(client, charlie, admin_user):
    client.force_login(admin_user)
    save(client, Wave, "q=b", "Shared", shared="1")
    charlie.user_permissions.add(Permission.objects.get(codename="operate_rollout"))
    client.force_login(charlie)

    assert client.post(reverse("admin:forget_filter", args=[SavedFilter.objects.get().pk])).status_code == 403
    assert SavedFilter.objects.count() == 1


@pytest.mark.parametrize("listing", ["rollout.wave", "rollout.gone"])
def test_everybody_takes_their_own_off_though_the_list_is_closed_to_them(client, charlie, listing):
    own = SavedFilter.objects.create(owner=charlie, listing=listing, name="Mine", query="q=a", made_at=AT)
    client.force_login(charlie)

    done = client.post(reverse("admin:forget_filter", args=[own.pk]))

    assert (done.status_code, done["Location"]) == (302, reverse("admin:index"))
    assert not SavedFilter.objects.exists()


@pytest.mark.parametrize(
    ("query", "kept"),
    [
        ("code__exact=&q=", "code__exact="),
        ("region=&state__exact=running", "region=&state__exact=running"),
        ("phase__isnull=True&e=1&p=2", "phase__isnull=True"),
    ],
)
def test_an_empty_value_is_kept_and_an_empty_search_is_not(client, admin_user, query, kept):
    client.force_login(admin_user)

    save(client, Wave, query)

    assert SavedFilter.objects.get().query == kept


def test_a_filter_that_is_too_long_as_it_is_kept_is_refused_in_words(client, admin_user):
    client.force_login(admin_user)

    fits = save(client, Wave, "q=" + "a" * 1_998, "Fits").content.decode()
    long = save(client, Wave, "q=" + "ä" * 600, "Long").content.decode()

    assert "Saved as “Fits”." in fits
    assert "It was not saved. The filter takes 3,602 characters; choose less, 2,000 are kept." in long
    assert SavedFilter.objects.get().name == "Fits"


def test_nothing_is_saved_without_a_filter_a_name_or_the_right(client, admin_user, charlie):
    client.force_login(admin_user)
    save(client, Wave, "p=3")
    save(client, Wave, "q=a", name="")
    assert client.get(reverse("admin:save_filter")).status_code == 405
    sent = {"listing": "rollout.nonsense", "query": "q=a", "name": "N"}
    assert client.post(reverse("admin:save_filter"), sent).status_code == 404
    client.force_login(charlie)
    assert save(client, Wave, "q=a").status_code == 403
    assert not SavedFilter.objects.exists()


@pytest.mark.parametrize("model", LISTS, ids=lambda model: model._meta.label_lower)
def test_each_cell_says_the_name_of_its_column(admin_client, model):
    make_row(model)

    page = admin_client.get(address_of(model)).content.decode()
    cells = re.findall(r"<t[dh][^>]*>", page.partition("<tbody>")[2].partition("</tbody>")[0])

    named = [cell for cell in cells if "action-checkbox" not in cell]
    assert named
    assert all(re.search(r'data-label="[^"<>]+"', cell) for cell in named)


def test_few_rows_are_counted_and_many_are_said_to_be_about_so_many(admin_client, monkeypatch):
    Person.objects.bulk_create(Person(user=f"p{number:04}") for number in range(1_500))
    monkeypatch.setattr("slots.admin.paging.EXACT", 1_000)
    assert QuickPaginator(Person.objects.filter(user__lt="p0700"), 100).count == 700
    many = QuickPaginator(Person.objects.order_by("pk"), 100)
    assert (many.is_capped, many.listed, many.num_pages, many.count > 1_000) == (True, 1_000, 10, True)

    shown = admin_client.get(address_of(Person) + "?p=10").content.decode()
    assert "The first 1000 can be paged through" in re.sub(r"\s+", " ", shown)
    assert admin_client.get(address_of(Person) + "?p=11").status_code == 302


@pytest.mark.parametrize("model", [Enrolment, Person, Customization, Event, Ticket], ids=lambda model: model._meta.label_lower)
def test_no_query_of_a_long_list_counts_all_rows_or_reads_their_values(admin_client, model, monkeypatch):
    monkeypatch.setattr(admin.site._registry[model], "list_per_page", 1)
    monkeypatch.setattr("slots.admin.paging.EXACT", 1)
    monkeypatch.setattr("slots.admin.paging.estimated", lambda rows: 2)  # as on PostgreSQL, which is asked for its plan
    for _ in range(2):
        make_row(model)
    table = model._meta.db_table

    for sql in queries_of(admin_client, address_of(model)):
        if f'FROM "{table}"' in sql and "WHERE" not in sql.partition("LIMIT")[0].partition(f'FROM "{table}"')[2]:
            assert "LIMIT" in sql, sql


def test_rows_lead_to_what_they_belong_to_and_what_belongs_to_them(admin_client):
    row = make_row(Enrolment)

    page = admin_client.get(address_of(Enrolment, "change", row.pk)).content.decode()
    listed = admin_client.get(address_of(Enrolment)).content.decode()

    for other in (row.person, row.wave):
        assert f'href="{address_of(type(other), "change", other.pk)}"' in page
        assert f'href="{address_of(type(other), "change", other.pk)}"' in listed
    assert f'href="{address_of(type(row.plan), "change", row.plan_id)}"' in page
    for name, query in (
        ("migration_customization", f"person__id__exact={row.person_id}"),
        ("rollout_snapshot", f"person__id__exact={row.person_id}"),
        ("rollout_snapshot", f"enrolment__id__exact={row.pk}"),
        ("rollout_noticedelivery", f"enrolment__id__exact={row.pk}"),
        ("rollout_event", f"subject__exact=enrolment&amp;subject_pk={row.pk}"),
    ):
        address = f"{reverse(f'admin:{name}_changelist')}?{query}"
        assert f'href="{address}"' in page
        assert admin_client.get(address.replace("&amp;", "&")).status_code == 200


@pytest.mark.parametrize("model", OURS, ids=lambda model: model._meta.label_lower)
def test_every_link_to_what_belongs_to_a_row_opens(admin_client, admin_user, rf, model):
    request = rf.get("/")
    request.user = admin_user
    for related in admin.site._registry[model].related_links(request, make_row(model)):
        assert admin_client.get(related.address).status_code == 200, related.address


def test_links_lead_only_where_the_visitor_may_go(client, db):
    row = make_row(Enrolment)
    guest = account("gus", staff=True)
    guest.user_permissions.add(*Permission.objects.filter(codename__in=["view_enrolment", "view_customization"]))
    client.force_login(guest)

    page = client.get(address_of(Enrolment, "change", row.pk)).content.decode()

    assert reverse("admin:migration_customization_changelist") in page
    assert f'"{reverse("admin:rollout_event_changelist")}?' not in page


def test_events_are_found_by_a_number_and_by_a_person(admin_client):
    row = make_row(Enrolment)
    Event.objects.create(subject="enrolment", subject_pk=row.pk, kind="moved", by="alice", at=AT)
    Event.objects.create(subject="wave", subject_pk=row.wave_id + 1_000_000, kind="moved", by="alice", at=AT)

    by_number = admin_client.get(address_of(Event) + f"?q={row.pk}").context["cl"].result_list
    by_name = admin_client.get(address_of(Event) + f"?q={row.person.user[:3]}").context["cl"].result_list

    assert [event.subject_pk for event in by_number] == [row.pk]
    assert [event.subject_pk for event in by_name] == [row.pk]
