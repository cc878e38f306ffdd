"""Which system a person is on: one query, no cache, kill switch before all."""

import threading
from types import SimpleNamespace

import pytest
from django.contrib.auth.models import AnonymousUser, User
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, connections, transaction
from django.http import HttpRequest
from django.template import Context, Template
from django.test import override_settings
from waffle import flag_is_active, get_waffle_flag_model

from migration.actions.legacy import LegacyRenderer
from migration.models import Person
from rollout.checks import check_flag_settings
from rollout.errors import ReasonMissing
from rollout.models import (
    SLOTS_FLAG,
    Enrolment,
    Event,
    Flag,
    FlagOverride,
    Snapshot,
    Wave,
    standing_of,
    standing_query,
    standings_of,
)
from rollout.roles import ensure_roles
from rollout.states import PersonState, WaveState
from rollout.switch import SystemResolver, engage_kill_switch, is_killed, release_kill_switch
from rollout.waves import System
from slots.schema import PersonKey
from tests.rollout.conftest import AT, SAID

pytestmark = pytest.mark.django_db


@pytest.fixture
def wave(planned):
    return planned(limit=1)


@pytest.fixture
def on_slots(wave):
    """What puts a person on slots, rows only."""

    def put(person):
        row = Enrolment.objects.create(plan=wave.phase.plan, wave=wave, person=person, state=PersonState.SWITCHED, updated_at=AT)
        Snapshot.objects.create(person=person, enrolment=row, act="5b0a2a3e-6c0e-4a43-8a0e-0a8f7a3d6a10", digest="d", taken_at=AT)
        return person

    return put


@pytest.fixture
def bob_on_slots(bob, on_slots):
    on_slots(Person.objects.create(user="bob"))
    return bob


def request_of(user):
    request = HttpRequest()
    request.user = user
    return request


def revoke(wave):
    Wave.objects.filter(pk=wave.pk).update(state=WaveState.ROLLING_BACK, revoked_at=AT)


def override(system):
    FlagOverride.objects.create(person=Person.objects.get(user="bob"), system=system, reason="asked", by="sue", at=AT)


def test_the_flag_model_is_ours():
    assert get_waffle_flag_model() is Flag


def test_flag_is_active_asks_the_persons_own_row_by_one_query_a_request(bob_on_slots, django_assert_num_queries):
    request = request_of(bob_on_slots)

    with django_assert_num_queries(1):
        assert flag_is_active(request, SLOTS_FLAG) is True
        assert flag_is_active(request, SLOTS_FLAG) is True
        assert flag_is_active(request, SLOTS_FLAG, read_only=True) is True


@pytest.mark.parametrize("user", [AnonymousUser(), User(username="nobody")], ids=["a stranger", "no person of the shop"])
def test_who_is_no_person_is_on_the_legacy_system(bob_on_slots, user):
    assert flag_is_active(request_of(user), SLOTS_FLAG) is False
    assert Flag.get(SLOTS_FLAG).is_active_for_user(user) is False


def test_the_resolver_knows_people_without_a_row_of_slots(db):
    Person.objects.create(user="bob")

    assert [SystemResolver().knows(PersonKey("default", user)) for user in ("bob", "nobody")] == [True, False]


def test_a_flag_of_another_name_is_off_and_asks_nothing(bob_on_slots, django_assert_num_queries):
    with django_assert_num_queries(0):
        assert flag_is_active(request_of(bob_on_slots), "micro-slot") is False
        assert Flag.get("micro-slot").is_active_for_user(bob_on_slots) is False


def test_being_a_superuser_opens_nothing(db):
    admin = User.objects.create_superuser("root")

    assert flag_is_active(request_of(admin), SLOTS_FLAG) is False


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda wave: engage_kill_switch(reason="smoke", **SAID), "kill switch"),
        (lambda wave: override("legacy"), "support switched"),
        (revoke, "taken back"),
        (lambda wave: Enrolment.objects.update(state=PersonState.ROLLED_BACK), "rolled back"),
        (lambda wave: Snapshot.objects.update(restored_at=AT), "switched"),
        (lambda wave: Flag.objects.all().delete(), "kill switch"),
    ],
    ids=["kill switch", "override to legacy", "wave revoked", "state", "nothing installed", "flag's row missing"],
)
def test_one_write_takes_a_person_back_on_the_next_request(bob_on_slots, wave, change, why):
    assert flag_is_active(request_of(bob_on_slots), SLOTS_FLAG) is True

    change(wave)

    assert flag_is_active(request_of(bob_on_slots), SLOTS_FLAG) is False
    assert Flag.get(SLOTS_FLAG).is_active_for_user(bob_on_slots) is False
    assert why in standing_of(PersonKey("default", "bob")).decide().why


def test_override_to_slots_outlives_the_wave_but_not_the_kill_switch(bob_on_slots, wave):
    override("slots")
    revoke(wave)
    assert flag_is_active(request_of(bob_on_slots), SLOTS_FLAG) is True

    engage_kill_switch(reason="smoke", **SAID)

    assert flag_is_active(request_of(bob_on_slots), SLOTS_FLAG) is False


def test_override_to_slots_shows_nothing_that_was_not_proven_and_installed(bob, wave):
    Person.objects.create(user="bob")
    override("slots")

    assert flag_is_active(request_of(bob), SLOTS_FLAG) is False


def test_everyone_false_stops_the_check_for_a_user_whatever_waffles_cache_holds(bob_on_slots):
    stale = Flag.objects.get(name=SLOTS_FLAG)
    cache.set(Flag._cache_key(SLOTS_FLAG), stale)  # what waffle itself would have put there

    Flag.objects.filter(name=SLOTS_FLAG).update(everyone=False)  # by SQL: nothing flushes the cache

    assert stale.is_active_for_user(bob_on_slots) is False
    assert flag_is_active(request_of(bob_on_slots), SLOTS_FLAG) is False


def test_a_template_asks_the_same_question_with_a_request_and_is_on_legacy_without_one(bob_on_slots):
    template = Template("{% load waffle_tags %}{% flag 'micro-slots' %}slots{% else %}legacy{% endflag %}")

    assert template.render(Context({"request": request_of(bob_on_slots)})) == "slots"
    assert template.render(Context({})) == "legacy"  # a mail that a job renders


def test_the_answer_kept_on_a_request_is_about_who_asked(bob_on_slots):
    request = request_of(bob_on_slots)
    assert flag_is_active(request, SLOTS_FLAG) is True

    request.user = AnonymousUser()  # signed out while the request is served

    assert flag_is_active(request, SLOTS_FLAG) is False


def test_one_user_object_sees_every_later_decision(bob_on_slots):
    flag = Flag.get(SLOTS_FLAG)
    assert flag.is_active_for_user(bob_on_slots) is True

    engage_kill_switch(reason="smoke", **SAID)
    assert flag.is_active_for_user(bob_on_slots) is False

    release_kill_switch(reason="put out", **SAID)
    assert flag.is_active_for_user(bob_on_slots) is True


def test_a_lapsed_place_does_not_decide(bob_on_slots, planned):
    other = planned(limit=1)
    person = Person.objects.get(user="bob")

    Enrolment.objects.create(plan=other.phase.plan, wave=other, person=person, is_live=False, updated_at=AT)

    assert flag_is_active(request_of(bob_on_slots), SLOTS_FLAG) is True


def northerner(user):
    """Name the person behind an account in the tenant `north`, as a site with several tenants would."""
    return PersonKey("north", user.get_username())


def test_the_other_tenants_person_of_that_name_is_somebody_else(bob_on_slots):
    Person.objects.create(tenant="north", user="bob")

    with override_settings(SLOTS_PERSON_RESOLVER=f"{__name__}.northerner"):
        assert flag_is_active(request_of(bob_on_slots), SLOTS_FLAG) is False


def test_membership_lists_cannot_be_used():
    with pytest.raises(AssertionError):
        Flag.get(SLOTS_FLAG)._get_user_ids()
    with pytest.raises(AssertionError):
        Flag.get(SLOTS_FLAG)._get_group_ids()


def test_the_resolver_gives_slots_their_row_and_chooses(bob_on_slots, django_assert_num_queries):
    person = PersonKey("default", "bob")
    with django_assert_num_queries(1):
        rows = list(SystemResolver().standing_query(person))

    assert rows == [("no", None, "switched", "no", "d")]
    assert SystemResolver().choose(person, rows) is None
    with django_assert_num_queries(0):
        assert isinstance(SystemResolver().choose(person, []), LegacyRenderer)


def test_many_are_asked_by_the_query_of_a_request(bob_on_slots, wave, django_assert_num_queries):
    Person.objects.create(tenant="north", user="bob")
    people = [each.key for each in Person.objects.order_by("pk")] + [PersonKey("", "nobody")]

    with django_assert_num_queries(len(people)):
        found = standings_of(people)

    assert found == {person: standing_of(person) for person in people}
    assert [found[person].decide().system for person in people] == [System.SLOTS, System.LEGACY, System.LEGACY]
    revoke(wave)
    assert standings_of(people)[people[0]].decide().system == System.LEGACY


def test_the_one_query_seeks_its_rows_and_scans_no_table(db):
    query, parameters = standing_query(PersonKey("default", "bob")).query.sql_with_params()

    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute(f"EXPLAIN QUERY PLAN {query}", parameters)
            scans = [row[-1] for row in cursor.fetchall() if row[-1].startswith("SCAN")]
        else:
            cursor.execute("SET LOCAL enable_seqscan = off")
            cursor.execute(f"EXPLAIN {query}", parameters)
            scans = [row[0] for row in cursor.fetchall() if "Seq Scan" in row[0]]

    assert scans == []


def test_engaging_twice_is_one_event_and_releasing_too(db):
    assert engage_kill_switch(reason="smoke", **SAID) is True
    assert engage_kill_switch(reason="smoke", **SAID) is False
    assert is_killed()
    assert release_kill_switch(reason="put out", **SAID) is True
    assert release_kill_switch(reason="put out", **SAID) is False
    assert not is_killed()

    events = Event.objects.filter(subject="flag")
    assert list(events.values_list("kind", "by", "reason")) == [
        ("kill_switch_engaged", "alice", "smoke"),
        ("kill_switch_released", "alice", "put out"),
    ]


@pytest.mark.parametrize("act", [engage_kill_switch, release_kill_switch])
def test_the_kill_switch_needs_a_reason(db, act):
    with pytest.raises(ReasonMissing):
        act(reason=" ", **SAID)


def test_engaging_works_where_the_flags_row_is_missing(db):
    Flag.objects.all().delete()
    assert is_killed()

    engage_kill_switch(reason="smoke", **SAID)

    assert Flag.objects.get().everyone is False


def test_a_row_that_is_made_anew_puts_nobody_back_on_slots_until_it_is_released(bob_on_slots):
    Flag.objects.all().delete()

    ensure_roles()  # as every `migrate` does
    assert is_killed()
    assert flag_is_active(request_of(bob_on_slots), SLOTS_FLAG) is False

    Flag.objects.all().delete()
    assert release_kill_switch(reason="put out", **SAID) is True
    assert flag_is_active(request_of(bob_on_slots), SLOTS_FLAG) is True
    assert Event.objects.filter(kind="kill_switch_released").count() == 1


REFUSED = {
    "percent": 5,
    "testing": True,
    "superusers": True,
    "staff": True,
    "authenticated": True,
    "languages": "de",
    "rollout": True,
}


@pytest.mark.parametrize(("name", "value"), REFUSED.items())
def test_stock_ways_of_switching_are_refused_by_form_and_database(db, name, value):
    flag = Flag.objects.get()
    setattr(flag, name, value)

    with pytest.raises(ValidationError) as refused:
        flag.clean()
    assert set(refused.value.message_dict) == {name}
    with pytest.raises(IntegrityError), transaction.atomic():
        flag.save()


def test_nobody_can_be_switched_on_with_everybody(db):
    flag = Flag.objects.get()
    flag.everyone = True

    with pytest.raises(ValidationError):
        flag.clean()
    with pytest.raises(IntegrityError), transaction.atomic():
        flag.save()


def test_there_is_no_second_flag(db):
    with pytest.raises(IntegrityError), transaction.atomic():
        Flag.objects.create(name="another", superusers=False)


def test_the_settings_as_shipped_pass_the_checks():
    assert check_flag_settings() == []


@pytest.mark.parametrize(
    ("setting", "value", "code"),
    [
        ("WAFFLE_OVERRIDE", True, "rollout.E001"),
        ("WAFFLE_FLAG_DEFAULT", True, "rollout.E001"),
        ("WAFFLE_CREATE_MISSING_FLAGS", True, "rollout.E001"),
        ("WAFFLE_ENABLE_ADMIN_PAGES", True, "rollout.E001"),
        ("WAFFLE_FLAG_MODEL", "waffle.Flag", "rollout.E002"),
        ("SLOTS_SYSTEM_RESOLVER", "", "rollout.E002"),
    ],
)
def test_a_setting_that_opens_another_way_is_refused_at_start(setting, value, code):
    with override_settings(**{setting: value}):
        assert [each.id for each in check_flag_settings()] == [code]


def test_override_by_address_does_nothing_as_shipped(bob):
    Person.objects.create(user="bob")
    request = request_of(bob)
    request.GET = {SLOTS_FLAG: "1", f"dwft_{SLOTS_FLAG}": "1"}
    request.COOKIES = {f"dwf_{SLOTS_FLAG}": "True", f"dwft_{SLOTS_FLAG}": "True"}

    assert flag_is_active(request, SLOTS_FLAG) is False


@pytest.mark.django_db(transaction=True)
def test_another_connection_sees_the_kill_switch_at_once(bob_on_slots):
    assert flag_is_active(request_of(bob_on_slots), SLOTS_FLAG) is True
    seen = SimpleNamespace(before=None, after=None)
    asked, killed = threading.Event(), threading.Event()

    def other_process():
        try:
            seen.before = flag_is_active(request_of(bob_on_slots), SLOTS_FLAG)
            asked.set()
            killed.wait(10)
            seen.after = flag_is_active(request_of(bob_on_slots), SLOTS_FLAG)
        finally:
            connections.close_all()

    thread = threading.Thread(target=other_process)
    thread.start()
    asked.wait(10)
    engage_kill_switch(reason="smoke", **SAID)
    killed.set()
    thread.join(10)

    assert (seen.before, seen.after) == (True, False)
    assert standing_of(PersonKey("default", "bob")).decide().system == System.LEGACY
