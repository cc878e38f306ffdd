"""Rules of segments, and the members they choose."""

import pytest

from slots.actions.segments import Materialised, PeopleUnknown, materialise, materialise_all, save_segment
from slots.models import Segment, SegmentMember
from slots.schema import PersonKey
from slots.segments import MAX_TESTS, RuleInvalid, compile_rule
from tests.slots.conftest import AT

DEED = {"by": "alice", "at": AT, "reason": "autumn"}
PEOPLE = {
    "anna": {"region": "EU", "engagement": 0.9, "technical": True, "signed_up_at": "2024-01-01"},
    "bob": {"region": "US", "engagement": 0.2, "technical": False},
    "cleo": {"region": "EU", "engagement": 0.1},
}


def people(tenant):
    """Yield the people of the default tenant."""
    if tenant == "default":
        yield from ((PersonKey(tenant, user), attributes) for user, attributes in PEOPLE.items())


@pytest.mark.parametrize(
    ("rule", "chosen"),
    [
        ({"attribute": "region", "is": "EU"}, "anna cleo"),
        ({"attribute": "region", "in": ["US", "UK"]}, "bob"),
        ({"attribute": "engagement", "at_least": 0.2}, "anna bob"),
        ({"attribute": "engagement", "at_most": 0.2}, "bob cleo"),
        ({"attribute": "signed_up_at", "at_least": "2023-06-01"}, "anna"),
        ({"attribute": "technical", "is": True}, "anna"),
        ({"attribute": "technical", "is": 1}, ""),
        ({"attribute": "region", "at_least": 1}, ""),
        ({"attribute": "region", "at_most": 1}, ""),
        ({"attribute": "technical", "exists": False}, "cleo"),
        ({"attribute": "technical", "exists": True}, "anna bob"),
        ({"not": {"attribute": "region", "is": "EU"}}, "bob"),
        ({"all": [{"attribute": "region", "is": "EU"}, {"attribute": "engagement", "at_least": 0.5}]}, "anna"),
        ({"any": [{"attribute": "region", "is": "US"}, {"attribute": "technical", "is": True}]}, "anna bob"),
    ],
)
def test_rule_chooses(rule, chosen):
    fits = compile_rule(rule)

    assert [user for user, attributes in PEOPLE.items() if fits(attributes)] == chosen.split()


@pytest.mark.parametrize(
    ("rule", "place"),
    [
        (None, "rule "),
        ([], "rule "),
        ({}, "rule "),
        ({"some": []}, "rule "),
        ({"all": [], "any": []}, "rule "),
        ({"all": []}, "rule.all "),
        ({"all": "x"}, "rule.all "),
        ({"all": [{"attribute": "x"}]}, "rule.all[0] "),
        ({"attribute": "", "is": 1}, "rule.attribute "),
        ({"attribute": "x", "is": 1, "in": [1]}, "rule "),
        ({"attribute": "x", "like": "y"}, "rule "),
        ({"attribute": "x", "is": None}, "rule.is "),
        ({"attribute": "x", "in": []}, "rule.in "),
        ({"attribute": "x", "in": [None]}, "rule.in "),
        ({"attribute": "x", "at_least": True}, "rule.at_least "),
        ({"attribute": "x", "at_most": []}, "rule.at_most "),
        ({"attribute": "x", "exists": "yes"}, "rule.exists "),
        ({"not": {"not": {"all": [5]}}}, "rule.not.not.all[0] "),
        ({"any": [{"attribute": "x", "is": 1}] * (MAX_TESTS + 1)}, "rule has more than"),
    ],
)
def test_rule_of_another_form_is_refused_with_its_place(rule, place):
    with pytest.raises(RuleInvalid) as caught:
        compile_rule(rule)
    assert str(caught.value).startswith(place)


def test_rule_that_nests_too_deep_is_refused():
    rule = {"attribute": "x", "is": 1}
    for _ in range(12):
        rule = {"not": rule}

    with pytest.raises(RuleInvalid, match="nests deeper"):
        compile_rule(rule)


@pytest.fixture
def everybody(settings, db):
    settings.SLOTS_PEOPLE = f"{__name__}.people"


def members(key="eu"):
    return sorted(SegmentMember.objects.filter(segment=key).values_list("user", flat=True))


def test_segment_holds_whom_its_rule_chooses(everybody):
    save_segment("default", "eu", rule={"attribute": "region", "is": "EU"}, **DEED)

    assert members() == ["anna", "cleo"]
    assert Segment.objects.get().history.get().history_change_reason == "autumn"


def test_choosing_again_follows_the_people(everybody, monkeypatch):
    segment = save_segment("default", "eu", rule={"attribute": "region", "is": "EU"}, **DEED)
    monkeypatch.setitem(PEOPLE, "bob", {"region": "EU"})
    monkeypatch.setitem(PEOPLE, "cleo", {"region": "US"})

    assert materialise(segment, at=AT) == Materialised(joined=1, left=1, members=2)
    assert members() == ["anna", "bob"]
    assert materialise_all(at=AT) == Materialised(0, 0, 2)


def test_segment_without_a_rule_keeps_its_members(everybody):
    SegmentMember.objects.create(segment="eu", user="zoe")
    segment = save_segment("default", "eu", rule=None, **DEED)

    assert materialise(segment, at=AT) == Materialised(0, 0, 1)
    assert members() == ["zoe"]


def test_segments_of_another_tenant_are_not_touched(everybody):
    SegmentMember.objects.create(tenant="other", segment="eu", user="zoe")
    save_segment("default", "eu", rule={"attribute": "region", "is": "EU"}, **DEED)

    assert members() == ["anna", "cleo", "zoe"]


def test_rule_without_people_is_said(settings, db):
    settings.SLOTS_PEOPLE = None

    with pytest.raises(PeopleUnknown):
        save_segment("default", "eu", rule={"attribute": "region", "is": "EU"}, **DEED)
    assert not Segment.objects.exists()
