"""What a caller can do wrong about sign-offs, roles and certificates."""

from collections.abc import Sequence

from rollout.errors.fault import RolloutError
from slots.errors import Unknown


class ApproverIsAuthor(RolloutError):
    """A plan was to be approved by the one who wrote it."""

    code = "APPROVER_IS_AUTHOR"

    def __init__(self, plan: str, by: str) -> None:
        """Keep the plan and the name."""
        super().__init__(f"{by} wrote the plan {plan} and cannot approve it. Ask another approver.")
        self.plan = plan
        self.by = by


class EngineChanged(RolloutError):
    """The running code translates with another engine than the wave pinned."""

    code = "ENGINE_CHANGED"

    def __init__(self, wave: str, pinned: str, current: str) -> None:
        """Keep the wave and both versions."""
        super().__init__(
            f"{wave} was started with engine {pinned}, this process has {current}. "
            "Deploy the pinned version, or pin the new one with a reason."
        )
        self.wave = wave
        self.pinned = pinned
        self.current = current


class ContentFrozen(RolloutError):
    """What a plan demands was to be edited after it has started, or after it ended."""

    code = "CONTENT_FROZEN"

    def __init__(self, subject: str, state: str) -> None:
        """Keep what has started, and its state."""
        super().__init__(
            f"{subject} is {state}: what it demands is not edited any more. "
            "Edit what has not started yet, or roll it back and reopen it."
        )
        self.subject = subject
        self.state = state


class RoleUnknown(Unknown, RolloutError):
    """A role was to be asked for its sign-off that no group is named after."""

    code = "ROLE_UNKNOWN"

    def __init__(self, role: str) -> None:
        """Keep the role."""
        super().__init__(f"No group is called {role!r}. Make the group in the admin and put its holders in, or name another.")
        self.role = role


class RoleInUse(RolloutError):
    """A role was to be asked no longer that has decided already."""

    code = "ROLE_IN_USE"

    def __init__(self, role: str, subject: str) -> None:
        """Keep the role, and what it decided on."""
        super().__init__(f"{role} has decided on {subject} before; what was decided stays, and the role with it. Copy the plan.")
        self.role = role
        self.subject = subject


class RoleNotHeld(RolloutError):
    """Somebody signed in the name of a role that they do not hold."""

    code = "ROLE_NOT_HELD"

    def __init__(self, role: str, by: str) -> None:
        """Keep the role and the name."""
        super().__init__(f"{by} is no active member of the group {role} and cannot sign in its name. Ask one of its members.")
        self.role = role
        self.by = by


class ContentChanged(RolloutError):
    """What was to be signed is not what is demanded now."""

    code = "CONTENT_CHANGED"

    def __init__(self, subject: str, shown: str, current: str) -> None:
        """Keep what it is about, the hash that was shown, and the present one."""
        super().__init__(
            f"{subject} was edited since it was shown ({shown[:12] or 'nothing'} then, {current[:12]} now). "
            "Load the page again, read what it demands now, and decide on that."
        )
        self.subject = subject
        self.shown = shown
        self.current = current


class SignedAlready(RolloutError):
    """A role was to decide a second time on one content."""

    code = "SIGNED_ALREADY"

    def __init__(self, role: str, subject: str, decision: str, by: str) -> None:
        """Keep the role, what it decided on, the decision, and who took it."""
        super().__init__(
            f"{role} has {decision} {subject} as it is, in the name of {by}. One decision stands until the content is edited."
        )
        self.role = role
        self.subject = subject
        self.decision = decision
        self.by = by


class SignoffMissing(RolloutError):
    """Something was to go on that not every role has signed as it is now."""

    code = "SIGNOFF_MISSING"

    def __init__(self, subject: str, reasons: Sequence[str]) -> None:
        """Keep what it is about, and every role that is missing, as a sentence."""
        super().__init__(
            f"{subject} is not signed off as it is now: {' '.join(reasons)} Let a holder of each role sign what it demands now."
        )
        self.subject = subject
        self.reasons = tuple(reasons)


class CertificateMissing(RolloutError):
    """Something was to go on without a rollback that was measured on the people it is about."""

    code = "CERTIFICATE_MISSING"

    def __init__(self, subject: str, reasons: Sequence[str]) -> None:
        """Keep what it is about, and why no certificate counts."""
        super().__init__(
            f"{subject} needs a rollback certificate: {' '.join(reasons)} `manage.py rollout certify PHASE` measures one."
        )
        self.subject = subject
        self.reasons = tuple(reasons)
