"""Say everything that keeps a wave from starting, each with who can clear it: one list for the start and for its page."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from rollout.actions.certificates import why_uncertified
from rollout.actions.gates import gates_that_held, gates_that_hold, open_breaches
from rollout.actions.holds import holds_on
from rollout.actions.notices import missing_notices
from rollout.actions.signoffs import missing_signoffs
from rollout.errors import CertificateMissing, GateHeld, NoticeMissing, PhaseClosed, RolloutError, SignoffMissing, WaveHeld
from rollout.models import HoldKind, Phase, Wave
from rollout.states import PhaseState

STARTS_IN: Final = frozenset({PhaseState.OPEN, PhaseState.EXECUTING})
REFUSALS: Final = {each.code: each for each in (GateHeld, WaveHeld, NoticeMissing, SignoffMissing, CertificateMissing)}
CLEARS: Final = {
    HoldKind.GUARD: "whoever re-validates the breach, or an approver by a waiver",
    HoldKind.WINDOW: "nobody: it opens by itself",
}


@dataclass(frozen=True, slots=True)
class Blocker:
    """Say what keeps a wave from starting: the code and the sentence of the refusal, and who can clear it."""

    code: str
    text: str
    who: str

    def __str__(self) -> str:
        """Return the sentence with who can clear it."""
        return f"{self.text} To be cleared by {self.who}."


def what_keeps(wave: Wave, *, at: datetime, gates: Sequence[Blocker] | None = None) -> list[Blocker]:
    """Return everything that keeps a wave from starting now; `gates` where they were judged already.

    Read inside the transaction that starts the wave, it is what decides.
    """
    found = list(gate_blockers(wave, at=at) if gates is None else gates)
    phase = Phase.objects.select_related("plan").get(pk=wave.phase_id)
    if phase.state not in STARTS_IN:
        found.append(Blocker(PhaseClosed.code, f"The phase {phase} is {phase.state_label}.", "an approver, who opens it"))
    found += [
        Blocker(WaveHeld.code, each.text, CLEARS.get(each.kind, "an operator, who clears it")) for each in holds_on(wave, at=at)
    ]
    waives = "the mail server, once it takes them, or an approver by a waiver"
    found += [Blocker(NoticeMissing.code, each.text, waives) for each in missing_notices(wave, at=at)]
    found += [Blocker(SignoffMissing.code, text, "a holder of the role") for text in missing_signoffs(phase)]
    if why := why_uncertified(wave, at=at):
        found.append(Blocker(CertificateMissing.code, why, "an operator, who measures one"))
    return found


def gate_blockers(wave: Wave, *, at: datetime, keep: bool = False) -> list[Blocker]:
    """Return the open breaches and the gates that hold a wave; with `keep` the verdicts are kept."""
    if keep:
        held = [f"{row.policy.name}: {row.text} ({row.code})" for row in gates_that_held(wave, at=at)]
    else:
        held = [f"{row.name}: {found.text} ({found.code})" for row, found in gates_that_hold(wave, at=at)]
    who = "whoever brings what is missing, or an approver by a waiver"
    return [Blocker(GateHeld.code, text, who) for text in open_breaches(wave) + held]


def refusal_of(wave: Wave, blockers: Sequence[Blocker]) -> RolloutError:
    """Return the error that says all of them, of the class of the first."""
    code = blockers[0].code
    mine = [each.text for each in blockers if each.code == code]
    others = [each.text for each in blockers if each.code != code]
    refused = REFUSALS[code](str(wave), mine) if code in REFUSALS else PhaseClosed(str(wave.phase), _state_of(wave))
    return refused.beside(others)


def _state_of(wave: Wave) -> str:
    return Phase.objects.get(pk=wave.phase_id).state_label
