"""The support console: who is found, what the page tells, what can be done there; support reaches nothing else but tickets."""

import json
from datetime import timedelta

import pytest
from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import URLResolver, get_resolver, reverse

from migration.models import Customization, Person
from rollout.actions.deferrals import defer_person
from rollout.actions.messages import send_due_notices
from rollout.actions.support import FOUND, find_people
from rollout.actions.tickets import TicketDraft, open_ticket
from rollout.actions.waves import lock_wave
from rollout.gates import Severity
from rollout.models import Enrolment, FlagOverride, NoticeDelivery, NoticeText, Snapshot, standing_of
from rollout.roles import ROLES
from rollout.states import PersonState
from rollout.waves import System
from tests.rollout.admin.conftest import text_of
from tests.rollout.conftest import AT, HOSTILE, SAID
from tests.rollout.telling import DAY, Server, dated, in_app, write_notice

pytestmark = pytest.mark.django_db
FIND = "admin:rollout_find_person"
PAGE = "admin:rollout_person"
DEED = "admin:rollout_person_deed"
CONSOLE = {
    "index",
    "login",
    "logout",
    "password_change",
    "password_change_done",
    "jsi18n",
    "app_list",  # lists what the visitor may open
    "rollout_find_person",
    "rollout_person",
    "rollout_person_deed",
    "rollout_person_frame",
    "rollout_flagoverride_changelist",
    "rollout_flagoverride_change",
    "rollout_flagoverride_history",
    "rollout_ticket_changelist",
    "rollout_ticket_change",
    "rollout_ticket_history",
    "rollout_ticket_act",
}


def patterns(resolver, namespaces=()):
    """Yield every named address below a resolver as (full name, pattern)."""
    for each in resolver.url_patterns:
        if isinstance(each, URLResolver):
            yield from patterns(each, (*namespaces, *filter(None, [each.namespace])))
        elif each.name is not None and namespaces and namespaces[0] in ("admin", "django_rq"):
            yield ":".join((*namespaces, each.name)), each


def addresses(keys):
    """Yield name and address of every page of the administration, filled in with keys of rows that are there."""
    for name, each in patterns(get_resolver()):
        named = each.pattern.regex.groupindex
        given = {key: keys.get((each.name, key), keys.get(key, 1)) for key in named}
        unnamed = [1] * (each.pattern.regex.groups - len(named))
        yield each.name, reverse(name, args=unnamed, kwargs=given)


def test_a_support_user_reaches_the_console_and_nothing_else(client, sue, done, card):
    wave = done(1)
    place = wave.enrolments.get()
    FlagOverride.objects.create(person=place.person, system="legacy", reason="asked", by="sue", at=AT)
    ticket = open_ticket(place.person, TicketDraft(Severity.HIGH, "Odd"), by="sue", at=AT)
    keys = {
        "object_id": "1",
        "pk": place.person_id,
        "customization": Customization.objects.get().pk,
        "side": "slots",
        "index": 0,
        "name": "switch",
        "app_label": "rollout",
        "content_type_id": ContentType.objects.get_for_model(Person).pk,
        ("rollout_flagoverride_change", "object_id"): FlagOverride.objects.get().pk,
        ("rollout_flagoverride_history", "object_id"): FlagOverride.objects.get().pk,
        ("rollout_ticket_change", "object_id"): ticket.pk,
        ("rollout_ticket_history", "object_id"): ticket.pk,
        ("rollout_ticket_act", "name"): "answer",
    }
    client.force_login(sue)

    opened, shut = set(), set()
    for name, address in addresses(keys):
        response = client.get(address)
        lands_at_home = response.status_code == 302 and response["Location"] in (reverse("admin:index"), "/admin/login/")
        (opened if response.status_code < 400 and not lands_at_home else shut).add(name)
        if name not in CONSOLE:
            assert response.status_code in (302, 403, 404, 405), f"{name}: {response.status_code}"
            assert client.post(address, {}).status_code in (302, 403, 404, 405), name
        client.force_login(sue)  # signing out is one of the pages

    assert len(shut) > 150, "it walks the whole administration"
    assert opened - CONSOLE == set()
    assert {"rollout_find_person", "rollout_person", "rollout_person_frame", "index"} <= opened
    assert {"rollout_ticket_changelist", "rollout_ticket_change", "rollout_ticket_act"} <= opened


def test_the_page_links_only_to_what_support_may_open(client, sue, done):
    person = done(1).enrolments.get().person
    client.force_login(sue)
    shown = client.get(reverse(PAGE, args=[person.pk])).content.decode()

    for address in {part.split('"')[0] for part in shown.split('href="/admin')[1:]}:
        assert client.get(f"/admin{address}").status_code in (200, 302, 405), address


def test_what_a_person_reported_is_told_only_to_who_may_read_tickets(client, customer, sue, charlie):
    person = customer("ann")
    open_ticket(person, TicketDraft(Severity.LOW, "The button is gone", "help"), **SAID)
    charlie.user_permissions.add(Permission.objects.get(codename="view_flagoverride"))

    def shown_to(account):
        client.force_login(account)
        answer = client.get(reverse(PAGE, args=[person.pk]))
        assert answer.status_code == 200
        return answer.content.decode()

    assert "The button is gone" in shown_to(sue)
    assert "The button is gone" not in shown_to(charlie)


def test_support_holds_the_rights_of_the_console_and_of_tickets(sue):
    of_tickets = {f"rollout.{verb}_ticket" for verb in ("view", "add", "change")}
    assert sue.get_all_permissions() == {"rollout.switch_person", "rollout.view_flagoverride"} | of_tickets
    assert set(ROLES["support"]) == sue.get_all_permissions()
    assert Group.objects.get(name="support").permissions.count() == 5


@pytest.mark.parametrize("words", ["ann", "ANN", "ann@shop.example", "ann@", " ann "])
def test_one_hit_leads_straight_to_the_page(client, sue, words):
    person = Person.objects.create(user="ann", email="ann@shop.example")
    Person.objects.create(user="joanna", email="joanna@shop.example")
    client.force_login(sue)

    response = client.get(reverse(FIND), {"q": words})

    assert (response.status_code, response["Location"]) == (302, reverse(PAGE, args=[person.pk]))


def test_a_number_finds_a_person_too(client, sue):
    person = Person.objects.create(user="ann")
    client.force_login(sue)

    assert client.get(reverse(FIND), {"q": str(person.pk)})["Location"] == reverse(PAGE, args=[person.pk])


def test_exact_hits_stand_before_those_that_begin_so(client, sue):
    for name in ("anna", "annabel", "ann"):
        Person.objects.create(user=name)
    client.force_login(sue)

    shown = client.get(reverse(FIND), {"q": "ann"})

    assert [person.user for person in shown.context["people"]] == ["ann", "anna", "annabel"]


def test_a_search_that_finds_too_many_or_nobody_says_so(client, sue):
    Person.objects.bulk_create(Person(user=f"u{number:03}") for number in range(FOUND + 5))
    client.force_login(sue)

    many = client.get(reverse(FIND), {"q": "u"})
    none = text_of(client.get(reverse(FIND), {"q": "%"}))

    assert len(many.context["people"]) == FOUND
    assert "Write more of the name" in text_of(many)
    assert "Nobody matches “%”" in none
    assert client.get(reverse(FIND), {"q": ""}).status_code == 200


def test_a_search_asks_only_for_what_an_index_answers(db):
    with CaptureQueriesContext(
        connection,
    ) as asked:
        find_people("Ann")

    assert len(asked) <= 6
    assert not [query["sql"] for query in asked if "'%" in query["sql"] or "UPPER" in query["sql"]]


def test_the_page_says_which_system_and_why_and_tells_what_happened(page_of, sue, done):
    person = done(1).enrolments.get().person

    shown = text_of(page_of(sue, reverse(PAGE, args=[person.pk]))).replace("&#x27;", "'")

    assert "slots because the person's wave switched them to slots" in shown
    assert "Sees slots from now on, switched by Pilot / Wave 1" in shown
    assert "Nothing keeps them where they are." in shown
    assert person.enrolments.get().chosen_for in shown


def test_slots_are_not_offered_to_whom_they_cannot_be_given_and_the_story_stands_before_the_pictures(page_of, sue, customer):
    person = customer("hal", HOSTILE)

    page = page_of(sue, reverse(PAGE, args=[person.pk]))

    form = next(form for deed, form in page.context["deeds"] if deed.name == "switch")
    assert [value for value, _ in form.fields["system"].choices] == ["legacy", "wave"]
    assert "Slots cannot be chosen: " in text_of(page)
    content = page.content.decode()
    assert content.index('id="timeline"') < content.index('id="components"')


def test_the_page_says_what_keeps_a_person_since_when_by_whom_and_what_comes_next(page_of, sue, locked):
    place = locked(1).enrolments.get()
    Enrolment.objects.filter(pk=place.pk).update(
        state=PersonState.VALIDATION_FAILED, code="FINDINGS_OPEN", text="Two findings are open.", updated_at=AT
    )

    shown = text_of(page_of(sue, reverse(PAGE, args=[place.person_id])))

    for words in ("Two findings are open.", "FINDINGS_OPEN", "Since", "by alice", "queued again, or left out", "An operator"):
        assert words in shown


def test_the_page_says_what_became_of_a_place_that_is_past(page_of, sue, done):
    place = done(1).enrolments.get()
    Snapshot.objects.filter(person=place.person).update(restored_at=AT)
    Enrolment.objects.filter(pk=place.pk).update(state=PersonState.VALIDATION_FAILED, is_live=False, text="Two findings.")

    shown = text_of(page_of(sue, reverse(PAGE, args=[place.person_id])))

    assert "validation failed (past)" in shown
    assert "Two findings." in shown
    assert "Nothing keeps them" not in shown


def test_both_renderings_stand_beside_each_other_in_sandboxed_frames(client, sue, done, customer):
    person = done(1).enrolments.get().person
    other = customer("other")
    client.force_login(sue)

    shown = client.get(reverse(PAGE, args=[person.pk])).content.decode()
    (row,) = person.customizations.all()
    frames = [reverse("admin:rollout_person_frame", args=[person.pk, row.pk, side, 0]) for side in ("legacy", "slots")]
    pages = [client.get(frame) for frame in frames]

    assert shown.count("<iframe sandbox ") == 2
    for frame, page in zip(frames, pages, strict=True):
        assert frame in shown
        assert "Order now" in page.content.decode()
        assert page["Content-Security-Policy"].startswith("sandbox; default-src 'none'")
    assert client.get(reverse("admin:rollout_person_frame", args=[other.pk, row.pk, "slots", 0])).status_code == 404
    assert client.get(reverse("admin:rollout_person_frame", args=[person.pk, row.pk, "neither", 0])).status_code == 404


def test_a_person_is_rolled_back_in_two_submitted_forms_from_home(client, sue, done):
    person = done(2).enrolments.order_by("pk").first().person
    client.force_login(sue)
    home = client.get(reverse("admin:index")).content.decode()
    assert f'action="{reverse(FIND)}"' in home

    found = client.get(reverse(FIND), {"q": person.user}, follow=True)
    address = reverse(DEED, args=[person.pk, "roll-back"])
    assert f'action="{address}"' in found.content.decode()
    response = client.post(address, {"reason": "called us"}, follow=True)

    assert f"{person} is back." in text_of(response)
    assert standing_of(person.key).decide().system == System.LEGACY
    assert Enrolment.objects.get(person=person).state == PersonState.ROLLED_BACK
    assert not Snapshot.objects.standing().filter(person=person).exists()
    said = text_of(response)
    assert "Is back on the legacy system, with what they had before" in said and "“called us” sue" in said


def test_a_rollback_needs_a_reason_and_something_to_undo(client, sue, done, customer):
    moved, unmoved = done(1).enrolments.get().person, customer("ann")
    client.force_login(sue)

    silent = client.post(reverse(DEED, args=[moved.pk, "roll-back"]), {"reason": ""})
    idle = client.post(reverse(DEED, args=[unmoved.pk, "roll-back"]), {"reason": "asked"})

    assert "This field is required." in text_of(silent)
    assert standing_of(moved.key).decide().system == System.SLOTS
    assert "NOTHING_TO_UNDO" in text_of(idle)
    assert reverse(DEED, args=[unmoved.pk, "roll-back"]) not in client.get(reverse(PAGE, args=[unmoved.pk])).content.decode()


def test_somebody_is_deferred_and_comes_back(client, sue, customers, planned):
    people = customers(2)
    first, later = dated(planned(people[0])), dated(planned(people[1]), AT + 20 * DAY)
    for wave in (first, later):
        lock_wave(wave, **SAID)
    place = first.enrolments.get()
    client.force_login(sue)
    said = {"reason": "on holiday", "to": later.pk, "versions": json.dumps({place.pk: place.version})}

    deferred = client.post(reverse(DEED, args=[people[0].pk, "defer"]), said, follow=True)
    assert Enrolment.objects.live().get(person=people[0]).wave == later
    assert "waits for Pilot / Wave 2 now" in text_of(deferred)
    assert reverse(DEED, args=[people[0].pk, "withdraw"]) in deferred.content.decode()

    back = client.post(reverse(DEED, args=[people[0].pk, "withdraw"]), {"reason": "stays at home"}, follow=True)
    assert Enrolment.objects.live().get(person=people[0]).wave == first
    assert "is back in Pilot / Wave 1" in text_of(back)


def test_a_deferral_of_somebody_who_was_moved_meanwhile_is_refused(client, sue, customers, planned):
    people = customers(2)
    first, later = dated(planned(people[0])), dated(planned(people[1]), AT + 20 * DAY)
    for wave in (first, later):
        lock_wave(wave, **SAID)
    place = first.enrolments.get()
    client.force_login(sue)
    said = {"reason": "on holiday", "to": later.pk, "versions": json.dumps({place.pk: place.version - 1})}

    assert "MOVE_REFUSED" in text_of(client.post(reverse(DEED, args=[people[0].pk, "defer"]), said))
    assert Enrolment.objects.live().get(person=people[0]).wave == first


def test_who_has_no_right_to_the_console_sees_nothing_of_it(client, charlie, done):
    person = done(1).enrolments.get().person
    frame = reverse("admin:rollout_person_frame", args=[person.pk, person.customizations.get().pk, "slots", 0])
    client.force_login(charlie)

    for address in (reverse(FIND), reverse(PAGE, args=[person.pk]), reverse(DEED, args=[person.pk, "roll-back"]), frame):
        assert client.get(address).status_code == 403
    assert client.post(reverse(DEED, args=[person.pk, "roll-back"]), {"reason": "r"}).status_code == 403


@pytest.mark.parametrize("name", ["roll-back", "switch", "defer", "withdraw", "ticket"])
def test_who_only_looks_does_nothing_and_is_offered_nothing(client, arthur, done, name):
    person = done(1).enrolments.get().person
    client.force_login(arthur)

    assert client.post(reverse(DEED, args=[person.pk, name]), {"reason": "r", "system": "legacy"}).status_code == 403
    assert '<form method="post" class="ask"' not in client.get(reverse(PAGE, args=[person.pk])).content.decode()
    assert client.get(reverse(DEED, args=[person.pk, "unheard-of"])).status_code == 404


def test_notices_and_what_was_told_in_the_application_are_shown(page_of, sue, customer, planned, phase):
    write_notice(phase.plan)
    in_app(phase.plan)
    person = customer("ann", email="ann@example.org")
    lock_wave(dated(planned(person), AT + 8 * DAY), **SAID)
    send_due_notices(at=AT + DAY, transport=Server())

    shown = text_of(page_of(sue, reverse(PAGE, args=[person.pk])))

    assert "A week before, e-mail" in shown
    assert "In the application: Your shop moves" in shown
    assert "Dear ann, Pilot / Wave 1 moves at" in shown
    assert "Is told “A week before” (e-mail)." in shown


def crowd(person, phase, count, planned, card):
    """Give a person so many more past places, snapshots, notices and customizations."""
    notice = write_notice(phase.plan, f"Notice {count}")
    text = NoticeText.objects.create(digest=str(count), subject="You move", body="Soon.")
    for number in range(count):
        wave = planned(name=f"Past {count}.{number}")
        place = Enrolment.objects.create(
            plan=phase.plan, wave=wave, person=person, state=PersonState.REMOVED, is_live=False, updated_at=AT
        )
        Snapshot.objects.create(
            enrolment=place, person=person, act="00000000-0000-0000-0000-000000000000", digest="0" * 64, taken_at=AT,
            restored_at=AT + timedelta(hours=1),
        )  # fmt: skip
        NoticeDelivery.objects.create(
            notice=notice,
            enrolment=place,
            wave=wave,
            attempt=1,
            schedule_version=1,
            state="sent",
            due_at=AT,
            sent_at=AT,
            text=text,
        )
        Customization.objects.create(
            external_id=f"{count}.{number}", person=person, component_key=f"{count}.{number}", base_version="1.0",
            component=card.component, base=card, diff="", diff_digest="0" * 64, imported_at=AT,
        )  # fmt: skip
        open_ticket(person, TicketDraft(Severity.LOW, "Odd"), by="sue", at=AT)


def test_the_page_costs_the_same_queries_for_one_of_everything_and_for_fifty(client, sue, done, phase, planned, card):
    person = done(1).enrolments.get().person
    client.force_login(sue)

    def cost():
        with CaptureQueriesContext(connection) as asked:
            assert client.get(reverse(PAGE, args=[person.pk])).status_code == 200
        return len(asked)

    crowd(person, phase, 1, planned, card)
    one = cost()
    crowd(person, phase, 50, planned, card)

    assert cost() == one <= 40


def test_the_search_costs_the_same_queries_for_two_and_for_fifty(client, sue):
    client.force_login(sue)

    def cost():
        with CaptureQueriesContext(connection) as asked:
            assert client.get(reverse(FIND), {"q": "u"}).status_code == 200
        return len(asked)

    Person.objects.bulk_create(Person(user=f"u{number}") for number in range(2))
    two = cost()
    Person.objects.bulk_create(Person(user=f"u{number}") for number in range(2, 45))

    assert cost() == two


def test_deferring_is_offered_only_before_the_wave_starts(client, sue, customers, planned, started):
    people = customers(3)
    waiting, later = dated(planned(people[0])), dated(planned(people[2]), AT + 20 * DAY)
    for wave in (waiting, later):
        lock_wave(wave, **SAID)
    started(people[1])
    client.force_login(sue)

    offered = [
        reverse(DEED, args=[person.pk, "defer"]) in client.get(reverse(PAGE, args=[person.pk])).content.decode()
        for person in people[:2]
    ]
    assert offered == [True, False]
    defer_person(waiting.enrolments.get(), to=later, reason="asked", **SAID)
