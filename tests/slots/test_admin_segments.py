"""Segments in the admin: what they are is read there, and members go only where they can stay."""

import pytest
from django.contrib.auth.models import User

from slots.actions.segments import save_segment
from slots.models import Layer, Segment, SegmentMember
from slots.schema import PersonKey
from tests.slots.conftest import AT, CARD, add_component, lay, set_text
from tests.slots.test_admin import address, queries

pytestmark = pytest.mark.django_db


def people(tenant):
    return [(PersonKey(tenant, user), {"region": "EU"}) for user in ("ann", "ben")]


@pytest.fixture
def staff(client):
    client.force_login(User.objects.create_superuser("alice", password="a long word of pass"))
    return client


def make(settings, key, rule):
    settings.SLOTS_PEOPLE = f"{__name__}.people"
    return save_segment("default", key, rule=rule, title=key.title(), by="alice", at=AT, reason="test")


def test_segment_is_shown_with_its_rule_and_members_and_not_changed(staff, settings):
    row = make(settings, "europe", {"attribute": "region", "is": "EU"})

    page = staff.get(address(Segment, "change", row.pk)).content.decode()

    assert "chosen by the rule" in page
    assert "&quot;region&quot;" in page
    assert "ann, ben" in page
    link = address(SegmentMember, "changelist") + "?segment__exact=europe&amp;tenant__exact=default"
    assert f'<a href="{link}">2</a>' in page
    assert staff.get(link.replace("&amp;", "&")).context["cl"].result_count == 2
    staff.post(address(Segment, "change", row.pk), {"tenant": "default", "key": "asia", "title": ""})
    assert Segment.objects.get().key == "europe"
    assert staff.get(address(Segment, "history", row.pk)).status_code == 200


def test_list_costs_the_same_for_many_segments(staff, settings):
    make(settings, "a", None)
    staff.get(address(Segment, "changelist"))
    one = queries(staff, address(Segment, "changelist"))
    for key in "bcdef":
        make(settings, key, {"attribute": "region", "is": "EU"})

    assert queries(staff, address(Segment, "changelist")) == one


def test_segment_that_is_kept_by_hand_is_added_with_who_and_why(staff):
    staff.post(address(Segment, "add"), {"tenant": "default", "key": "friends", "title": "Friends"})

    row = Segment.objects.get()
    assert (row.key, row.title, row.rule) == ("friends", "Friends", None)
    (revision,) = Segment.history.all()
    assert (revision.history_user_id, revision.history_change_reason) == ("alice", "added in the admin")


@pytest.mark.parametrize(
    ("segment", "said"),
    [
        ("friends", ""),
        ("layered", ""),
        ("older", ""),
        ("freinds", "There is no segment freinds in the tenant default. It has europe, friends, layered, older."),
        ("europe", "The rule of europe chooses its members"),
    ],
)
def test_member_is_added_only_to_a_segment_that_there_is_and_that_keeps_it(staff, settings, segment, said):
    make(settings, "friends", None)
    make(settings, "europe", {"attribute": "region", "is": "nowhere"})
    SegmentMember.objects.create(tenant="default", segment="older", user="zoe")
    lay(add_component("shop.card", CARD), [set_text(CARD, "Buy", "Order")], layer=Layer.SEGMENT, key="layered")

    page = staff.post(address(SegmentMember, "add"), {"tenant": "default", "user": "carol", "segment": segment})

    assert SegmentMember.objects.filter(segment=segment, user="carol").exists() == (not said)
    assert said in (page.content.decode() if said else "")
