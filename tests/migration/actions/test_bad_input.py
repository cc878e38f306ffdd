"""Every kind of bad record: it has a code, a line and a sentence, the rest goes on, nothing is lost, and the page stays."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from unidiff import PatchSet

from migration.actions import LegacyRenderer, import_customizations, proof_of, translate_customizations
from migration.actions.records import MAX_RECORD_BYTES
from migration.engine import diff
from migration.models import Customization, Finding, Person, RejectedRecord
from migration.states import CustomizationState
from slots.management.base import NeedsPerson
from slots.models import ComponentVersion
from slots.schema import DEFAULT_TENANT, PersonKey
from tests.migration.conftest import AT, CARD, NEW, OLD, ORDER_NOW, SAMPLES, edit, line

pytestmark = pytest.mark.django_db
HEAD = f"--- a/{CARD}\n+++ b/{CARD}\n"
GOOD = edit(NEW, ORDER_NOW)


@dataclass(frozen=True)
class Bad:
    """A record, the code it gets, and the line of its diff that is to blame (None: the record does not become a row)."""

    name: str
    content: bytes | dict[str, Any]
    code: str
    diff_line: int | None = None
    user: str = "bob"


def without(name: str) -> dict[str, Any]:
    return {key: value for key, value in line().items() if key != name}


LINES = [
    Bad("not JSON", b'{"external_id": "x", ', "NOT_JSON", user=""),
    Bad("not UTF-8", json.dumps(line(), ensure_ascii=False).replace("Order", "Größe").encode("latin-1"), "NOT_UTF8", user=""),
    Bad("list", b"[1, 2]", "NOT_OBJECT", user=""),
    Bad("nested without end", b"[" * 200_000, "NOT_JSON", user=""),
    Bad("not a number", json.dumps(line()).replace("true", "NaN").encode(), "NOT_JSON", user=""),
    Bad("a field twice", json.dumps(line())[:-1].encode() + b', "user": "carol"}', "NOT_JSON", user=""),
    Bad("too long", b'{"diff": "' + b"x" * MAX_RECORD_BYTES + b'"}', "LIMIT_EXCEEDED", user=""),
    Bad("no user", without("user"), "FIELD_MISSING", user=""),
    Bad("no diff", without("diff"), "FIELD_MISSING"),
    Bad("no external id", without("external_id"), "FIELD_MISSING"),
    Bad("null component", line(component=None), "FIELD_MISSING"),
    Bad("blank version", line(base_version="  "), "FIELD_INVALID"),
    Bad("user is a number", line(user="x") | {"user": 7}, "FIELD_INVALID", user=""),
    Bad("user too long", line("b" * 201), "LIMIT_EXCEEDED", user=""),
    Bad("component with a line feed", line(component="shop.\ncard"), "FIELD_INVALID"),
    Bad("active is a word", line(active="yes"), "FIELD_INVALID"),
    Bad("impossible date", line(created_at="2026-02-30T00:00:00Z"), "FIELD_INVALID"),
    Bad("date without offset", line(created_at="2026-02-20T00:00:00"), "FIELD_INVALID"),
    Bad("date outside of time", line(created_at="0001-01-01T00:00:00+14:00"), "FIELD_INVALID"),
    Bad("NUL in the diff", line(text=GOOD + "\0"), "FIELD_INVALID"),
    Bad("half a character", line(text=GOOD + "\ud800"), "FIELD_INVALID"),
    Bad("unknown component", line(component="shop.nothing"), "COMPONENT_UNKNOWN", 0),
    Bad("unknown version", line(base_version="0.9"), "VERSION_UNKNOWN", 0),
    Bad("empty diff", line(text=""), "DIFF_EMPTY", 0),
    Bad("prose", line(text="Make it green.\n"), "DIFF_MALFORMED", 1),
    Bad("two files", line(text=GOOD + GOOD.replace("shop.card", "shop.other")), "DIFF_SEVERAL_FILES", GOOD.count("\n") + 1),
    Bad("binary", line(text="Binary files a/x.png and b/x.png differ\n"), "DIFF_BINARY", 1),
    Bad("wrong counts", line(text=HEAD + "@@ -1,9 +1,2 @@\n x\n+y\n"), "DIFF_WRONG_COUNTS", 5),
    Bad("combined", line(text="diff --cc x\n--- a/x\n+++ b/x\n@@@ -1 -1 +1 @@@\n++y\n"), "DIFF_COMBINED", 1),
    Bad("too many lines", line(text=HEAD + "@@ -1,1 +1,20002 @@\n x\n" + "+y\n" * 20_001), "LIMIT_EXCEEDED", 0),
]


def shown(user: str = "bob") -> list[str]:
    """Return the pages of the card as the old system shows them."""
    renderer = LegacyRenderer(PersonKey(DEFAULT_TENANT, user))
    return [renderer.render(CARD, "2.0", NEW, sample["context"]) for sample in SAMPLES]


@pytest.mark.parametrize("bad", LINES, ids=lambda bad: bad.name)
def test_bad_record_is_kept_and_named(bad: Bad, card: ComponentVersion, write: Callable[..., Path]) -> None:
    path = write([line("anna"), bad.content, line("zoe")])
    plain = shown("stranger")

    report = import_customizations([path], at=AT, by="alice")

    assert [(each.code, each.line) for each in report.rejected] == [(bad.code, 2)]
    assert report.rejected[0].text.endswith(".") and len(report.rejected[0].text) > 20
    assert report.imported == 2
    kept = Customization.objects.filter(person__user__in=["anna", "zoe"])
    assert kept.count() == 2
    if bad.diff_line is None:
        record = RejectedRecord.objects.get()
        whole = path.read_bytes().split(b"\n")[1] + b"\n"
        assert bytes(record.content) == whole[: 1024 * 1024]
        assert (record.source, record.line, record.user) == (path.name, 2, bad.user)
        assert Customization.objects.count() == 2
    else:
        stored = Customization.objects.get(person__user="bob")
        assert isinstance(bad.content, dict)
        assert stored.diff == bad.content["diff"]
        finding = Finding.objects.get(customization=stored)
        assert (finding.code, finding.line, report.rejected[0].diff_line) == (bad.code, bad.diff_line, bad.diff_line)
    if bad.code == "VERSION_UNKNOWN":  # the old system tries the diff on the current version, and it fits
        assert shown() == [page.replace("Add to cart", "Order now") for page in plain]
    else:
        assert shown() == plain


@pytest.mark.parametrize("bad", [bad for bad in LINES if bad.user], ids=lambda bad: bad.name)
def test_person_of_bad_record_stays_on_legacy(bad: Bad, card: ComponentVersion, write: Callable[..., Path]) -> None:
    import_customizations([write([bad.content])], at=AT, by="alice")
    person, _is_new = Person.objects.get_or_create(tenant=DEFAULT_TENANT, user="bob")
    translate_customizations(list(Customization.objects.values_list("pk", flat=True)), at=AT, by="alice")

    assert proof_of(person).code in {"RECORD_REJECTED", "FINDING_OPEN"}


def test_diff_that_a_second_parser_reads_otherwise_reaches_no_page(
    card: ComponentVersion, write: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    text = edit(NEW, ("Add to cart", "Only we read this"))
    monkeypatch.setattr(diff, "PatchSet", lambda lines: PatchSet([each.replace("Only we", "Nobody") for each in lines]))

    report = import_customizations([write([line(text=text)])], at=AT, by="alice")
    row = Customization.objects.get()
    translate_customizations([row.pk], at=AT, by="alice")
    row.refresh_from_db()

    assert [(each.code, each.diff_line) for each in report.rejected] == [("DIFF_MALFORMED", 3)]
    assert (row.state, row.translation) == (CustomizationState.REJECTED, None)
    page = LegacyRenderer(PersonKey(DEFAULT_TENANT, "bob")).render(CARD, "2.0", NEW, SAMPLES[0]["context"])
    assert "Add to cart" in page


def test_second_active_customization_is_kept_aside(card: ComponentVersion, write: Callable[..., Path]) -> None:
    report = import_customizations([write([line(), line(external_id="other"), line("carol")])], at=AT, by="alice")

    assert [(each.code, each.line) for each in report.rejected] == [("DUPLICATE_ACTIVE", 2)]
    assert "'bob/card'" in report.rejected[0].text
    assert proof_of(Person.objects.get(user="bob")).code == "RECORD_REJECTED"


def test_second_record_of_one_id_is_kept_aside(card: ComponentVersion, write: Callable[..., Path]) -> None:
    report = import_customizations([write([line(), line(), line(active=False)])], at=AT, by="alice")

    assert (report.imported, report.unchanged) == (1, 1)
    assert [(each.code, each.line) for each in report.rejected] == [("DUPLICATE_ID", 3)]


def test_command_reports_and_leaves_with_one(
    card: ComponentVersion, write: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    path = write([line("anna"), *(bad.content for bad in LINES[:3])])

    with pytest.raises(NeedsPerson) as left:
        call_command("import_customizations", str(path), as_json=True)

    assert left.value.returncode == 1
    said = json.loads(capsys.readouterr().out)
    assert said["imported"] == 1
    assert [(each["code"], each["line"]) for each in said["rejected"]] == [("NOT_JSON", 2), ("NOT_UTF8", 3), ("NOT_OBJECT", 4)]


def test_dry_run_leaves_nothing(card: ComponentVersion, write: Callable[..., Path], capsys: pytest.CaptureFixture[str]) -> None:
    call_command("import_customizations", str(write([line()])), dry_run=True, as_json=True)

    assert json.loads(capsys.readouterr().out)["imported"] == 1
    assert not Customization.objects.exists()
    assert not Person.objects.exists()


def test_diff_for_another_template_is_rejected_with_its_line(bring: Callable[..., Customization]) -> None:
    row = bring(edit("<ul>\n  <li>a</li>\n</ul>\n", ("a", "b")))

    finding = Finding.objects.get()
    assert (row.state, finding.code, finding.line) == ("rejected", "HUNK_DOES_NOT_APPLY", 3)
    assert shown() == shown("stranger")


def test_diff_that_fits_nowhere_certain_says_so(bring: Callable[..., Customization], write: Callable[..., Path]) -> None:
    text = diff.make(OLD, OLD.replace("Add to cart", "Buy"), path=CARD).replace("Add to cart", "Put into cart")

    row = bring(text, base_version="1.0")

    assert (row.state, Finding.objects.get().code) == ("rejected", "HUNK_DOES_NOT_APPLY")
