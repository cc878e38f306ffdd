"""Importing components: what is stored, what is refused, and that nothing is shown by accident."""

import io
import json
from contextlib import suppress

import pytest
from django.core.management import call_command

from slots.management.base import NeedsPerson, WrongUsage
from slots.models import Component, ComponentVersion

pytestmark = pytest.mark.django_db


def run(*args, **options):
    out = io.StringIO()
    with suppress(NeedsPerson):
        call_command("import_components", *map(str, args), as_json=True, stdout=out, **options)
    return json.loads(out.getvalue())


def line(**changes):
    return json.dumps({"key": "shop.card", "version": "1.0", "source": "<p>{{ a }}</p>", **changes})


@pytest.fixture
def file(tmp_path):
    def write(*lines):
        path = tmp_path / "components.jsonl"
        path.write_bytes(b"\n".join(each if isinstance(each, bytes) else each.encode() for each in lines))
        return path

    return write


@pytest.fixture
def folder(tmp_path):
    for version in ("1.9", "1.10"):
        here = tmp_path / "shop.card" / version
        (here / "samples").mkdir(parents=True)
        (here / "template.html").write_text(f"<p>{version}</p>")
        (here / "contract.toml").write_text('title = "Card"\n[contract]\nnames = ["product"]\n')
        (here / "samples" / "plain.json").write_text('{"product": {"name": "Mug"}}')
    return tmp_path


def test_folders_are_imported_in_natural_order_and_the_newest_is_shown(folder):
    report = run(folder)

    assert report["current"] == ["shop.card@1.10"]
    assert list(ComponentVersion.objects.values_list("version", "ordinal")) == [("1.9", 1), ("1.10", 2)]
    version = ComponentVersion.objects.get(version="1.9")
    assert version.contract["names"] == ["product"]
    assert version.samples == [{"name": "plain", "context": {"product": {"name": "Mug"}}}]
    assert version.component.title == "Card"


def test_release_date_orders_before_the_order_of_import(file):
    report = run(file(line(version="b", released_at="2026-02-01"), line(version="a", released_at="2026-01-01T09:00:00+01:00")))

    assert report["current"] == ["shop.card@b"]


def test_second_import_changes_nothing(folder):
    run(folder)

    report = run(folder)

    assert (report["imported"], report["unchanged"]) == (0, 2)


def test_new_version_of_a_known_component_waits(folder, file):
    run(folder)

    report = run(file(line(version="2.0")))

    assert report["waiting"] == ["shop.card@2.0"]
    assert Component.objects.get().current_version.version == "1.10"


def test_activate_shows_it(folder, file):
    run(folder)

    report = run(file(line(version="2.0")), activate=True)

    assert report["current"] == ["shop.card@2.0"]
    assert Component.objects.get().current_version.version == "2.0"


def test_dry_run_reports_the_same_and_leaves_nothing(folder):
    report = run(folder, dry_run=True)

    assert (report["imported"], report["dry_run"]) == (2, True)
    assert not Component.objects.exists()


def test_contract_may_be_mended_but_not_the_source(file):
    run(file(line()))

    mended = run(file(line(contract={"names": ["a"]})))
    changed = run(file(line(source="<b></b>")))

    assert mended["updated"] == 1
    assert [each["code"] for each in changed["rejected"]] == ["VERSION_CHANGED"]
    assert ComponentVersion.objects.get().source == "<p>{{ a }}</p>"


def test_slot_map_names_declared_and_derived_slots(file):
    run(file(line(source='<p class="a">{% slot "b" %}c{% endslot %}</p>')))

    assert [(slot["name"], slot["kind"]) for slot in ComponentVersion.objects.get().slot_map] == [
        ("a", "derived"),
        ("b", "declared"),
    ]


@pytest.mark.parametrize(
    ("bad", "code"),
    [
        ("{", "NOT_JSON"),
        ("[" * 100_000, "NOT_JSON"),
        ('{"a": NaN}', "NOT_JSON"),
        ("[]", "RECORD_NOT_OBJECT"),
        ("7", "RECORD_NOT_OBJECT"),
        (b'{"key": "\xff"}', "NOT_UTF8"),
        (line(key=""), "FIELD_INVALID"),
        (line(key=7), "FIELD_INVALID"),
        (line(key="../../etc"), "FIELD_INVALID"),
        (line(key="k" * 201), "FIELD_INVALID"),
        (line(version=None), "FIELD_INVALID"),
        (line(source=None), "FIELD_INVALID"),
        (line(source="a\0b"), "NOT_STORABLE"),
        (line(source="\ud800"), "NOT_STORABLE"),
        (line(samples=[{"name": "a", "context": {"x": [{"y": "\0"}]}}]), "NOT_STORABLE"),
        (line(samples=[{"name": "a", "context": {"x": 1}}]).replace("1}", "1e999}"), "NOT_STORABLE"),
        (line(source="x" * 20_001), "LIMIT_EXCEEDED"),
        (line(source="<b>x\n" * 105_000), "LIMIT_EXCEEDED"),
        (line(source="<b>\n" * 20_001), "LIMIT_EXCEEDED"),
        (line(source="<i>\n" * 250 + "</i>\n" * 250), "LIMIT_EXCEEDED"),
        (line(source=f"<p {' '.join(f'a{n}=1' for n in range(300))}>"), "LIMIT_EXCEEDED"),
        (line(released_at="yesterday"), "FIELD_INVALID"),
        (line(released_at=12), "FIELD_INVALID"),
        (line(title=["a"]), "FIELD_INVALID"),
        (line(contract=[]), "CONTRACT_INVALID"),
        (line(contract={"names": "a"}), "CONTRACT_INVALID"),
        (line(contract={"policy": "none"}), "CONTRACT_INVALID"),
        (line(contract={"filter": []}), "CONTRACT_INVALID"),
        (line(samples={}), "SAMPLES_INVALID"),
        (line(samples=[{"name": "a"}]), "SAMPLES_INVALID"),
        (line(samples=[{"name": "a", "context": {}}, {"name": "a", "context": {}}]), "SAMPLES_INVALID"),
    ],
)
def test_bad_line_is_reported_with_its_number_and_the_rest_goes_on(file, bad, code):
    report = run(file(line(version="0.9"), "", bad, line(version="1.1")))

    assert [(each["code"], each["line"]) for each in report["rejected"]] == [(code, 3)]
    assert report["imported"] == 2


def test_line_beyond_the_limit_is_skipped(file, monkeypatch):
    monkeypatch.setattr("slots.actions.json_lines.MAX_LINE_BYTES", 200)

    report = run(file(line(version="0.9"), line(source="x" * 1000), line(version="1.1")))

    assert [(each["code"], each["line"]) for each in report["rejected"]] == [("LIMIT_EXCEEDED", 2)]
    assert report["imported"] == 2


def test_byte_order_mark_is_no_error(file):
    assert run(file(b"\xef\xbb\xbf" + line().encode()))["imported"] == 1


def test_exit_code_is_one_where_records_were_rejected(file):
    with pytest.raises(NeedsPerson) as raised:
        call_command("import_components", str(file("{")), stdout=io.StringIO())

    assert raised.value.returncode == 1


@pytest.mark.parametrize("paths", [[], ["nowhere.jsonl"]])
def test_wrong_usage_is_said_before_anything_is_done(paths):
    with pytest.raises(WrongUsage):
        call_command("import_components", *paths)


def test_folder_without_templates_is_rejected(tmp_path):
    assert [each["code"] for each in run(tmp_path)["rejected"]] == ["FOLDER_EMPTY"]


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("contract.toml", b"names = [", "CONTRACT_NOT_TOML"),
        ("template.html", b"\xff", "NOT_UTF8"),
        ("samples/plain.json", b"{", "NOT_JSON"),
        ("samples/plain.json", b"[]", "SAMPLES_INVALID"),
    ],
)
def test_bad_file_rejects_its_version_alone(folder, name, content, code):
    (folder / "shop.card" / "1.9" / name).write_bytes(content)

    report = run(folder)

    assert [each["code"] for each in report["rejected"]] == [code]
    assert report["imported"] == 1
