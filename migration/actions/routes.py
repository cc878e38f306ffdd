"""Finding the operations for one diff: which of three roads leads to what the old system shows today.

The diff is translated strictly against the recorded base and carried to the target version. Where the old system applies it
without fuzz, the carried operations must compose to a source canonically equal to the old system's; where they do not, and
where fuzz was needed, the old system's result itself is translated. Where the old system shows the plain base, the carried
operations would bring the customization back, and a person decides. A diff that does not fit its recorded base is tried against
every version of the component. Pure: text in, values out.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from migration.engine import dating, diff, patch, translate
from migration.engine.bases import Bases
from migration.engine.translate.hunks import Hunks
from migration.models import LegacyOutcome, Route, Severity
from slots.errors import Refusal
from slots.markup import canonical, compose, limits, rebase
from slots.markup.ops import Operation
from slots.markup.tree import Tree

FUZZED = "FUZZED"
CARRIED_DIFFERS = "CARRIED_DIFFERS"
CARRY_CONFLICT = "CARRY_CONFLICT"
CARRY_KEPT = "CARRY_KEPT"
RESTORES_CUSTOMIZATION = "RESTORES_CUSTOMIZATION"
BASE_DOES_NOT_FIT = "BASE_DOES_NOT_FIT"
BASE_MISDATED = "BASE_MISDATED"
BASE_AMBIGUOUS = "BASE_AMBIGUOUS"
TRIED = "tried"
REPLACED_SOURCE = "REPLACED_SOURCE"
NOT_PROVEN = "NOT_PROVEN"

Expired = Callable[[], bool]
Versions = Callable[[], Sequence[dating.Version]]


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


def find_operations(
    text: str, *, base: str | None, target: str, versions: Versions, bases: Bases, expired: Expired
) -> Found | Refusal:
    """Return the operations that give on `target` what the old system shows there.

    `base` is the source of the recorded version, None where nobody knows it. `versions` gives all versions of the component,
    newest first; it is asked only where the diff does not fit its base. `bases` reads and pairs versions, once for all diffs.
    A `Refusal` means that the text is no diff. What is beyond the limits of a template gets no operations, and a remark.
    """
    read = diff.parse(text)
    if isinstance(read, Refusal):
        return read
    attempt = _Attempt(read, base, target, versions, bases, expired)
    shown = patch.apply_like_gnu(target, read)
    if isinstance(shown, Refusal):
        return _where_plain(attempt, shown)
    beyond = limits.retold(limits.refusal(shown.source, name=translate.CUSTOMIZED), translate.CUSTOMIZED)
    if beyond is not None:
        legacy = LegacyOutcome.FUZZ if shown.fuzz else LegacyOutcome.CLEAN
        return Found(legacy, shown.source).remarked(Remark.of(beyond, Severity.BLOCKING))
    if shown.fuzz:
        found = attempt.from_result(shown, LegacyOutcome.FUZZ)
        ignored = "1 line" if shown.fuzz == 1 else f"up to {shown.fuzz} lines"
        text = f"The old system applies the diff only by ignoring {ignored} of context; what it shows was translated."
        line = next(read.hunks[each.hunk].line for each in shown.placements if each.fuzz)
        return found.remarked(Remark(FUZZED, Severity.WARNING, text, line=line))
    if base is None or base == target:
        return attempt.from_result(shown, LegacyOutcome.CLEAN, route=Route.BASE if base else Route.RESULT)
    return _where_clean(attempt, base, shown)


@dataclass(frozen=True)
class _Attempt:
    """Hold one diff, the sources that it may belong to, and the two ways to operations."""

    read: diff.Diff
    base: str | None
    target: str
    versions: Versions
    bases: Bases
    expired: Expired

    @cached_property
    def known(self) -> Sequence[dating.Version]:
        """Return all versions of the component, newest first."""
        return self.versions()

    @cached_property
    def fits(self) -> tuple[dating.Fit, ...]:
        """Return the versions that the diff fits, the likeliest first."""
        return dating.find_fits(self.read, self.known)

    def carry(self, base: str, legacy: LegacyOutcome, shown: str) -> tuple[translate.Translation, Found] | Refusal:
        """Return the translation against a base, and what carrying it to the target gives."""
        translated = translate.translate(self.bases.read(base), self.read, expired=self.expired)
        if isinstance(translated, Refusal):
            return translated
        return translated, _carry(translated, self.bases.prepare(base, self.target), legacy, shown)

    def from_result(self, shown: patch.Patched, legacy: LegacyOutcome, *, route: Route = Route.RESULT) -> Found:
        """Translate what the old system shows on the target."""
        return _from_result(self.read, shown, legacy, self.bases.read(self.target), self.expired, route=route)


def _where_clean(attempt: _Attempt, base: str, shown: patch.Patched) -> Found:
    """Carry the translation from its base; take the old system's result where that does not give the same."""
    carried = attempt.carry(base, LegacyOutcome.CLEAN, shown.source)
    if isinstance(carried, Refusal):
        return _where_misdated(attempt, carried, shown)
    if carried[1].is_proven:
        return carried[1]
    if carried[1].operations is None:
        return attempt.from_result(shown, LegacyOutcome.CLEAN).remarked(*_softened(carried[1].remarks))
    text = "Carried by structure the customization gives another page than the old system's, which was translated instead."
    remark = Remark(CARRIED_DIFFERS, Severity.INFORMATION, text)
    return attempt.from_result(shown, LegacyOutcome.CLEAN).remarked(remark)


def _where_misdated(attempt: _Attempt, refused: Refusal, shown: patch.Patched) -> Found:
    """Carry the translation from a version that the diff fits and that leads to what the old system shows."""
    for fit in attempt.fits:
        if attempt.expired():
            break
        if fit.version.source == attempt.target:
            return attempt.from_result(shown, LegacyOutcome.CLEAN, route=Route.BASE).remarked(_misdated(attempt, fit, refused))
        carried = attempt.carry(fit.version.source, LegacyOutcome.CLEAN, shown.source)
        if not isinstance(carried, Refusal) and carried[1].is_proven:
            return carried[1].remarked(_misdated(attempt, fit, refused))
    text = f"The diff does not fit the version it names ({refused.code}); what the old system shows today was translated."
    remark = Remark(BASE_DOES_NOT_FIT, Severity.WARNING, text, line=refused.line)
    return attempt.from_result(shown, LegacyOutcome.CLEAN).remarked(remark)


def _where_plain(attempt: _Attempt, refused: Refusal) -> Found:
    """Carry the translation from its base, else from a version it fits; whether it may come back is for a person to say."""
    carried: tuple[translate.Translation, Found] | Refusal = refused
    dated: tuple[Remark, ...] = ()
    if attempt.base is not None and attempt.base != attempt.target:
        carried = attempt.carry(attempt.base, LegacyOutcome.PLAIN, attempt.target)
    if isinstance(carried, Refusal):
        misfit = carried
        for fit in attempt.fits[:1]:
            carried = attempt.carry(fit.version.source, LegacyOutcome.PLAIN, attempt.target)
            dated = (_misdated(attempt, fit, misfit),)
    if isinstance(carried, Refusal):
        remark = replace(Remark.of(carried, Severity.BLOCKING), details={TRIED: tried(attempt.known)})
        return Found(LegacyOutcome.PLAIN, attempt.target).remarked(remark)
    translated, found = carried
    if found.operations is None:
        return found.remarked(*dated)
    if dated:
        dated += _ambiguous(attempt, found)
    conflicts = [_outcome_remark(each) for each in found.outcomes if each.status is rebase.Status.CONFLICT]
    kept = [_outcome_remark(each) for each in found.outcomes if each.status is rebase.Status.KEPT]
    if found.is_proven:  # nothing would come back: this version has what was asked for, or there is no place for it any more
        return found.remarked(*dated, *conflicts, *kept)
    text = (
        f"The old system shows the plain component today ({refused.code}, line {refused.line} of the diff); "
        "on slots the customization would be seen again. Accept it if its owner wants it back."
    )
    restores = Remark(RESTORES_CUSTOMIZATION, Severity.BLOCKING, text, line=refused.line)
    return replace(found, is_proven=translated.proven).remarked(*dated, restores, *conflicts, *kept)


def _softened(remarks: Iterable[Remark]) -> tuple[Remark, ...]:
    """Return why nothing was carried, where what the old system shows is translated in its place."""
    text = "What the old system shows today was translated instead."
    return tuple(replace(each, severity=Severity.INFORMATION, text=f"{each.text} {text}") for each in remarks)


def _misdated(attempt: _Attempt, fit: dating.Fit, refused: Refusal) -> Remark:
    """Return which version the diff fits in place of its own."""
    also = [each.version.name for each in attempt.fits if each is not fit]
    how = "line for line" if fit.is_exact else "with its lines moved"
    text = (
        f"The diff does not fit the version it is recorded for ({refused.code}). It fits {fit.version.name} {how}, "
        "and was translated there."
    )
    details = {"fits": fit.version.name, "exact": fit.is_exact, "also": also}
    return Remark(BASE_MISDATED, Severity.INFORMATION, text, line=refused.line, details=details)


def _ambiguous(attempt: _Attempt, found: Found) -> tuple[Remark, ...]:
    """Return a remark if another version that fits as well as the first leads to another page."""
    first = attempt.fits[0]
    others: list[str] = []
    for fit in attempt.fits[1:]:
        if fit.is_exact != first.is_exact:
            continue
        carried = None if attempt.expired() else attempt.carry(fit.version.source, found.legacy, found.shown)
        if carried is None or isinstance(carried, Refusal) or not canonical.equal(carried[1].source, found.source):
            others.append(fit.version.name)
    if not others:
        return ()
    text = (
        f"The diff fits {', '.join(others)} as well, where it means something else. The newest, {first.version.name}, was taken: "
        "compare the pages before you accept."
    )
    return (Remark(BASE_AMBIGUOUS, Severity.WARNING, text, details={"fits": first.version.name, "also": others}),)


def tried(versions: Iterable[dating.Version]) -> list[str]:
    """Return what is noted down about versions that a diff was tried against: their names, in order."""
    return sorted(version.name for version in versions)


def _carry(translated: translate.Translation, pairing: rebase.Pairing, legacy: LegacyOutcome, shown: str) -> Found:
    """Return the translation carried from base to target; proven means that it gives what the old system shows.

    What has more operations than a configuration may have is not carried: it gets no operations, and a remark.
    """
    beyond = limits.operations_refusal(translated.operations)
    if beyond is not None:
        return Found(legacy, shown, Route.CARRIED).remarked(Remark.of(beyond, Severity.BLOCKING))
    carried = rebase.rebase(translated.operations, pairing)
    source = compose.compose(pairing.new, carried.operations)
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
    read: diff.Diff, patched: patch.Patched, legacy: LegacyOutcome, target: Tree, expired: Expired, *, route: Route = Route.RESULT
) -> Found:
    """Translate what the old system shows on the target."""
    shown = patched.source
    hunks = Hunks(read, patched.placements, target.source, shown)
    translated = translate.translate_sources(target, shown, hunks=hunks, expired=expired)
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
