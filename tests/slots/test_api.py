"""Components as JSON: whose they are decides the session, what they are the layers."""

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.db.models import CharField, Value
from django.test.utils import CaptureQueriesContext

from slots.schema import PersonKey
from tests.slots.conftest import CARD, add_component, lay, set_text


@pytest.fixture(autouse=True)
def slots_alone(settings):
    settings.SLOTS_SYSTEM_RESOLVER = None


@pytest.fixture
def signed_in(client, db):
    """A client whose session is bob's."""
    client.force_login(User.objects.create_user("bob"))
    return client


def texts(nodes):
    """Return the texts of a tree, in order."""
    found = []
    for node in nodes:
        if node["type"] == "text":
            found.append(node["text"])
        for branch in node.get("branches", [node]):
            found += texts(branch.get("children", []))
    return found


def test_tree_is_the_persons_own(signed_in, card, client):
    lay(card, [set_text(CARD, "Buy", "Order")], person=PersonKey("default", "bob"))

    found = signed_in.get("/api/components/shop.card/").json()

    assert "Order" in texts(found["tree"])
    assert (found["key"], found["version"], found["names"]) == ("shop.card", "1.0", ["product"])
    assert [slot["name"] for slot in found["slots"]] == ["actions"]
    assert found["derived"] == ["card", "card/title", "card/actions/buy"]


def test_stranger_sees_the_base(client, card):
    lay(card, [set_text(CARD, "Buy", "Order")], person=PersonKey("default", "bob"))

    assert "Buy" in texts(client.get("/api/components/shop.card/").json()["tree"])


@pytest.mark.parametrize("query", ["user=bob", "tenant=default&user=bob", "person=bob"])
def test_nothing_that_a_request_sends_names_another_person(client, card, query):
    lay(card, [set_text(CARD, "Buy", "Order")], person=PersonKey("default", "bob"))

    assert "Buy" in texts(client.get(f"/api/components/shop.card/?{query}").json()["tree"])


def test_same_tree_again_is_not_sent(signed_in, card):
    first = signed_in.get("/api/components/shop.card/")
    again = signed_in.get("/api/components/shop.card/", headers={"If-None-Match": first["ETag"]})

    assert (again.status_code, again.content, again["ETag"]) == (304, b"", first["ETag"])
    assert ("private" in first["Cache-Control"], "Cookie" in first["Vary"]) == (True, True)

    lay(card, [set_text(CARD, "Buy", "Order")], person=PersonKey("default", "bob"))
    assert signed_in.get("/api/components/shop.card/", headers={"If-None-Match": first["ETag"]}).status_code == 200


def test_rendered_component_is_that_of_pages(signed_in, card):
    lay(card, [set_text(CARD, "Buy", "Order")], person=PersonKey("default", "bob"))

    answer = signed_in.post(
        "/api/components/shop.card/render/", {"context": {"product": {"name": "<Mug>"}}}, content_type="application/json"
    )

    found = answer.json()
    assert ("Order" in found["html"], "&lt;Mug&gt;" in found["html"], found["issues"]) == (True, True, [])


def test_unknown_component_is_a_code_and_a_sentence(client, db):
    answer = client.get("/api/components/shop.none/")

    assert (answer.status_code, answer.json()["code"]) == (404, "COMPONENT_UNKNOWN")


@pytest.mark.parametrize("body", ["[]", "", "{}", "3", '{"context": 5}', '{"contxt": {}}'])
def test_body_that_is_no_object_with_a_context_is_refused_with_a_sentence(client, card, body):
    answer = client.post("/api/components/shop.card/render/", body, content_type="application/json")

    assert (answer.status_code, answer.json()["code"]) == (422, "BODY_INVALID")
    assert answer.json()["text"].startswith("Send a JSON object with the values under `context`")


def test_person_of_another_system_is_told_to_ask_for_html(signed_in, card, settings):
    settings.SLOTS_SYSTEM_RESOLVER = f"{__name__}.Elsewhere"

    answer = signed_in.get("/api/components/shop.card/")

    assert (answer.status_code, answer.json()["code"]) == (409, "SHOWN_ELSEWHERE")
    rendered = signed_in.post("/api/components/shop.card/render/", {"context": {}}, content_type="application/json")
    assert rendered.json()["html"] == "<b>elsewhere</b>"
    assert signed_in.get("/api/components/").json()["system"] == "elsewhere"


class Elsewhere:
    """A resolver that sends everybody to another system."""

    name = "elsewhere"

    def standing_query(self, person):
        text = [Value("", CharField())] * 5
        return (
            User.objects.none()
            .annotate(**{f"t{n}": value for n, value in enumerate(text)})
            .values_list(*(f"t{n}" for n in range(5)))
        )

    def choose(self, person, rows):
        return self

    def render(self, component, version, source, context):
        return "<b>elsewhere</b>"


def test_list_is_one_query_for_a_stranger(client, card):
    add_component("shop.other")
    with CaptureQueriesContext(connection) as captured:
        found = client.get("/api/components/").json()

    assert [each["key"] for each in found["components"]] == ["shop.card", "shop.other"]
    assert len(captured) == 1


def test_openapi_describes_every_path(client, db):
    paths = client.get("/api/openapi.json").json()["paths"]

    own = [path for path in sorted(paths) if path.startswith("/api/components/")]
    assert own == ["/api/components/", "/api/components/{key}/", "/api/components/{key}/render/"]
    assert {"200", "404", "409"} <= set(paths["/api/components/{key}/"]["get"]["responses"])
