"""What can go wrong with notices and their messages."""

from collections.abc import Sequence

from rollout.errors.fault import RolloutError


class NoticeInvalid(RolloutError):
    """A notice cannot be sent as it is written."""

    code = "NOTICE_INVALID"

    def __init__(self, text: str) -> None:
        """Keep what is wrong with it."""
        super().__init__(f"{text} Correct the notice.")


class NoticeInUse(RolloutError):
    """The words of a notice were to be changed that people have been sent."""

    code = "NOTICE_IN_USE"

    def __init__(self, notice: str) -> None:
        """Keep the notice."""
        super().__init__(f"{notice} was sent already; its words stay as people have them. Write another notice beside it.")
        self.notice = notice


class NoticeMissing(RolloutError):
    """A wave was to be announced or started before its people were told."""

    code = "NOTICE_MISSING"

    def __init__(self, wave: str, reasons: Sequence[str]) -> None:
        """Keep the wave and every notice with what is missing, as a sentence."""
        super().__init__(
            f"{wave} waits for its notices: {' '.join(reasons)} "
            "Let them be sent, set a later date, or let an approver waive the notice by name."
        )
        self.wave = wave
        self.reasons = tuple(reasons)


class TransportAway(RolloutError):
    """No message can be sent now, whoever it is to."""

    code = "TRANSPORT_AWAY"

    def __init__(self, text: str) -> None:
        """Keep what is missing."""
        super().__init__(f"No message can be sent: {text} All of them wait. Look at EMAIL_URL and at the mail server.")


class MessageDelayed(RolloutError):
    """The mail server asks to come again with this message."""

    code = "MESSAGE_DELAYED"

    def __init__(self, text: str) -> None:
        """Keep what the server said."""
        super().__init__(f"The mail server asks to come again: {text}")


class MessageRefused(RolloutError):
    """This message cannot be delivered; others can."""

    code = "MESSAGE_REFUSED"

    def __init__(self, text: str) -> None:
        """Keep why."""
        super().__init__(f"It cannot be delivered; correct the address, or tell them otherwise: {text}")


class DeliveryUnknown(RolloutError):
    """Nobody knows whether the mail server took this message."""

    code = "DELIVERY_UNKNOWN"

    def __init__(self, text: str) -> None:
        """Keep what was seen."""
        super().__init__(f"Whether it was delivered is not known, so it is not sent again; ask them, or waive the notice: {text}")
