"""Make the files of a new component, from nothing or from a Django template that is there: contract and a sample come with it.

What the template is given is read from the template as Django compiled it, so every tag that keeps its expressions where Django's
own tags do is understood.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from django.template import Template, TemplateSyntaxError
from django.template.base import FilterExpression, Node, NodeList, TokenType, Variable
from django.template.defaulttags import ForNode, IfNode, RegroupNode, TemplateLiteral, WithNode
from django.templatetags.i18n import BlockTranslateNode

from slots.actions.component_files import TEMPLATE
from slots.actions.serving import renderer
from slots.errors import Refusal, SlotsError
from slots.registry import read_folder

STARTER: Final = """<article class="{name}">
  {{% slot "title" kinds="text" required %}}<h3>{{{{ {name}.title }}}}</h3>{{% endslot %}}
  {{% slot "actions" many %}}<a href="{{{{ {name}.url }}}}">Read more</a>{{% endslot %}}
</article>
"""
# Where Django's tags keep the name that they bind.
_BINDING: Final = ("asvar", "target_var", "var_name", "variable_name")
# What a filter says of the value that it is the first to take; those that put something in the place of nothing say nothing.
_FILTERED: Final[Mapping[str, str]] = {
    **dict.fromkeys(("date", "time", "timesince", "timeuntil", "naturalday", "naturaltime"), "date"),
    **dict.fromkeys(("floatformat", "pluralize", "filesizeformat", "divisibleby", "get_digit"), "number"),
    **dict.fromkeys(("intcomma", "intword", "ordinal", "apnumber"), "number"),
    "yesno": "boolean",
}
_JOINING: Final = frozenset({"and", "or", "not"})
_PASSING: Final = frozenset({"default", "default_if_none"})
_SAMPLES: Final[Mapping[str, Any]] = {"date": "2026-01-31", "number": 2, "boolean": True}
_GIVEN: Final = frozenset({"forloop", "block", "csrf_token", "True", "False", "None"})


class ScaffoldRefused(SlotsError):
    """The files of a component cannot be made."""

    code = "SCAFFOLD_REFUSED"


@dataclass(slots=True)
class Shape:
    """Say what a template asks of a value: its members by name, its items where it loops over it, and the `parts` that
    a loop over several names takes an item apart into.

    `filtered` is the type that a filter takes it for; `is_asked` says that it is a condition, `is_shown` that it is more.
    """

    members: dict[str, "Shape"] = field(default_factory=dict)
    item: "Shape | None" = None
    parts: "list[Shape]" = field(default_factory=list)
    filtered: str = ""
    is_asked: bool = False
    is_shown: bool = False

    @property
    def type(self) -> str:
        """Return the contract's word for it."""
        if self.item is not None or self.parts:
            return "list"
        if self.members:
            return "object"
        return self.filtered or ("boolean" if self.is_asked and not self.is_shown else "text")

    def sample(self, name: str) -> Any:
        """Return a value that the template can show."""
        if self.item is not None:
            return [self.item.sample(f"{name} {number}") for number in (1, 2)]
        if self.parts:
            return [part.sample(f"part {number} of {name}") for number, part in enumerate(self.parts, 1)]
        if self.members:
            return {member: shape.sample(f"{member} of {name}") for member, shape in self.members.items()}
        return _SAMPLES.get(self.type, name.replace("_", " ").capitalize())


@dataclass(frozen=True, slots=True)
class Scaffold:
    """Hold the files of a component version: relative path and content; `names` are what its template is given."""

    key: str
    version: str
    files: Mapping[str, str]
    names: tuple[str, ...]


def scaffold(key: str, version: str, source: str = "") -> Scaffold:
    """Return the files of a new component; without a source a small one to begin with.

    Raises:
        ScaffoldRefused: the source does not compile, or key, version or source are not what a component may have.
    """
    source = source or STARTER.format(name=_word(key))
    try:
        given = shapes(renderer.template(source))
    except TemplateSyntaxError as error:
        raise ScaffoldRefused(f"The template does not compile: {error}. Mend it first.") from error
    sample = {name: shape.sample(name) for name, shape in given.items()}
    contract = _contract(key, given)
    read = read_folder(key=key, version=version, template=source, contract_toml=contract, samples={"example": sample})
    if isinstance(read, Refusal):
        raise ScaffoldRefused(str(read))
    shown = json.dumps(sample, indent=2, ensure_ascii=False) + "\n"
    files = {TEMPLATE: source, "contract.toml": contract, "samples/example.json": shown}
    return Scaffold(key, version, files, tuple(given))


def write_scaffold(made: Scaffold, into: Path) -> list[Path]:
    """Write the files below `into/KEY/VERSION` and return their paths.

    Raises:
        ScaffoldRefused: something is there already, or the folder cannot be written.
    """
    folder = into / made.key / made.version
    if not folder.resolve().is_relative_to(into.resolve()):
        raise ScaffoldRefused(f"{folder} is outside of {into}. Choose another key or version.")
    if folder.exists():
        raise ScaffoldRefused(f"{folder} is there already. Choose another version or folder.")
    written: list[Path] = []
    try:
        for name, content in made.files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content, "utf-8")
            written.append(path)
    except OSError as error:
        raise ScaffoldRefused(f"{error.filename or folder} cannot be written: {error.strerror}.") from error
    return written


def shapes(template: Template) -> dict[str, Shape]:
    """Return what a template asks of each name of its context, sorted by name; names that it binds itself are left out."""
    given: dict[str, Shape] = {}
    _read(template.nodelist, given, {})
    return {name: given[name] for name in sorted(given) if name not in _GIVEN}


def _read(nodes: NodeList, given: dict[str, Shape], bound: dict[str, Shape]) -> None:
    """Read a list of nodes; names bound by one of them hold for those inside it, or after it where it has no inside."""
    bound = dict(bound)
    for node in nodes:
        inner = dict(bound)
        bare = set(_bare(node))
        for expression in () if isinstance(node, RegroupNode) else _expressions(node):
            shape = _note(expression, given, bound)
            if shape is not None and not isinstance(node, WithNode):
                shape.is_asked |= id(expression) in bare
                shape.is_shown |= id(expression) not in bare
        inner.update(_inside(node, given, bound))
        bound.update(_behind(node, given, bound))
        for attribute in _nodelists(node):
            _read(attribute, given, inner)


def _inside(node: Node, given: dict[str, Shape], bound: Mapping[str, Shape]) -> dict[str, Shape]:
    """Return what a node binds for the nodes inside it."""
    if isinstance(node, ForNode):
        items = _note(node.sequence, given, bound) or Shape()
        items.item = item = items.item or Shape()
        if len(node.loopvars) == 1:
            return {node.loopvars[0]: item}
        item.parts = item.parts or [Shape() for _ in node.loopvars]
        return dict(zip(node.loopvars, item.parts, strict=False))
    values = node.extra_context if isinstance(node, WithNode) else getattr(node, "data", None)
    if isinstance(values, Mapping):  # `with`, and the names that a slot gives its content
        return {name: _note(value, given, bound) or Shape() for name, value in values.items()}
    return _behind(node, given, bound)


def _behind(node: Node, given: dict[str, Shape], bound: Mapping[str, Shape]) -> dict[str, Shape]:
    """Return what a node binds for all that follows it, and note what a translated text names."""
    if isinstance(node, BlockTranslateNode):
        own = {*node.extra_context, node.countervar}
        for token in (*node.singular, *node.plural):
            if token.token_type is TokenType.VAR and token.contents not in own:
                _note(Variable(token.contents), given, bound)
    if isinstance(node, RegroupNode):
        grouped = _note(node.target, given, bound) or Shape()
        grouped.item = grouped.item or Shape()
        for member in getattr(node.expression.var, "lookups", ())[1:2]:  # it is compiled as `kinds.kind`
            grouped.item.members.setdefault(member, Shape())
        return {node.var_name: Shape(item=Shape(members={"grouper": Shape(), "list": Shape(item=grouped.item)}))}
    return {name: Shape() for each in _BINDING if isinstance(name := getattr(node, each, None), str)}


def _note(expression: Any, given: dict[str, Shape], bound: Mapping[str, Shape]) -> Shape | None:
    """Note what an expression asks for, filter arguments included, and return the shape of its value; None for a literal."""
    filtered = ""
    if isinstance(expression, FilterExpression):
        for _, arguments in expression.filters:
            for is_variable, argument in arguments:
                if is_variable:
                    _note(argument, given, bound)
        filtered = _filtered(expression)
        expression = expression.var
    if not isinstance(expression, Variable) or not expression.lookups:
        return None
    root, *members = expression.lookups
    shape = bound[root] if root in bound else given.setdefault(root, Shape())
    for member in members:
        if member.isdigit():
            shape.item = shape.item or Shape()
            shape = shape.item
        else:
            shape = shape.members.setdefault(member, Shape())
    shape.filtered = shape.filtered or filtered
    return shape


def _filtered(expression: FilterExpression) -> str:
    """Return the type that the first filter takes the value for, empty where it takes any."""
    names = (getattr(function, "_filter_name", function.__name__) for function, _ in expression.filters)
    return _FILTERED.get(next((name for name in names if name not in _PASSING), ""), "")


def _bare(node: Node) -> Iterator[int]:
    """Yield the identities of the expressions that an `if` asks for being true and nothing else."""
    waiting: list[Any] = [condition for condition, _ in node.conditions_nodelists] if isinstance(node, IfNode) else []
    while waiting:
        condition = waiting.pop()
        if getattr(condition, "id", None) in _JOINING:
            waiting.extend((condition.first, condition.second))
        elif isinstance(condition, TemplateLiteral):
            asked: Any = condition.value
            if not asked.filters:
                yield id(asked)


def _expressions(node: Node) -> Iterator[Any]:
    """Yield the expressions that a node keeps, in lists, pairs and conditions as well, but not those of the nodes inside it."""
    waiting = [value for value in vars(node).values() if not isinstance(value, Node | NodeList)]
    seen: set[int] = set()
    while waiting:
        value = waiting.pop()
        if id(value) in seen:
            continue
        seen.add(id(value))
        if isinstance(value, FilterExpression | Variable):
            yield value
        elif isinstance(value, Mapping):
            waiting.extend(value.values())
        elif isinstance(value, list | tuple) and not isinstance(value, NodeList):
            waiting.extend(each for each in value if not isinstance(each, NodeList))
        elif type(value).__module__.startswith("django.template.") and hasattr(value, "__dict__"):
            waiting.extend(each for each in vars(value).values() if not isinstance(each, Node | NodeList))
        elif hasattr(value, "first") and hasattr(value, "second"):  # a condition of `if`
            waiting.extend((value.first, value.second, getattr(value, "value", None)))


def _nodelists(node: Node) -> Iterator[NodeList]:
    """Yield the lists of nodes inside a node."""
    for value in vars(node).values():
        if isinstance(value, NodeList):
            yield value
        elif isinstance(value, list | tuple):
            yield from (part for each in value if isinstance(each, tuple) for part in each if isinstance(part, NodeList))


def _contract(key: str, given: Mapping[str, Shape]) -> str:
    title = _word(key).replace("_", " ").capitalize()
    types = ", ".join(f'{json.dumps(name)} = "{shape.type}"' for name, shape in given.items() if shape.type != "text")
    names = ", ".join(f'"{name}"' for name in given)
    lines = [f'title = "{title}"', "", "[contract]", f"names = [{names}]"]
    return "\n".join([*lines, *([f"types = {{ {types} }}"] if types else ()), ""])


def _word(key: str) -> str:
    """Return the last part of a key as a word that may name a variable."""
    found = "".join(character if character.isalnum() else "_" for character in key.rsplit(".", 1)[-1]).strip("_")
    return found if found[:1].isalpha() else f"component_{found}".rstrip("_")
