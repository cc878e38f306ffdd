"""What is common to all faults: a stable code, the next step, and what else stands in the way."""

from collections.abc import Sequence


class RolloutError(Exception):
    """Base of all faults of the rollout app; `code` is stable.

    `besides` are further reasons why the same act is refused, each as a sentence.
    """

    code = "ROLLOUT_ERROR"
    besides: tuple[str, ...] = ()

    def beside(self, reasons: Sequence[str]) -> "RolloutError":
        """Say further reasons too, so that somebody who mends the first does not run into the next."""
        self.besides = tuple(reasons)
        if self.besides:
            self.args = (f"{self} Besides: {' '.join(self.besides)}",)
        return self


class ReasonMissing(RolloutError):
    """An act that needs a reason came without one."""

    code = "REASON_MISSING"

    def __init__(self, act: str) -> None:
        """Keep the name of the act."""
        super().__init__(f"{act} needs a reason: say in a sentence why, it is kept in the record.")
        self.act = act


class EventsAreFinal(RolloutError):
    """Somebody tried to change or delete a row of the record."""

    code = "EVENTS_ARE_FINAL"

    def __init__(self) -> None:
        """State the rule and the next step."""
        super().__init__("Events are only ever added. Write a further event that sets the matter right.")


class NameMissing(RolloutError):
    """A waiver came from nobody in person."""

    code = "NAME_MISSING"

    def __init__(self, act: str) -> None:
        """Keep the name of the act."""
        super().__init__(f"{act} is by name: somebody has to answer for it, not the system. Sign in, or say who with `--by`.")
        self.act = act


class DatabaseBusy(RolloutError):
    """So many write at this moment that the database let one of them wait no longer."""

    code = "DATABASE_BUSY"

    def __init__(self, text: str) -> None:
        """Keep what the database said."""
        super().__init__(
            f"The database did not let it be written ({text}). Look at what is there now, and do it again if need be."
        )
