"""People, their legacy customizations, and what became of each: translation, validation, findings.

Identical diffs against one base are translated and validated once, however many people store them; the customization of each
person points to the shared translation.
"""

from migration.models.customizations import (
    Customization,
    CustomizationEvent,
    CustomizationQuerySet,
    Person,
    PersonQuerySet,
    RejectedRecord,
    RejectedRecordQuerySet,
)
from migration.models.findings import Decision, Finding, FindingQuerySet, Severity
from migration.models.translations import LegacyOutcome, Route, Translation, Validation

__all__ = [
    "Customization",
    "CustomizationEvent",
    "CustomizationQuerySet",
    "Decision",
    "Finding",
    "FindingQuerySet",
    "LegacyOutcome",
    "Person",
    "PersonQuerySet",
    "RejectedRecord",
    "RejectedRecordQuerySet",
    "Route",
    "Severity",
    "Translation",
    "Validation",
]
