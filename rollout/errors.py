"""What a caller of the rollout can do wrong: one exception each, with a stable code and the next step."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any


class RolloutError(Exception):
    """Base of all faults of the rollout app; `code` is stable.

    `besides` are further reasons why the same act is refused, each as a sentence.
    """

    code = "ROLLOUT_ERROR"
    besides: tuple[str, ...] = ()

    def beside(self, reasons: Sequence[str]) -> "RolloutError":
        """Say further reasons too, so that somebody who mends the first does not run into the next."""
        self.besides = tuple(reasons)
        if self.besides:
            self.args = (f"{self} Besides: {' '.join(self.besides)}",)
        return self


class MoveRefused(RolloutError):
    """The state table has no such edge, or somebody else moved the row first."""

    code = "MOVE_REFUSED"

    def __init__(self, subject: str, state: str, wanted: str) -> None:
        """Keep what was to be moved, the state it is in, and the one that was wanted."""
        super().__init__(f"{subject} is {state} and cannot become {wanted}. Reload the page and decide again.")
        self.subject = subject
        self.state = state
        self.wanted = wanted


class ProofMissing(RolloutError):
    """A person has no valid proof that the page stays the same."""

    code = "PROOF_MISSING"

    def __init__(self, person: str, why: str) -> None:
        """Keep the person and the reason in words."""
        super().__init__(f"{person} cannot move to slots: {why} Translate and validate, then try again.")
        self.person = person
        self.why = why


class ReasonMissing(RolloutError):
    """An act that needs a reason came without one."""

    code = "REASON_MISSING"

    def __init__(self, act: str) -> None:
        """Keep the name of the act."""
        super().__init__(f"{act} needs a reason: say in a sentence why, it is kept in the record.")
        self.act = act


class EventsAreFinal(RolloutError):
    """Somebody tried to change or delete a row of the record."""

    code = "EVENTS_ARE_FINAL"

    def __init__(self) -> None:
        """State the rule and the next step."""
        super().__init__("Events are only ever added. Write a further event that sets the matter right.")


class AudienceInvalid(RolloutError):
    """The audience of a wave does not say whom it means; `place` is where, as a path into its JSON."""

    code = "AUDIENCE_INVALID"
    STEP = "Give `internal: true`, `users: [...]`, `rules: [...]` or `limit: N` (or `limit` with one of them)."

    def __init__(self, text: str, *, place: str = "", step: str = STEP) -> None:
        """Keep what is wrong with it, and where."""
        super().__init__(f"{place}: {text} {step}" if place else f"{text} {step}")
        self.text = text
        self.place = place
        self.step = step

    def of(self, wave: str) -> "AudienceInvalid":
        """Return the same with the name of its wave, where several are read."""
        return AudienceInvalid(self.text, place=f"{wave}: {self.place}" if self.place else wave, step=self.step)


class AudienceEmpty(RolloutError):
    """Nobody is left whom the wave could take."""

    code = "AUDIENCE_EMPTY"

    def __init__(self, wave: str, skipped: Sequence[Any]) -> None:
        """Keep the wave and the people who were meant but cannot be taken, each with the reason."""
        super().__init__(
            f"{wave} would have no members: {len(skipped)} people were meant who cannot be taken, and nobody else. "
            "See whom other waves hold, or choose another audience."
        )
        self.wave = wave
        self.skipped = tuple(skipped)


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


class PhaseClosed(RolloutError):
    """A wave was to start in a phase that is not open."""

    code = "PHASE_CLOSED"

    def __init__(self, phase: str, state: str) -> None:
        """Keep the phase and its state."""
        super().__init__(f"The phase {phase} is {state}. Open it first, then start its waves.")
        self.phase = phase
        self.state = state


class PopulationFrozen(RolloutError):
    """A wave was to get a share of people who are divided among other waves already."""

    code = "POPULATION_FROZEN"

    def __init__(self, phase: str, at: datetime) -> None:
        """Keep the phase, and when its people were divided."""
        super().__init__(
            f"The people of {phase} were divided on {at:%Y-%m-%d %H:%M} UTC: a further share would get nobody. "
            "Say whom the wave means without a share, or cancel the waves that have one and plan all of them anew."
        )
        self.phase = phase
        self.at = at


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


class PersonUnknown(RolloutError):
    """A named user is no person of the shop."""

    code = "PERSON_UNKNOWN"

    def __init__(self, user: str) -> None:
        """Keep the name."""
        super().__init__(f"Nobody is called {user!r}. `manage.py import_people` and `import_customizations` make people known.")
        self.user = user


class NothingToUndo(RolloutError):
    """A person was to be taken back who was never switched."""

    code = "NOTHING_TO_UNDO"

    def __init__(self, person: str, why: str) -> None:
        """Keep the person and why they see what they see."""
        super().__init__(f"{person} is on the legacy system already: {why}. Nothing has to be taken back.")
        self.person = person
        self.why = why


class PeopleNotMigrated(RolloutError):
    """Something unforeseen happened to some people of a chunk; the others went on."""

    code = "PEOPLE_NOT_MIGRATED"

    def __init__(self, accidents: Sequence[str]) -> None:
        """Keep whom it concerns and what happened."""
        super().__init__(f"{len(accidents)} could not be moved: {'; '.join(accidents[:5])}. Their rows hold the rest.")
        self.accidents = tuple(accidents)


class RehearsalNotPossible(RolloutError):
    """A plan cannot be rehearsed as it is."""

    code = "REHEARSAL_NOT_POSSIBLE"

    def __init__(self, plan: str, why: str) -> None:
        """Keep the plan and what is in the way."""
        super().__init__(f"{plan} cannot be rehearsed: {why}")
        self.plan = plan


class RehearsalBroken(RolloutError):
    """The process that plays a plan ended without a report."""

    code = "REHEARSAL_BROKEN"

    def __init__(self, why: str) -> None:
        """Keep what it said last."""
        super().__init__(f"The rehearsal has no report: {why} The real plan was not touched; mend it, then rehearse again.")


class RehearsalTooSlow(RolloutError):
    """The process that plays a plan took longer than it may."""

    code = "REHEARSAL_TOO_SLOW"

    def __init__(self, seconds: float) -> None:
        """Keep how long it had."""
        super().__init__(
            f"The rehearsal was not over after {seconds:.0f} s and was stopped. Rehearse when the machine is less busy, "
            "or with more time."
        )
        self.seconds = seconds


class PolicyInvalid(RolloutError):
    """A policy demands what cannot be decided."""

    code = "POLICY_INVALID"

    def __init__(self, text: str) -> None:
        """Keep what is wrong with it."""
        super().__init__(f"{text} Correct the policy.")


class WindowInvalid(RolloutError):
    """A window does not say when it is open."""

    code = "WINDOW_INVALID"

    def __init__(self, text: str) -> None:
        """Keep what is wrong with it."""
        super().__init__(f"{text} Correct the window.")


class WaveHeld(RolloutError):
    """A wave was to start while something holds it."""

    code = "WAVE_HELD"

    def __init__(self, wave: str, reasons: Sequence[str]) -> None:
        """Keep the wave and every reason as a sentence."""
        super().__init__(f"{wave} is held: {' '.join(reasons)} Clear what holds it, or wait until it is over.")
        self.wave = wave
        self.reasons = tuple(reasons)


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


class NameMissing(RolloutError):
    """A waiver came from nobody in person."""

    code = "NAME_MISSING"

    def __init__(self, act: str) -> None:
        """Keep the name of the act."""
        super().__init__(f"{act} is by name: somebody has to answer for it, not the system.")
        self.act = act


class HoldBound(RolloutError):
    """A hold was to be cleared or set by hand that follows from something else."""

    code = "HOLD_BOUND"

    def __init__(self, hold: str, way: str) -> None:
        """Keep the hold, and what ends it."""
        super().__init__(f"{hold} is not set or cleared by hand. {way}")
        self.hold = hold
        self.way = way


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


class FreezeInvalid(RolloutError):
    """A freeze does not say from when to when."""

    code = "FREEZE_INVALID"

    def __init__(self, text: str) -> None:
        """Keep what is wrong with it."""
        super().__init__(f"{text} Give a start and a later end, both with a time zone.")


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
        super().__init__(f"It cannot be delivered: {text}")


class DeliveryUnknown(RolloutError):
    """Nobody knows whether the mail server took this message."""

    code = "DELIVERY_UNKNOWN"

    def __init__(self, text: str) -> None:
        """Keep what was seen."""
        super().__init__(f"Whether it was delivered is not known, so it is not sent again: {text}")


class BlueprintInvalid(RolloutError):
    """A blueprint of a plan cannot be read; `place` is where, as a path into it."""

    code = "BLUEPRINT_INVALID"

    def __init__(self, place: str, text: str, step: str = "Correct it there.") -> None:
        """Keep the place, what is wrong, and what to do."""
        super().__init__(f"{place}: {text} {step}" if place else f"{text} {step}")
        self.place = place


class TemplateUnknown(RolloutError):
    """A template was named that there is not."""

    code = "TEMPLATE_UNKNOWN"

    def __init__(self, name: str, known: Sequence[str]) -> None:
        """Keep the name and those that there are."""
        super().__init__(f"There is no template {name!r}. There are: {', '.join(known)}. Or name a file that ends in .toml.")
        self.name = name
        self.known = tuple(known)


class PlanNameTaken(RolloutError):
    """A plan was to be made under a name that another one has."""

    code = "PLAN_NAME_TAKEN"

    def __init__(self, name: str) -> None:
        """Keep the name."""
        super().__init__(f"There is a plan called {name!r} already. Choose another name.")
        self.name = name


class ScheduleInvalid(RolloutError):
    """A plan was to be moved to no date, or into the past."""

    code = "SCHEDULE_INVALID"

    def __init__(self, text: str, step: str) -> None:
        """Say what is wrong, and what to do."""
        super().__init__(f"{text} {step}")


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


class RoleUnknown(RolloutError):
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
        super().__init__(f"{subject} is not signed off as it is now: {' '.join(reasons)}")
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


class DatabaseBusy(RolloutError):
    """So many write at this moment that the database let one of them wait no longer."""

    code = "DATABASE_BUSY"

    def __init__(self, text: str) -> None:
        """Keep what the database said."""
        super().__init__(
            f"The database did not let it be written ({text}). Look at what is there now, and do it again if need be."
        )


class SelectionInvalid(RolloutError):
    """A selection asks for an act or rows that there are not."""

    code = "SELECTION_INVALID"

    def __init__(self, text: str, step: str) -> None:
        """Say what is wrong, and what to do."""
        super().__init__(f"{text} {step}")


class SelectionTooLarge(RolloutError):
    """A selection is about more rows than one act takes."""

    code = "SELECTION_TOO_LARGE"

    def __init__(self, most: int) -> None:
        """Keep how many it may be."""
        super().__init__(f"It is about more than {most:,} rows. Narrow it, by wave for instance, and act on each part.")
        self.most = most


class SelectionUsed(RolloutError):
    """A selection was to be applied a second time."""

    code = "SELECTION_USED"

    def __init__(self, selection: int, by: str) -> None:
        """Keep which one, and who was first."""
        super().__init__(f"Selection {selection} was applied by {by} already. Look at what came of it, or select anew.")
        self.selection = selection
        self.by = by


class SelectionChanged(RolloutError):
    """What was confirmed is not what the selection holds."""

    code = "SELECTION_CHANGED"

    def __init__(self, selection: int) -> None:
        """Keep which one."""
        super().__init__(f"Selection {selection} is not the one that was shown. Load its page, read it, and decide on that.")
        self.selection = selection


class SelectionUnknown(RolloutError):
    """A selection was named that there is not."""

    code = "SELECTION_UNKNOWN"

    def __init__(self, selection: int) -> None:
        """Keep its number."""
        super().__init__(f"There is no selection {selection}. Select first.")
        self.selection = selection
