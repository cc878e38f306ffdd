"""What is known about customizations today: whether translation and validation are current, and what stands in the way.

Everything that decides (states, proofs) reads these facts and no others. Four queries, however many customizations.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

from django.db.models import Q

from migration.engine import compare, translate
from migration.models import Customization, Finding, Translation, Validation
from slots.models import ComponentVersion

_READ: Final = (
    "state", "component_key", "base_version", "diff_digest", "is_active", "person", "base", "version", "external_id",
    "component__key", "component__current_version", "translation__base", "translation__target", "translation__target_digest",
    "translation__diff_digest", "translation__engine_version", "translation__body", "translation__is_proven",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Fact:
    """Hold what is known about one customization.

    `translation` and `validation` are None where there is none for the current versions; `blocking` holds what keeps its
    person on the old system: own findings, the translation's, and those of the current validation.
    """

    customization: Customization
    translation: Translation | None
    validation: Validation | None
    blocking: tuple[Finding, ...]

    @property
    def is_passed(self) -> bool:
        """Say whether the current validation passed."""
        return self.validation is not None and self.validation.is_passed


def samples_digest(samples: Sequence[Any]) -> str:
    """Return the SHA-256 of a version's sample contexts."""
    return sha256(json.dumps(samples, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def facts_about(primary_keys: Iterable[int]) -> list[Fact]:
    """Return the facts about these customizations, in the order of their primary keys; diffs and sources stay unread."""
    rows = list(
        Customization.objects.filter(pk__in=list(primary_keys))
        .select_related("component", "translation")
        .only(*_READ)
        .order_by("pk")
    )
    shown = {row.component.current_version_id for row in rows if row.component}
    versions = ComponentVersion.objects.only("content_digest", "samples").in_bulk([pk for pk in shown if pk is not None])
    samples = {pk: samples_digest(version.samples) for pk, version in versions.items()}
    current = {row.pk: row.translation for row in rows if row.translation and is_current(row, versions)}
    translations = {each.pk: each for each in current.values()}
    validations: dict[int, Validation] = {}
    for each in Validation.objects.filter(translation__in=translations).defer("pages").order_by("pk"):
        translation = translations[each.translation_id]
        if is_valid_for(each, translation, samples[translation.target_id]):
            validations[each.translation_id] = each
    own, shared = _blocking([row.pk for row in rows], list(translations))
    facts = []
    for row in rows:
        found = current.get(row.pk)
        validation = validations.get(found.pk) if found else None
        said = own.get(row.pk, []) + (shared.get(found.pk, []) if found else [])
        counted = tuple(each for each in said if each.validation_id in (None, validation and validation.pk))
        facts.append(Fact(row, found, validation, counted))
    return facts


def is_current(customization: Customization, versions: dict[int, ComponentVersion]) -> bool:
    """Say whether the translation is for this diff, this base, the component's current version and this engine."""
    translation, component = customization.translation, customization.component
    target = versions.get(component.current_version_id or 0) if component else None
    return (
        translation is not None
        and target is not None
        and translation.target_id == target.pk
        and translation.target_digest == target.content_digest
        and translation.base_id == (customization.base_id or target.pk)
        and translation.diff_digest == customization.diff_digest
        and translation.engine_version == translate.ENGINE_VERSION
    )


def is_valid_for(validation: Validation, translation: Translation, samples: str) -> bool:
    """Say whether the validation saw what there is now."""
    return (
        validation.source_digest == translation.target_digest
        and validation.body_digest == translation.body_id
        and validation.samples_digest == samples
        and validation.engine_version == translate.ENGINE_VERSION
        and validation.metric_version == compare.METRIC_VERSION
    )


def _blocking(customizations: list[int], translations: list[int]) -> tuple[dict[int, list[Finding]], dict[int, list[Finding]]]:
    """Return the blocking findings by customization and by translation."""
    own: dict[int, list[Finding]] = {}
    shared: dict[int, list[Finding]] = {}
    subjects = Q(customization__in=customizations) | Q(translation__in=translations)
    for each in Finding.objects.filter(subjects).blocking():
        if each.customization_id is not None:
            own.setdefault(each.customization_id, []).append(each)
        elif each.translation_id is not None:
            shared.setdefault(each.translation_id, []).append(each)
    return own, shared
