"""The words of a standstill: for each state, why it stands, what comes next, and who can set it going."""

from typing import Final

from rollout.models import HoldKind
from rollout.states import PersonState, PhaseState, PlanState, WaveState

OPERATOR: Final = "an operator"
APPROVER: Final = "an approver"
NOBODY: Final = "nobody: it goes on by itself"

HOLD_CODES: Final = {kind: f"HOLD_{kind.name}" for kind in HoldKind}
HOLD_THEN: Final = {
    HoldKind.ADMIN: "It claims people again once an operator resumes it; waves at work go on where they were.",
    HoldKind.GUARD: (
        "It goes once the affected people are validated again beyond the clear threshold, or an approver waives the breach."
    ),
    HoldKind.INCIDENT: "It claims people again once an operator clears the incident.",
    HoldKind.ERROR: "It claims people again once the error is mended and an operator clears the hold.",
    HoldKind.FREEZE: "Waves go on where they were once an operator takes the freeze off.",
    HoldKind.WINDOW: "It goes on by itself when the window opens; who is at work finishes.",
}
HOLD_IS_IDLE: Final = "It keeps nobody now. It would hold a further attempt, until an operator resumes it."
PLANS: Final = {
    PlanState.DRAFT: ("It is being written.", "Its author asks for the approval when it is complete.", "its author"),
    PlanState.APPROVED: (
        "It is approved and has no dates in force.",
        "An operator schedules it; then its phases can open.",
        OPERATOR,
    ),
    PlanState.SCHEDULED: ("None of its phases is open.", "It runs once its first phase opens.", APPROVER),
    PlanState.ROLLING_BACK: (
        "Everybody is taken back.",
        "It is rolled back once every row is restored; the pages show it already.",
        NOBODY,
    ),
    PlanState.ROLLED_BACK: ("Everybody was taken back.", "It can be planned anew: the next attempt begins as a draft.", OPERATOR),
    PlanState.CANCELLED: ("It was given up before anybody moved.", "Nothing. A copy of it can be planned.", OPERATOR),
}
PHASES: Final = {
    PhaseState.OPEN: ("None of its waves has started.", "It executes once a wave starts.", OPERATOR),
    PhaseState.ROLLING_BACK: (
        "Its people are taken back.",
        "It is rolled back once every row is restored; the pages show it already.",
        NOBODY,
    ),
    PhaseState.ROLLED_BACK: (
        "Its people were taken back.",
        "It waits for its turn again once an operator plans it anew.",
        OPERATOR,
    ),
    PhaseState.SKIPPED: ("It was left out.", "Nothing. The next phase does not wait for it.", NOBODY),
    PhaseState.CANCELLED: ("Its plan was given up.", "Nothing.", NOBODY),
}
WAVES: Final = {
    WaveState.ROLLING_BACK: (
        "Its people are taken back.",
        "It is rolled back once every row is restored; the pages show it already.",
        NOBODY,
    ),
    WaveState.ROLLED_BACK: ("Its people were taken back.", "Reopened, it is planned again with the same people.", OPERATOR),
    WaveState.CANCELLED: ("It was given up before it started.", "Nothing. Its people are free for other waves.", OPERATOR),
    WaveState.COMPLETED_WITH_EXCEPTIONS: (
        "It is over, and somebody of it is not on slots.",
        "Nothing by itself. Who stayed behind is on the legacy system, free for another wave.",
        OPERATOR,
    ),
}
STAYED: Final = {
    PersonState.ROLLED_BACK: "rolled back",
    PersonState.VALIDATION_FAILED: "whose validation failed",
    PersonState.NEEDS_ATTENTION: "who need attention",
    PersonState.ENROLLED: "stood down",
}
PERSONS: Final = {
    PersonState.VALIDATION_FAILED: (
        "The pages differ, or a finding is open.",
        "Stays on the legacy system. Once the cause is mended or accepted, they are queued again, or left out.",
        OPERATOR,
    ),
    PersonState.NEEDS_ATTENTION: (
        "Tried as often as is sensible.",
        "Stays on the legacy system until somebody looks, and queues them again or leaves them out.",
        OPERATOR,
    ),
    PersonState.RETRY_WAIT: ("The last try failed.", "They are tried again by themselves.", NOBODY),
    PersonState.DEFERRED: (
        "Asked for a later wave.",
        "They move with the wave that they chose, or come back if they withdraw.",
        "support",
    ),
    PersonState.HOLDOUT: (
        "Stays behind for the comparison.",
        "They are free for another wave once the comparison ends.",
        OPERATOR,
    ),
    PersonState.EXCLUDED: ("Was left out.", "Stays on the legacy system; another wave may take them.", OPERATOR),
    PersonState.REMOVED: ("Is no member any more.", "Another wave may take them.", OPERATOR),
    PersonState.ROLLING_BACK: (
        "Is being taken back.",
        "Sees the legacy system already; the rows follow, and are tried again by themselves.",
        NOBODY,
    ),
    PersonState.ROLLED_BACK: (
        "Was taken back.",
        "Sees the legacy system until they are queued again or their wave is reopened.",
        OPERATOR,
    ),
}
