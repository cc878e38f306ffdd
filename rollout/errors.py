"""What a caller of the rollout can do wrong: one exception each, with a stable code and the next step."""


class RolloutError(Exception):
    """Base of all faults of the rollout app; `code` is stable."""

    code = "ROLLOUT_ERROR"


class MoveRefused(RolloutError):
    """The state table has no such edge, or somebody else moved the row first."""

    code = "MOVE_REFUSED"

    def __init__(self, subject: str, state: str, wanted: str) -> None:
        """Keep what was to be moved, the state it is in, and the one that was wanted."""
        super().__init__(f"{subject} is {state} and cannot become {wanted}. Reload the page and decide again.")
        self.subject = subject
        self.state = state
        self.wanted = wanted


class ProofMissing(RolloutError):
    """A person has no valid proof that the page stays the same."""

    code = "PROOF_MISSING"

    def __init__(self, person: str, why: str) -> None:
        """Keep the person and the reason in words."""
        super().__init__(f"{person} cannot move to slots: {why} Translate and validate, then try again.")
        self.person = person
        self.why = why


class ReasonMissing(RolloutError):
    """An act that needs a reason came without one."""

    code = "REASON_MISSING"

    def __init__(self, act: str) -> None:
        """Keep the name of the act."""
        super().__init__(f"{act} needs a reason: say in a sentence why, it is kept in the record.")
        self.act = act
