"""Finding the operations for one diff: which of three roads leads to what the old system shows today.

The diff is translated strictly against the recorded base and carried to the target version. Where the old system applies it
without fuzz, the carried operations must compose to a source canonically equal to the old system's; where they do not, and
where fuzz was needed, the old system's result itself is translated. Where the old system shows the plain base, the carried
operations would bring the customization back, and a person decides. Pure: text in, values out.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from migration.engine import diff, patch, translate
from migration.models import LegacyOutcome, Route, Severity
from slots.errors import Refusal
from slots.markup import canonical, compose, rebase
from slots.markup.ops import Operation

FUZZED = "FUZZED"
CARRIED_DIFFERS = "CARRIED_DIFFERS"
CARRY_CONFLICT = "CARRY_CONFLICT"
CARRY_KEPT = "CARRY_KEPT"
RESTORES_CUSTOMIZATION = "RESTORES_CUSTOMIZATION"
BASE_DOES_NOT_FIT = "BASE_DOES_NOT_FIT"
REPLACED_SOURCE = "REPLACED_SOURCE"
NOT_PROVEN = "NOT_PROVEN"

Prepare = Callable[[str, str], rebase.Pairing]
Expired = Callable[[], bool]


@dataclass(frozen=True, slots=True)
class Remark:
    """State one thing that a person should know about a translation: a Finding before it is stored."""

    code: str
    severity: Severity
    text: str
    line: int = 0
    place: str = ""
    details: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, refusal: Refusal, severity: Severity) -> "Remark":
        """Return a refusal of the engine as a remark; its line is one of the diff."""
        return cls(refusal.code, severity, refusal.text, line=refusal.line)


@dataclass(frozen=True, slots=True)
class Found:
    """Hold what was found for one diff; `operations` is None where it could not be translated at all.

    `source` is the target with the operations composed into it; `shown` is the source that the old system shows today.
    """

    legacy: LegacyOutcome
    shown: str
    route: Route = Route.NONE
    operations: tuple[Operation, ...] | None = None
    source: str = ""
    is_proven: bool = False
    is_byte_exact: bool = False
    replaced_source: bool = False
    fineness: float | None = None
    outcomes: tuple[rebase.Outcome, ...] = ()
    remarks: tuple[Remark, ...] = ()

    def remarked(self, *remarks: Remark) -> "Found":
        """Return the same with further remarks."""
        return replace(self, remarks=(*self.remarks, *remarks))


def find_operations(text: str, *, base: str | None, target: str, prepare: Prepare, expired: Expired) -> Found | Refusal:
    """Return the operations that give on `target` what the old system shows there.

    `base` is the source of the recorded version, None where nobody knows it. `prepare` pairs two versions, once for all diffs
    between them. A `Refusal` means that the text is no diff.
    """
    read = diff.parse(text)
    if isinstance(read, Refusal):
        return read
    shown = patch.apply_like_gnu(target, read)
    if isinstance(shown, Refusal):
        return _where_plain(read, shown, base, target, prepare, expired)
    if shown.fuzz:
        found = _from_result(read, shown.source, LegacyOutcome.FUZZ, target, expired)
        text = (
            f"The old system applies the diff only by ignoring up to {shown.fuzz} lines of context; what it shows was translated."
        )
        line = next(read.hunks[each.hunk].line for each in shown.placements if each.fuzz)
        return found.remarked(Remark(FUZZED, Severity.WARNING, text, line=line))
    if base is None or base == target:
        return _from_result(read, shown.source, LegacyOutcome.CLEAN, target, expired, route=Route.BASE if base else Route.RESULT)
    return _where_clean(read, shown.source, base, target, prepare, expired)


def _where_clean(read: diff.Diff, shown: str, base: str, target: str, prepare: Prepare, expired: Expired) -> Found:
    """Carry the translation from its base; take the old system's result where that does not give the same."""
    translated = translate.translate(base, read, expired=expired)
    if isinstance(translated, Refusal):
        text = f"The diff does not fit the version it names ({translated.code}); what the old system shows today was translated."
        remark = Remark(BASE_DOES_NOT_FIT, Severity.WARNING, text, line=translated.line)
        return _from_result(read, shown, LegacyOutcome.CLEAN, target, expired).remarked(remark)
    carried = _carry(translated, base, target, prepare, LegacyOutcome.CLEAN, shown)
    if carried.is_proven:
        return carried
    text = "Carried by structure the customization gives another page than the old system's, which was translated instead."
    remark = Remark(CARRIED_DIFFERS, Severity.INFORMATION, text)
    return _from_result(read, shown, LegacyOutcome.CLEAN, target, expired).remarked(remark)


def _where_plain(
    read: diff.Diff, refused: Refusal, base: str | None, target: str, prepare: Prepare, expired: Expired
) -> Found | Refusal:
    """Carry the translation from its base if it fits there; whether it may come back is for a person to say."""
    nothing = Found(LegacyOutcome.PLAIN, target)
    translated = None if base is None or base == target else translate.translate(base, read, expired=expired)
    if translated is None:
        return nothing.remarked(Remark.of(refused, Severity.BLOCKING))
    if isinstance(translated, Refusal):
        return nothing.remarked(Remark.of(translated, Severity.BLOCKING))
    carried = _carry(translated, base or "", target, prepare, LegacyOutcome.PLAIN, target)
    conflicts = [_outcome_remark(each) for each in carried.outcomes if each.status is rebase.Status.CONFLICT]
    kept = [_outcome_remark(each) for each in carried.outcomes if each.status is rebase.Status.KEPT]
    if carried.is_proven:  # nothing would come back: this version has what was asked for, or there is no place for it any more
        return carried.remarked(*conflicts, *kept)
    text = (
        f"The old system shows the plain component today ({refused.code}, line {refused.line} of the diff); "
        "on slots the customization would be seen again. Accept it if its owner wants it back."
    )
    restores = Remark(RESTORES_CUSTOMIZATION, Severity.BLOCKING, text, line=refused.line)
    return replace(carried, is_proven=translated.proven).remarked(restores, *conflicts, *kept)


def _carry(
    translated: translate.Translation, base: str, target: str, prepare: Prepare, legacy: LegacyOutcome, shown: str
) -> Found:
    """Return the translation carried from base to target; proven means that it gives what the old system shows."""
    carried = rebase.rebase(translated.operations, prepare(base, target))
    source = compose.compose(target, carried.operations)
    is_proven = not source.issues and canonical.equal(source.source, shown)
    return Found(
        legacy=legacy,
        shown=shown,
        route=Route.CARRIED,
        operations=tuple(carried.operations),
        source=source.source,
        is_proven=is_proven,
        is_byte_exact=source.source == shown,
        replaced_source=translated.replaced_source,
        fineness=translated.fineness,
        outcomes=tuple(carried.outcomes),
    )


def _from_result(
    read: diff.Diff, shown: str, legacy: LegacyOutcome, target: str, expired: Expired, *, route: Route = Route.RESULT
) -> Found:
    """Translate what the old system shows on the target."""
    translated = translate.translate_sources(target, shown, diff=read, expired=expired)
    source = compose.compose(target, translated.operations)
    found = Found(
        legacy=legacy,
        shown=shown,
        route=route,
        operations=tuple(translated.operations),
        source=source.source,
        is_proven=translated.proven and not source.issues and canonical.equal(source.source, shown),
        is_byte_exact=source.source == shown,
        replaced_source=translated.replaced_source,
        fineness=translated.fineness,
    )
    if found.replaced_source:
        text = f"The whole source is replaced ({translated.reason}); later versions of the component will not reach this page."
        found = found.remarked(Remark(REPLACED_SOURCE, Severity.WARNING, text))
    if not found.is_proven:
        text = "The operations do not give the page that the old system shows. This is a defect of the engine; report it."
        found = found.remarked(Remark(NOT_PROVEN, Severity.BLOCKING, text))
    return found


def _outcome_remark(outcome: rebase.Outcome) -> Remark:
    """Return what carrying one operation over asks of a person, with the three texts."""
    is_conflict = outcome.status is rebase.Status.CONFLICT
    return Remark(
        CARRY_CONFLICT if is_conflict else CARRY_KEPT,
        Severity.BLOCKING if is_conflict else Severity.WARNING,
        outcome.reason,
        place=outcome.place,
        details={"operation": outcome.operation_id, **outcome.texts._asdict()},
    )
