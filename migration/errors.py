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
