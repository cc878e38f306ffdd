"""Find a declared slot by its name, by a name that it had before, or say which one may be meant."""

from dataclasses import dataclass
from difflib import get_close_matches

from slots.errors import Issue, IssueCode
from slots.markup.declaration import Declaration, declarations
from slots.markup.tree import Node, Tree


@dataclass(frozen=True, slots=True)
class Found:
    """Hold the slot that a name means (None where there is none) and what is to be said about the name."""

    node: Node | None
    declaration: Declaration
    issues: tuple[Issue, ...]


def lookup(tree: Tree, name: str) -> Found:
    """Return the slot that a name means; a name that is declared more than once means none."""
    declared = declarations(tree)
    exact = [order for order, each in declared.items() if each.name == name]
    former = [order for order, each in declared.items() if name in each.aliases]
    chosen = exact or former
    if len(chosen) > 1:
        text = f"The slot {name} is declared {len(chosen)} times, so nobody can say which one is meant."
        issue = Issue(IssueCode.DUPLICATE_ID, text, place=name, suggestion="Give each slot a name of its own.")
        return Found(None, Declaration(name), (issue,))
    if not chosen:
        return Found(None, Declaration(name), (_unknown(name, [each.name for each in declared.values()]),))
    slot = declared[chosen[0]]
    issues: list[Issue] = []
    if slot.name != name:
        text = f"The slot {name} is called {slot.name} now."
        issues.append(Issue(IssueCode.SLOT_RENAMED, text, place=name, suggestion=f"Use {slot.name}."))
    if slot.deprecated:
        text = f"The slot {slot.name} is deprecated and will go away."
        issues.append(Issue(IssueCode.SLOT_DEPRECATED, text, place=slot.name, suggestion=slot.deprecated))
    return Found(tree.nodes[chosen[0]], slot, tuple(issues))


def _unknown(name: str, names: list[str]) -> Issue:
    near = get_close_matches(name, names, n=1, cutoff=0.6) or [
        each for each in names if each.partition("@")[0] == name.partition("@")[0]
    ]
    suggestion = f"Did you mean {near[0]}?" if near else f"The template declares {', '.join(sorted(names)) or 'no slots'}."
    return Issue(IssueCode.SLOT_UNKNOWN, f"The template declares no slot {name}.", place=name, suggestion=suggestion)
