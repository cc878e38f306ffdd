"""`bench` measures what it offers, says what it leaves out, and keeps its JSON."""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from phoenix.management.bench import engine

CASES = 18
LEAN = ("--cases", str(CASES), "--rounds", "1")


def bench(*arguments):
    out = StringIO()
    call_command("bench", *arguments, stdout=out)
    return out.getvalue()


@pytest.fixture
def without_peers(tmp_path, monkeypatch):
    """Have a machine without git, patch, npm and node."""
    monkeypatch.setenv("PATH", str(tmp_path))


@pytest.mark.usefixtures("without_peers")
def test_parts_are_measured_alone_and_absent_peers_are_no_zeros():
    found = json.loads(bench(*LEAN, "--part", "synthetic", "--part", "translation", "--json"))

    assert list(found) == ["engine"]
    figures = found["engine"]
    assert set(figures) == {"synthetic", "translation", "notes"}
    assert (figures["synthetic"]["cases"], figures["synthetic"]["git"], figures["synthetic"]["patch"]) == (CASES, None, None)
    assert sum(figures["synthetic"]["phoenix"].values()) == CASES
    assert figures["notes"] == [
        "git merge-file is left out: it is not installed.",
        "GNU patch is left out: it is not installed.",
    ]
    assert figures["translation"]["samples"] == CASES
    assert figures["translation"]["ms_p95"] >= figures["translation"]["ms_median"] > 0


@pytest.mark.usefixtures("without_peers")
def test_the_comparison_is_measured_without_npm(monkeypatch):
    monkeypatch.setattr(engine, "PAGE_ELEMENTS", 1_000)

    found = json.loads(bench(*LEAN, "--engine", "--part", "comparison", "--json"))["engine"]

    assert found["notes"] == ["diff-dom is left out: npm or node is not installed."]
    assert found["comparison"]["diffdom_ms"] is None
    assert found["comparison"]["times_faster_than_diffdom"] is None
    assert found["comparison"]["ms"] > 0
    assert set(found["comparison"]["pairs"]) == {"spelling", "one", "few", "half"}
    for pair in found["comparison"]["pairs"].values():
        assert pair["diffdom_ms"] is None
        assert pair["times_faster"] == round(pair["xmldiff_ms"] / pair["ms"], 3)


@pytest.mark.usefixtures("without_peers")
def test_a_peer_that_takes_very_long_is_asked_once(monkeypatch):
    monkeypatch.setattr(engine, "PATIENCE_MS", 10)
    monkeypatch.setattr(engine, "cpu_ms", lambda call: asked.append(call) or 11.0)
    asked = []

    engine._compared(engine.Run((), (), seed=1, cases=1, rounds=3), engine.make_pairs(100, seed=1)["one"], None)

    assert len(asked) == 2


def test_the_faster_peer_counts_and_no_peer_is_no_zero():
    times = {"ms": 2.0, "xmldiff_ms": 30.0, "diffdom_ms": 10.0, "diffdom_warm_ms": 1.0}

    assert engine._times_faster(times) == 5
    assert engine._times_faster({**times, "diffdom_ms": None}) == 15
    assert engine._times_faster({**times, "diffdom_ms": None, "xmldiff_ms": None}) is None


def test_equal_seeds_count_equal_verdicts():
    first, second = (json.loads(bench(*LEAN, "--part", "synthetic", "--json")) for _ in range(2))

    assert first == second


def test_growth_has_a_row_for_each_size(monkeypatch):
    monkeypatch.setattr(engine, "SIZES", (100, 200, 400))

    found = json.loads(bench(*LEAN, "--part", "scaling", "--json"))["engine"]["scaling"]

    assert [len(found[name]) for name in ("nodes", "translate_ms", "translate_doubling", "rebase_ms", "rebase_doubling")] == [
        3,
        3,
        2,
        3,
        2,
    ]


@pytest.mark.usefixtures("without_peers")
def test_the_table_names_every_part(monkeypatch):
    monkeypatch.setattr(engine, "SIZES", (100, 200))
    monkeypatch.setattr(engine, "PAGE_ELEMENTS", 100)

    text = bench(*LEAN, "--engine")

    for heading in (
        f"Translation with proof, {CASES}",
        "Upgrade to the next release",
        "Growth",
        "Comparison of two pages",
        "Synthetic edits",
    ):
        assert heading in text
    assert "diff-dom is left out" in text


def test_details_hold_every_case(tmp_path):
    bench(*LEAN, "--part", "synthetic", "--details", str(tmp_path / "details.jsonl"))

    rows = [json.loads(line) for line in (tmp_path / "details.jsonl").read_text().splitlines()]
    assert [row["case"] for row in rows] == list(range(CASES))
    assert set(rows[0]) >= {"old", "edited", "new", "expected", "result", "verdicts"}


@pytest.mark.parametrize(
    ("arguments", "message", "code"),
    [
        (("--rounds", "0"), "BENCH_EMPTY", 2),
        (("--render", "--rounds", "0"), "BENCH_EMPTY", 2),
        (("--corpus", "not-there.jsonl"), "not-there.jsonl: No such file", 2),
        (("--corpus", "pyproject.toml"), "RECORD_NOT_JSON", 1),
    ],
)
def test_wrong_usage_and_wrong_input_are_told_apart(arguments, message, code):
    with pytest.raises(CommandError, match=message) as refused:
        bench(*arguments)

    assert refused.value.returncode == code
