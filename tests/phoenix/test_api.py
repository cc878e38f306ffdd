"""All addresses below /api/ are described in one document, and refuse in one form."""

import json
import re

import pytest
from django.test import Client

from migration.models import Person
from phoenix.demo.accounts import make_staff_accounts
from rollout.api import api as rollout_api
from slots.api import api as slots_api

pytestmark = pytest.mark.django_db
SELECTIONS = "/api/rollout/selections/"


def test_one_document_describes_every_address(client):
    document = client.get("/api/openapi.json").json()

    assert {SELECTIONS, f"{SELECTIONS}{{pk}}/apply/", "/api/rollout/tickets/", "/api/components/"} <= set(document["paths"])
    references = set(re.findall(r"#/components/schemas/(\w+)", json.dumps(document)))
    assert references <= set(document["components"]["schemas"])


def test_no_two_apps_call_different_things_alike():
    names = [set(api.get_openapi_schema(path_prefix="/")["components"]["schemas"]) for api in (slots_api, rollout_api)]

    assert names[0].isdisjoint(names[1])


def test_wrong_method_is_refused_as_json_and_names_what_is_allowed(client, alice):
    client.force_login(alice)
    refused = client.get(SELECTIONS)

    assert (refused.status_code, refused["Allow"], refused["Content-Type"]) == (405, "POST", "application/json")
    assert refused.json()["code"] == "METHOD_NOT_ALLOWED"
    assert "POST" in refused.json()["text"]


@pytest.mark.parametrize(
    ("address", "status", "code"),
    [
        (SELECTIONS, 403, "CSRF_FAILED"),
        ("/api/nothing/", 404, "ADDRESS_UNKNOWN"),
        (f"{SELECTIONS}x/", 404, "ADDRESS_UNKNOWN"),
    ],
)
def test_every_refusal_has_one_form(alice, address, status, code):
    client = Client(enforce_csrf_checks=True)
    client.force_login(alice)
    refused = client.post(address, "{}", content_type="application/json")

    assert (refused.status_code, sorted(refused.json()), refused.json()["code"]) == (status, ["code", "text"], code)


def test_who_is_not_signed_in_is_told_so_in_the_same_form(client):
    refused = client.get("/api/rollout/tickets/")

    assert (refused.status_code, sorted(refused.json()), refused.json()["code"]) == (401, ["code", "text"], "NOT_SIGNED_IN")


def test_pages_of_the_site_keep_their_own_answers(client):
    assert client.get("/nothing/")["Content-Type"].startswith("text/html")


def test_a_script_signs_in_as_the_documents_say(settings):
    name = settings.CSRF_COOKIE_NAME
    Person.objects.create(user="ann")
    operator = next(each for each in make_staff_accounts() if each.name == "alice")
    client = Client(enforce_csrf_checks=True)
    client.get("/login/")
    form = {"username": operator.name, "password": operator.password, "csrfmiddlewaretoken": client.cookies[name].value}
    client.post("/login/", form)

    answer = client.post(
        "/api/rollout/tickets/",
        json.dumps({"user": "ann", "severity": "low", "subject": "Odd"}),
        content_type="application/json",
        headers={"X-CSRFToken": client.cookies[name].value},
    )

    assert answer.status_code == 201, answer.content
