"""What can go wrong with migration: faults of callers are exceptions, refused input is a `slots.errors.Refusal`."""


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
    """A group was to be decided by somebody who did not say what they were shown of it."""

    code = "GROUP_NOT_SHOWN"

    def __init__(self, group: str) -> None:
        """Keep the group's digest."""
        super().__init__(
            f"It is not said what was shown of group {group[:12]}: look at its page, or at `review show` with the sample of its "
            "members, and hand what it calls `shown` back."
        )
        self.group = group


class GroupChanged(MigrationError):
    """A group is not what it was when somebody was shown it."""

    code = "GROUP_CHANGED"

    def __init__(self, group: str, *, members: int) -> None:
        """Keep the group's digest, and how many wait in it now."""
        now = (
            f"It is about {members} now."
            if members
            else "Nobody waits in it any more: somebody decided it, or its diffs were translated again."
        )
        super().__init__(f"Group {group[:12]} is not what was shown, so nothing was decided. {now} Look at it again.")
        self.group = group
        self.members = members
