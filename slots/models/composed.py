"""Composed templates, a cache that may be emptied, and the issues found while composing and rendering."""

from typing import ClassVar

from django.db import models

from slots.models.components import ComponentVersion


class ComposedTemplateQuerySet(models.QuerySet["ComposedTemplate"]):
    """Questions about many composed templates."""

    def usable(self) -> "ComposedTemplateQuerySet":
        """Return those that say where their payloads stand; an earlier release wrote others."""
        return self.filter(spans__isnull=False)


class ComposedTemplate(models.Model):
    """Base source with a stack of bodies composed into it, ready to compile; rebuildable."""

    digest = models.CharField(
        max_length=64, primary_key=True, help_text="SHA-256 over the version's content digest and the ordered body digests."
    )
    component_version = models.ForeignKey(ComponentVersion, on_delete=models.CASCADE, related_name="composed")
    source = models.TextField()
    spans = models.TextField(null=True, help_text="JSON: where the payloads stand in the source, and what each displaced.")
    created_at = models.DateTimeField()

    objects = ComposedTemplateQuerySet.as_manager()

    def __str__(self) -> str:
        """Return the version and the start of the digest."""
        return f"{self.component_version} {self.digest[:12]}"


class ConfigurationIssue(models.Model):
    """An issue found while composing or rendering, counted where it recurs."""

    component_version = models.ForeignKey(ComponentVersion, on_delete=models.CASCADE, related_name="issues")
    digest = models.CharField(max_length=64, help_text="Digest of the composed template the issue arose in.")
    code = models.CharField(max_length=40)
    place = models.CharField(max_length=500, blank=True)
    text = models.TextField()
    occurrences = models.PositiveIntegerField(default=1)
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()

    class Meta:
        ordering = ["-last_at"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["digest", "code", "place"], name="slots_issue_once_per_place"),
        ]

    def __str__(self) -> str:
        """Return the code and the place."""
        return f"{self.code} {self.place}".strip()
