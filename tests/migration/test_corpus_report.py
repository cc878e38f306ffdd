"""`corpus_report` on small corpora of our own: figures, bad records, details, missing peers."""

import json
import shutil
from collections import Counter
from io import StringIO
from statistics import median

import pytest
from django.core.management import CommandError, call_command

from migration.engine import diff as diffs
from migration.management.corpus import checks, tables
from slots.markup.canonical import equal

BASE = """{% load i18n %}
<article class="card">
  <h3 class="title">{{ product.name }}</h3>
  <p class="teaser">{{ product.teaser }}</p>
  <footer>
    <span class="price">{{ product.price }}</span>
    <a class="buy" href="{{ product.url }}">Buy</a>
  </footer>
</article>
"""
LATER = BASE.replace("<p class", "<!-- words -->\n  <p class").replace('"teaser"', '"teaser short"')
LAST = LATER.replace("<footer>", '<footer class="foot">').replace(
    "  </footer>", '    <a class="more" href="#">More</a>\n  </footer>'
)


def record(name, customized, *, base=BASE, upgrades=(LATER, LAST), **changes):
    return {
        "id": name,
        "kind": "override",
        "subkind": "same-path",
        "base_package": "shop",
        "component": "card",
        "base_version": "1.0",
        "base_source": base,
        "diff": diffs.make(base, customized, path="card.html"),
        "customized_source": customized,
        "upgrades": [{"version": f"1.{number}", "source": source} for number, source in enumerate(upgrades, start=1)],
        "similarity": 0.95,
        "flags": [],
        **changes,
    }


GOOD = [
    record("text", BASE.replace("Buy", "Order now")),
    record("class", BASE.replace('"price"', '"price big"')),
    record("upstream-holds-it", LATER, kind="release-edit", subkind="forward"),
    record("both-change-one-place", BASE.replace("Buy", "Order now"), upgrades=(LATER.replace("Buy", "Add to basket"),)),
    record("without-upgrades", BASE.replace("Buy", "Get it"), upgrades=()),
]


@pytest.fixture
def report(tmp_path):
    def run(lines, *options):
        path = tmp_path / "corpus.jsonl"
        path.write_bytes(b"".join(line if isinstance(line, bytes) else json.dumps(line).encode() + b"\n" for line in lines))
        out = StringIO()
        code = 0
        try:
            call_command("corpus_report", path, "--json", "--processes", "1", *options, stdout=out)
        except SystemExit as stop:
            code = stop.code
        return json.loads(out.getvalue()), code

    return run


@pytest.fixture
def details(tmp_path, report):
    def run(lines):
        path = tmp_path / "details.jsonl"
        found, _ = report(lines, "--details", str(path))
        return found, [json.loads(line) for line in path.read_text("utf-8").splitlines()]

    return run


def test_report_holds_the_keys_of_the_contract(report):
    found, code = report(GOOD)

    assert code == 0
    assert found["translation"].keys() >= {
        "records", "translated", "proven", "byte_exact", "replaced_source", "one_payload_over_90", "fineness_overrides",
        "fineness_light", "payload_ratio_median", "ms_median", "ms_p95", "at_hand_ms_median", "at_hand_ms_p95",
        "xmldiff_ratio_median", "xmldiff_at_hand_ratio_median", "xmldiff_html_ratio_median",
    }  # fmt: skip
    assert found["upgrades"].keys() >= {
        "pairs", "automatic", "kept", "conflict", "lost", "doubled", "unbalanced", "missing_library", "forward_pairs",
        "forward_exact", "git_clean", "git_only", "ms_p95", "carried_ms_median", "ratio_to_translation",
        "ratio_to_translation_anew", "groups",
    }  # fmt: skip


def test_times_say_what_they_share(details):
    found, rows = details(GOOD)

    translations = [row["translation"] for row in rows]
    pairs = [pair for row in rows for pair in row["pairs"]]
    at_hand = median(each["ms"] - each["read_ms"] for each in translations)
    carried = median(pair["ms"] - pair["prepare_ms"] for pair in pairs)
    assert found["translation"]["at_hand_ms_median"] == pytest.approx(at_hand, abs=0.001)
    assert found["translation"]["ms_median"] > found["translation"]["at_hand_ms_median"] > 0
    assert found["upgrades"]["carried_ms_median"] == pytest.approx(carried, abs=0.001)
    assert found["upgrades"]["ratio_to_translation"] == pytest.approx(carried / at_hand, abs=0.001)
    anew = median(pair["ms"] for pair in pairs) / median(each["ms"] for each in translations)
    assert found["upgrades"]["ratio_to_translation_anew"] == pytest.approx(anew, abs=0.001)


def test_report_counts_records_and_pairs(report):
    found, _ = report(GOOD)

    translation, upgrades = found["translation"], found["upgrades"]
    assert [translation[name] for name in ("records", "translated", "proven", "byte_exact", "replaced_source")] == [5, 5, 5, 5, 0]
    assert [upgrades[name] for name in ("pairs", "automatic", "kept", "incomplete", "conflict")] == [7, 6, 1, 0, 0]
    assert [upgrades[name] for name in ("lost", "doubled", "unbalanced", "missing_library", "upstream_missing")] == [0] * 5
    assert [upgrades[name] for name in ("forward_pairs", "forward_exact")] == [2, 2]


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
def test_report_counts_git_on_the_same_pairs(report):
    upgrades = report(GOOD)[0]["upgrades"]

    assert upgrades["git_clean"] == 3  # the first release of three records; later ones edit neighbouring lines
    assert upgrades["git_only"] == 0


def test_missing_peers_are_null_and_not_zero(report, monkeypatch):
    monkeypatch.setenv("PATH", "")

    upgrades = report(GOOD[:1])[0]["upgrades"]

    assert [upgrades[name] for name in ("git_clean", "git_only", "git_forward_exact", "patch_clean")] == [None] * 4
    assert upgrades["groups"]["simple"]["git_clean"] is None
    assert "–" in "\n".join(
        tables.lines({"translation": report(GOOD[:1])[0]["translation"], "upgrades": upgrades, "rejected": []})
    )


def test_groups_sum_to_the_pairs(report):
    upgrades = report([*GOOD, record("rewrite", "<p>mine</p>\n", similarity=0.1)])[0]["upgrades"]
    groups = upgrades["groups"]

    assert upgrades["pairs"] == sum(
        groups[name]["pairs"] for name in ("simple", "medium", "complex", "rewrite") if name in groups
    )
    assert groups["rewrite"]["pairs"] == 2
    assert groups["override, next"]["pairs"] == groups["override without rewrites, next"]["pairs"] + 1
    assert groups["release-edit forward, last"]["pairs"] == 1


def test_bad_records_are_reported_and_the_rest_goes_on(report):
    stale = record("stale", BASE.replace("Buy", "Order"))
    stale["base_source"] = "nothing alike\n"
    untrue = record("untrue", BASE.replace("Buy", "Order"))
    untrue["customized_source"] = BASE
    lines = [
        GOOD[0],
        b"not json\n",
        b"\n",
        {"id": "half"},
        stale,
        untrue,
        record("two", BASE, diff="--- a\n+++ b\n"),
        b"\xff\n",
        GOOD[1],
    ]

    found, code = report(lines)

    assert code == 1
    assert found["translation"]["records"] == 8
    assert found["translation"]["translated"] == 2
    assert [(each["line"], each["code"]) for each in found["rejected"][:4]] == [
        (2, "RECORD_NOT_JSON"),
        (4, "RECORD_INCOMPLETE"),
        (5, "HUNK_DOES_NOT_APPLY"),
        (6, "RECORD_INCONSISTENT"),
    ]
    assert [each["line"] for each in found["rejected"][4:]] == [7, 8]
    assert all(each["text"].endswith((".", ")")) for each in found["rejected"])


def test_details_allow_to_recompute_the_figures(details):
    found, rows = details(GOOD)
    pairs = [(row, pair) for row in rows for pair in row["pairs"]]

    statuses = Counter(pair["status"] for _, pair in pairs)
    assert {name: statuses[name] for name in ("automatic", "kept", "conflict")} == {
        name: found["upgrades"][name] for name in ("automatic", "kept", "conflict")
    }
    for given, row in zip(GOOD, rows, strict=True):
        assert row["translation"]["source"] == given["customized_source"]
        assert row["translation"]["operations"]
        for pair in row["pairs"]:
            theirs = given["upgrades"][pair["index"]]["source"]
            assert pair["exact"] is (pair["source"] == theirs)
            assert {outcome["operation"] for outcome in pair["outcomes"]} == {op["id"] for op in row["translation"]["operations"]}
            assert checks.inspect(given["base_source"], given["customized_source"], theirs, pair["source"]).lost == ()


def test_details_hold_the_three_texts_of_a_kept_place(details):
    _, rows = details([GOOD[3]])
    pair = rows[0]["pairs"][0]

    kept = [outcome for outcome in pair["outcomes"] if outcome["status"] == "kept"]
    assert [(outcome["base"].strip(), outcome["ours"].strip(), outcome["theirs"].strip()) for outcome in kept] == [
        ("Buy", "Order now", "Add to basket")
    ]
    assert equal(pair["source"], LATER.replace("Buy", "Order now"))


def test_two_processes_give_the_same_rows_in_order(tmp_path, details):
    _, alone = details(GOOD)
    together_path = tmp_path / "together.jsonl"
    call_command(
        "corpus_report", tmp_path / "corpus.jsonl", "--json", "--processes", "2", "--details", together_path, stdout=StringIO()
    )

    def without_times(row):
        translation = {key: value for key, value in row["translation"].items() if not key.endswith("ms")}
        pairs = [{key: value for key, value in pair.items() if not key.endswith("ms")} for pair in row["pairs"]]
        return {**row, "translation": translation, "pairs": pairs}

    together = [json.loads(line) for line in together_path.read_text("utf-8").splitlines()]
    assert list(map(without_times, together)) == list(map(without_times, alone))


def test_printed_report_has_git_beside_us(tmp_path):
    path = tmp_path / "corpus.jsonl"
    path.write_text(json.dumps(GOOD[0]) + "\n", "utf-8")
    out = StringIO()

    call_command("corpus_report", path, "--processes", "1", stdout=out)

    printed = out.getvalue()
    assert "Translation of 1 records" in printed
    assert "git clean" in printed
    assert "override, next" in printed


def test_corpus_that_cannot_be_read_is_wrong_usage(tmp_path):
    with pytest.raises(CommandError) as caught:
        call_command("corpus_report", tmp_path / "nowhere.jsonl")

    assert caught.value.returncode == 2
    assert "nowhere.jsonl" in str(caught.value)
