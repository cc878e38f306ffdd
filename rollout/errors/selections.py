"""What a caller can do wrong about selections."""

from rollout.errors.fault import RolloutError
from slots.errors import Unknown


class SelectionInvalid(RolloutError):
    """A selection asks for an act or rows that there are not."""

    code = "SELECTION_INVALID"

    def __init__(self, text: str, step: str) -> None:
        """Say what is wrong, and what to do."""
        super().__init__(f"{text} {step}")


class SelectionTooLarge(RolloutError):
    """A selection is about more rows than one act takes."""

    code = "SELECTION_TOO_LARGE"

    def __init__(self, most: int) -> None:
        """Keep how many it may be."""
        super().__init__(f"It is about more than {most:,} rows. Narrow it, by wave for instance, and act on each part.")
        self.most = most


class SelectionUsed(RolloutError):
    """A selection was to be applied a second time."""

    code = "SELECTION_USED"

    def __init__(self, selection: int, by: str) -> None:
        """Keep which one, and who was first."""
        super().__init__(f"Selection {selection} was applied by {by} already. Look at what came of it, or select anew.")
        self.selection = selection
        self.by = by


class SelectionChanged(RolloutError):
    """What was confirmed is not what the selection holds."""

    code = "SELECTION_CHANGED"

    def __init__(self, selection: int) -> None:
        """Keep which one."""
        super().__init__(f"Selection {selection} is not the one that was shown. Load its page, read it, and decide on that.")
        self.selection = selection


class SelectionUnknown(Unknown, RolloutError):
    """A selection was named that there is not."""

    code = "SELECTION_UNKNOWN"

    def __init__(self, selection: int) -> None:
        """Keep its number."""
        super().__init__(f"There is no selection {selection}. `manage.py rollout select ACT` makes one.")
        self.selection = selection
