"""What can go wrong with migration: faults of callers are exceptions, refused input is a `slots.errors.Refusal`."""

from collections.abc import Sequence


class MigrationError(Exception):
    """Base of all faults of the migration app; `code` is stable."""

    code = "MIGRATION_ERROR"


class DiffPathInvalid(MigrationError):
    """A diff was to be written for a path that its header cannot carry."""

    code = "DIFF_PATH_INVALID"

    def __init__(self, path: str) -> None:
        """Keep the path."""
        super().__init__(f"A diff header cannot name {path!r}: give a path of at least one character without control characters.")
        self.path = path


class DecisionNotAllowed(MigrationError):
    """A finding was to be decided in a way that it does not allow."""

    code = "DECISION_NOT_ALLOWED"

    def __init__(self, finding: str, text: str) -> None:
        """Keep the finding's code and what to do."""
        super().__init__(f"{finding} cannot be decided so: {text}.")
        self.finding = finding
        self.text = text


class GroupNotShown(MigrationError):
    """A group was to be decided by somebody who was not shown what it is about."""

    code = "GROUP_NOT_SHOWN"

    def __init__(self, group: str) -> None:
        """Keep the group's digest."""
        super().__init__(
            f"You were not shown group {group[:12]}, or somebody decided it: look at its page or `review show` first, "
            "with the sample of its members."
        )
        self.group = group


class GroupChanged(MigrationError):
    """A group is not what it was when somebody was shown it."""

    code = "GROUP_CHANGED"
    named = 10

    def __init__(self, group: str, *, came: Sequence[str], is_gone: bool) -> None:
        """Keep the group's digest, who came since, and whether nobody is left."""
        more = f" and {len(came) - self.named} more" if len(came) > self.named else ""
        said = f" These came since and stay open: {', '.join(came[: self.named])}{more}." if came else ""
        gone = " Nobody waits in it any more: somebody decided it, or its diffs were translated again." if is_gone else ""
        super().__init__(f"Group {group[:12]} changed after it was shown, so nothing was decided.{said}{gone} Look at it again.")
        self.group = group
        self.came = tuple(came)
        self.is_gone = is_gone
