"""Look at people after the switch: render what was installed beside the old system's page, and take back whose page differs.

Each round looks at those who are due, the longest waiting first. People with the same diff, operations and version share a
comparison. What a person has changed since the switch is theirs, and is not compared; nor is a sample whose difference somebody
has accepted.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

import structlog
from django.db import DatabaseError, transaction
from django.db.models import F, QuerySet

from migration.actions.pages import PagePair
from migration.models import Customization, Person, Validation
from migration.states import CustomizationState
from rollout.actions.rollback import roll_back_person
from rollout.errors import NothingToUndo
from rollout.models import Enrolment, Event, Snapshot, Subject
from rollout.monitoring import due_after, schedule
from rollout.states import PersonState
from slots.models import Body, ComponentVersion, Keys, Layer, SlotConfiguration, insert_selected

log = structlog.get_logger(__name__)

PEOPLE: Final = 500  # looked at in one round
CHECKED: Final = "checked"
CHECK_FAILED: Final = "CHECK_FAILED"
BACK: Final = (PersonState.ROLLING_BACK, PersonState.ROLLED_BACK)

Same = tuple[
    int, str, str, frozenset[str]
]  # version, digests of the diff and of the operations, samples with accepted differences


@dataclass(slots=True)
class CheckReport:
    """Count who was looked at; `taken_back` saw another page than before, and are on the old system again.

    `failed` are to go back too, but something unforeseen kept them; the next round tries again.
    """

    due: int = 0
    passed: int = 0
    taken_back: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)


def check_people(*, at: datetime, by: str, limit: int = PEOPLE) -> CheckReport:
    """Look at up to `limit` people whose check is due, set the next one, and take those back alone whose page is not the same.

    Two rounds at once count a check once. A database that fails amid a round leaves the rest for the next one.
    """
    rows = list(due_checks(at).select_related("person", "wave").order_by("next_check_at", "pk")[:limit])
    if not rows:
        return CheckReport()
    found = differences([row.person for row in rows])
    report = CheckReport(due=len(rows), passed=_pass([row for row in rows if not found[row.person_id]], at=at, by=by))
    for row in rows:
        if not found[row.person_id]:
            continue
        try:
            if _take_back(row, found[row.person_id], at=at, by=by):
                report.taken_back.append(str(row.person))
        except Exception:  # one person's accident must not keep the others on a page that differs
            log.exception("person_not_taken_back", enrolment=row.pk)
            report.failed.append(str(row.person))
    return report


def due_checks(at: datetime) -> QuerySet[Enrolment]:
    """Return the people on slots whose next check is due; nobody whose wave goes back."""
    due = Enrolment.objects.live().filter(state=PersonState.SWITCHED, next_check_at__lte=at)
    return due.filter(wave__revoked_at__isnull=True)


def differences(people: Sequence[Person]) -> dict[int, str]:
    """Return by person in which way what was installed shows another page than the old system, empty where it does not."""
    found = {person.pk: "" for person in people}
    installed = _untouched(people)
    named = Customization.objects.active().filter(person__in=Keys(found)).exclude(state=CustomizationState.ARCHIVED)
    rows = list(named.order_by("pk").values_list("person_id", "component_key", "diff_digest", "diff", "translation_id"))
    accepted = _accepted({translation for *_, translation in rows if translation is not None})
    versions = ComponentVersion.objects.in_bulk({version for version, _ in installed.values()})
    bodies = dict(Body.objects.filter(pk__in={body for _, body in installed.values()}).values_list("pk", "operations"))
    known: dict[Same, str] = {}
    for person, component, digest, diff, translation in rows:
        if found[person] or (person, component) not in installed:
            continue
        version, body = installed[person, component]
        same = (version, digest, body, accepted.get(translation, frozenset()))
        if same not in known:
            known[same] = _difference(same, versions[version], diff, bodies[body])
        found[person] = f"{component}: {known[same]}" if known[same] else ""
    return found


def _untouched(people: Sequence[Person]) -> dict[tuple[int, str], tuple[int, str]]:
    """Return version and operations of what the switch installed and nobody has changed since, by person and component."""
    keys = {(person.tenant, person.user): person.pk for person in people}
    own = SlotConfiguration.objects.active().filter(
        layer=Layer.USER, tenant__in={tenant for tenant, _ in keys}, key__in=[user for _, user in keys]
    )
    present = {
        (keys[tenant, user], component): (version, body)
        for tenant, user, component, version, body in own.values_list(
            "tenant", "key", "component__key", "component_version_id", "body_id"
        )
        if (tenant, user) in keys
    }
    snapshots = Snapshot.objects.standing().filter(person__in=Keys(keys.values())).values_list("person_id", "installed")
    switched = {
        (person, row["component"]): (row["component_version_id"], row["body_id"]) for person, rows in snapshots for row in rows
    }
    return {place: content for place, content in switched.items() if present.get(place) == content}


def _accepted(translations: set[int]) -> dict[int, frozenset[str]]:
    """Return the samples of each translation whose pages differed and were let pass by somebody."""
    passed = Validation.objects.filter(translation__in=Keys(translations), is_passed=True, is_equal=False).order_by("pk")
    return {
        translation: frozenset(page["sample"] for page in pages if not page["same"])
        for translation, pages in passed.values_list("translation_id", "pages")
    }


def _difference(same: Same, target: ComponentVersion, diff: str, operations: str) -> str:
    """Return how the pages differ, or why they cannot be compared; empty where all are the same."""
    version, _, body, accepted = same
    try:
        pair = PagePair(target, diff, operations)
        for sample in pair.samples:
            page = pair.page(sample)
            if sample.name not in accepted and not page.is_same:
                return "; ".join(page.problems) or page.comparison.first_difference or "the pages differ"
    except DatabaseError:  # says nothing about the person: the next round looks again
        raise
    except Exception as error:  # whatever a template does, the person is better off where they were
        log.exception("check_failed", version=version, body=body)
        return f"{type(error).__name__}: {error}"[:500]
    return ""


def _pass(rows: Sequence[Enrolment], *, at: datetime, by: str) -> int:
    """Set the next check of these people, and keep in the record that they were looked at; return for how many."""
    groups: dict[tuple[int, timedelta | None], list[int]] = {}
    for row in rows:
        if row.switched_at is not None:
            due = due_after(row.switched_at, schedule(row.wave.checks, row.wave.soak), at)
            ahead = due.next_at - row.switched_at if due.next_at else None
            groups.setdefault((due.done, ahead), []).append(row.pk)
    return sum(_pass_together(pks, done, ahead, at=at, by=by) for (done, ahead), pks in groups.items())


def _pass_together(pks: Sequence[int], done: int, ahead: timedelta | None, *, at: datetime, by: str) -> int:
    with transaction.atomic():
        locked = due_checks(at).filter(pk__in=Keys(pks)).order_by("pk").select_for_update(of=("self",))
        still = Enrolment.objects.filter(pk__in=Keys(locked.values_list("pk", flat=True)))
        columns: Mapping[str, Any] = {
            "subject": Subject.ENROLMENT,
            "subject_pk": F("pk"),
            "kind": CHECKED,
            "from_state": "",
            "to_state": "",
            "by": by,
            "reason": "the page is the same",
            "data": {"checks": done},
            "at": at,
        }
        insert_selected(Event, still.order_by("pk"), columns)
        return still.update(next_check_at=None if ahead is None else F("switched_at") + ahead, checks_done=done)


def _take_back(row: Enrolment, text: str, *, at: datetime, by: str) -> bool:
    """Take one person back alone, and keep the reason on their row; False where they are back already."""
    if not due_checks(at).filter(pk=row.pk).exists():
        return False
    try:
        roll_back_person(row.person, by=by, at=at, reason=f"a check after the switch failed: {text}")
    except NothingToUndo:
        return False
    moved = Enrolment.objects.filter(pk=row.pk, state__in=BACK)
    noted = moved.exclude(code="").values_list("text", flat=True).first()  # what they had edited, or why it is not restored yet
    moved.update(code=CHECK_FAILED, text=f"{text} {noted}".strip() if noted else text, updated_at=at)
    return True
