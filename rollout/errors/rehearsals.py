"""How a rehearsal can fail."""

from rollout.errors.fault import RolloutError


class RehearsalNotPossible(RolloutError):
    """A plan cannot be rehearsed as it is."""

    code = "REHEARSAL_NOT_POSSIBLE"

    def __init__(self, plan: str, why: str) -> None:
        """Keep the plan and what is in the way."""
        super().__init__(f"{plan} cannot be rehearsed: {why}")
        self.plan = plan

    @classmethod
    def as_told(cls, text: str) -> "RehearsalNotPossible":
        """Return the error that another process found, with its words."""
        found = cls("", "")
        found.args = (text,)
        return found


class RehearsalBroken(RolloutError):
    """The process that plays a plan ended without a report."""

    code = "REHEARSAL_BROKEN"

    def __init__(self, why: str) -> None:
        """Keep what it said last."""
        super().__init__(f"The rehearsal has no report: {why} The real plan was not touched; mend it, then rehearse again.")


class RehearsalTooSlow(RolloutError):
    """The process that plays a plan took longer than it may."""

    code = "REHEARSAL_TOO_SLOW"

    def __init__(self, seconds: float) -> None:
        """Keep how long it had."""
        super().__init__(
            f"The rehearsal was not over after {seconds:.0f} s and was stopped. Rehearse when the machine is less busy; "
            "a template also goes faster with fewer people (--people)."
        )
        self.seconds = seconds
