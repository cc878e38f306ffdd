"""What a caller can do wrong about people: somebody unknown, unproven or not to be put off."""

from collections.abc import Sequence

from rollout.errors.fault import RolloutError
from slots.errors import Unknown


class ProofMissing(RolloutError):
    """A person has no valid proof that the page stays the same."""

    code = "PROOF_MISSING"

    def __init__(self, person: str, why: str) -> None:
        """Keep the person and the reason in words."""
        super().__init__(f"{person} cannot move to slots: {why} Translate and validate, then try again.")
        self.person = person
        self.why = why


class DeferralLimit(RolloutError):
    """Somebody asked for a later wave more often, or for a later one, than the plan allows."""

    code = "DEFERRAL_LIMIT"

    def __init__(self, person: str, why: str) -> None:
        """Keep the person and the limit in words."""
        super().__init__(f"{person} cannot be deferred: {why} Leave them out with a reason instead, or change the plan's limit.")
        self.person = person


class DeferralTooLate(RolloutError):
    """A deferral was asked for or withdrawn when one of the two waves was too far."""

    code = "DEFERRAL_TOO_LATE"

    def __init__(self, person: str, why: str) -> None:
        """Keep the person and what is too late, in words."""
        super().__init__(f"It is too late for {person}: {why}")
        self.person = person


class DeferralMisplaced(RolloutError):
    """Somebody was to be deferred to a wave that is no later one of their plan."""

    code = "DEFERRAL_MISPLACED"

    def __init__(self, person: str, why: str) -> None:
        """Keep the person and what is wrong with the wave, in words."""
        super().__init__(f"{person} cannot be deferred there: {why} Choose a later wave of the same plan.")
        self.person = person


class PersonUnknown(Unknown, RolloutError):
    """A named user is no person of the shop."""

    code = "PERSON_UNKNOWN"

    def __init__(self, user: str) -> None:
        """Keep the name."""
        super().__init__(f"Nobody is called {user!r}. `manage.py import_people` and `import_customizations` make people known.")
        self.user = user


class PeopleNotMigrated(RolloutError):
    """Something unforeseen happened to some people of a chunk; the others went on."""

    code = "PEOPLE_NOT_MIGRATED"

    def __init__(self, accidents: Sequence[str]) -> None:
        """Keep whom it concerns and what happened."""
        super().__init__(f"{len(accidents)} could not be moved: {'; '.join(accidents[:5])}. Their rows hold the rest.")
        self.accidents = tuple(accidents)


class NobodyProven(RolloutError):
    """A rollback was to be measured, but there is nobody who could be switched."""

    code = "NOBODY_PROVEN"

    def __init__(self, subject: str, roster: int, why: str, *, wave: int, is_locked: bool) -> None:
        """Keep what it is about, of how many, why the first cannot be switched, and a wave in which to prove them."""
        lock = "" if is_locked else f"Lock the wave (`manage.py rollout lock {wave}`). "
        super().__init__(
            f"Of {roster} people of {subject} nobody could be switched to be taken back{f': {why}' if why else '.'} "
            f"{lock}Prove its people ahead (`manage.py rollout prevalidate {wave}`), then measure."
        )
        self.subject = subject
        self.roster = roster
        self.why = why
