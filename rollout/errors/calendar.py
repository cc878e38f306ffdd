"""What a caller can do wrong about windows, freezes and dates."""

from rollout.errors.fault import RolloutError


class WindowInvalid(RolloutError):
    """A window does not say when it is open."""

    code = "WINDOW_INVALID"

    def __init__(self, text: str) -> None:
        """Keep what is wrong with it."""
        super().__init__(f"{text} Correct the window.")


class FreezeInvalid(RolloutError):
    """A freeze does not say from when to when."""

    code = "FREEZE_INVALID"

    def __init__(self, text: str) -> None:
        """Keep what is wrong with it."""
        super().__init__(f"{text} Give a start and a later end, both with a time zone.")


class ScheduleInvalid(RolloutError):
    """A plan was to be moved to no date, or into the past."""

    code = "SCHEDULE_INVALID"

    def __init__(self, text: str, step: str) -> None:
        """Say what is wrong, and what to do."""
        super().__init__(f"{text} {step}")
