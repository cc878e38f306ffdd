"""What the administration as a whole keeps: filters of lists that somebody gave a name."""

from typing import Any, ClassVar

from django.conf import settings
from django.db import models

LONGEST = 2000  # characters of a kept query


def keep_shared(collector: Any, field: Any, sub_objs: Any, using: str) -> None:
    """Leave the filters that others use behind when their owner's account is removed; the owner's own go with it.

    The migration `0003_shared_filters_outlive_their_owner` names this function, so it keeps its name and its place.
    """
    models.SET_NULL(collector, field, sub_objs.filter(is_shared=True), using)
    models.CASCADE(collector, field, sub_objs.filter(is_shared=False), using)


class SavedFilter(models.Model):
    """A list with filters, search and order, under a name: for whoever saved it, or for everybody who may see the list."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=keep_shared, related_name="saved_filters")
    listing = models.CharField(max_length=100, help_text="`app.model`, such as `rollout.enrolment`.")
    name = models.CharField(max_length=60)
    query = models.CharField(max_length=LONGEST, help_text="What stands behind the question mark of the list's address.")
    is_shared = models.BooleanField(default=False)
    made_at = models.DateTimeField()

    class Meta:
        ordering: ClassVar = ["listing", "name", "pk"]
        default_permissions: ClassVar = ()
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["owner", "listing", "name"], name="phoenix_filter_name_once"),
            models.CheckConstraint(
                condition=models.Q(owner__isnull=False) | models.Q(is_shared=True), name="phoenix_filter_has_a_user"
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["listing"], condition=models.Q(is_shared=True), name="phoenix_shared_filters"),
        ]

    def __str__(self) -> str:
        """Return the name."""
        return self.name
