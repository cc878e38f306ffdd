"""Write the state tables down as diagrams and sentences, from the tables themselves and the comments on their edges."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rollout import states

TABLES: Final = {
    "Plan": "PLAN_NEXT",
    "Phase": "PHASE_NEXT",
    "Wave": "WAVE_NEXT",
    "Person": "PERSON_NEXT",
    "Hold": "HOLD_NEXT",
    "Breach": "BREACH_NEXT",
    "Ticket": "TICKET_NEXT",
}
BEGIN, END = "<!-- states: begin (manage.py document_states --write) -->", "<!-- states: end -->"


@dataclass(frozen=True, slots=True)
class Edge:
    """Hold one move of a table and when it occurs."""

    start: str
    end: str
    when: str


def edges_of(name: str) -> list[Edge]:
    """Return the edges of a table in the order in which they are written, each with the comment beside it."""
    source, values = _module_of(name)
    table = values[name]
    lines = source.splitlines()
    if not isinstance(table, ast.Dict):
        raise TypeError(f"{name} is not written as a literal table")
    return [
        Edge(_value(key), _value(end), _comment(lines[end.lineno - 1]))
        for key, value in zip(table.keys, table.values, strict=True)
        if isinstance(key, ast.Attribute)
        for end in _members(value, values)
    ]


def document() -> str:
    """Return the part of `docs/rollout.md` that is made from the tables."""
    parts = [BEGIN]
    for title, name in TABLES.items():
        edges = edges_of(name)
        parts += [f"### {title}", "", "```mermaid", "stateDiagram-v2"]
        parts += [f"    [*] --> {next(iter(getattr(states, name)))}"]
        parts += [f"    {edge.start} --> {edge.end}" for edge in edges]
        parts += ["```", "", "| from | to | when |", "| --- | --- | --- |"]
        parts += [f"| {edge.start} | {edge.end} | {edge.when} |" for edge in edges]
        parts += [""]
    return "\n".join([*parts, END])


def renewed(text: str) -> str:
    """Return the document with the part between the markers made anew."""
    if BEGIN not in text or END not in text:
        raise ValueError(f"The document lacks the lines “{BEGIN}” and “{END}”.")
    return re.sub(re.escape(BEGIN) + ".*" + re.escape(END), lambda _: document(), text, flags=re.DOTALL)


def _module_of(name: str) -> tuple[str, dict[str, ast.expr | None]]:
    """Return the source of the module of the states that a table is written in, and what each name there is assigned."""
    for path in sorted(Path(states.__path__[0]).glob("*.py")):
        source = path.read_text(encoding="utf-8")
        values = {
            node.target.id: node.value
            for node in ast.parse(source).body
            if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)
        }
        if name in values:
            return source, values
    raise KeyError(name)


def _members(value: ast.expr, values: dict[str, ast.expr | None]) -> Iterator[ast.Attribute]:
    """Return the states that an expression of sets and names of sets holds."""
    for node in ast.walk(value):
        if isinstance(node, ast.Set):
            yield from (each for each in node.elts if isinstance(each, ast.Attribute))
        elif isinstance(node, ast.Name) and (named := values.get(node.id)) is not None:
            yield from _members(named, values)


def _value(node: ast.Attribute) -> str:
    """Return the value of `WaveState.PLANNED`."""
    if not isinstance(node.value, ast.Name):
        raise TypeError(f"{ast.unparse(node)} is not a state")
    return str(getattr(states, node.value.id)[node.attr].value)


def _comment(line: str) -> str:
    return line.partition("#")[2].strip()
