"""Deciding groups: all members at once, as they were shown, and nobody who came later."""

import random
import uuid

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from migration.actions import decide_finding, validate_customizations
from migration.actions.reviewing import SAMPLE, Look, Preview, decide_group, look_at, open_groups, preview_group
from migration.errors import DecisionNotAllowed, GroupChanged, GroupNotShown
from migration.models import Customization, Decision, Finding, Validation
from migration.states import CustomizationState
from tests.migration.actions.reviewing.conftest import Fill, spelled
from tests.migration.conftest import AT, LOST, NEW, edit, line
from tests.rollout.test_races import at_once
from tests.scenes import kept

pytestmark = pytest.mark.django_db
SCRIPT = edit(NEW, ("In stock", "In stock<hr onclick=x>"))
USERS = ("bob", "carol", "dave")
DEED = {"by": "dora", "at": AT, "reason": "looked at it"}


@pytest.fixture
@kept
def shown(fill: Fill) -> Preview:
    """Return what dora was shown of a group of three people with diffs of their own."""
    fill([line(user, spelled(SCRIPT, user)) for user in USERS])
    return preview_group(open_groups()[0])


def test_one_decision_is_about_everybody_and_is_kept_with_each(shown: Preview) -> None:
    done = decide_group(shown.group, shown=shown.digest, decision=Decision.ACCEPTED, **DEED)

    assert (done.findings, done.customizations, done.states) == (3, shown.customizations, {"translated": 3})
    for finding in Finding.objects.all():
        assert (finding.decision, finding.decided_by, finding.decided_at) == ("accepted", "dora", AT)
        assert finding.decision_reason == "looked at it"
        row = finding.history.first()
        assert (row.history_user_id, row.history_change_reason, row.decision) == ("dora", "looked at it", "accepted")
    assert len(set(Finding.history.filter(decision="accepted").values_list("act", flat=True))) == 1
    for customization in Customization.objects.all():
        assert customization.events.last().reason == "UNSAFE_HTML accepted by dora for 3: looked at it"
    assert open_groups() == []


def test_history_is_that_of_a_decision_about_one_finding(shown: Preview) -> None:
    alone, together = Finding.objects.order_by("pk")[:2]
    act = uuid.uuid4()
    decide_finding(alone, decision=Decision.ACCEPTED, act=act, **DEED)
    now = preview_group(open_groups()[0])
    decide_group(now.group, shown=now.digest, decision=Decision.ACCEPTED, act=act, **DEED)

    rows = [
        {name: value for name, value in vars(each.history.first()).items() if name not in {"_state", "id", "history_id"}}
        for each in (alone, together)
    ]
    assert rows[0] | {"translation_id": 0} == rows[1] | {"translation_id": 0}


def test_rejection_keeps_everybody_off_slots(shown: Preview) -> None:
    assert decide_group(shown.group, shown=shown.digest, decision=Decision.REFUSED, **DEED).states == {"rejected": 3}
    assert open_groups() == []


def test_pages_pass_once_their_difference_is_accepted(fill: Fill) -> None:
    fill([line(user, spelled(LOST, user), base_version="1.0") for user in USERS])
    shown = preview_group(open_groups()[0])

    done = decide_group(shown.group, shown=shown.digest, decision=Decision.ACCEPTED, **DEED)
    report = validate_customizations(done.customizations, at=AT, by="dora")

    assert (report.passed, report.computed) == (3, 0)
    assert set(Customization.objects.values_list("state", flat=True)) == {CustomizationState.VALIDATED}


@pytest.mark.parametrize("diff", ["of their own", "that was shown", "spelled otherwise"])
def test_who_came_since_is_not_decided_about_unseen(shown: Preview, fill: Fill, diff: str) -> None:
    spelling = {"of their own": SCRIPT, "that was shown": spelled(SCRIPT, "bob"), "spelled otherwise": spelled(SCRIPT, "erin")}
    fill([line("erin", spelling[diff])])

    with pytest.raises(GroupChanged, match="is about 4 now") as caught:
        decide_group(shown.group, shown=shown.digest, decision=Decision.ACCEPTED, **DEED)

    assert caught.value.members == 4
    assert set(Finding.objects.values_list("decision", flat=True)) == {Decision.OPEN}
    again = preview_group(open_groups()[0])
    assert len(decide_group(again.group, shown=again.digest, decision=Decision.ACCEPTED, **DEED).customizations) == 4


def test_member_who_left_changes_the_group(shown: Preview) -> None:
    Customization.objects.filter(person__user="bob").update(is_active=False)

    with pytest.raises(GroupChanged, match="nothing was decided"):
        decide_group(shown.group, shown=shown.digest, decision=Decision.ACCEPTED, **DEED)


def test_group_that_somebody_decided_is_gone(shown: Preview) -> None:
    decide_group(shown.group, shown=shown.digest, decision=Decision.REFUSED, **DEED)

    with pytest.raises(GroupChanged, match="Nobody waits in it any more") as caught:
        decide_group(shown.group, shown=shown.digest, decision=Decision.ACCEPTED, **DEED | {"by": "erin"})

    assert caught.value.members == 0
    assert set(Finding.objects.values_list("decision", flat=True)) == {Decision.REFUSED}


def test_finding_that_was_decided_alone_changes_the_group(shown: Preview) -> None:
    decide_finding(Finding.objects.first(), decision=Decision.REFUSED, **DEED)

    with pytest.raises(GroupChanged):
        decide_group(shown.group, shown=shown.digest, decision=Decision.ACCEPTED, **DEED)

    assert Finding.objects.filter(decision=Decision.OPEN).count() == 2


@pytest.mark.django_db(transaction=True)
def test_of_many_who_decide_at_once_one_does(shown: Preview) -> None:
    def decide() -> object:
        return decide_group(shown.group, shown=shown.digest, decision=Decision.ACCEPTED, **DEED)

    answers = at_once(decide)

    assert sorted(type(each).__name__ for each in answers) == ["GroupChanged"] * 7 + ["GroupDecision"]
    assert Finding.history.filter(decision="accepted").count() == 3


def test_who_does_not_say_what_was_shown_decides_nothing(shown: Preview) -> None:
    with pytest.raises(GroupNotShown, match="look at its page"):
        decide_group(shown.group, shown="", decision=Decision.ACCEPTED, **DEED)


def test_decision_needs_a_reason(shown: Preview) -> None:
    with pytest.raises(DecisionNotAllowed, match="reason"):
        decide_group(shown.group, shown=shown.digest, decision=Decision.ACCEPTED, **DEED | {"reason": " "})


def test_what_has_no_operations_is_rejected_or_stays_open(fill: Fill) -> None:
    fill([line(user, "broken") for user in USERS])
    shown = preview_group(open_groups()[0])

    with pytest.raises(DecisionNotAllowed, match="nothing to install"):
        decide_group(shown.group, shown=shown.digest, decision=Decision.ACCEPTED, **DEED)

    assert decide_group(shown.group, shown=shown.digest, decision=Decision.REFUSED, **DEED).states == {"rejected": 3}


def test_sample_is_the_same_for_everybody_and_of_the_members(fill: Fill) -> None:
    fill([line(f"user{number}", spelled(SCRIPT, str(number))) for number in range(12)])
    (group,) = open_groups()

    one, other = (preview_group(group) for _ in range(2))

    assert one.sample == other.sample
    assert len(set(one.sample)) == SAMPLE
    assert set(one.sample) < set(one.customizations)
    assert one.sample != one.customizations[:SAMPLE]


def test_looking_renders_each_member_from_its_own_diff(fill: Fill) -> None:
    fill([line(user, spelled(LOST, user), base_version="1.0") for user in USERS])
    (group,) = open_groups()
    members = preview_group(group).sample
    assert {each.look for each in look_at(members)} == {Look.AS_FOUND}

    bob = Customization.objects.get(person__user="bob")
    Validation.objects.filter(translation=bob.translation).update(difference_digest="other")

    assert [each.look for each in look_at(members) if each.person == "bob"] == [Look.OTHERWISE]
    assert tuple(each.customization for each in look_at(members)) == members


def test_what_the_policy_refuses_is_not_rendered_to_look_at(shown: Preview) -> None:
    assert {each.look for each in look_at(shown.sample)} == {Look.NOT_RENDERED}


def test_queries_of_a_decision_do_not_grow_with_members(fill: Fill) -> None:
    counts = []
    for number in (1, 50):
        Finding.objects.all().delete()
        Customization.objects.all().delete()
        fill([line(f"user{number}-{index}", spelled(SCRIPT, f"{number}-{index}")) for index in range(number)])
        with CaptureQueriesContext(connection) as queries:
            shown = preview_group(open_groups()[0])
            look_at(shown.sample)
            decide_group(shown.group, shown=shown.digest, decision=Decision.ACCEPTED, **DEED)
        counts.append(len(queries))
        assert Customization.objects.filter(state=CustomizationState.TRANSLATED).count() == number

    assert counts[0] == counts[1]


def decided(fill: Fill, people: int, diffs: int) -> int:
    """Bring in people with that many distinct changes, each spelled in a way of its own; return how many decisions they need."""
    texts = [SCRIPT.replace("=x", f"=x{number}") for number in range(diffs)]
    chosen = random.Random(7).choices(range(diffs), k=people)
    fill([line(f"user{number}", spelled(texts[diff], str(number % 2))) for number, diff in enumerate(chosen)])
    decisions = 0
    while groups := open_groups():
        for group in groups:
            shown = preview_group(group)
            decide_group(shown.group, shown=shown.digest, decision=Decision.ACCEPTED, **DEED)
            decisions += 1
        validate_customizations(Customization.objects.values_list("pk", flat=True), at=AT, by="alice")
    assert set(Customization.objects.values_list("state", flat=True)) == {CustomizationState.VALIDATED}
    return decisions


def test_people_with_few_changes_need_few_decisions(fill: Fill) -> None:
    assert decided(fill, people=40, diffs=3) == 3


@pytest.mark.slow
def test_ten_thousand_people_with_150_changes_need_150_decisions(fill: Fill) -> None:
    assert decided(fill, people=10_000, diffs=150) == 150
