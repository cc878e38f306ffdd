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
from typing import Any, Final

from django.db.models import Count, Exists, F, Min, OuterRef, Q, TextChoices

from migration.actions.facts import is_valid_for, samples_digest
from migration.actions.findings import can_accept
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


@dataclass(frozen=True, slots=True)
class _Subject:
    """Hold a translation with all who share it, or a customization with findings of its own, and what is said about it."""

    component: str
    version: str
    change: str
    body: str
    difference: str
    findings: tuple[Finding, ...]
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
        can_accept=all(map(can_accept, findings.values())),
        findings=tuple(sorted(findings)),
        translations=tuple(sorted({subject.translation for subject in subjects if subject.translation})),
        customizations=tuple(sorted(subject.customization for subject in subjects if subject.customization)),
        body=subjects[0].body,
    )


def _kind(said: Sequence[Finding]) -> Kind:
    """Return the gravest reason why these findings need a person."""
    if not all(map(can_accept, said)):
        return Kind.UNUSABLE
    if any(each.details.get("origin") == POLICY for each in said):
        return Kind.POLICY
    return next((kind for kind, codes in _CODES.items() if any(each.code in codes for each in said)), Kind.OTHER)


def _subjects() -> Iterator[_Subject]:
    """Yield all that has undecided or refused blocking findings and for which anybody waits."""
    own, shared = _findings()
    alone = list(
        Customization.objects.waiting()
        .filter(pk__in=Keys(own))
        .annotate(is_current=CURRENT)
        .values_list("pk", "component_key", "base_version", "diff_digest", "translation", "is_current")
    )
    blamed = {*shared, *(translation for *_, translation, is_current in alone if is_current)}
    translations = {row.pk: row for row in _translations(blamed)}
    validations = _validations(translations)

    def said_of(translation: int) -> tuple[Finding, ...]:
        validation = validations.get(translation)
        said = shared.get(translation, ())
        return tuple(each for each in said if each.validation_id in (None, validation and validation.pk))

    def subject(of: int, said: tuple[Finding, ...], **who: int) -> _Subject:
        row, validation = translations[of], validations.get(of)
        difference = "" if validation is None else validation.difference_digest or f"of {validation.pk} alone"
        change = row.change_digest or row.diff_digest
        return _Subject(row.target.component.key, row.target.version, change, row.body_id or "", difference, said, **who)

    counted = sharing(translations).order_by().values_list("translation").annotate(people=Count("pk"), first=Min("pk"))
    for translation, people, first in counted:
        if said := said_of(translation):
            yield subject(translation, said, people=people, first=first, translation=translation)
    for pk, component, version, change, translation, is_current in alone:
        if is_current:
            yield subject(translation, (*own[pk], *said_of(translation)), people=1, first=pk, customization=pk)
        else:
            yield _Subject(component, version, change, "", "", tuple(own[pk]), people=1, first=pk, customization=pk)


def _findings() -> tuple[dict[int, list[Finding]], dict[int, list[Finding]]]:
    """Return the blocking findings that nobody accepted, by customization and by translation of this engine."""
    own: dict[int, list[Finding]] = {}
    shared: dict[int, list[Finding]] = {}
    is_of_now = Q(translation__isnull=True) | Q(translation__engine_version=translate.ENGINE_VERSION)
    rows = Finding.objects.blocking().filter(is_of_now).select_related("translation").order_by("pk")
    read = (
        "code",
        "place",
        "text",
        "details",
        "decision",
        "created_at",
        "translation",
        "customization",
        "validation",
        "severity",
    )
    for each in rows.only(*read, "translation__body", "translation__is_proven"):
        if each.customization_id is not None:
            own.setdefault(each.customization_id, []).append(each)
        elif each.translation_id is not None:
            shared.setdefault(each.translation_id, []).append(each)
    return own, shared


def _translations(keys: Iterable[int]) -> Iterable[Translation]:
    """Return the named translations with their target's names; sources stay unread."""
    read = ("change_digest", "diff_digest", "body", "target_digest", "target__version", "target__component__key")
    return Translation.objects.filter(pk__in=Keys(keys)).select_related("target__component").only(*read)


def _validations(translations: Mapping[int, Translation]) -> dict[int, Validation]:
    """Return by translation the validation that saw what there is now."""
    targets = {row.target_id for row in translations.values()}
    samples = {row.pk: samples_digest(row.samples) for row in ComponentVersion.objects.filter(pk__in=targets).only("samples")}
    made = Validation.objects.filter(
        translation__in=Keys(translations),
        engine_version=translate.ENGINE_VERSION,
        metric_version=compare.METRIC_VERSION,
    )
    found = {}
    for each in made.defer("pages").order_by("pk"):
        translation = translations[each.translation_id]
        if is_valid_for(each, translation, samples[translation.target_id]):
            found[each.translation_id] = each
    return found
