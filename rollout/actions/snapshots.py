"""Keep what a person had before the switch, install what was proven, and put the former back exactly.

Everything here works on a chunk of people in a fixed number of queries and runs inside the caller's transaction.
"""

import hashlib
import json
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from migration.models import Customization, Person
from migration.states import CustomizationState
from rollout.models import Enrolment, Event, Snapshot, Subject
from slots.actions.configurations import Placement, install_configurations, remove_configurations, restore_configurations
from slots.models import Keys, Layer, SlotConfiguration

Row = dict[str, Any]
CONTENT = ("component_version_id", "body_id", "is_active", "origin", "priority", "is_pinned")  # what a row says
FORMERLY: Row = {"is_pinned": False}  # what snapshots of earlier releases do not say


@dataclass(frozen=True, slots=True)
class Restored:
    """Say whose snapshot was put back, and what they had changed since the switch (kept with the snapshot)."""

    person_pk: int
    set_aside: tuple[Row, ...]


def lock_people(pks: Iterable[int]) -> list[Person]:
    """Return the people in the order of their keys; no other act switches or restores them until the transaction ends."""
    return list(_held(pks))


def hold_people(pks: Iterable[int]) -> None:
    """Lock the people as `lock_people` does, without reading more than their keys."""
    list(_held(pks).values_list("pk"))


def switch(
    placements: Mapping[int, Sequence[Placement]],
    *,
    enrolments: Mapping[int, Enrolment],
    by: str,
    at: datetime,
    reason: str,
    act: uuid.UUID,
) -> None:
    """Install the placements of each person (by primary key), after a snapshot of what they had.

    Who has a standing snapshot (support switched them before their wave did) keeps it: what it holds is still what came
    before slots. `enrolments` says, by person, in which wave the switch happens; people whom support switches have none.
    """
    people = lock_people(placements)
    standing = {each.person_id: each for each in Snapshot.objects.standing().filter(person__in=people)}
    before, diffs = own_rows(people), diffs_of(people)
    install_configurations([each for person in people for each in placements[person.pk]], by=by, at=at, reason=reason, act=act)
    after = own_rows(people)
    fresh: list[Snapshot] = []
    for person in people:
        snapshot = standing.get(person.pk) or Snapshot(
            person=person,
            act=act,
            configurations=before[person.pk],
            customizations=diffs[person.pk],
            digest=digest_of(before[person.pk], diffs[person.pk]),
            taken_at=at,
        )
        snapshot.installed = after[person.pk]
        snapshot.enrolment = enrolments.get(person.pk) or snapshot.enrolment
        if person.pk not in standing:
            fresh.append(snapshot)
    Snapshot.objects.bulk_create(fresh)
    Snapshot.objects.bulk_update(standing.values(), ["installed", "enrolment"])
    Customization.objects.active().filter(person__in=people).move(to=CustomizationState.MIGRATED, at=at, reason=reason)


@transaction.atomic
def restore(snapshots: Iterable[Snapshot], *, by: str, at: datetime, reason: str, act: uuid.UUID) -> list[Restored]:
    """Put back what the snapshots hold, row for row with their keys and instants.

    What a person changed since the switch is taken off as well, since half a snapshot is none; it stays in the history, is kept
    with the snapshot, and is returned, so that somebody can look at it. `restoring.restore_together` does the same by SQL.
    """
    wanted = {each.pk: each.person_id for each in snapshots}
    people = lock_people(wanted.values())
    still = Snapshot.objects.standing().filter(pk__in=wanted)
    standing = {each.person_id: each for each in still.select_for_update().order_by("pk")}
    present = own_rows(people)
    gone: list[int] = []
    rows: list[SlotConfiguration] = []
    for person in people:
        if person.pk not in standing:
            continue  # somebody restored it while we waited for the lock
        former = {row["id"]: {**FORMERLY, **row} for row in standing[person.pk].configurations}
        there = {row["id"]: row for row in present[person.pk]}
        gone += [pk for pk in there if pk not in former]
        rows += [_model(person, row) for pk, row in former.items() if there.get(pk) != row]
    aside = set_edits_aside(list(standing), by=by, at=at, reason=reason)
    remove_configurations(SlotConfiguration.objects.filter(pk__in=gone), by=by, at=at, reason=reason, act=act)
    restore_configurations(rows, by=by, at=at, reason=reason, act=act)
    close_snapshots([each.pk for each in standing.values()], list(standing), at=at, reason=reason)
    return [Restored(pk, tuple(aside.get(pk, ()))) for pk in sorted(standing)]


def set_edits_aside(pks: Sequence[int], *, by: str, at: datetime, reason: str) -> dict[int, list[Row]]:
    """Keep what these people changed since the switch with their standing snapshots and in the record; return it by person.

    Who changed nothing is not in the answer.
    """
    people = list(Person.objects.filter(pk__in=Keys(pks)).order_by("pk"))
    present, diffs = own_rows(people), diffs_of(people)
    edited: list[Snapshot] = []
    for snapshot in Snapshot.objects.standing().filter(person__in=Keys(pks)).order_by("person"):
        snapshot.set_aside = _edits(snapshot, present[snapshot.person_id], diffs[snapshot.person_id])
        edited += [snapshot] if snapshot.set_aside else []
    Snapshot.objects.bulk_update(edited, ["set_aside"])
    Event.objects.bulk_create(
        Event(
            subject=Subject.PERSON,
            subject_pk=snapshot.person_id,
            kind="edits_set_aside",
            by=by,
            reason=reason,
            data={"edits": snapshot.set_aside},
            at=at,
        )
        for snapshot in edited
    )
    return {snapshot.person_id: snapshot.set_aside for snapshot in edited}


def close_snapshots(pks: Sequence[int], people: Sequence[int], *, at: datetime, reason: str) -> None:
    """Note that the snapshots are restored, and that their people's diffs are what is shown again."""
    Snapshot.objects.filter(pk__in=Keys(pks)).update(restored_at=at)
    back = Customization.objects.filter(person__in=Keys(people), state=CustomizationState.MIGRATED)
    back.move(to=CustomizationState.VALIDATED, at=at, reason=reason)


def own_rows(people: Sequence[Person]) -> dict[int, list[Row]]:
    """Return every row of each person's own layer as JSON values, by person, in the order of their keys.

    The rows are locked, so that an edit comes either before and is seen, or after the caller's transaction.
    """
    keys = {(person.tenant, person.user): person.pk for person in people}
    found: dict[int, list[Row]] = {person.pk: [] for person in people}
    rows = SlotConfiguration.objects.filter(
        layer=Layer.USER, tenant__in={tenant for tenant, _ in keys}, key__in=[user for _, user in keys]
    )
    names = ("id", "component_id", *CONTENT, "updated_at")
    locked = rows.select_for_update(of=("self",)).order_by("pk")
    for tenant, user, component, *values in locked.values_list("tenant", "key", "component__key", *names):
        pk = keys.get((tenant, user))
        if pk is not None:
            row: Row = {"component": component, **dict(zip(names, values, strict=True))}
            found[pk].append({**row, "updated_at": row["updated_at"].isoformat()})
    return found


def diffs_of(people: Sequence[Person]) -> dict[int, list[Row]]:
    """Return each person's active customizations with state and digest, by person."""
    found: dict[int, list[Row]] = {person.pk: [] for person in people}
    for row in Customization.objects.active().filter(person__in=people).order_by("pk"):
        found[row.person_id].append(
            {"id": row.pk, "component": row.component_key, "state": str(row.state), "diff_digest": row.diff_digest}
        )
    return found


def digest_of(configurations: Sequence[Row], customizations: Sequence[Row]) -> str:
    """Return the hex SHA-256 over what a person had."""
    text = json.dumps([configurations, customizations], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _edits(snapshot: Snapshot, present: Sequence[Row], diffs: Sequence[Row]) -> list[Row]:
    """Return what differs from what the switch left: rows changed, added or taken off by hand, and diffs changed meanwhile."""
    installed = {row["component"]: row for row in snapshot.installed}
    there = {row["component"]: row for row in present}
    edits: list[Row] = [
        {"component": component, "installed": installed.get(component), "found": there.get(component)}
        for component in sorted(installed.keys() | there.keys())
        if _content(installed.get(component)) != _content(there.get(component))
    ]
    former = {row["component"]: row["diff_digest"] for row in snapshot.customizations}
    now = {row["component"]: row["diff_digest"] for row in diffs}
    return edits + [
        {"component": component, "diff_before": former.get(component), "diff_found": now.get(component)}
        for component in sorted(former.keys() | now.keys())
        if former.get(component) != now.get(component)
    ]


def _content(row: Row | None) -> tuple[Any, ...] | None:
    return None if row is None else tuple({**FORMERLY, **row}[name] for name in CONTENT)


def _model(person: Person, row: Row) -> SlotConfiguration:
    values = {name: row[name] for name in ("id", "component_id", *CONTENT)}
    values["updated_at"] = datetime.fromisoformat(row["updated_at"])
    return SlotConfiguration(tenant=person.tenant, layer=Layer.USER, key=person.user, **values)


def _held(pks: Iterable[int]) -> QuerySet[Person]:
    return Person.objects.select_for_update(no_key=True).filter(pk__in=Keys(pks)).order_by("pk")
