"""Rules that say who belongs to a segment, from attributes of people.

    {"all": [{"attribute": "region", "in": ["EU", "UK"]}, {"attribute": "engagement", "at_least": 0.5}]}

A rule is `all` or `any` of rules, `not` a rule, or a test of one attribute: `is`, `in`, `at_least`, `at_most` or `exists`. A
person without the attribute passes no test of it but `{"exists": false}`. Values compare only with values of their own kind.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from slots.errors import SlotsError

MAX_DEPTH: Final = 10
MAX_TESTS: Final = 100

Attributes = Mapping[str, Any]
Test = Callable[[Attributes], bool]


class RuleInvalid(SlotsError):
    """A segment's rule cannot be understood."""

    code = "RULE_INVALID"

    def __init__(self, place: str, text: str) -> None:
        """Keep where in the rule (`rule.all[1].in`) and what."""
        super().__init__(f"{place} {text}")
        self.place = place
        self.text = text


def compile_rule(rule: object) -> Test:
    """Return the rule as a function of a person's attributes.

    Raises:
        RuleInvalid: the rule, or a part of it, has another form.
    """
    if _count(rule) > MAX_TESTS:
        raise RuleInvalid("rule", f"has more than {MAX_TESTS} parts. Split the segment.")
    return _compile(rule, "rule", 0)


def _count(rule: object) -> int:
    waiting, found = [rule], 0
    while waiting and found <= MAX_TESTS:
        part = waiting.pop()
        found += 1
        if isinstance(part, Mapping):
            waiting.extend(value for value in part.values() if isinstance(value, Mapping | list))
        elif isinstance(part, list):
            found -= 1
            waiting.extend(each for each in part if isinstance(each, Mapping))
    return found


def _compile(rule: object, place: str, depth: int) -> Test:
    if not isinstance(rule, Mapping):
        raise RuleInvalid(place, "must be an object with all, any, not or attribute.")
    if depth > MAX_DEPTH:
        raise RuleInvalid(place, f"nests deeper than {MAX_DEPTH}. Flatten it.")
    if "attribute" in rule:
        return _test(rule, place)
    if len(rule) != 1 or not set(rule) <= {"all", "any", "not"}:
        raise RuleInvalid(place, f"must have one of all, any, not or attribute, not {', '.join(map(str, rule)) or 'nothing'}.")
    ((kind, inner),) = rule.items()
    if kind == "not":
        denied = _compile(inner, f"{place}.not", depth + 1)
        return lambda attributes: not denied(attributes)
    if not isinstance(inner, Sequence) or isinstance(inner, str) or not inner:
        raise RuleInvalid(f"{place}.{kind}", "must be a list of rules with at least one.")
    tests = [_compile(each, f"{place}.{kind}[{index}]", depth + 1) for index, each in enumerate(inner)]
    combine = all if kind == "all" else any
    return lambda attributes: combine(test(attributes) for test in tests)


def _test(rule: Mapping[str, Any], place: str) -> Test:
    name = rule["attribute"]
    operators = set(rule) - {"attribute"}
    if not isinstance(name, str) or not name:
        raise RuleInvalid(f"{place}.attribute", "must be the name of an attribute.")
    if len(operators) != 1 or not operators <= set(_OPERATORS):
        raise RuleInvalid(place, f"must have one of {', '.join(_OPERATORS)} beside the attribute.")
    (operator,) = operators
    return _OPERATORS[operator](name, rule[operator], f"{place}.{operator}")


def _is(name: str, wanted: Any, place: str) -> Test:
    if not isinstance(wanted, str | int | float | bool):
        raise RuleInvalid(place, "must be a text, a number, true or false.")
    return lambda attributes: _same(attributes.get(name), wanted)


def _in(name: str, wanted: Any, place: str) -> Test:
    if (
        not isinstance(wanted, list | tuple)
        or not wanted
        or not all(isinstance(each, str | int | float | bool) for each in wanted)
    ):
        raise RuleInvalid(place, "must be a list of texts, numbers, true or false, with at least one.")
    return lambda attributes: any(_same(attributes.get(name), each) for each in wanted)


def _at_least(name: str, wanted: Any, place: str) -> Test:
    _comparable(wanted, place)
    return lambda attributes: _comparison(attributes.get(name), wanted) >= 0


def _at_most(name: str, wanted: Any, place: str) -> Test:
    _comparable(wanted, place)
    return lambda attributes: _comparison(attributes.get(name), wanted) in (-1, 0)


def _exists(name: str, wanted: Any, place: str) -> Test:
    if not isinstance(wanted, bool):
        raise RuleInvalid(place, "must be true or false.")
    return lambda attributes: (attributes.get(name) is not None) is wanted


def _comparable(wanted: Any, place: str) -> None:
    if not isinstance(wanted, int | float | str) or isinstance(wanted, bool):
        raise RuleInvalid(place, "must be a number, or a text such as a date (2026-11-29).")


def _same(value: Any, wanted: Any) -> bool:
    """Compare within one kind only: 1 is not true."""
    if isinstance(value, bool) or isinstance(wanted, bool):
        return value is wanted
    numbers = type(value) in (int, float) and type(wanted) in (int, float)
    return bool((numbers or (isinstance(value, str) and isinstance(wanted, str))) and value == wanted)


_UNCOMPARABLE: Final = -2


def _comparison(value: Any, wanted: Any) -> int:
    """Return -1, 0 or 1, and `_UNCOMPARABLE` where the two are of different kinds or one is missing."""
    numbers = type(value) in (int, float) and type(wanted) in (int, float)
    if not numbers and not (isinstance(value, str) and isinstance(wanted, str)):
        return _UNCOMPARABLE
    return int(value > wanted) - int(value < wanted)


_OPERATORS: Final[dict[str, Callable[[str, Any, str], Test]]] = {
    "is": _is,
    "in": _in,
    "at_least": _at_least,
    "at_most": _at_most,
    "exists": _exists,
}
