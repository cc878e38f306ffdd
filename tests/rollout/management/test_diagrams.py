"""The documentation says what the tables say."""

import pytest
from django.core.management import call_command

from rollout import states
from rollout.management.diagrams import TABLES, document, edges_of, renewed


@pytest.mark.parametrize("name", TABLES.values())
def test_the_edges_read_from_the_source_are_those_of_the_table(name):
    table = getattr(states, name)

    assert {(edge.start, edge.end) for edge in edges_of(name)} == {
        (str(start), str(end)) for start, ends in table.items() for end in ends
    }


@pytest.mark.parametrize("name", TABLES.values())
def test_every_edge_says_when_it_occurs(name):
    assert [edge for edge in edges_of(name) if not edge.when] == []


def test_the_page_is_current(repository):
    text = (repository / "docs" / "rollout.md").read_text(encoding="utf-8")

    assert renewed(text) == text, "run: manage.py document_states --write"


def test_a_page_without_the_markers_is_refused():
    with pytest.raises(ValueError, match="lacks the lines"):
        renewed("# nothing")


def test_the_command_prints_the_diagrams(capsys):
    call_command("document_states")

    assert capsys.readouterr().out.strip() == document()
