"""What a caller can do wrong about templates and the plans made of them."""

from collections.abc import Sequence

from rollout.errors.fault import RolloutError
from slots.errors import Unknown


class BlueprintInvalid(RolloutError):
    """A blueprint of a plan cannot be read; `place` is where, as a path into it."""

    code = "BLUEPRINT_INVALID"

    def __init__(self, place: str, text: str, step: str = "Correct it there.") -> None:
        """Keep the place, what is wrong, and what to do."""
        super().__init__(f"{place}: {text} {step}" if place else f"{text} {step}")
        self.place = place


class TemplateUnknown(Unknown, RolloutError):
    """A template was named that there is not."""

    code = "TEMPLATE_UNKNOWN"

    def __init__(self, name: str, known: Sequence[str]) -> None:
        """Keep the name and those that there are."""
        super().__init__(f"There is no template {name!r}. There are: {', '.join(known)}. Or name a file that ends in .toml.")
        self.name = name
        self.known = tuple(known)


class PlanNameTaken(RolloutError):
    """A plan was to be made under a name that another one has."""

    code = "PLAN_NAME_TAKEN"

    def __init__(self, name: str) -> None:
        """Keep the name."""
        super().__init__(f"There is a plan called {name!r} already. Choose another name.")
        self.name = name
