"""What became of a customization: its translation and the proof."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from slots.models import Body, ComponentVersion


class LegacyOutcome(models.TextChoices):
    """What the legacy system shows for a diff on the target version."""

    CLEAN = "clean", "applies without fuzz"
    FUZZ = "fuzz", "applies with fuzz"
    PLAIN = "plain", "does not apply: the plain base is shown"


class Route(models.TextChoices):
    """How the operations were found."""

    BASE = "base", "translated against the recorded base, which is the target"
    CARRIED = "carried", "translated against the recorded base, then carried to the target"
    RESULT = "result", "translated from what the legacy system shows on the target"
    NONE = "none", "not translated"


class Translation(models.Model):
    """Operations for one diff against one base, for one target version and its contract, by one engine version.

    `base` is the target itself where the recorded version is unknown: the legacy system tries the diff on that alone.
    """

    base = models.ForeignKey(ComponentVersion, on_delete=models.PROTECT, related_name="translations_from")
    target = models.ForeignKey(ComponentVersion, on_delete=models.PROTECT, related_name="translations_to")
    target_digest = models.CharField(max_length=64, help_text="Digest of the target's source and contract.")
    diff_digest = models.CharField(max_length=64)
    change_digest = models.CharField(
        max_length=64, blank=True, help_text="Of what the diff changes, however it is spelled; empty where it was not worked out."
    )
    engine_version = models.CharField(max_length=20)
    body = models.ForeignKey(Body, null=True, blank=True, on_delete=models.PROTECT, related_name="translations")
    route = models.CharField(max_length=10, choices=Route.choices, default=Route.NONE)
    legacy_outcome = models.CharField(max_length=10, choices=LegacyOutcome.choices)
    is_proven = models.BooleanField(default=False)
    is_byte_exact = models.BooleanField(default=False)
    replaced_source = models.BooleanField(default=False)
    fineness = models.FloatField(null=True, blank=True, help_text="0 (whole source replaced) to 1.")
    kinds = models.JSONField(default=dict, blank=True, help_text="How many operations there are of each kind, without layout.")
    outcomes = models.JSONField(
        default=list, blank=True, help_text="Per operation, what carrying it over did; three texts where kept."
    )
    created_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["base", "target", "target_digest", "diff_digest", "engine_version"], name="migration_translated_once"
            ),
            models.CheckConstraint(condition=Q(is_proven=False) | Q(body__isnull=False), name="migration_proven_has_operations"),
        ]

    def __str__(self) -> str:
        """Return the target and the start of the diff's digest."""
        return f"{self.target} {self.diff_digest[:12]}"


class Validation(models.Model):
    """The comparison of both renderings of a translation over the sample contexts.

    It is valid only for the versions that it names; a switch checks them again.
    """

    translation = models.ForeignKey(Translation, on_delete=models.CASCADE, related_name="validations")
    source_digest = models.CharField(max_length=64, help_text="Digest of the target version's source and contract.")
    body_digest = models.CharField(max_length=64)
    samples_digest = models.CharField(max_length=64)
    engine_version = models.CharField(max_length=20)
    metric_version = models.CharField(max_length=20)
    is_passed = models.BooleanField()
    is_equal = models.BooleanField(help_text="All pages canonically equal, by both parsers.")
    similarity_min = models.FloatField(null=True, blank=True)
    similarity_mean = models.FloatField(null=True, blank=True)
    difference_digest = models.CharField(
        max_length=64, blank=True, help_text="Of all that differs between the pages; empty where it was not worked out."
    )
    pages = models.JSONField(default=list, help_text="[{sample, equal, proven, similarity, first_difference, masked, problems}].")
    at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["translation", "source_digest", "body_digest", "samples_digest", "engine_version", "metric_version"],
                name="migration_validated_once",
            ),
        ]

    def __str__(self) -> str:
        """Return the verdict."""
        return f"{'passed' if self.is_passed else 'failed'} {self.translation_id}"
