"""States of a customization: which moves there are, and when each occurs."""

from typing import Final

from django.db.models import TextChoices


class CustomizationState(TextChoices):
    """Where a legacy customization stands on its way to a slot configuration."""

    IMPORTED = "imported", "imported"
    TRANSLATED = "translated", "translated"
    VALIDATED = "validated", "validated"
    MIGRATED = "migrated", "migrated"
    NEEDS_REVIEW = "needs_review", "needs review"
    REJECTED = "rejected", "rejected"
    ARCHIVED = "archived", "archived"


NEXT: Final[dict[CustomizationState, frozenset[CustomizationState]]] = {
    CustomizationState.IMPORTED: frozenset(
        {
            CustomizationState.TRANSLATED,  # the engine proved operations for the diff
            CustomizationState.NEEDS_REVIEW,  # proven, but a finding asks for a person's decision
            CustomizationState.REJECTED,  # the diff applies nowhere: its code says why
        }
    ),
    CustomizationState.TRANSLATED: frozenset(
        {
            CustomizationState.VALIDATED,  # both systems render the same pages
            CustomizationState.NEEDS_REVIEW,  # pages differ, or the policy refuses the payload
            CustomizationState.IMPORTED,  # diff, base or engine changed: translate again
        }
    ),
    CustomizationState.VALIDATED: frozenset(
        {
            CustomizationState.MIGRATED,  # its person was switched to slots
            CustomizationState.NEEDS_REVIEW,  # a later check found a difference
            CustomizationState.IMPORTED,  # diff, base or engine changed: the proof went stale
        }
    ),
    CustomizationState.MIGRATED: frozenset(
        {
            CustomizationState.VALIDATED,  # its person was rolled back
            CustomizationState.ARCHIVED,  # the legacy system was retired for it
        }
    ),
    CustomizationState.NEEDS_REVIEW: frozenset(
        {
            CustomizationState.IMPORTED,  # a person decided, or the engine changed: translate again
            CustomizationState.REJECTED,  # a person decided that it stays off slots
        }
    ),
    CustomizationState.REJECTED: frozenset(
        {
            CustomizationState.IMPORTED,  # a new version, base or engine may take it
            CustomizationState.ARCHIVED,  # the legacy system was retired for it
        }
    ),
    CustomizationState.ARCHIVED: frozenset(
        {
            CustomizationState.IMPORTED,  # restored from the archive
        }
    ),
}
