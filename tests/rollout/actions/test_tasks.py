"""Tasks of a phase: added, set for a day, done, and not done after all."""

from datetime import timedelta

import pytest

from rollout.actions.contents import content_hash_of
from rollout.actions.plans import PhaseDraft, create_plan
from rollout.actions.tasks import add_task, complete_task, reopen_task, set_due
from rollout.errors import ContentFrozen, ReasonMissing
from rollout.models import Event, Plan, Task
from rollout.states import PlanState
from tests.rollout.conftest import AT, SAID

pytestmark = pytest.mark.django_db
WHY = {**SAID, "reason": "because"}


@pytest.fixture
def draft(db):
    """The one phase of a draft plan."""
    return create_plan("Autumn", phases=[PhaseDraft("One")], **SAID).phases.get()


def test_a_task_is_added_behind_the_others_and_is_content(draft):
    before = content_hash_of(draft.plan)
    Plan.objects.update(state=PlanState.IN_REVIEW)

    first, second = add_task(draft, "Look around", **SAID), add_task(draft, "Tidy up", due_at=AT, is_required=False, **SAID)

    assert [(each.position, each.text, each.is_required, each.due_at) for each in (first, second)] == [
        (1, "Look around", True, None), (2, "Tidy up", False, AT),
    ]  # fmt: skip
    assert content_hash_of(draft.plan) != before
    assert Plan.objects.get().state == PlanState.DRAFT, "what was to be approved is another plan now"


def test_no_task_is_added_to_a_plan_that_is_over(draft):
    Plan.objects.update(state=PlanState.COMPLETED)

    with pytest.raises(ContentFrozen):
        add_task(draft, "Look around", **SAID)


def test_by_when_a_task_is_due_is_no_content(draft):
    task = add_task(draft, "Look around", **SAID)
    before = content_hash_of(draft.plan)

    assert set_due(task, AT, **SAID)
    assert not set_due(task, AT, **SAID)

    assert (task.due_at, content_hash_of(draft.plan)) == (AT, before)
    assert Event.objects.about("phase", draft.pk).last().kind == "task_moved"


def test_two_who_set_a_task_for_the_same_day_set_it_once(draft):
    task = add_task(draft, "Train support", **SAID)
    other = Task.objects.get(pk=task.pk)
    due_at = AT + timedelta(days=2)

    assert (set_due(task, due_at, **SAID), set_due(other, due_at, **SAID)) == (True, False)
    assert other.due_at == due_at
    assert set_due(other, None, **SAID)
    assert Event.objects.filter(kind="task_moved").count() == 2


def test_a_task_is_done_once_by_somebody_and_may_be_reopened(draft):
    task = add_task(draft, "Look around", **SAID)

    assert complete_task(task, by="alice", at=AT, reason="looked")
    assert not complete_task(task, by="bob", at=AT)
    assert (task.done_by, task.done_at, task.note) == ("alice", AT, "looked")

    assert reopen_task(task, **WHY)
    assert not reopen_task(task, **WHY)
    assert (task.done_by, task.done_at) == ("", None)
    assert [each.kind for each in Event.objects.about("phase", draft.pk)][-2:] == ["task_done", "task_reopened"]
    with pytest.raises(ReasonMissing):
        reopen_task(task, by="alice", at=AT, reason="")
