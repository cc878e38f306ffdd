"""The side-by-side page: both systems, in frames that can do nothing, with everything a decision needs."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from migration.admin.comparison import diff_lines
from migration.models import Customization, Finding
from tests.migration.admin.test_lists import viewing
from tests.migration.conftest import FUZZED, LOST, NEW, ORDER_NOW, edit

pytestmark = pytest.mark.django_db
Bring = Callable[..., Customization]
SCRIPT = edit(NEW, ("In stock", "In stock<script>steal()</script>"))

HERE = edit(NEW, ("In stock", "Here"))


def compare(row: Customization) -> str:
    return reverse("admin:migration_customization_compare", args=[row.pk])


def frame(row: Customization, side: str, index: int = 0) -> str:
    return reverse("admin:migration_customization_page", args=[row.pk, side, index])


def test_page_shows_operations_sources_and_verdicts(bring: Bring, charlie: User) -> None:
    row = bring(FUZZED, base_version="1.0")

    content = viewing(charlie).get(compare(row)).content.decode()

    assert "FUZZED" in content
    assert "Replace the text of" in content
    assert content.count("same page") == 2
    assert (
        '<ins><span class="sign"><span class="visually-hidden">added</span>+</span>    &lt;li&gt;Made by hand&lt;/li&gt;</ins>'
        in content
    )
    assert "Nowhere: they are equal to the byte." in content
    assert content.count("<iframe sandbox") == 8


@pytest.mark.parametrize(
    ("text", "base", "route"),
    [
        (HERE, "2.0", "translated against the recorded base, which is the target"),
        (HERE, "1.0", "translated against 2.0, which it fits in place of its recorded base and which is the target"),
        (LOST, "2.0", "translated against 1.0, which it fits in place of its recorded base, then carried to the target"),
    ],
)
def test_page_says_at_which_version_a_diff_was_translated(bring: Bring, charlie: User, text: str, base: str, route: str) -> None:
    row = bring(text, base_version=base)

    assert route in " ".join(viewing(charlie).get(compare(row)).content.decode().split())


def test_frames_hold_both_systems_pages(bring: Bring, charlie: User) -> None:
    row = bring(LOST, base_version="1.0")
    client = viewing(charlie)

    old, new = (client.get(frame(row, side)).content.decode() for side in ("legacy", "slots"))

    assert '<p class="summary" lang="en">For tea.</p>' in old
    assert '<p class="summary wide" lang="en">For tea.</p>' in new


@pytest.mark.parametrize("side", ["legacy", "slots"])
def test_frame_can_do_nothing(bring: Bring, charlie: User, side: str) -> None:
    response = viewing(charlie).get(frame(bring(), side))

    policy = response.headers["Content-Security-Policy"]
    assert policy.startswith("sandbox; default-src 'none'; ")
    assert "script-src" not in policy
    assert "allow-" not in policy
    assert "frame-ancestors 'self'" in policy
    assert response.headers["X-Frame-Options"] == "SAMEORIGIN"
    assert "no-store" in response.headers["Cache-Control"]


def test_page_itself_keeps_the_sites_policy(bring: Bring, charlie: User) -> None:
    response = viewing(charlie).get(compare(bring()))

    assert "script-src 'self'" in response.headers["Content-Security-Policy"]
    assert " style=" not in response.content.decode()


@pytest.mark.parametrize("side", ["legacy", "slots"])
def test_what_the_policy_refuses_is_not_rendered(bring: Bring, charlie: User, side: str) -> None:
    row = bring(SCRIPT)
    client = viewing(charlie)

    page, document = client.get(compare(row)).content.decode(), client.get(frame(row, side)).content.decode()

    assert "<iframe" not in page
    assert "Not rendered" in document
    assert "steal" not in document


def test_decisions_are_offered_to_those_who_may(bring: Bring, charlie: User, dora: User) -> None:
    row = bring(SCRIPT)
    link = f"{reverse('admin:migration_finding_decide')}?ids={Finding.objects.first().pk}&amp;decision=accepted"

    assert link in viewing(dora, "decide_finding").get(compare(row)).content.decode()
    assert link not in viewing(charlie).get(compare(row)).content.decode()


def test_three_texts_are_shown(bring: Bring, charlie: User) -> None:
    price = '    <span class="price">{{ product.price }}</span>\n'
    row = bring(edit(NEW, (price, ""), ('  <p class="hint">', f'{price}  <p class="hint">')))
    finding = Finding(
        translation=row.translation, code="CARRY_CONFLICT", severity="blocking", text="Gone.", created_at=row.imported_at
    )
    finding.details = {"base": "<i>old</i>", "ours": "<i>mine</i>", "theirs": "<i>new</i>"}
    finding.save()

    content = viewing(charlie).get(compare(row)).content.decode()

    for text in ("old", "mine", "new"):
        assert f"&lt;i&gt;{text}&lt;/i&gt;" in content


@pytest.mark.parametrize("text", ["broken", edit("<ul>\n<li>a</li>\n</ul>\n", ("a", "b"))])
def test_untranslated_customization_has_a_page_too(bring: Bring, charlie: User, text: str) -> None:
    content = viewing(charlie).get(compare(bring(text))).content.decode()

    assert "Nothing is rendered" in content
    assert "There are no operations." in content


@pytest.mark.parametrize("address", ["compare", "legacy", "slots"])
def test_looking_needs_the_right(bring: Bring, charlie: User, client: object, address: str) -> None:
    row = bring()
    client.force_login(charlie)

    assert client.get(compare(row) if address == "compare" else frame(row, address)).status_code == 403


@pytest.mark.parametrize(("side", "index"), [("legacy", 2), ("other", 0)])
def test_frame_that_is_not_there(bring: Bring, charlie: User, side: str, index: int) -> None:
    assert viewing(charlie).get(frame(bring(), side, index)).status_code == 404


def test_row_that_is_not_there(charlie: User) -> None:
    client = viewing(charlie)

    assert client.get(reverse("admin:migration_customization_compare", args=[7])).status_code == 404
    assert client.get(reverse("admin:migration_customization_page", args=[7, "slots", 0])).status_code == 404


def test_query_count_does_not_grow_with_samples(bring: Bring, charlie: User, card: object) -> None:
    client = viewing(charlie)
    counts = []
    for size in (1, 10):
        card.samples = [{"name": str(index), "context": {}} for index in range(size)]
        card.save()
        row = bring(edit(NEW, ORDER_NOW), user=f"user{size}")
        client.get(compare(row))
        with CaptureQueriesContext(connection) as queries:
            client.get(compare(row))
        counts.append(len(queries))

    assert counts[0] == counts[1]


def test_lines_say_what_they_are() -> None:
    lines = diff_lines("--- a\n+++ b\n@@ -1 +1 @@\n same\n-old\n+new\n\\ No newline at end of file\n")

    assert [(line.kind, line.sign) for line in lines] == [
        ("place", ""),
        ("place", ""),
        ("place", ""),
        ("same", " "),
        ("removed", "-"),
        ("added", "+"),
        ("place", ""),
    ]
