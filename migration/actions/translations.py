"""Translating customizations: each distinct diff once, however many people store it.

Equal means: same recorded base, same target version, same diff, same engine. The work is done outside of any row lock; the
rows are written in one transaction a chunk. Running it twice, or twice at the same time, changes nothing.
"""

import time
import uuid
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from statistics import fmean
from typing import Any, Final, NamedTuple

import structlog
from django.db import transaction
from django.db.models import Prefetch

from migration.actions.components import Catalogue
from migration.actions.legacy import compile_legacy
from migration.actions.people import CHUNK, Progress, in_chunks
from migration.actions.routes import TRIED, Found, Remark, find_operations, tried
from migration.actions.settling import ENGINE_ERROR, KEPT, settle
from migration.engine import dating, diff, translate
from migration.engine.bases import Bases
from migration.engine.changes import change_digest
from migration.models import Customization, Finding, Route, Severity, Translation
from migration.states import CustomizationState
from slots.actions import save_body
from slots.errors import Issue, OperationsInvalid, Refusal
from slots.markup import policy
from slots.models import ComponentVersion

BUDGET_SECONDS: Final = 5.0
LINEAGES: Final = 8
HEAVY: Final = ("source", "contract", "samples", "slot_map")
POLICY: Final = "policy"
DOES_NOT_COMPILE: Final = "DOES_NOT_COMPILE"

log = structlog.get_logger(__name__)


class Key(NamedTuple):
    """Name a translation: primary keys of the two versions, the digest of the target's source and contract, and the diff's."""

    base: int
    target: int
    content: str
    digest: str


@dataclass(frozen=True, slots=True)
class Crash:
    """Hold what the engine said when it failed on a diff."""

    text: str


@dataclass(slots=True)
class TranslationReport:
    """Count customizations by what became of them; `distinct` translations serve them, of which `computed` were new.

    `failed` have no operations, `needs_review` have but wait for a person; `skipped` are on slots already, archived, or no
    component knows them.
    """

    total: int = 0
    translated: int = 0
    proven: int = 0
    replaced_source: int = 0
    failed: int = 0
    needs_review: int = 0
    skipped: int = 0
    computed: int = 0
    finenesses: list[float] = field(default_factory=list)
    distinct: set[int] = field(default_factory=set)
    kinds: Counter[str] = field(default_factory=Counter)
    routes: Counter[str] = field(default_factory=Counter)
    legacy: Counter[str] = field(default_factory=Counter)

    def as_json(self) -> dict[str, Any]:
        """Return the object that the command prints."""
        return {
            "total": self.total,
            "translated": self.translated,
            "proven": self.proven,
            "replaced_source": self.replaced_source,
            "failed": self.failed,
            "needs_review": self.needs_review,
            "skipped": self.skipped,
            "distinct": len(self.distinct),
            "computed": self.computed,
            "fineness_mean": round(fmean(self.finenesses), 4) if self.finenesses else None,
            "ops_by_kind": dict(sorted(self.kinds.items())),
            "by_route": dict(sorted(self.routes.items())),
            "by_legacy": dict(sorted(self.legacy.items())),
        }


def translate_customizations(
    primary_keys: Iterable[int],
    *,
    at: datetime,
    by: str,
    reason: str = "translate",
    act: uuid.UUID | None = None,
    progress: Progress = lambda count: None,
) -> TranslationReport:
    """Translate those customizations and move each to its state.

    What cannot be translated, what the contract's policy refuses and what a person has to decide become findings; all the rest
    of the chunk goes on. `progress` is told how many customizations are done.
    """
    run = _Run(at=at, by=by, reason=reason, act=act or uuid.uuid4())
    for chunk in in_chunks(primary_keys, CHUNK):
        run.do(chunk)
        progress(len(chunk))
    return run.report


class _Run:
    """Hold what lasts from chunk to chunk: versions, and what was read of the bases that many diffs share."""

    def __init__(self, *, at: datetime, by: str, reason: str, act: uuid.UUID) -> None:
        self.report = TranslationReport()
        self._at, self._by, self._reason, self._act = at, by, reason, act
        self._versions: dict[int, ComponentVersion] = {}
        self._bases = Bases()
        self._lineages: dict[int, list[dating.Version]] = {}

    def do(self, chunk: Sequence[int]) -> None:
        """Translate one chunk."""
        rows = list(
            Customization.objects.filter(pk__in=chunk)
            .select_related("component__current_version")
            .defer(*(f"component__current_version__{name}" for name in HEAVY))
            .order_by("pk")
        )
        relink(rows, at=self._at, by=self._by, act=self._act)
        keys = {row.pk: key for row in rows if row.state not in KEPT and (key := self._key(row)) is not None}
        diffs = {keys[row.pk]: row.diff for row in rows if row.pk in keys and self._is_diff(row)}
        self._learn(diffs)
        known = self._stored(diffs)
        outdated = {key: known.pop(key) for key in list(known) if self._is_outdated(known[key])}
        found = {key: self._find(key, text) for key, text in diffs.items() if key not in known}
        broken = {key: each for key, each in found.items() if isinstance(each, Crash)}
        with transaction.atomic():
            Translation.objects.filter(pk__in=[row.pk for key, row in outdated.items() if isinstance(found[key], Found)]).delete()
            known.update({key: self._save(key, each, diffs[key]) for key, each in found.items() if isinstance(each, Found)})
            self._note([row.pk for row in rows], {pk: broken[key] for pk, key in keys.items() if key in broken})
            translations = {pk: known[key] for pk, key in keys.items() if key in known}
            changed = [row for row in rows if row.pk in translations and row.translation_id != translations[row.pk].pk]
            for row in changed:
                row.translation = translations[row.pk]
            Customization.objects.bulk_update(changed, ["translation"])
            states = settle([row.pk for row in rows], at=self._at, reason=self._reason)
        self._count(rows, translations, states)
        self.report.computed += sum(isinstance(each, Found) for each in found.values())

    def _key(self, row: Customization) -> Key | None:
        """Return the name of the row's translation; without a base the old system tries the diff on the target alone."""
        target = row.component.current_version if row.component else None
        return None if target is None else Key(row.base_id or target.pk, target.pk, target.content_digest, row.diff_digest)

    def _is_diff(self, row: Customization) -> bool:
        return row.state != CustomizationState.REJECTED or not isinstance(diff.accept(row.diff), Refusal)

    def _learn(self, keys: Iterable[Key]) -> None:
        wanted = {pk for key in keys for pk in (key.base, key.target)} - self._versions.keys()
        self._versions.update(ComponentVersion.objects.select_related("component").in_bulk(wanted))

    def _stored(self, keys: Iterable[Key]) -> dict[Key, Translation]:
        """Return the translations by this engine that are there already."""
        wanted = set(keys)
        rows = (
            Translation.objects.filter(
                target__in={key.target for key in wanted},
                diff_digest__in={key.digest for key in wanted},
                engine_version=translate.ENGINE_VERSION,
            )
            .defer("outcomes")
            .prefetch_related(Prefetch("findings", Finding.objects.filter(details__has_key=TRIED)))
        )
        named = {Key(row.base_id, row.target_id, row.target_digest, row.diff_digest): row for row in rows}
        return {key: row for key, row in named.items() if key in wanted}

    def _is_outdated(self, row: Translation) -> bool:
        """Say whether a diff fitted no version when it was tried, and the component has other versions now."""
        versions = [each.details[TRIED] for each in row.findings.all()]
        return (
            row.route == Route.NONE
            and versions != []
            and versions != [tried(self._lineage(self._versions[row.target_id].component_id))]
        )

    def _lineage(self, component: int) -> list[dating.Version]:
        """Return all versions of a component, newest first; only the last few components are kept."""
        if component not in self._lineages:
            if len(self._lineages) >= LINEAGES:
                del self._lineages[next(iter(self._lineages))]
            rows = ComponentVersion.objects.filter(component=component).values_list("version", "source")
            self._lineages[component] = [dating.Version(*row) for row in rows][::-1]
        return self._lineages[component]

    def _find(self, key: Key, text: str) -> "Found | Crash | None":
        """Translate one diff and judge what came out, within the budget.

        A defect of the engine must not keep everybody else's customizations from being translated: it is logged with its
        traceback and noted down on the customizations it strikes, which are tried again the next time.
        """
        base, target = self._versions[key.base], self._versions[key.target]
        deadline = time.monotonic() + BUDGET_SECONDS
        try:
            found = find_operations(
                text,
                base=base.source,
                target=target.source,
                versions=lambda: self._lineage(target.component_id),
                bases=self._bases,
                expired=lambda: time.monotonic() > deadline,
            )
            return None if isinstance(found, Refusal) else found.remarked(*judge(found, target))
        except Exception as error:
            log.exception(ENGINE_ERROR, base=str(base), target=str(target), diff=key.digest)
            return Crash(f"{type(error).__name__}: {error}")

    def _note(self, rows: Sequence[int], crashes: "dict[int, Crash]") -> None:
        """Replace what earlier runs noted about a defect of the engine."""
        Finding.objects.filter(customization__in=rows, code=ENGINE_ERROR).delete()
        Finding.objects.bulk_create(
            Finding(
                customization_id=pk,
                code=ENGINE_ERROR,
                severity=Severity.BLOCKING,
                text=f"The engine failed on this diff ({crash.text}). Report it; translate again when it is mended.",
                created_at=self._at,
            )
            for pk, crash in crashes.items()
        )

    def _save(self, key: Key, found: Found, text: str) -> Translation:
        """Write translation, body and findings, unless another process was first."""
        body, remarks = None, list(found.remarks)
        if found.operations is not None:
            try:
                body = save_body(found.operations, at=self._at)
            except OperationsInvalid as fault:
                remarks.append(Remark("LIMIT_EXCEEDED", Severity.BLOCKING, f"The operations are not stored: {fault}."))
        names = {
            "base_id": key.base,
            "target_id": key.target,
            "target_digest": key.content,
            "diff_digest": key.digest,
            "engine_version": translate.ENGINE_VERSION,
        }
        translation, is_new = Translation.objects.get_or_create(
            **names,
            defaults={
                "change_digest": change_digest(text),
                "body": body,
                "route": found.route,
                "legacy_outcome": found.legacy,
                "is_proven": found.is_proven and body is not None,
                "is_byte_exact": found.is_byte_exact,
                "replaced_source": found.replaced_source,
                "fineness": found.fineness,
                "kinds": Counter(each.kind for each in found.operations or () if not each.layout),
                "outcomes": [each.as_json() for each in found.outcomes],
                "created_at": self._at,
            },
        )
        if is_new:
            Finding.objects.bulk_create([_finding(translation, remark, self._at) for remark in remarks])
        return translation

    def _count(
        self, rows: Sequence[Customization], translations: dict[int, Translation], states: dict[int, CustomizationState]
    ) -> None:
        report = self.report
        report.total += len(rows)
        for row in rows:
            if row.state in KEPT:
                report.skipped += 1
                continue
            report.needs_review += states[row.pk] == CustomizationState.NEEDS_REVIEW
            translation = translations.get(row.pk)
            if translation is None or translation.body_id is None:
                report.failed += 1
                continue
            report.translated += 1
            report.proven += translation.is_proven
            report.replaced_source += translation.replaced_source
            report.distinct.add(translation.pk)
            report.kinds.update(translation.kinds)
            report.routes[translation.route] += 1
            report.legacy[translation.legacy_outcome] += 1
            if translation.fineness is not None:
                report.finenesses.append(translation.fineness)


def judge(found: Found, target: ComponentVersion) -> list[Remark]:
    """Return what the contract's policy refuses, and whether the composed template compiles."""
    if found.operations is None:
        return []
    remarks = [issue_remark(issue) for issue in policy.judge(found.operations, target.terms, target.source)]
    problem = compile_problem(found.source)
    if problem:
        shown = compile_problem(found.shown)
        text = f"The customised template does not compile ({problem})."
        text += " Nor does what the old system makes of it: people see the plain component." if shown else ""
        remarks.append(Remark(DOES_NOT_COMPILE, Severity.BLOCKING, text))
    return remarks


def issue_remark(issue: Issue) -> Remark:
    """Return an issue of the policy as a remark; it blocks until somebody with the right accepts it."""
    text = f"{issue.text} {issue.suggestion}".strip()
    return Remark(
        issue.code.value, Severity.BLOCKING, text, place=issue.place, details={"origin": POLICY, "operation": issue.operation}
    )


def compile_problem(source: str) -> str:
    """Return the compiler's words, empty where the source compiles."""
    try:
        compile_legacy(source)
    except Exception as error:  # tag libraries may raise anything; the finding holds it
        said = str(error).splitlines() or [""]
        return f"{type(error).__name__}: {said[0]}"
    return ""


def relink(rows: Sequence[Customization], *, at: datetime, by: str, act: uuid.UUID) -> None:
    """Tie customizations to components and versions that were unknown when they came, and drop the findings about that."""
    loose = [row for row in rows if row.component_id is None or row.base_id is None]
    if not loose:
        return
    catalogue = Catalogue()
    catalogue.learn((row.component_key, row.base_version) for row in loose)
    linked = []
    for row in loose:
        component = catalogue.components[row.component_key]
        base = catalogue.versions[row.component_key, row.base_version]
        if (component and component.pk, base and base.pk) != (row.component_id, row.base_id):
            row.component, row.base = component, base
            linked.append(row)
    with transaction.atomic():
        Customization.objects.bulk_update(linked, ["component", "base"])
        Customization.history.bulk_history_create(  # type: ignore[attr-defined]  # simple_history has no stubs
            linked,
            update=True,
            default_user=by,
            default_change_reason="component or version became known",
            default_date=at,
            custom_historical_attrs={"act": act},
        )
        known = [row.pk for row in linked if row.component_id]
        Finding.objects.filter(customization__in=known, code="COMPONENT_UNKNOWN").delete()
        based = [row.pk for row in linked if row.base_id]
        Finding.objects.filter(customization__in=based, code="VERSION_UNKNOWN").delete()


def _finding(translation: Translation, remark: Remark, at: datetime) -> Finding:
    return Finding(
        translation=translation,
        code=remark.code,
        severity=remark.severity,
        line=remark.line,
        place=remark.place[:500],
        text=remark.text,
        details=remark.details,
        created_at=at,
    )
