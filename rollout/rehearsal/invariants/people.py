"""The invariants about people: who sees what, what with, what they get back, who holds them, how many they are."""

from collections.abc import Iterator, Sequence
from typing import Final

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet

from migration.actions.proofs import Proof, proofs_of
from migration.models import Customization, Person
from migration.states import CustomizationState
from rollout.actions.chunks import LEASE
from rollout.actions.snapshots import own_rows
from rollout.models import Enrolment, Flag, FlagOverride, Snapshot, Subject, Wave, batches, standings_of
from rollout.rehearsal.invariants.look import Look, Violation, violation
from rollout.states import ON_SLOTS, WORKING, PersonState, PlanState, WaveState
from rollout.waves import System
from slots.models import Keys

ASKED: Final = 3  # people whom a look that is not full asks as a request would
ASKED_FULLY: Final = 100  # of a full look; what the rows say of everybody is looked at in any case
TOGETHER: Final = 500
LIVE_PLANS: Final = frozenset({PlanState.RUNNING, PlanState.SOAKING})


def sees_what_the_rows_say(look: Look) -> Iterator[Violation]:
    """1: kill switch, override, revoked wave and state decide, in this order, and every request's query says the same."""
    if not look.is_about(Subject.ENROLMENT, Subject.WAVE, Subject.PERSON, Subject.FLAG):
        return
    lost = Enrolment.objects.live().filter(state__in=ON_SLOTS, wave__revoked_at__isnull=True)
    lost = lost.filter(~Exists(Snapshot.objects.standing().filter(person=OuterRef("person"))))
    text = "people are on slots by their state, but nothing is installed for them."
    yield from violation(1, text, lost.order_by("pk").values_list("person__user", flat=True))
    asked = _touched(look)
    if not asked:
        return
    killed = Flag.objects.filter(everyone=False).exists() or not Flag.objects.exists()
    words = dict(FlagOverride.objects.filter(person__in=Keys(asked)).values_list("person_id", "system"))
    live = Enrolment.objects.live().filter(person__in=Keys(asked), state__in=ON_SLOTS, wave__revoked_at__isnull=True)
    placed = set(live.values_list("person_id", flat=True))
    installed = set(Snapshot.objects.standing().filter(person__in=Keys(asked)).values_list("person_id", flat=True))
    wrong = []
    people = list(Person.objects.filter(pk__in=Keys(asked)).order_by("pk"))
    seen = standings_of(person.key for person in people)
    for person in people:
        wanted = words.get(person.pk, System.SLOTS.value if person.pk in placed else System.LEGACY.value)
        expected = System.SLOTS if wanted == System.SLOTS and person.pk in installed and not killed else System.LEGACY
        if seen[person.key].decide().system != expected:
            wrong.append(f"{person} has to see {expected}")
    yield from violation(1, "people see another system than their rows say.", wrong)


def _touched(look: Look) -> list[int]:
    """Return some of the people to whom something happened (the kill switch: to all); of a full look, more of all in a wave."""
    live = Enrolment.objects.live().order_by("pk").values_list("person_id", flat=True)
    if look.is_full:
        return _spread(list(live), ASKED_FULLY)
    switched = {each.subject_pk for each in look.events if each.subject == Subject.PERSON}
    people = switched | {place.person for place in look.places.values()}
    if any(each.subject == Subject.FLAG for each in look.events):
        people |= set(live)
    return _spread(sorted(people), ASKED)


def _spread(people: Sequence[int], count: int) -> list[int]:
    return list(people[:: max(1, len(people) // count)][:count])


def switched_with_a_proof(look: Look) -> Iterator[Violation]:
    """2: who was switched has a passed validation for what there is now, made by the engine that the wave pinned."""
    switched = [each.subject_pk for each in look.moved(Subject.ENROLMENT, PersonState.SWITCHED)]
    for batch in batches(switched, TOGETHER):
        rows = Enrolment.objects.filter(pk__in=Keys(batch), state__in=ON_SLOTS).select_related("person", "wave")
        people = {row.person_id: row for row in rows}
        standing = {row.person_id: row for row in Snapshot.objects.standing().filter(person__in=Keys(people))}
        wrong = []
        for pk, proof in proofs_of(row.person for row in people.values()).items():
            snapshot, row = standing.get(pk), people[pk]
            if not isinstance(proof, Proof):
                wrong.append(f"{row.person} has no proof: {proof.code}")
            elif snapshot is None or not {each.body for each in proof.items} <= {each["body_id"] for each in snapshot.installed}:
                wrong.append(f"{row.person} has not installed what was proven")
            elif not row.wave.engine_version:
                wrong.append(f"{row.wave} has pinned no engine")
        yield from violation(2, "people were switched without a valid proof.", wrong)


def restored_exactly(look: Look) -> Iterator[Violation]:
    """9: who was taken back has, row for row, what the snapshot holds, and their diffs are shown again."""
    back = [each.subject_pk for each in look.moved(Subject.ENROLMENT, PersonState.ROLLED_BACK)]
    for batch in batches(back, TOGETHER):
        rows = Snapshot.objects.filter(enrolment__in=Keys(batch), restored_at__isnull=False).select_related("person")
        again = Snapshot.objects.filter(person=OuterRef("person"), pk__gt=OuterRef("pk"))
        last = {row.person_id: row for row in rows.filter(~Exists(again)).order_by("pk")}
        yield from violation(9, "people did not get back what they had.", _not_restored(list(last.values())))
    if look.is_full:
        gone = Customization.objects.filter(state=CustomizationState.MIGRATED, is_active=True)
        gone = gone.filter(~Exists(Snapshot.objects.standing().filter(person=OuterRef("person"))))
        text = "diffs count as migrated though nothing is installed for their people."
        yield from violation(9, text, gone.order_by("pk").values_list("external_id", flat=True))


def _not_restored(snapshots: Sequence[Snapshot]) -> Iterator[str]:
    present = own_rows([each.person for each in snapshots])
    migrated = set(
        Customization.objects.filter(
            person__in=Keys(each.person_id for each in snapshots), is_active=True, state=CustomizationState.MIGRATED
        ).values_list("person_id", flat=True)
    )
    for each in snapshots:
        former = [{"is_pinned": False, **row} for row in each.configurations]
        if present[each.person_id] != former:
            yield f"{each.person} has other rows of their own"
        elif each.person_id in migrated:
            yield f"{each.person} has diffs that are not shown"


def held_under_a_lease(look: Look) -> Iterator[Violation]:
    """11: who is at work has a lease with a token that ends, and nobody else has; the reconciler leaves none that is over."""
    if look.after_tick:
        yield from violation(11, "leases are over and nobody took them back.", _keys(Enrolment.objects.expired(look.at)))
    if not look.is_about(Subject.ENROLMENT):
        return
    leased = Q(lease_token__isnull=False) | Q(lease_until__isnull=False)
    fenced = Q(lease_token__isnull=False, lease_until__isnull=False)
    wrong = Enrolment.objects.filter((Q(state__in=WORKING) & ~fenced) | (~Q(state__in=WORKING) & leased))
    yield from violation(11, "people are at work without a lease, or leased without being at work.", _keys(wrong))
    endless = Enrolment.objects.filter(lease_until__gt=look.at + LEASE)
    yield from violation(11, "leases end later than any lease may.", _keys(endless))


def members_sum_up(look: Look) -> Iterator[Violation]:
    """13: the members of a wave are as many as were frozen, and nobody is in two running plans."""
    if not look.is_about(Subject.ENROLMENT, Subject.WAVE):
        return
    counted = Wave.objects.exclude(state__in=(WaveState.PLANNED, WaveState.CANCELLED)).annotate(members=Count("enrolments"))
    wrong = counted.exclude(members=F("size")).order_by("pk").values_list("pk", "size", "members")
    sizes = [f"wave {pk}: {size} were frozen, {members} are there" for pk, size, members in wrong]
    yield from violation(13, "waves have another number of members than was frozen.", sizes)
    strangers = Enrolment.objects.exclude(plan=F("wave__phase__plan"))
    yield from violation(13, "people are in a plan that their wave is not of.", _keys(strangers))
    if look.is_about(Subject.ENROLMENT):
        twice = Enrolment.objects.live().order_by().values("person").annotate(places=Count("pk")).filter(places__gt=1)
        yield from violation(13, "people have two live places.", (f"person {row['person']}" for row in twice))
        running = Enrolment.objects.filter(plan__state__in=LIVE_PLANS, state__in=ON_SLOTS | WORKING)
        plans = running.order_by().values("person").annotate(plans=Count("plan", distinct=True)).filter(plans__gt=1)
        yield from violation(13, "people are in two running plans at a time.", (f"person {row['person']}" for row in plans))


def _keys(rows: QuerySet[Enrolment]) -> list[str]:
    return [f"enrolment {pk}" for pk in rows.order_by("pk").values_list("pk", flat=True)]
