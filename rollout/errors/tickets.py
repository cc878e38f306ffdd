"""What a caller can do wrong about tickets."""

from rollout.errors.fault import RolloutError


class TicketInvalid(RolloutError):
    """What is said of a ticket cannot be kept: a text is missing or too long, or an instant is impossible."""

    code = "TICKET_INVALID"

    def __init__(self, text: str) -> None:
        """Keep what is wrong with it."""
        super().__init__(f"{text} Correct the ticket.")
