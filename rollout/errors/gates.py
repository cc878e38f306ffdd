"""What a caller can do wrong about gates, their policies and their samples."""

from collections.abc import Sequence

from rollout.errors.fault import RolloutError


class PolicyInvalid(RolloutError):
    """A policy demands what cannot be decided."""

    code = "POLICY_INVALID"

    def __init__(self, text: str) -> None:
        """Keep what is wrong with it."""
        super().__init__(f"{text} Correct the policy.")


class GateHeld(RolloutError):
    """A wave was to start though a gate before it does not pass, or a breach is open."""

    code = "GATE_HELD"

    def __init__(self, wave: str, reasons: Sequence[str]) -> None:
        """Keep the wave and every gate with its reason."""
        super().__init__(
            f"{wave} does not start past its gates: {' '.join(reasons)} "
            "Bring what is missing, or let an approver waive the gate or the breach by name."
        )
        self.wave = wave
        self.reasons = tuple(reasons)


class PolicyInUse(RolloutError):
    """A policy was to be retired whose breach is open."""

    code = "POLICY_IN_USE"

    def __init__(self, policy: str) -> None:
        """Keep the policy."""
        super().__init__(f"{policy} has an open breach. Clear or waive it first.")
        self.policy = policy


class SampleInvalid(RolloutError):
    """A sample is no measurement."""

    code = "SAMPLE_INVALID"

    def __init__(self, text: str) -> None:
        """Keep what is wrong with it."""
        super().__init__(f"{text} Correct the sample; what is not known is left out, not guessed.")
