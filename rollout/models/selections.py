"""Acts on many rows at once: whom a preview showed, frozen, and what became of each."""

from typing import ClassVar, Final

from django.db import models

from rollout.models.events import Subject

ACCIDENT: Final = "ACCIDENT"  # the code of rows whose part was given up


class Selection(models.Model):
    """One act on many rows, decided row by row and frozen when it was previewed; it is used once.

    `digest` is over the act and over key and version of every row that it is about. `reasons` and `changes` list
    `[code, sentence, rows]`: why rows were left out at the preview, and why rows that were previewed were not acted on.
    """

    subject = models.CharField(max_length=10, choices=Subject.choices)
    act = models.CharField(max_length=30)
    criteria = models.TextField(help_text="What was selected, in words.")
    options = models.JSONField(default=dict, blank=True, help_text="What else the act was told, such as the later wave.")
    digest = models.CharField(max_length=64)
    looked_at = models.PositiveIntegerField(default=0)
    taken = models.PositiveIntegerField(default=0, help_text="Rows that the act is about.")
    reasons = models.JSONField(default=list, blank=True)
    made_by = models.CharField(max_length=150)
    made_at = models.DateTimeField()
    begun_by = models.CharField(max_length=150, blank=True)
    begun_at = models.DateTimeField(null=True, blank=True)
    reason = models.TextField(blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    applied = models.PositiveIntegerField(default=0)
    changes = models.JSONField(default=list, blank=True)

    class Meta:
        ordering: ClassVar = ["-pk"]
        verbose_name_plural = "acts on many"
        indexes: ClassVar = [
            models.Index(
                fields=["begun_at"],
                condition=models.Q(begun_at__isnull=False, finished_at__isnull=True),
                name="rollout_selection_at_work",
            ),
        ]

    def __str__(self) -> str:
        """Return the act and what it is about."""
        return f"{self.act}: {self.taken:,} of {self.looked_at:,}"

    @property
    def left_out(self) -> int:
        """Return how many rows were looked at and left out."""
        return self.looked_at - self.taken

    @property
    def explained(self) -> int:
        """Return how many rows were previewed and not acted on, each with its reason."""
        return sum(count for _, _, count in self.changes)

    @property
    def given_up(self) -> int:
        """Return how many of those an accident ended."""
        return sum(count for code, _, count in self.changes if code == ACCIDENT)

    @property
    def refused(self) -> int:
        """Return how many of those had changed since the preview, or were refused by the act itself."""
        return self.explained - self.given_up


class SelectionPart(models.Model):
    """A slice of a selection, in the order of keys; all but the last are of one size, a multiple of a hundred or 1.

    Of rows that are taken `notes` are the versions that were seen; of those left out, places in the selection's `reasons`.
    `unapplied` lists `[key, name, code, sentence]` of previewed rows that were not acted on. A part that an accident rolled
    back waits until `retry_at`; `error` is what was said last.
    """

    selection = models.ForeignKey(Selection, on_delete=models.CASCADE, related_name="parts")
    is_taken = models.BooleanField()
    position = models.PositiveIntegerField()
    keys = models.JSONField()
    notes = models.JSONField()
    applied = models.PositiveIntegerField(default=0)
    unapplied = models.JSONField(default=list, blank=True)
    claimed_at = models.DateTimeField(null=True, blank=True, help_text="When somebody took it on, where its rows are not locked.")
    applied_at = models.DateTimeField(null=True, blank=True)
    tries = models.PositiveSmallIntegerField(default=0, help_text="How often an accident ended it.")
    error = models.CharField(max_length=300, blank=True)
    retry_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["selection", "-is_taken", "position"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["selection", "is_taken", "position"], name="rollout_selection_part_once"),
        ]

    def __str__(self) -> str:
        """Return the selection and the place in it."""
        return f"{self.selection_id}/{self.position}"
