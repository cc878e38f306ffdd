"""Groups of what needs a person: the same change that shows the same difference is one decision.

A customization needs a person while findings block it that nobody decided. Two of them are in one group where the component's
version, what the diff changes, the operations, the findings' codes and places, and all that differs between the rendered pages
are equal. Six queries, however many there are; of each distinct translation a few digests are read.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any, Final, NamedTuple

from django.db.models import (
    BooleanField,
    Case,
    Count,
    Exists,
    ExpressionWrapper,
    F,
    Min,
    OuterRef,
    Q,
    TextChoices,
    Value,
    When,
)
from django.db.models.fields.json import KT
from django.db.models.functions import Coalesce

from migration.actions.facts import samples_digest
from migration.actions.findings import is_acceptable
from migration.actions.routes import CARRY_CONFLICT, RESTORES_CUSTOMIZATION
from migration.actions.translations import POLICY
from migration.actions.validations import PAGES_DIFFER, PAGES_NOT_COMPARED, RENDER_ERROR
from migration.engine import compare, translate
from migration.models import Customization, CustomizationQuerySet, Decision, Finding, Severity, Translation, Validation
from slots.markup import ops
from slots.models import Body, ComponentVersion, Keys


class Kind(TextChoices):
    """Why a group needs a person, the gravest reason first."""

    UNUSABLE = "unusable", "cannot be used as it is"
    POLICY = "policy", "refused by the policy"
    CONFLICT = "conflict", "in conflict with a newer version"
    RESTORES = "restores", "would be seen again"
    PAGES = "pages", "pages differ"
    OTHER = "other", "another question"


_CODES: Final[Mapping[Kind, frozenset[str]]] = {
    Kind.CONFLICT: frozenset({CARRY_CONFLICT}),
    Kind.RESTORES: frozenset({RESTORES_CUSTOMIZATION}),
    Kind.PAGES: frozenset({PAGES_DIFFER, PAGES_NOT_COMPARED, RENDER_ERROR}),
}
# The translation is for this diff, this base, the component's current version and this engine: `facts.is_current` as a condition.
CURRENT: Final = Q(
    translation__engine_version=translate.ENGINE_VERSION,
    translation__target=F("component__current_version"),
    translation__target_digest=F("translation__target__content_digest"),
    translation__diff_digest=F("diff_digest"),
) & (Q(translation__base=F("base")) | Q(base__isnull=True, translation__base=F("translation__target")))


@dataclass(frozen=True, slots=True)
class Group:
    """Hold what is equal for all members of a group, how many they are, and which rows it is made of.

    `digest` names the group and stays the same when members come or go. Members are the waiting customizations of `translations`
    that have no findings of their own, and the named `customizations`; `first` is the lowest of their primary keys. `body` is the
    digest of the operations, empty where there are none.
    """

    digest: str
    kind: Kind
    component: str
    version: str
    codes: tuple[str, ...]
    text: str
    people: int
    first: int
    first_seen_at: datetime
    can_accept: bool
    findings: tuple[int, ...]
    translations: tuple[int, ...]
    customizations: tuple[int, ...]
    body: str = ""
    severity: Severity = Severity.BLOCKING

    def as_json(self) -> dict[str, Any]:
        """Return the object that the command prints; of the rows that make it up only how many there are."""
        inner = ("findings", "translations", "customizations", "first", "body")
        shown = {name: value for name, value in asdict(self).items() if name not in inner}
        return shown | {"findings": len(self.findings), "diffs": len(self.translations) + len(self.customizations)}


def open_groups(*, component: str = "", kind: str = "") -> list[Group]:
    """Return the groups of everything that waits for a person, those of most people first, as far as it is asked for."""
    found = (group for group in _groups() if component in ("", group.component) and kind in ("", group.kind))
    return sorted(found, key=lambda group: (-group.people, group.first_seen_at, group.digest))


def group_named(digest: str) -> Group | None:
    """Return one group, None where nobody waits in it any more."""
    return next((group for group in _groups() if group.digest == digest), None)


def words_of(groups: Iterable[Group]) -> dict[str, str]:
    """Return by digest what the operations of these groups do, the first in words; one query."""
    named = {group.digest: group.body for group in groups if group.body}
    bodies = Body.objects.in_bulk(set(named.values()))
    return {digest: _words(bodies[body].operations) for digest, body in named.items()}


def _words(operations: str) -> str:
    shown = [each for each in ops.loads(operations) if not each.layout]
    more = f" And {len(shown) - 1} more." if len(shown) > 1 else ""
    return ops.describe(shown[0]).rstrip(".") + f".{more}" if shown else ""


def sharing(translations: Iterable[int]) -> CustomizationQuerySet:
    """Return the waiting customizations that have no findings but those of these translations."""
    own = Finding.objects.blocking().filter(customization=OuterRef("pk"))
    return Customization.objects.waiting().filter(CURRENT, ~Exists(own), translation__in=Keys(translations))


class _Said(NamedTuple):
    """Hold what a blocking finding says."""

    pk: int
    customization: int | None
    translation: int | None
    validation: int | None
    code: str
    place: str
    text: str
    decision: str
    created_at: datetime
    origin: str | None
    is_installable: bool

    @property
    def can_accept(self) -> bool:
        """Say whether accepting it lets anybody move."""
        return is_acceptable(self.code, is_own=self.customization is not None, is_installable=self.is_installable)


class _Translated(NamedTuple):
    """Hold what is read of a translation."""

    pk: int
    component: str
    version: str
    target: int
    change: str
    body: str


class _Seen(NamedTuple):
    """Hold what is read of a validation that saw what there is now."""

    pk: int
    difference: str


@dataclass(frozen=True, slots=True)
class _Subject:
    """Hold a translation with all who share it, or a customization with findings of its own, and what is said about it."""

    component: str
    version: str
    change: str
    body: str
    difference: str
    findings: tuple[_Said, ...]
    people: int
    first: int
    translation: int = 0
    customization: int = 0

    @property
    def digest(self) -> str:
        """Return the SHA-256 of what members of one group have in common."""
        said = sorted({(each.code, each.place) for each in self.findings})
        common = [self.component, self.version, self.change, self.body, said, self.difference]
        return sha256(json.dumps(common, separators=(",", ":")).encode()).hexdigest()


def _groups() -> Iterator[Group]:
    """Yield each group once, those whose findings were refused left out: somebody decided about them."""
    alike: dict[str, list[_Subject]] = {}
    for subject in _subjects():
        if all(each.decision == Decision.OPEN for each in subject.findings):
            alike.setdefault(subject.digest, []).append(subject)
    for digest, subjects in alike.items():
        yield _group(digest, subjects)


def _group(digest: str, subjects: Sequence[_Subject]) -> Group:
    findings = {each.pk: each for subject in subjects for each in subject.findings}
    said = subjects[0].findings
    return Group(
        digest=digest,
        kind=_kind(said),
        component=subjects[0].component,
        version=subjects[0].version,
        codes=tuple(sorted({each.code for each in said})),
        text=said[0].text,
        people=sum(subject.people for subject in subjects),
        first=min(subject.first for subject in subjects),
        first_seen_at=min(each.created_at for each in findings.values()),
        can_accept=all(each.can_accept for each in findings.values()),
        findings=tuple(sorted(findings)),
        translations=tuple(sorted({subject.translation for subject in subjects if subject.translation})),
        customizations=tuple(sorted(subject.customization for subject in subjects if subject.customization)),
        body=subjects[0].body,
    )


def _kind(said: Sequence[_Said]) -> Kind:
    """Return the gravest reason why these findings need a person."""
    if not all(each.can_accept for each in said):
        return Kind.UNUSABLE
    if any(each.origin == POLICY for each in said):
        return Kind.POLICY
    return next((kind for kind, codes in _CODES.items() if any(each.code in codes for each in said)), Kind.OTHER)


def _subjects() -> Iterator[_Subject]:
    """Yield all that has undecided or refused blocking findings and for which anybody waits."""
    own, shared = _findings()
    alone = _alone(own)
    translations = _translations({*shared, *(translation for *_, translation in alone if translation)})
    seen = _seen(translations)

    def said_of(translation: int) -> tuple[_Said, ...]:
        validation = seen.get(translation)
        return tuple(each for each in shared.get(translation, ()) if each.validation in (None, validation and validation.pk))

    def subject(of: int, said: tuple[_Said, ...], **who: int) -> _Subject:
        row, validation = translations[of], seen.get(of)
        difference = validation.difference if validation else ""
        return _Subject(row.component, row.version, row.change, row.body, difference, said, **who)

    counted = sharing(shared).order_by().values_list("translation").annotate(people=Count("pk"), first=Min("pk"))
    for translation, people, first in counted:
        if said := said_of(translation):
            yield subject(translation, said, people=people, first=first, translation=translation)
    for pk, component, version, change, translation in alone:
        if translation:
            yield subject(translation, (*own[pk], *said_of(translation)), people=1, first=pk, customization=pk)
        else:
            yield _Subject(component, version, change, "", "", tuple(own[pk]), people=1, first=pk, customization=pk)


def _findings() -> tuple[dict[int, list[_Said]], dict[int, list[_Said]]]:
    """Return the blocking findings that nobody accepted, by customization and by translation of this engine."""
    own: dict[int, list[_Said]] = {}
    shared: dict[int, list[_Said]] = {}
    is_of_now = Q(translation__isnull=True) | Q(translation__engine_version=translate.ENGINE_VERSION)
    rows = Finding.objects.blocking().filter(is_of_now).order_by("pk").annotate(origin=KT("details__origin"))
    is_installable = ExpressionWrapper(Q(translation__body__isnull=False, translation__is_proven=True), BooleanField())
    read = ("pk", "customization", "translation", "validation", "code", "place", "text", "decision", "created_at", "origin")
    for each in rows.annotate(is_installable=is_installable).values_list(*read, "is_installable"):
        said = _Said(*each)
        if said.customization is not None:
            own.setdefault(said.customization, []).append(said)
        elif said.translation is not None:
            shared.setdefault(said.translation, []).append(said)
    return own, shared


def _alone(keys: Iterable[int]) -> list[tuple[int, str, str, str, int | None]]:
    """Return of these customizations those that wait: key, component, version and diff, and the translation if it is current."""
    rows = Customization.objects.waiting().filter(pk__in=Keys(keys)).order_by("pk").annotate(is_current=CURRENT)
    read = ("pk", "component_key", "base_version", "diff_digest", "translation", "is_current")
    return [(*said, translation if is_current else None) for *said, translation, is_current in rows.values_list(*read)]


def _translations(keys: Iterable[int]) -> dict[int, _Translated]:
    """Return the named translations; sources stay unread."""
    rows = Translation.objects.filter(pk__in=Keys(keys)).annotate(
        change=Case(When(change_digest="", then=F("diff_digest")), default=F("change_digest")),
        operations=Coalesce("body", Value("")),
    )
    read = ("pk", "target__component__key", "target__version", "target", "change", "operations")
    return {each[0]: _Translated(*each) for each in rows.values_list(*read)}


def _seen(translations: Mapping[int, _Translated]) -> dict[int, _Seen]:
    """Return by translation the validation that saw what there is now: `facts.is_valid_for` as a condition.

    Where what differs was not worked out, it is taken for equal to nothing else.
    """
    targets = {row.target for row in translations.values()}
    samples = {row.pk: samples_digest(row.samples) for row in ComponentVersion.objects.filter(pk__in=targets).only("samples")}
    rows = Validation.objects.filter(
        translation__in=Keys(translations),
        source_digest=F("translation__target_digest"),
        body_digest=F("translation__body"),
        engine_version=translate.ENGINE_VERSION,
        metric_version=compare.METRIC_VERSION,
    )
    return {
        translation: _Seen(pk, difference or f"of {pk} alone")
        for pk, translation, samples_seen, difference in rows.order_by("pk").values_list(
            "pk", "translation", "samples_digest", "difference_digest"
        )
        if samples_seen == samples[translations[translation].target]
    }
