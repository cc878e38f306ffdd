"""The record of what happened, and the base of every row that has a state."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, ClassVar, Self, TypeVar

from django.db import models, transaction
from django.db.models import Case, F, Value, When

from rollout.errors import EventsAreFinal, MoveRefused
from rollout.states import Table, sources_of, way_to
from slots.models import Keys, insert_selected

SYSTEM = "phoenix"  # the name under which rows are moved that nobody moved by hand
ROWS_A_STATEMENT = 5_000  # far below SQLite's limit of 32,766 parameters in one IN (…)
Item = TypeVar("Item")


def batches(items: Sequence[Item], size: int = ROWS_A_STATEMENT) -> Iterator[Sequence[Item]]:
    """Return the items in slices that fit one statement."""
    return (items[start : start + size] for start in range(0, len(items), size))


class Subject(models.TextChoices):
    """Kinds of row that events are about."""

    PLAN = "plan", "plan"
    PHASE = "phase", "phase"
    WAVE = "wave", "wave"
    ENROLMENT = "enrolment", "enrolment"
    PERSON = "person", "person"
    FLAG = "flag", "flag"
    POLICY = "policy", "policy"
    BREACH = "breach", "breach"
    HOLD = "hold", "hold"
    TICKET = "ticket", "ticket"


class EventQuerySet(models.QuerySet["Event"]):
    """Questions about many events; changing or deleting them is refused."""

    def about(self, subject: Subject, *pks: int) -> Self:
        """Return what happened to these rows, oldest first."""
        return self.filter(subject=subject, subject_pk__in=pks)

    def update(self, **_changes: Any) -> int:
        """Refuse: what happened does not change."""
        raise EventsAreFinal

    def delete(self) -> tuple[int, dict[str, int]]:
        """Refuse: what happened stays."""
        raise EventsAreFinal


KIND_LABELS = {
    "override_set": "put by support on",
    "override_cleared": "left to the wave again by support",
    "kill_switch_engaged": "kill switch engaged",
    "kill_switch_released": "kill switch released",
    "engine_pinned": "engine pinned",
    "edits_set_aside": "edits set aside",
    "hold_set": "hold set",
    "breach_opened": "breach opened",
    "response_done": "response done",
    "alert_sent": "alert sent to",
    "alert_failed": "could not be alerted:",
    "gate_waived": "gate waived",
    "policy_retired": "policy retired",
    "checked": "looked at after the switch",
    "window_added": "window added",
    "window_removed": "window removed",
    "population_frozen": "population frozen",
    "population_unfrozen": "population free to be divided anew",
    "content_edited": "content edited",
    "signed": "signed off",
    "rollback_measured": "rollback measured",
    "rescheduled": "set for another time",
    "task_added": "task added",
    "task_moved": "task set for another time",
    "pace_set": "pace set",
    "task_done": "task done",
    "task_reopened": "task not done after all",
    "freeze_added": "freeze added to the calendar",
    "freeze_removed": "freeze taken off the calendar",
    "notice_waived": "notice waived",
    "notice_added": "notice added",
    "notice_removed": "notice removed",
    "late": "late",
    "regraded": "graded anew as",
    "not_taken_on": "could not be taken on by itself",
}


class Event(models.Model):
    """Something that happened to a plan, phase, wave or person; rows are only ever added."""

    subject = models.CharField(max_length=10, choices=Subject.choices)
    subject_pk = models.BigIntegerField()
    kind = models.CharField(max_length=40, help_text="`moved`, `override_set`, `kill_switch_engaged`, …")
    from_state = models.CharField(max_length=40, blank=True)
    to_state = models.CharField(max_length=40, blank=True)
    by = models.CharField(max_length=150)
    reason = models.TextField(blank=True)
    data = models.JSONField(default=dict, blank=True)
    at = models.DateTimeField()

    objects = EventQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]
        indexes: ClassVar = [models.Index(fields=["subject", "subject_pk", "id"], name="rollout_event_of_subject")]

    def __str__(self) -> str:
        """Return the subject and what happened."""
        return f"{self.subject} {self.subject_pk}: {self.kind} {self.to_state}".strip()

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Add the row; refuse to change one that is there."""
        if not self._state.adding:
            raise EventsAreFinal
        super().save(*args, **kwargs)

    def delete(self, *_args: Any, **_kwargs: Any) -> tuple[int, dict[str, int]]:
        """Refuse: what happened stays."""
        raise EventsAreFinal

    @property
    def kind_label(self) -> str:
        """Return the kind in words."""
        return KIND_LABELS.get(self.kind, self.kind.replace("_", " "))

    @property
    def from_label(self) -> str:
        """Return the state that was left, in words."""
        return self.from_state.replace("_", " ")

    @property
    def to_label(self) -> str:
        """Return the state that was entered, in words."""
        return self.to_state.replace("_", " ")


class Stateful(models.Model):
    """A row with a state, moved only along the edges of its table and only if nobody moved it since it was read."""

    TABLE: ClassVar[Table[Any]]
    SUBJECT: ClassVar[Subject]

    version = models.PositiveIntegerField(default=1, editable=False, help_text="Counts moves; a move names the one it read.")

    class Meta:
        abstract = True

    @classmethod
    def move(cls, pk: int, *, to: Any, at: datetime, version: int, by: str, reason: str = "", **changes: Any) -> bool:
        """Move one row and write its event; say whether it moved.

        False means that somebody else was first or that the table has no such edge: read again and decide again.
        `changes` are further columns to set in the same update.
        """
        manager: Any = cls._default_manager  # only the subclasses have the state
        with transaction.atomic():
            row = manager.filter(pk=pk, version=version).values_list("state", flat=True).first()
            if row is None or row not in sources_of(cls.TABLE, to):
                return False
            moved = manager.filter(pk=pk, version=version, state=row).update(state=to, version=F("version") + 1, **changes)
            if moved:
                Event.objects.create(
                    subject=cls.SUBJECT, subject_pk=pk, kind="moved", from_state=row, to_state=to, by=by, reason=reason, at=at
                )
        return bool(moved)

    def step(self, to: Any, *, at: datetime, by: str, reason: str = "", **changes: Any) -> None:
        """Move this row on and read it again.

        Raises:
            MoveRefused: the table has no such edge, or somebody moved the row since it was read.
        """
        moved = type(self).move(self.pk, to=to, at=at, version=self.version, by=by, reason=reason, **changes)
        self.refresh_from_db()
        if not moved:
            raise self._refused(to)

    def require_as_read(self, to: Any) -> None:
        """Refuse at once to move a row that somebody moved since it was read.

        `step` decides; this spares whoever is late the work before it, and the wait for a lock.

        Raises:
            MoveRefused: it is not as it was read.
        """
        manager: Any = type(self)._default_manager
        if not manager.filter(pk=self.pk, version=self.version).exists():
            self.refresh_from_db()
            raise self._refused(to)

    def _refused(self, to: Any) -> MoveRefused:
        """Return why this row does not become that, with the way that leads there."""
        way = way_to(self.TABLE, type(to)(self.state), to)  # type: ignore[attr-defined]  # subclasses have the state
        return MoveRefused(str(self), self.state_label, to.label, way=[each.label for each in way])

    @property
    def state_label(self) -> str:
        """Return the state in words."""
        return str(self.get_state_display())  # type: ignore[attr-defined]  # Django makes it from the field's choices

    @classmethod
    def move_many(
        cls,
        rows: models.QuerySet[Any],
        *,
        to: Any,
        at: datetime,
        by: str,
        reason: str = "",
        through: Any = None,
        **changes: Any,
    ) -> list[int]:
        """Move whichever of `rows` may move, set-based, and return their primary keys in order.

        Rows are locked in the order of their keys, so that two acts over the same rows queue up instead of deadlocking; what a
        row's table does not allow is left alone and not returned. `through` is a state on the way: rows that are not there yet
        pass it, counted and with an event of its own, but are written once.
        """
        manager: Any = cls._default_manager  # only the subclasses have the state
        sources = sources_of(cls.TABLE, to) if through is None else (through, *sources_of(cls.TABLE, through))
        moves = Value(1) if through is None else Case(When(state=through, then=1), default=2)
        said: dict[str, Any] = {"by": by, "reason": reason, "at": at}
        with transaction.atomic():
            allowed = rows.filter(state__in=sources).order_by("pk")
            # no key changes: rows that refer to these are written meanwhile without waiting, and keep no rollback waiting
            found = list(allowed.select_for_update(no_key=True).values_list("pk", flat=True))
            for batch in batches(found):
                moving = manager.filter(pk__in=Keys(batch))
                if through is not None:
                    passing = moving.exclude(state=through).order_by("pk")
                    insert_selected(Event, passing, cls._moved_event(F("state"), through, **said))
                insert_selected(Event, moving.order_by("pk"), cls._moved_event(through or F("state"), to, **said))
                moving.update(state=to, version=F("version") + moves, **changes)
        return found

    @classmethod
    def _moved_event(cls, source: Any, to: Any, *, by: str, reason: str, at: datetime) -> dict[str, Any]:
        """Return the columns of the event of a row that moves, as expressions over the row."""
        return {
            "subject": cls.SUBJECT,
            "subject_pk": F("pk"),
            "kind": "moved",
            "from_state": source,
            "to_state": to,
            "by": by,
            "reason": reason,
            "data": {},
            "at": at,
        }
