"""Record what a payload needs and the base does not offer: libraries, blocks, context variables, included templates.

Read from the text, without Django: a name counts as offered when the base uses it anywhere, as bound when the payload binds it.
Each source is read once, by a few expressions over many constructs, and only for what a payload makes necessary.
"""

import re
from functools import cached_property
from typing import Final

from slots.markup.canonical import libraries
from slots.markup.ops import NOTHING, Requirements
from slots.markup.tree import nodes
from slots.markup.tree.nodes import Tree

# Tags and filters that Django offers without a library.
BUILT_IN: Final = frozenset(
    {
        "autoescape", "block", "comment", "csrf_token", "cycle", "debug", "elif", "else", "empty", "extends", "filter",
        "firstof", "for", "if", "ifchanged", "include", "load", "lorem", "now", "plural", "querystring", "regroup",
        "resetcycle", "spaceless", "templatetag", "url", "verbatim", "widthratio", "with", "slot",
    }
)  # fmt: skip
# Words of expressions, what Django puts in itself, and the empty name of what is no name.
_NOT_TAKEN: Final = frozenset(
    {
        "and", "or", "not", "in", "is", "as", "by", "with", "only", "True", "False", "None", "from", "count", "on", "off",
        "forloop", "block", "csrf_token", "",
    }
)  # fmt: skip
# What stands inside gives way to the next opener and is never read twice: a line of openers costs no more than its length.
_TAG = re.compile(r"\{%\s*+(\w++)([^\n{%]*+(?:(?:\{(?!%)|%(?!\}))[^\n{%]*+)*+)%\}")
_VARIABLE = re.compile(r"\{\{([^\n{}]*+(?:(?:\{(?!\{)|\}(?!\}))[^\n{}]*+)*+)\}\}")
# A construct stands on one line, so many are read as one text, one a line; no expression reaches beyond a line end.
_BLANK: Final = r"[^\S\n]"
_QUOTED = re.compile(r"\"[^\"\n]*\"|'[^'\n]*'")
_FILTER = re.compile(rf"\|{_BLANK}*\w+")
# A name begins a run of characters that names, numbers, lookups and options are made of; the rest of the run is passed over.
_NAME = re.compile(rf"([A-Za-z_]\w*+)(?!\(|{_BLANK}*=(?!=))[\w.|:'\"-]*+|[\w.|:'\"-]++")
_ASSIGNED = re.compile(rf"\b(?:as{_BLANK}++(\w++)|(\w++)=(?!=))")
# Up to `in` or to the end of the words: where there is no `in`, no later `for` among them has one either.
_LOOPED = re.compile(rf"\bas{_BLANK}++\w++|\bfor{_BLANK}++([\w,]++(?:{_BLANK}++(?!in\b)[\w,]++)*+)({_BLANK}++in\b)?")
_UNNAMED: Final = frozenset({"load", "block", "endblock", "csrf_token", "comment", "slot", "endslot", "now", "templatetag"})

FEW: Final = 16  # names that are looked for in each construct of a base before its names are read
RARELY: Final = 4  # how often they are; reading all costs no more then

Tags = list[tuple[str, str]]  # name of a template tag and what stands behind it


class Needs:
    """Say what payloads need that turn one template into another; nothing is read of the two before a payload asks for it.

    Libraries are those that the customized source loads in addition; a payload needs them where it has tags that the base does
    not use.
    """

    def __init__(self, base: Tree, custom: Tree) -> None:
        """Prepare; nothing is read yet."""
        self._base = _Offer.of(base)
        self._custom = custom

    def of(self, text: str) -> Requirements:
        """Return what a payload needs beyond the base."""
        if "{" not in text:
            return NOTHING
        base = self._base
        tags = _tags(text)
        variables = _taken([*tags, *_variables(text)])
        if variables:
            variables = variables - base.taken(variables)  # not in place, which would go through all that the base takes
        if not tags:
            return Requirements((), (), tuple(sorted(variables)), ()) if variables else NOTHING
        foreign = [name for name, _ in tags if name not in BUILT_IN and not name.startswith("end")]
        libraries = self._libraries if foreign and not base.names.issuperset(foreign) else ()
        blocks, includes = _blocks(tags), _includes(tags)
        if blocks:
            blocks = blocks - base.blocks
        if includes:
            includes = includes - base.includes
        if not (libraries or blocks or variables or includes):
            return NOTHING
        return Requirements(libraries, tuple(sorted(blocks)), tuple(sorted(variables)), tuple(sorted(includes)))

    @cached_property
    def _libraries(self) -> tuple[str, ...]:
        return tuple(sorted(_loaded(self._custom) - self._base.libraries))


class _Offer:
    """Say what a base offers; each part is found when it is first asked for."""

    def __init__(self, tree: Tree) -> None:
        """Prepare; nothing is read yet."""
        self._tree = tree
        self._asked = 0

    @classmethod
    def of(cls, tree: Tree) -> "_Offer":
        """Return what a base offers, kept in the tree's memo."""
        found = tree.memo.get("offer")
        if not isinstance(found, cls):
            tree.memo["offer"] = found = cls(tree)
        return found

    @cached_property
    def libraries(self) -> frozenset[str]:
        return _loaded(self._tree)

    @cached_property
    def names(self) -> set[str]:
        return {name for name, _ in self._tags}

    @cached_property
    def blocks(self) -> set[str]:
        return _blocks(self._tags)

    @cached_property
    def includes(self) -> set[str]:
        return _includes(self._tags)

    def taken(self, among: set[str]) -> set[str]:
        """Return those of the names, and perhaps others, that the base takes from its context.

        As long as the names are few, and asked for rarely, only constructs that hold one of them are read.
        """
        if len(among) > FEW or self._asked >= RARELY:
            return self._taken
        self._asked += 1
        return _taken([each for each in self._constructs if any(name in each[1] for name in among)])

    @cached_property
    def _taken(self) -> set[str]:
        return _taken(self._constructs)

    @cached_property
    def _constructs(self) -> Tags:
        return [*self._tags, *_variables(self._tree.source)]

    @cached_property
    def _tags(self) -> Tags:
        return _tags(self._tree.source)


def _tags(text: str) -> Tags:
    """Return the template tags of a piece of source."""
    return _TAG.findall(text) if "{%" in text else []


def _variables(text: str) -> Tags:
    """Return the variables of a piece of source as tags without a name."""
    return [("", inside) for inside in _VARIABLE.findall(text)] if "{{" in text else []


def _taken(constructs: Tags) -> set[str]:
    """Return the names that constructs take from their context; names that they bind themselves are left out.

    Names stand outside quotes and filters.
    """
    joined = "\n".join({rest for name, rest in constructs if name not in _UNNAMED})
    if '"' in joined or "'" in joined:
        joined = _QUOTED.sub("''", joined)
    if "|" in joined:
        joined = _FILTER.sub("", joined)
    names = set(_NAME.findall(joined)) - _NOT_TAKEN
    return names - _bound([each for each in constructs if each[0]]) if names else names


def _loaded(tree: Tree) -> frozenset[str]:
    """Return the libraries that a template loads."""
    tags = [node for node in tree.nodes if node.name == "load" and node.kind == nodes.TAG]
    return frozenset().union(*[libraries(tree.open(tag)) for tag in tags])


def _blocks(tags: Tags) -> set[str]:
    """Return the names of the blocks that the tags open."""
    return {word for name, rest in tags if name == "block" for word in rest.split()[:1]}


def _includes(tags: Tags) -> set[str]:
    """Return the templates that the tags include by a literal name."""
    return {quoted[1:-1] for name, rest in tags if name == "include" for quoted in _QUOTED.findall(rest)[:1]}


def _bound(tags: Tags) -> set[str]:
    """Return the names that the tags bind; most tags hold none of the marks and bind nothing."""
    found: set[str] = set()
    binding = "\n".join({rest for _, rest in tags if "=" in rest or "as" in rest})
    if binding:
        found.update(*_ASSIGNED.findall(binding))
    loops = "\n".join(
        [f"for {rest}" if name == "for" else rest for name, rest in tags if name == "for" or ("for" in rest and "in" in rest)]
    )
    if loops:
        found.update(*[words.replace(",", " ").split() for words, ending in _LOOPED.findall(loops) if ending])
    return found
