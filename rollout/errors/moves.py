"""What a caller can do wrong about states: a move that the table has no edge for."""

from collections.abc import Sequence

from rollout.errors.fault import RolloutError


class MoveRefused(RolloutError):
    """The state table has no such edge, or somebody else moved the row first."""

    code = "MOVE_REFUSED"

    def __init__(self, subject: str, state: str, wanted: str, *, way: Sequence[str] = ()) -> None:
        """Keep what was to be moved, the state it is in, the one that was wanted, and which states lead there."""
        leads = f"The way there: {', then '.join(way)}." if len(way) > 1 else "Look at what it is now, and decide again."
        super().__init__(f"{subject} is {state} and cannot become {wanted}. {leads}")
        self.subject = subject
        self.state = state
        self.wanted = wanted


class ActNotPossible(MoveRefused):
    """An act was asked for on a row whose state does not allow it."""

    def __init__(self, subject: str, state: str, act: str) -> None:
        """Keep the row, its state, and the act as its button names it."""
        super().__init__(subject, state, act)
        self.args = (f"{subject} is {state}: “{act}” is not possible then. Reload the page and decide again.",)


class PhaseClosed(RolloutError):
    """A wave was to start in a phase that is not open."""

    code = "PHASE_CLOSED"

    def __init__(self, phase: str, state: str) -> None:
        """Keep the phase and its state."""
        super().__init__(f"The phase {phase} is {state}. Open it first, then start its waves.")
        self.phase = phase
        self.state = state


class WaveNotReopened(RolloutError):
    """A wave that was taken back was to be planned anew in a phase in which none starts any more."""

    code = "WAVE_NOT_REOPENED"

    def __init__(self, wave: str, phase: str, state: str) -> None:
        """Keep the wave, its phase, and the phase's state."""
        super().__init__(
            f"{wave} is not planned again: its phase {phase} is {state}. Name its people in a wave of a later phase, "
            "or roll the whole phase back and reopen it."
        )
        self.wave = wave
        self.phase = phase
        self.state = state


class NothingToUndo(RolloutError):
    """A person was to be taken back who was never switched."""

    code = "NOTHING_TO_UNDO"

    def __init__(self, person: str, why: str) -> None:
        """Keep the person and why they see what they see."""
        super().__init__(f"{person} is on the legacy system already: {why}. Nothing has to be taken back.")
        self.person = person
        self.why = why
