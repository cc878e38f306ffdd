"""Whom a wave would take and does take: rules, mixes, holdouts, shares, and the freeze of a phase."""

from collections import Counter
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from migration.models import Customization, Person
from rollout.actions.audiences import freeze_population, preview_audience, preview_population
from rollout.actions.chunks import process_chunk
from rollout.actions.contents import edit_content
from rollout.actions.people import LeftOut, exclude_people, exclude_person, release_holdout, retry_people
from rollout.actions.plans import WaveDraft, add_wave
from rollout.actions.rollback import roll_back_wave
from rollout.actions.waves import announce_wave, cancel_wave, lock_wave, reopen_wave, reschedule_wave, start_wave
from rollout.audiences import Audience, Rule, in_order
from rollout.errors import AudienceEmpty, AudienceInvalid, MoveRefused, PopulationFrozen, ReasonMissing
from rollout.models import Enrolment, Event, Phase, ShareOf, Wave
from rollout.states import PersonState, WaveState
from tests.rollout.conftest import AT, SAID, bring_to_start

pytestmark = pytest.mark.django_db
WHY = {**SAID, "reason": "because"}
REGIONS = ["EU", "US", "NZ"]


@pytest.fixture
def crowd(card):
    """What makes so many people with one diff each, by regions in turn; every second one technical."""

    def make(count, first=0):
        numbers = range(first, first + count)
        rows = [Person(user=f"u{n}", region=REGIONS[n % 3], is_technical=n % 2 == 0, engagement=(n % 10) / 10) for n in numbers]
        people = Person.objects.bulk_create(rows)
        Customization.objects.bulk_create(
            [
                Customization(
                    external_id=person.user,
                    person=person,
                    component_key="shop.card",
                    base_version="1.0",
                    component=card.component,
                    base=card,
                    diff="-a\n+b\n",
                    diff_digest="d",
                    imported_at=AT,
                )
                for person in people
            ]
        )
        return people

    return make


@pytest.fixture
def meaning(phase):
    """What makes a planned wave with this audience, as JSON."""

    def make(audience, share=None, of=phase):
        position = of.waves.count() + 1
        return Wave.objects.create(phase=of, position=position, name=f"Wave {position}", audience=audience, share=share)

    return make


@pytest.fixture
def sharing(phase, meaning):
    """What gives the phase a share, and waves with these shares of it."""

    def make(*shares, share=None, share_of=ShareOf.CUSTOMIZED, audiences=None):
        Phase.objects.filter(pk=phase.pk).update(share=share, share_of=share_of)
        phase.refresh_from_db()
        said = audiences or [{}] * len(shares)
        return [meaning(audience, Decimal(str(each))) for each, audience in zip(shares, said, strict=True)]

    return make


def users_of(wave):
    return list(wave.enrolments.order_by("pk").values_list("person__user", flat=True))


def names(people):
    return [person.user for person in people]


def test_rules_choose_and_everybody_else_is_told_why(crowd, meaning):
    people = crowd(30)
    wave = meaning({"rules": [{"trait": "technical", "is": True}, {"trait": "region", "one_of": ["EU"]}], "limit": 3})

    preview = preview_audience(wave, at=AT)

    wanted = in_order("salt", [person.user for person in people if person.is_technical and person.region == "EU"])
    assert preview.users == wanted[:3]
    assert preview.reasons == [
        ("RULE_NOT_MET", "technical is not true.", 15),
        ("RULE_NOT_MET", "region is not EU.", 10),
        ("BEYOND_THE_NUMBER", "Matches, but 3 others come first.", 2),
    ]
    assert len(preview.left_out) + len(preview.users) == 30


def test_who_is_not_known_enough_is_left_out_with_that_reason(crowd, customer, meaning):
    customer("nobody knows me")
    wave = meaning({"rules": [{"trait": "region", "one_of": ["EU"]}]})

    with pytest.raises(AudienceEmpty):
        lock_wave(wave, **SAID)
    assert preview_audience(wave, at=AT).reasons == [("TRAIT_UNKNOWN", "region is not known. Import it with the people.", 1)]


@pytest.mark.parametrize(
    "audience",
    [
        {"limit": 7},
        {"limit": 7, "strata": ["region", "technical"]},
        {"rules": [{"trait": "engagement", "at_least": 0.5}], "holdout": 20},
        {"limit": 9, "rules": [{"trait": "technical", "is": True}], "strata": ["region"], "holdout": 25},
        {"users": ["u1", "u2", "ghost"]},
    ],
)
def test_what_is_previewed_is_what_is_locked(crowd, meaning, audience):
    crowd(40)
    wave = meaning(audience)
    preview = preview_audience(wave, at=AT)

    done = lock_wave(wave, **SAID)

    assert users_of(wave) == preview.users
    assert done.size == len(preview.users)
    assert done.skipped == preview.skipped
    held = wave.enrolments.filter(state=PersonState.HOLDOUT).values_list("person__user", flat=True)
    assert set(held) == preview.held_out


def test_a_mix_is_spread_over_its_strata_and_each_place_says_why(crowd, meaning):
    crowd(60)
    wave = meaning({"limit": 12, "strata": ["region", "technical"]})

    lock_wave(wave, **SAID)

    spread = Counter(wave.enrolments.values_list("person__region", "person__is_technical"))
    assert set(spread.values()) == {2}
    assert len(spread) == 6
    row = wave.enrolments.order_by("pk").first()
    assert row.chosen_for.startswith("rank 1 of 60 in sticky order; region ")


def test_looking_writes_nothing_and_costs_the_same_for_one_and_for_many(crowd, meaning, sharing):
    def cost(row):
        wave = Wave.objects.select_related("phase__plan").get(pk=row.pk)
        with CaptureQueriesContext(connection) as queries:
            preview_audience(wave, at=AT)
        assert {each["sql"].split()[0] for each in queries} <= {"SELECT", "DECLARE"}  # PostgreSQL declares a cursor
        return len(queries)

    crowd(1)
    rules = [
        {"trait": "risk", "at_most": "high"},
        {"trait": "complexity", "at_most": "complex"},
        {"trait": "component", "one_of": ["shop.card"]},
    ]
    wave = meaning({"limit": 2, "rules": rules, "strata": ["region"]})
    shared = sharing(50, 50)[0]
    costs = cost(wave), cost(shared)

    crowd(150, first=1)

    assert (cost(wave), cost(shared)) == costs


def test_a_holdout_is_counted_and_never_told_queued_or_claimed(customers, meaning, clock):
    customers(8)
    wave = meaning({"limit": 8, "holdout": 25})

    bring_to_start(wave)
    held = [row.person for row in wave.enrolments.filter(state=PersonState.HOLDOUT)]
    assert retry_people(wave, people=held, **WHY) == 0
    process_chunk(wave, clock=clock)

    assert wave.size == 8
    assert wave.members_by_state() == {PersonState.SWITCHED: 6, PersonState.HOLDOUT: 2}
    assert Event.objects.filter(to_state="holdout").count() == 2


def test_a_holdout_is_nobody_elses_until_the_comparison_is_over(customers, meaning, planned):
    customers(4)
    wave = meaning({"limit": 4, "holdout": 50})
    lock_wave(wave, **SAID)
    later = planned(limit=4)
    assert preview_audience(later, at=AT).users == []
    with pytest.raises(ReasonMissing):
        release_holdout(wave, **SAID, reason=" ")

    assert release_holdout(wave, **WHY) == 2

    assert len(preview_audience(later, at=AT).users) == 2
    assert wave.members_by_state() == {PersonState.ENROLLED: 2, PersonState.REMOVED: 2}


def test_a_cancelled_wave_lets_go_of_its_holdout(customers, meaning, planned):
    customers(4)
    wave = meaning({"limit": 4, "holdout": 50})
    lock_wave(wave, **SAID)

    assert cancel_wave(wave, **WHY) == 4

    assert len(preview_audience(planned(limit=4), at=AT).users) == 4


def test_forty_thirty_twenty_and_ten_per_cent_of_the_remaining_are_all_of_them(crowd, sharing, planned):
    people = crowd(107)
    first = planned(limit=10)
    lock_wave(first, **SAID)
    waves = sharing(40, 30, 20, 10, share_of=ShareOf.REMAINING)

    lock_wave(waves[1], **SAID)

    for wave in waves:
        wave.refresh_from_db()
    assert [wave.size for wave in waves] == [39, 29, 19, 10]
    assert [wave.state for wave in waves] == ["planned", "locked", "planned", "planned"]
    order = in_order("salt", names(people))
    assert [user for wave in [first, *waves] for user in users_of(wave)] == order
    phase = Phase.objects.get(pk=waves[0].phase_id)
    assert (phase.population, phase.frozen_at) == (97, AT)
    event = Event.objects.get(kind="population_frozen")
    assert event.data["waves"] == {str(wave.pk): wave.size for wave in waves}
    assert waves[3].enrolments.order_by("pk").last().chosen_for == "rank 97 of 97 in sticky order"


def test_a_quarter_of_everybody_counts_those_who_moved_before_and_takes_none_of_them(crowd, sharing, planned):
    people = crowd(100)
    pilot = planned(limit=40)
    lock_wave(pilot, **SAID)
    waves = sharing("33.333", "33.333", "33.333", share=25)

    lock_wave(waves[0], **SAID)

    assert [Wave.objects.get(pk=wave.pk).size for wave in waves] == [9, 8, 8]
    assert [user for wave in waves for user in users_of(wave)] == in_order("salt", names(people))[40:65]


def test_there_are_never_more_than_are_left(crowd, sharing, planned):
    crowd(20)
    lock_wave(planned(limit=15), **SAID)
    waves = sharing(50, 50, share=80)

    lock_wave(waves[0], **SAID)

    assert [Wave.objects.get(pk=wave.pk).size for wave in waves] == [3, 2]
    assert Phase.objects.get().population == 5


def test_raising_the_share_of_a_phase_only_adds_people(crowd, sharing, phase):
    crowd(50)
    sharing(60, 40, share=20)
    few = preview_population(phase, at=AT)
    Phase.objects.update(share=50)
    phase.refresh_from_db()

    many = preview_population(phase, at=AT)

    assert (few.population, many.population) == (10, 25)
    taken_few, taken_many = ([user for each in found.previews.values() for user in each.users] for found in (few, many))
    assert taken_many[:10] == taken_few


def test_waves_with_rules_take_who_matches_and_leave_the_others_for_later_phases(crowd, sharing, phase):
    people = {person.user: person for person in crowd(60)}
    audiences = [
        {"rules": [{"trait": "region", "one_of": ["EU"]}]},
        {"rules": [{"trait": "region", "one_of": ["US"]}], "strata": ["technical"]},
        {"rules": [{"trait": "engagement", "at_least": 0.9}]},
    ]
    waves = sharing("33.333", "33.333", "33.333", share=50, audiences=audiences)
    previews = preview_population(phase, at=AT).previews

    done = freeze_population(phase, **SAID)

    assert (done.population, done.sizes[waves[0].pk], done.sizes[waves[1].pk]) == (30, 10, 10)
    assert {people[user].region for user in users_of(waves[0])} == {"EU"}
    assert Counter(people[user].is_technical for user in users_of(waves[1])) == {True: 5, False: 5}
    keen = [user for user, person in people.items() if person.engagement == 0.9]
    assert set(users_of(waves[2])) == set(keen) - set(users_of(waves[0])) - set(users_of(waves[1]))
    assert done.short == 10 - len(users_of(waves[2])) == previews[waves[2].pk].choice.short > 0
    assert [users_of(wave) for wave in waves] == [previews[wave.pk].users for wave in waves]
    assert not Enrolment.objects.filter(person__user__in=set(people) - {u for wave in waves for u in users_of(wave)}).exists()


def test_who_comes_after_the_freeze_is_not_in_it(crowd, sharing):
    crowd(10)
    first, second = sharing(50, 50)
    lock_wave(first, **SAID)
    crowd(10, first=10)

    lock_wave(second, **SAID)

    assert first.size + second.size == 10


def test_a_population_is_frozen_once(crowd, sharing, phase):
    crowd(10)
    sharing(50, 50)

    assert freeze_population(phase, **SAID).population == 10
    crowd(10, first=10)
    assert freeze_population(phase, **SAID) is None
    assert Event.objects.filter(kind="population_frozen").count() == 1


def test_a_share_of_people_who_are_divided_is_refused_and_a_wave_without_one_is_not(crowd, sharing, phase):
    crowd(10)
    half, other = sharing(50, 50)
    lock_wave(half, **SAID)

    with pytest.raises(PopulationFrozen, match="would get nobody"):
        add_wave(phase, draft=WaveDraft("Third", Audience(), share=Decimal(10)), **SAID)
    named = add_wave(phase, draft=WaveDraft("Third", Audience(users=("u99",))), **SAID)
    with pytest.raises(PopulationFrozen):
        edit_content(named, share=Decimal(10), **WHY)

    named.refresh_from_db()
    assert (named.share, phase.waves.count()) == (None, 3)
    assert lock_wave(other, **SAID).size == 5


def test_with_the_last_wave_that_shares_them_people_can_be_divided_anew(crowd, sharing, phase):
    crowd(10)
    half, other = sharing(50, 50)
    lock_wave(half, **SAID)
    cancel_wave(half, **WHY)
    with pytest.raises(PopulationFrozen):
        add_wave(phase, draft=WaveDraft("Third", Audience(), share=Decimal(70)), **SAID)

    cancel_wave(other, **WHY)

    phase.refresh_from_db()
    assert (phase.population, phase.frozen_at) == (None, None)
    assert Event.objects.about("phase", phase.pk).filter(kind="population_unfrozen").count() == 1
    crowd(10, first=10)
    third = add_wave(phase, draft=WaveDraft("Third", Audience(), share=Decimal(70)), **SAID)
    assert lock_wave(third, **SAID).size == 14, "of those who are there by then"


def test_a_lock_that_fails_freezes_nothing(crowd, sharing):
    crowd(10)
    nobody, everybody = sharing(50, 50, audiences=[{"rules": [{"trait": "region", "one_of": ["Mars"]}]}, {}])

    with pytest.raises(AudienceEmpty):
        lock_wave(nobody, **SAID)
    assert Phase.objects.get().frozen_at is None

    assert lock_wave(everybody, **SAID).size == 5


def test_one_bad_audience_of_a_population_is_named(crowd, sharing):
    crowd(10)
    first, _ = sharing(50, 50, audiences=[{}, {"limit": 5}])

    with pytest.raises(AudienceInvalid) as refused:
        lock_wave(first, **SAID)

    assert refused.value.place == "Wave 2: limit"


def test_shares_of_more_than_everybody_freeze_nothing(crowd, sharing):
    crowd(10)
    first, _ = sharing(60, 50)

    with pytest.raises(AudienceInvalid):
        lock_wave(first, **SAID)


@pytest.mark.parametrize("shares", [None, (50, 50)])
def test_another_audience_amid_a_wave_changes_nobodys_wave(customers, meaning, sharing, clock, shares):
    customers(8)
    waves = sharing(*shares) if shares else [meaning({"limit": 4})]
    wave = waves[0]
    lock_wave(wave, **SAID)
    before = users_of(wave)

    def rewrite():
        Wave.objects.filter(pk=wave.pk).update(audience={"users": ["c8"]}, share=None)
        wave.refresh_from_db()

    rewrite()
    reschedule_wave(wave, **WHY)
    lock_wave(wave, **SAID)
    rewrite()
    announce_wave(wave, **WHY)
    rewrite()
    start_wave(wave, **SAID)
    process_chunk(wave, clock=clock, size=1)
    rewrite()
    process_chunk(wave, clock=clock)
    wave.refresh_from_db()
    roll_back_wave(wave, **WHY)
    reopen_wave(wave, **WHY)
    lock_wave(wave, **SAID)

    assert users_of(wave) == before
    assert wave.size == len(before) == 4


def test_people_are_left_out_of_a_wave_by_name_or_rule_before_it_starts(crowd, meaning):
    crowd(13)
    wave = meaning({"limit": 12})
    lock_wave(wave, **SAID)
    of_nz = [Rule("region", one_of=("NZ",)), Rule("component", one_of=("shop.card",))]
    inside = users_of(wave)
    outside = next(f"u{number}" for number in range(13) if f"u{number}" not in inside)
    named = [wave.enrolments.filter(person__region="EU").first().person.user, outside, "ghost"]
    with pytest.raises(ReasonMissing):
        exclude_people(wave, rules=of_nz, **SAID, reason="")
    with pytest.raises(AudienceInvalid):
        exclude_people(wave, **WHY)
    count = wave.enrolments.filter(person__region="NZ").count()

    assert exclude_people(wave, rules=of_nz, **WHY) == LeftOut(count)
    assert exclude_people(wave, users=named, **WHY) == LeftOut(1, (outside, "ghost"))
    assert exclude_people(wave, rules=of_nz, users=named[:1], **WHY) == LeftOut(0, tuple(named[:1]))

    assert wave.members_by_state() == {PersonState.ENROLLED: 11 - count, PersonState.EXCLUDED: count + 1}
    rows = wave.enrolments.filter(state=PersonState.EXCLUDED)
    assert set(rows.values_list("code", "text", "is_live")) == {("EXCLUDED", "because", False)}
    announce_wave(wave, **WHY)
    assert start_wave(wave, **SAID) == 11 - count
    with pytest.raises(MoveRefused):
        exclude_people(wave, users=inside, **WHY)


def test_who_is_left_out_is_never_claimed(customers, meaning, clock):
    customers(3)
    wave = meaning({"limit": 3})
    lock_wave(wave, **SAID)
    exclude_person(wave.enrolments.first(), **WHY)
    announce_wave(wave, **WHY)
    start_wave(wave, **SAID)

    process_chunk(wave, clock=clock)

    assert wave.members_by_state() == {PersonState.SWITCHED: 2, PersonState.EXCLUDED: 1}
    assert wave.state in {WaveState.RUNNING, WaveState.MONITORING}
