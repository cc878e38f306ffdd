"""What a caller of the rollout can do wrong: one exception each, with a stable code and the next step."""

from rollout.errors.audiences import AudienceEmpty, AudienceInvalid, PopulationFrozen
from rollout.errors.blueprints import BlueprintInvalid, PlanNameTaken, TemplateUnknown
from rollout.errors.calendar import FreezeInvalid, ScheduleInvalid, WindowInvalid
from rollout.errors.fault import DatabaseBusy, EventsAreFinal, NameMissing, ReasonMissing, RolloutError
from rollout.errors.gates import GateHeld, PolicyInUse, PolicyInvalid, SampleInvalid
from rollout.errors.holds import HoldBound, WaveHeld
from rollout.errors.moves import ActNotPossible, MoveRefused, NothingToUndo, PhaseClosed, WaveNotReopened
from rollout.errors.notices import (
    DeliveryUnknown,
    MessageDelayed,
    MessageRefused,
    NoticeInUse,
    NoticeInvalid,
    NoticeMissing,
    TransportAway,
)
from rollout.errors.people import (
    DeferralLimit,
    DeferralMisplaced,
    DeferralTooLate,
    NobodyProven,
    PeopleNotMigrated,
    PersonUnknown,
    ProofMissing,
)
from rollout.errors.rehearsals import RehearsalBroken, RehearsalNotPossible, RehearsalTooSlow
from rollout.errors.selections import SelectionChanged, SelectionInvalid, SelectionTooLarge, SelectionUnknown, SelectionUsed
from rollout.errors.signoffs import (
    ApproverIsAuthor,
    CertificateMissing,
    ContentChanged,
    ContentFrozen,
    EngineChanged,
    RoleInUse,
    RoleNotHeld,
    RoleUnknown,
    SignedAlready,
    SignoffMissing,
)
from rollout.errors.tickets import TicketInvalid

__all__ = [
    "ActNotPossible",
    "ApproverIsAuthor",
    "AudienceEmpty",
    "AudienceInvalid",
    "BlueprintInvalid",
    "CertificateMissing",
    "ContentChanged",
    "ContentFrozen",
    "DatabaseBusy",
    "DeferralLimit",
    "DeferralMisplaced",
    "DeferralTooLate",
    "DeliveryUnknown",
    "EngineChanged",
    "EventsAreFinal",
    "FreezeInvalid",
    "GateHeld",
    "HoldBound",
    "MessageDelayed",
    "MessageRefused",
    "MoveRefused",
    "NameMissing",
    "NobodyProven",
    "NothingToUndo",
    "NoticeInUse",
    "NoticeInvalid",
    "NoticeMissing",
    "PeopleNotMigrated",
    "PersonUnknown",
    "PhaseClosed",
    "PlanNameTaken",
    "PolicyInUse",
    "PolicyInvalid",
    "PopulationFrozen",
    "ProofMissing",
    "ReasonMissing",
    "RehearsalBroken",
    "RehearsalNotPossible",
    "RehearsalTooSlow",
    "RoleInUse",
    "RoleNotHeld",
    "RoleUnknown",
    "RolloutError",
    "SampleInvalid",
    "ScheduleInvalid",
    "SelectionChanged",
    "SelectionInvalid",
    "SelectionTooLarge",
    "SelectionUnknown",
    "SelectionUsed",
    "SignedAlready",
    "SignoffMissing",
    "TemplateUnknown",
    "TicketInvalid",
    "TransportAway",
    "WaveHeld",
    "WaveNotReopened",
    "WindowInvalid",
]
