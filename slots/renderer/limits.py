"""Say how much the payloads of one component may make in one render; its base is trusted code and not bounded."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields

from slots.errors import IssueCode, SlotsError


class PayloadRefused(SlotsError):
    """A payload did while rendering what no payload may do; `issue_code` says what kind of thing."""

    code = "PAYLOAD_REFUSED"

    def __init__(self, issue_code: IssueCode, text: str) -> None:
        """Keep the code of the issue and the sentence that tells people."""
        super().__init__(text)
        self.issue_code = issue_code


@dataclass(frozen=True, slots=True)
class RenderLimits:
    """Hold the limits of one render of one component.

    `rounds` is how often the loops of its payloads run in all, the inner ones of nested loops each time; `loop_depth` how deep
    they nest. The others count characters of rendered text: of one payload, and of all of them together.
    """

    rounds: int = 20_000
    loop_depth: int = 2
    payload_characters: int = 1_000_000
    component_characters: int = 5_000_000

    @classmethod
    def of(cls, setting: object) -> "RenderLimits":
        """Return the limits that a setting names, the others as they are by default.

        Raises:
            ValueError: it names something else, or a limit is no whole number from 1; the text is for people.
        """
        if not isinstance(setting, Mapping):
            raise ValueError("it has to be a dictionary of limits")  # noqa: TRY004 - one kind of error for whoever reports it
        known = {each.name for each in fields(cls)}
        unknown = sorted(map(str, set(setting) - known))
        if unknown:
            raise ValueError(f"there is no limit {unknown[0]!r}; the limits are {', '.join(sorted(known))}")
        for name, value in setting.items():
            if type(value) is not int or value < 1:
                raise ValueError(f"{name} has to be a whole number from 1, not {value!r}")
        return cls(**{**asdict(cls()), **setting})


DEFAULT_LIMITS = RenderLimits()
