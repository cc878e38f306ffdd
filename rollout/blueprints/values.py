"""What a blueprint is made of: everything that a plan demands, with days counted from its start instead of dates."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import time, timedelta
from decimal import Decimal
from typing import Any, Final

from rollout.blueprints.days import Day
from rollout.gates import Policy

CHANNELS: Final = ("email", "in_app")
MOMENTS: Final = ("before_start", "after_switch")
SHARES_OF: Final = ("customized", "remaining")
CHECKS: Final = (timedelta(hours=1), timedelta(hours=6), timedelta(days=1))
SPARE: Final = timedelta(days=1)  # a wave is locked so much before its first notice is due


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowEntry:
    """State hours of local wall time in which people may be moved; without a zone they are of the plan's."""

    opens: time
    closes: time
    days: tuple[int, ...]
    zone: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeEntry:
    """State what people are told, so long before their wave starts or after they are switched."""

    name: str
    lead: timedelta
    subject: str
    body: str
    channel: str = "email"
    moment: str = "before_start"
    is_required: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyEntry:
    """Give a gate or a guard its name."""

    name: str
    policy: Policy


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskEntry:
    """State something that people have to do."""

    text: str
    due: Day | None = None
    is_required: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class WaveEntry:
    """State a wave; `audience` is its JSON object. Without a `lock_lead` it is locked in time for its first notice."""

    name: str
    starts: Day | None = None
    audience: Mapping[str, Any] = field(default_factory=dict)
    share: Decimal | None = None
    lock_lead: timedelta | None = None
    soak: timedelta = timedelta(days=1)
    checks: tuple[timedelta, ...] = CHECKS
    rate: int | None = None
    max_workers: int = 4
    batch_size: int = 100
    max_batch: int = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseEntry:
    """State a phase, with its waves in order and what is demanded of it alone."""

    name: str
    objective: str = ""
    starts: Day | None = None
    share: Decimal | None = None
    share_of: str = "customized"
    soak: timedelta = timedelta()
    needs_certificate: bool = False
    signoffs: tuple[str, ...] = ()
    windows: tuple[WindowEntry, ...] = ()
    notices: tuple[NoticeEntry, ...] = ()
    policies: tuple[PolicyEntry, ...] = ()
    tasks: tuple[TaskEntry, ...] = ()
    waves: tuple[WaveEntry, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Blueprint:
    """State a whole plan under a name and a version; what stands beside the phases is demanded of all of them."""

    name: str
    version: int
    title: str = ""
    time_zone: str = "UTC"
    max_deferrals: int = 1
    deferral_limit: timedelta = timedelta(days=14)
    certificate_valid_for: timedelta = timedelta(days=7)
    signoffs: tuple[str, ...] = ()
    windows: tuple[WindowEntry, ...] = ()
    notices: tuple[NoticeEntry, ...] = ()
    policies: tuple[PolicyEntry, ...] = ()
    phases: tuple[PhaseEntry, ...] = ()

    @property
    def label(self) -> str:
        """Return the name with the version, as plans keep it."""
        return f"{self.name}@{self.version}"

    def longest_lead(self, phase: PhaseEntry) -> timedelta:
        """Return how long before their wave people of a phase are told first."""
        leads = [each.lead for each in (*self.notices, *phase.notices) if each.moment == "before_start"]
        return max(leads, default=timedelta())

    def lock_lead(self, phase: PhaseEntry, wave: WaveEntry) -> timedelta:
        """Return how long before its start a wave of a phase is locked."""
        return self.longest_lead(phase) + SPARE if wave.lock_lead is None else wave.lock_lead
