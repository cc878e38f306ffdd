"""One thing that the policy holds against a payload, before it is tied to an operation."""

from dataclasses import dataclass

from slots.errors import IssueCode


@dataclass(frozen=True, slots=True)
class Remark:
    """State what is refused: the code, the snippet of the payload, why, and what would be accepted."""

    code: IssueCode
    snippet: str
    text: str
    suggestion: str


def unsafe(snippet: str, text: str, suggestion: str) -> Remark:
    """Return a remark on markup that can run or load something."""
    return Remark(IssueCode.UNSAFE_HTML, snippet, text, suggestion)


def not_allowed(snippet: str, text: str, suggestion: str) -> Remark:
    """Return a remark on something that the contract does not offer."""
    return Remark(IssueCode.KIND_NOT_ALLOWED, snippet, text, suggestion)


def too_much(snippet: str, text: str, suggestion: str) -> Remark:
    """Return a remark on something whose size or length nobody can bound."""
    return Remark(IssueCode.LIMIT_EXCEEDED, snippet, text, suggestion)


def missing(snippet: str, text: str, suggestion: str) -> Remark:
    """Return a remark on something that the payload needs and will not find."""
    return Remark(IssueCode.REQUIREMENT_MISSING, snippet, text, suggestion)
