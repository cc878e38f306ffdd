"""The rendering benchmark: the same page from everybody, absent peers left out, and the JSON of the contract."""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from phoenix.management.bench.process import WorkerEnded, started
from phoenix.management.bench.render import card, run
from phoenix.management.bench.render.peers import PEERS, Peer

OWN = {"phoenix", "fork", "fork_direct", "django_blocks", "legacy", "legacy_uncached"}
FEW, ROOM = 60, 20


def bench(*arguments):
    out = StringIO()
    call_command("bench", "--render", "--rounds", "1", *arguments, stdout=out)
    return out.getvalue()


@pytest.fixture
def few(monkeypatch):
    """Measure with few configurations and room for fewer."""
    monkeypatch.setattr(run, "CONFIGURATIONS", FEW)
    monkeypatch.setattr(run, "COMPILED_TEMPLATES", ROOM)
    monkeypatch.setattr(run, "UPGRADED", 10 * FEW)
    monkeypatch.setattr(run, "DISTINCT", FEW)


@pytest.fixture
def without_peers(monkeypatch):
    """Have a machine on which no peer is installed."""
    monkeypatch.setattr(run, "PEERS", {"jinja2": Peer(PEERS["jinja2"].scenes, "not_there", "Jinja2")})
    monkeypatch.setattr(run, "MERGE_PEER", "not_there_either")


class Showing:
    """Answer like a contestant's process that shows a given page."""

    def __init__(self, html):
        self.html = html

    def ask(self, *order):
        return {"html": self.html}


PAGE = '<p class="a b">one <b>two</b></p>\n<p>three</p>'


@pytest.mark.parametrize(
    ("html", "how"),
    [
        (PAGE, "byte"),
        ('<p class="a b">one\n  <b>two</b></p><p>three</p>\n', "byte"),
        ("<p class='a b'>one <b>two</b></p><p>three</p>", "canonical"),
        (PAGE.replace("<p>", '<p data-djc-id-cA1b2C3="">'), "byte"),
    ],
)
def test_page_may_differ_in_spelling_alone(html, how):
    found = run._same_pages({"fork": Showing(PAGE), "slippers": Showing(html)}, "card")

    assert (found["fork"], found["slippers"], found["jinjax"]) == ("byte", how, None)


@pytest.mark.parametrize(
    "html", [PAGE.replace("three", "3"), PAGE.replace("a b", "a"), PAGE.replace("one <b>", "one<b>"), PAGE + "<p></p>"]
)
def test_contestant_that_shows_another_page_is_an_error(html):
    with pytest.raises(run.ContestantDiffers, match=r"slippers does not show the fork's grid"):
        run._same_pages({"fork": Showing(PAGE), "slippers": Showing(html)}, "grid")


def test_every_template_is_made_of_the_same_texts():
    files = card.files()

    assert len(card.DEFAULTS) == len(card.OVERRIDES) == 6
    assert {path.partition("/")[0] for path in files} == {"django", *PEERS}
    for folder in ("django", *PEERS):
        texts = "".join(text for path, text in files.items() if path.startswith(f"{folder}/"))
        assert [name for name in card.OVERRIDES if card.OVERRIDES[name] not in texts] == []


def test_values_reach_both_sides_of_every_condition():
    for name in ("old_price", "rating", "in_stock"):
        assert {bool(product[name]) for product in card.products()} == {True, False}


def test_process_that_ends_says_why(tmp_path):
    with pytest.raises(WorkerEnded, match="nobody: KeyError: 'nobody'"), started("nobody", tmp_path, {}):
        pass


@pytest.mark.slow
@pytest.mark.usefixtures("few")
def test_everybody_is_measured_and_the_json_is_the_contracts():
    found = json.loads(bench("--json"))

    assert set(found) == {"render", "merge_us"}
    figures = found["render"]
    assert figures["notes"] == []
    for scene in (figures, figures["grid"]):
        assert set(scene["us"]) == set(scene["ratio_to_fork"]) == set(scene["ratio_to_direct"]) == OWN | set(PEERS)
        assert min(scene["us"].values()) > 0
        assert (scene["ratio_to_fork"]["fork"], scene["ratio_to_direct"]["fork_direct"]) == (1, 1)
    assert set(figures["equal"].values()) <= {"byte", "canonical"}
    assert set(figures["versions"]) == {"django", "deepmerge", *(peer.distribution for peer in PEERS.values())}
    assert found["merge_us"] == figures["merge"]["us"] > 0
    assert figures["merge"]["times_faster"] > 0
    assert figures["request"]["queries"] == 1
    assert figures["cold"]["ratio_to_fork"] > 0
    many = figures["configurations"]
    assert (many["distinct"], many["capacity"], many["entries"]) == (FEW, ROOM, ROOM)
    moved = figures["upgrade"]
    assert (moved["configurations"], moved["distinct"]) == (10 * FEW, FEW)
    assert moved["waiting"] >= FEW
    assert moved["moved"] > 0


@pytest.mark.slow
@pytest.mark.usefixtures("few", "without_peers")
def test_absent_peers_are_no_zeros():
    figures = json.loads(bench("--json"))["render"]

    assert figures["notes"] == ["Jinja2 is left out: it is not installed.", "not_there_either is left out: it is not installed."]
    assert (figures["us"]["jinja2"], figures["grid"]["ratio_to_fork"]["jinja2"], figures["equal"]["jinja2"]) == (None, None, None)
    assert set(figures["us"]) == OWN | {"jinja2"}
    assert set(figures["versions"]) == {"django"}


@pytest.mark.slow
@pytest.mark.usefixtures("few", "without_peers")
def test_the_table_says_all_of_it():
    text = bench()

    for part in (
        "One card with six overridden slots",
        "  fork_direct ",
        "A request: ",
        "Cold: ",
        "An upgrade of ",
        "Merging four layers",
        "60 conf",
    ):
        assert part in text
    assert "Jinja2 is left out" in text


@pytest.mark.slow
@pytest.mark.usefixtures("few", "without_peers")
def test_other_page_ends_the_command(monkeypatch):
    files = card.files()
    monkeypatch.setattr(card, "files", lambda: {**files, "django/fork.html": "<p>Something else</p>"})

    with pytest.raises(CommandError, match=r"BENCH_FAILED: .* does not show the fork's card") as failed:
        bench()

    assert failed.value.returncode == 1
