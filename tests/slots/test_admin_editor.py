"""The editor of drafts: rows and text say the same, are checked alike typed and stored, and say where things come from."""

import json

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from slots.actions import Placement, import_component, install_configuration, save_body
from slots.actions.authoring import begin_draft, change_draft
from slots.actions.drafts import activate_draft
from slots.markup import ops
from slots.markup.address import slot_nodes
from slots.markup.changes import Change, make
from slots.markup.tree import parse
from slots.models import Draft, Layer, SlotConfiguration
from slots.registry import ComponentRecord
from tests.conftest import person as account
from tests.slots.conftest import AT, CARD

pytestmark = pytest.mark.django_db
BUY = "card/actions/buy"
SAID = {"by": "alice", "at": AT}


@pytest.fixture
def version(db):
    samples = [{"name": "mug", "context": {"product": {"name": "A mug"}}}]
    record = ComponentRecord("shop.card", "1.0", CARD, contract={"names": ["product"]}, samples=samples)
    return import_component(record, at=AT, by="alice").version


@pytest.fixture
def draft(version):
    draft = begin_draft("default", Layer.USER, "bob", version.component, **SAID)
    change_draft(draft, Change("text", BUY, text="Order"), at=AT)
    change_draft(draft, Change("add_class", "card", "wide"), at=AT)
    return draft


@pytest.fixture
def editor(client, alice):
    client.force_login(alice)
    return client


def address(draft, page="edit", **more):
    return reverse(f"admin:slots_draft_{page}", kwargs={"pk": draft.pk, **more})


def held(draft):
    return ops.loads(Draft.objects.get(pk=draft.pk).body.operations)


def row(key, what="", slot=BUY, name="", text="", **more):
    return {f"what-{key}": what, f"slot-{key}": slot, f"name-{key}": name, f"text-{key}": text} | {
        f"{field}-{key}": value for field, value in more.items()
    }


def typed(draft, *rows, **more):
    """Return what a browser posts for these rows, in this order."""
    fields = {"shown": Draft.objects.get(pk=draft.pk).body_id, "row": [str(index) for index in range(len(rows))], **more}
    for index, each in enumerate(rows):
        fields |= row(index, **each)
    return fields


def as_shown(editor, draft):
    """Return the rows as the page shows them."""
    return [
        {
            "id": each.row.id,
            "what": each.change.what,
            "slot": each.change.slot,
            "name": each.change.name,
            "text": each.change.text,
        }
        for each in editor.get(address(draft)).context["entries"]
    ]


def test_the_editor_shows_each_operation_as_a_row_and_all_as_text(editor, draft):
    shown = editor.get(address(draft))
    page = shown.content.decode()

    assert [each["what"] for each in as_shown(editor, draft)] == ["text", "add_class"]
    assert json.loads(shown.context["text"]) == json.loads(draft.body.operations)
    assert '<option value="text" data-uses="t" selected>' in page
    assert f'<option value="{BUY}" selected>· · {BUY}</option>' in page or f'value="{BUY}" selected' in page
    assert "New in this draft of the user layer." in page
    assert "Nothing is wrong with it." in page


def test_storing_what_was_shown_changes_nothing(editor, draft):
    before = held(draft)

    answer = editor.post(address(draft), typed(draft, *as_shown(editor, draft), store="rows"))

    assert answer.status_code == 302
    assert held(draft) == before


def test_rows_are_changed_added_taken_out_and_put_in_another_order(editor, draft):
    first, second = as_shown(editor, draft)
    new = {"what": "set_attr", "slot": BUY, "name": "title", "text": "Now", "position": "1"}
    rows = [{**first, "text": "Buy it", "position": "3"}, {**second, "position": "2", "gone": "1"}, new]

    editor.post(address(draft), typed(draft, *rows, store="rows"))

    assert [ops.describe(each) for each in held(draft)] == [
        f"Set title of {BUY} to “Now”.",
        f"Replace the text of {BUY}/text by “Buy it”.",
    ]


def test_a_row_that_cannot_be_made_is_said_beside_it_and_nothing_is_stored(editor, draft):
    before, rows = held(draft), as_shown(editor, draft)
    bad = {"what": "set_attr", "slot": BUY, "name": "a b", "text": "x"}

    answer = editor.post(address(draft), typed(draft, *rows, bad, store="rows"))

    entries = answer.context["entries"]
    assert [issue.code for issue in entries[2].issues] == ["SCHEMA_INVALID"]
    assert (entries[0].issues, entries[2].change.name) == ([], "a b")
    assert "cannot be stored" in answer.content.decode()
    assert held(draft) == before


@pytest.mark.parametrize("source", ["rows", "text"])
def test_what_is_typed_is_checked_as_it_is_when_stored(editor, draft, source):
    rows = [*as_shown(editor, draft), {"what": "content", "slot": BUY, "text": "<script>x()</script>"}]
    tree = parse(CARD)
    hostile = (*held(draft), *make(tree, Change("content", BUY, text="<script>x()</script>")).operations)
    fields = typed(draft, *rows, source=source, text=ops.dumps(hostile))

    answer = editor.post(address(draft, "check"), fields).json()
    editor.post(address(draft), fields | {"store": source})

    said = [(issue["code"], issue["row"]) for issue in answer["issues"]]
    assert ("UNSAFE_HTML", 2) in said
    assert all(issue["suggestion"] for issue in answer["issues"])
    stored = editor.get(address(draft)).context["entries"]
    assert [issue.code for each in stored for issue in each.issues] == [code for code, _ in said]


def test_a_check_stores_nothing_and_gives_the_other_side(editor, draft):
    before, rows = Draft.objects.get(pk=draft.pk), as_shown(editor, draft)

    by_rows = editor.post(address(draft, "check"), typed(draft, {**rows[0], "text": "Take"}, source="rows")).json()
    by_text = editor.post(address(draft, "check"), typed(draft, source="text", text=by_rows["text"])).json()

    assert len(json.loads(by_rows["text"])["ops"]) == 1
    assert by_rows["is_storable"] and by_text["is_storable"]
    assert 'data-uses="t" selected' in by_text["rows"] and "Take</textarea>" in by_text["rows"]
    assert Draft.objects.get(pk=draft.pk).body_id == before.body_id


def test_a_text_that_cannot_be_read_says_where(editor, draft):
    answer = editor.post(
        address(draft, "check"), typed(draft, source="text", text='{"schema": 1, "ops": [{"kind": "x"}]}')
    ).json()
    page = editor.post(address(draft), typed(draft, store="text", text="{"))

    assert not answer["is_storable"]
    (issue,) = answer["issues"]
    assert (issue["code"], issue["place"], issue["row"]) == ("SCHEMA_INVALID", "ops[0].kind", -1)
    assert "SCHEMA_INVALID" in page.content.decode()
    assert page.context["text"] == "{"


def test_a_text_that_its_layer_or_the_limits_forbid_is_refused_while_it_is_typed(editor, draft):
    held = json.loads(draft.body.operations)
    many = [{**held["ops"][0], "id": f"{number}"} for number in range(1_001)]

    locking, long = (
        editor.post(address(draft, "check"), typed(draft, source="text", text=json.dumps({**held, **more}))).json()
        for more in ({"locked": ["actions"]}, {"ops": many})
    )

    assert [(each["code"], each["place"]) for each in locking["issues"]] == [("SCHEMA_INVALID", "locked")]
    assert [each["code"] for each in long["issues"]] == ["LIMIT_EXCEEDED"]
    assert not locking["is_storable"] and not long["is_storable"]


def test_a_draft_of_very_many_operations_can_be_stored(editor, draft):
    rows = [{"what": "set_attr", "slot": BUY, "name": f"data-{number}", "text": "x"} for number in range(990)]

    assert editor.post(address(draft), typed(draft, *rows, store="rows")).status_code == 302
    assert len(held(draft)) == 990


def test_unsaved_operations_are_shown_in_a_document_that_can_do_nothing(editor, draft):
    rows = as_shown(editor, draft)
    place = address(draft, "unsaved", index=0)

    shown = editor.post(place, typed(draft, {**rows[0], "text": "Unsaved words"}))
    broken = editor.post(place, typed(draft, {**rows[0], "text": ""}))

    assert "Unsaved words" in shown.content.decode()
    assert shown["Content-Security-Policy"].startswith("sandbox; default-src 'none'")
    assert shown["X-Frame-Options"] == "SAMEORIGIN"
    assert "Not shown" in broken.content.decode()
    assert "Unsaved words" not in str(held(draft))


def test_a_draft_that_was_changed_meanwhile_is_not_overwritten(editor, draft):
    rows, fields = as_shown(editor, draft), None
    fields = typed(draft, rows[0], store="rows")
    change_draft(draft, Change("hide", "card"), at=AT)
    before = held(draft)

    answer = editor.post(address(draft), fields)

    assert "DRAFT_CHANGED" in answer.content.decode()
    assert held(draft) == before


def test_where_each_operation_comes_from_is_said_and_the_history_linked(editor, draft):
    activate_draft(Draft.objects.get(pk=draft.pk), reason="autumn", **SAID)
    again = begin_draft("default", Layer.USER, "bob", draft.component, **SAID)
    change_draft(again, Change("hide", BUY), at=AT)
    live = SlotConfiguration.objects.get()

    page = editor.get(address(again))

    origins = [each.origin for each in page.context["entries"]]
    revision = SlotConfiguration.history.get().history_id
    assert origins[0] == f"In the user layer since revision {revision} (alice, 2026-11-23): made by hand."
    assert origins[-1] == "New in this draft of the user layer."
    assert reverse("admin:slots_slotconfiguration_history", args=[live.pk]) in page.content.decode()


def test_earlier_revisions_can_be_restored_from_the_editor(editor, client, draft):
    for word in ("Order", "Take"):
        again = begin_draft("default", Layer.USER, "bob", draft.component, **SAID)
        change_draft(again, Change("text", BUY, text=word), at=AT)
        activate_draft(Draft.objects.get(pk=again.pk), reason=f"say {word}", **SAID)
    again = begin_draft("default", Layer.USER, "bob", draft.component, **SAID)
    live = SlotConfiguration.objects.get()
    newest, oldest = SlotConfiguration.history.order_by("-history_id")

    page = editor.get(address(again)).content.decode()
    client.force_login(account("arthur", staff=True, role="auditor"))
    looked_at = client.get(address(again)).content.decode()

    restore = reverse("admin:slots_slotconfiguration_restore", args=[live.pk, oldest.history_id])
    assert restore in page and "say Order" in page
    assert reverse("admin:slots_slotconfiguration_restore", args=[live.pk, newest.history_id]) not in page
    assert restore not in looked_at


def test_the_hunk_of_a_diff_is_named(editor, version):
    (operation,) = make(parse(CARD), Change("text", BUY, text="Order")).operations
    body = save_body([ops.Operation(**{name: getattr(operation, name) for name in operation.__slots__} | {"hunk": 1})], at=AT)
    install_configuration(Placement("default", "user", "bob", version, body.digest, "translation"), reason="test", **SAID)
    draft = begin_draft("default", Layer.USER, "bob", version.component, **SAID)

    (entry,) = editor.get(address(draft)).context["entries"]

    assert entry.origin.endswith("translated from a diff, hunk 2 of the diff.")


def test_without_scripts_a_row_is_added_by_a_button(editor, draft):
    answer = editor.post(address(draft), typed(draft, *as_shown(editor, draft), add="1"))

    assert len(answer.context["entries"]) == 3
    assert "A new operation" in answer.content.decode()
    assert len(held(draft)) == 2


def test_others_look_and_do_not_touch(client, draft):
    client.force_login(account("anna", staff=True, role="operator"))
    fields = typed(draft, {"what": "hide", "slot": BUY}, store="rows")

    assert client.get(address(draft)).status_code == 200
    for place in (address(draft), address(draft, "check"), address(draft, "unsaved", index=0)):
        assert client.post(place, fields).status_code == 403
    client.force_login(account("sue", staff=True, role="support"))
    assert client.get(address(draft)).status_code == 403
    assert len(held(draft)) == 2


def test_only_posts_are_checked_and_shown(editor, draft):
    assert editor.get(address(draft, "check")).status_code == 403
    assert editor.get(address(draft, "unsaved", index=0)).status_code == 403
    assert editor.post(address(draft, "unsaved", index=9), typed(draft)).status_code == 404


def test_a_draft_that_is_no_more_leads_to_the_list(editor, draft):
    gone = address(draft)
    draft.delete()

    assert editor.get(gone)["Location"] == reverse("admin:slots_draft_changelist")


def test_the_editor_costs_the_same_queries_for_one_operation_and_for_fifty(editor, draft):
    def cost():
        with CaptureQueriesContext(connection) as asked:
            assert editor.get(address(draft)).status_code == 200
        return len(asked)

    one = cost()
    for number in range(50):
        change_draft(draft, Change("set_attr", BUY, f"data-{number}", "x"), at=AT)

    assert len(held(draft)) == 52
    assert cost() == one <= 15


def test_slots_are_offered_as_the_tree_has_them(editor, draft):
    labels = dict(editor.get(address(draft)).context["slots"])

    assert list(labels) == list(slot_nodes(parse(CARD)))
    assert labels["card"] == "card"
    assert labels[BUY] == f"· · {BUY}"
