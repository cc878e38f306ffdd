"""Plans, phases, waves and tasks in the admin: made from templates, edited, moved, left out."""

from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest
from django.urls import reverse

from rollout.actions.blueprints import create_from_template, export_plan, template
from rollout.actions.holds import set_hold
from rollout.actions.waves import lock_wave
from rollout.models import Event, Phase, Plan, Task, Wave
from rollout.states import PhaseState, PlanState, WaveState
from tests.rollout.admin.conftest import act_address, text_of
from tests.rollout.conftest import SAID
from tests.scenes import kept

pytestmark = pytest.mark.django_db
START = date(2027, 11, 29)
NEW = {"template": "eight-weeks", "text": "", "name": "Winter", "starts_on": "2027-11-29", "time_zone": ""}


@pytest.fixture
@kept
def winter(db):
    """The plan of eight weeks, a year from now, by alice."""
    return create_from_template("Winter", template=template("eight-weeks"), starts_on=START, salt="salt", **SAID)


def dates(instant):
    return {"starts_at_0": f"{instant:%Y-%m-%d}", "starts_at_1": f"{instant:%H:%M:%S}"}


def test_a_plan_is_made_from_a_template_after_a_preview(client, alice, db):
    client.force_login(alice)
    address = reverse("admin:rollout_plan_new")
    assert "Show what would be made" in client.get(address).content.decode()

    shown = text_of(client.post(address, NEW | {"preview": "1"}))
    assert "What would be made: eight-weeks@1, from Mon 2027-11-29 (UTC)" in shown
    assert "Wed 2027-12-15 02:00" in shown
    assert "The first 50 of customized people with" in shown
    assert "Notice: 7 days before (email)" in shown
    assert not Plan.objects.exists()

    done = client.post(address, NEW | {"make": "1"}, follow=True)

    plan = Plan.objects.get()
    assert (plan.name, plan.author, plan.template, plan.phases.count()) == ("Winter", "alice", "eight-weeks@1", 5)
    assert "Winter is made as a draft." in text_of(done)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"name": "Taken"}, "There is a plan called"),
        ({"time_zone": "Berlin"}, "Berlin is no IANA zone"),
        ({"text": "format = 2"}, "format: It is 1."),
        ({"starts_on": "soon"}, "Enter a valid date"),
    ],
)
def test_what_cannot_be_made_is_said_beside_its_field(client, alice, fields, words):
    create_from_template("Taken", template=template("eight-weeks"), starts_on=START, **SAID)
    client.force_login(alice)

    page = client.post(reverse("admin:rollout_plan_new"), NEW | fields | {"make": "1"})

    assert words in text_of(page)
    assert Plan.objects.count() == 1


def test_a_plan_is_exported_and_its_text_makes_another(client, alice, winter):
    client.force_login(alice)
    file = client.get(reverse("admin:rollout_plan_export", args=[winter.pk]))
    assert file.content.decode() == export_plan(winter)
    assert file["Content-Disposition"] == 'attachment; filename="winter.toml"'

    client.post(reverse("admin:rollout_plan_new"), NEW | {"name": "Mine", "text": file.content.decode(), "make": "1"})

    assert Plan.objects.get(name="Mine").template == "winter@1"


def test_only_operators_make_plans_and_only_who_sees_plans_exports_them(client, arthur, sue, winter):
    client.force_login(arthur)
    assert client.get(reverse("admin:rollout_plan_new")).status_code == 403
    assert client.get(reverse("admin:rollout_plan_export", args=[winter.pk])).status_code == 200
    client.force_login(sue)
    assert client.get(reverse("admin:rollout_plan_export", args=[winter.pk])).status_code == 403


def test_every_number_of_a_phase_is_edited_and_an_approval_is_void(change, alice, winter):
    Plan.objects.update(state=PlanState.APPROVED)
    phase = Phase.objects.get(position=3)

    change(alice, phase, share="30", soak="3 00:00:00", reason="more people", **dates(datetime(2027, 12, 21)))  # noqa: DTZ001

    phase.refresh_from_db()
    assert (phase.share, phase.soak, phase.starts_at.date()) == (Decimal(30), timedelta(days=3), date(2027, 12, 21))
    assert Plan.objects.get().state == PlanState.DRAFT
    event = Event.objects.filter(kind="content_edited").get()
    assert (event.reason, set(event.data["edits"])) == ("more people", {"share", "soak"})


def test_every_number_of_a_wave_is_edited(change, alice, winter):
    wave = Wave.objects.get(name="Pilot users")

    change(
        alice, wave, audience='{"limit": 40}', soak="2 00:00:00", checks="[60, 120]", rate="5", max_workers="2", batch_size="10",
        max_batch="20", lock_lead="4 00:00:00", **dates(datetime(2027, 12, 16, 3)),  # noqa: DTZ001  # what a form sends
    )  # fmt: skip

    wave.refresh_from_db()
    assert (wave.audience, wave.soak, wave.checks, wave.rate) == ({"limit": 40}, timedelta(days=2), [60, 120], 5)
    assert (wave.max_workers, wave.batch_size, wave.max_batch, wave.lock_lead) == (2, 10, 20, timedelta(days=4))
    assert wave.starts_at.isoformat() == "2027-12-16T03:00:00+00:00"


@pytest.mark.parametrize("checks", ["[120, 60]", "[0]", '"soon"', "[1.5]", "[60, 60]"])
def test_checks_are_whole_seconds_in_order(change, alice, winter, checks):
    wave = Wave.objects.get(name="Pilot users")

    page = change(alice, wave, checks=checks)

    assert "each check later than the one before it" in text_of(page)
    wave.refresh_from_db()
    assert wave.checks == [3600, 21600, 86400]


def test_another_date_alone_leaves_an_approval_as_it_is(change, alice, winter):
    Plan.objects.update(state=PlanState.APPROVED)

    change(alice, Wave.objects.get(name="40 %"), **dates(datetime(2028, 1, 5, 2)))  # noqa: DTZ001  # what a form sends

    assert Plan.objects.get().state == PlanState.APPROVED
    assert Wave.objects.get(name="40 %").starts_at.date() == date(2028, 1, 5)


def test_a_locked_wave_keeps_its_people_and_may_change_the_rest(change, client, alice, winter, customers):
    customers(2)
    wave = Wave.objects.get(name="Internal accounts")
    Wave.objects.filter(pk=wave.pk).update(audience={"limit": 2})
    wave.refresh_from_db()
    lock_wave(wave, **SAID)

    change(alice, wave, audience='{"limit": 1}', rate="3")

    wave.refresh_from_db()
    assert (wave.audience, wave.rate, wave.state) == ({"limit": 2}, 3, WaveState.LOCKED)


def test_of_a_wave_at_work_only_the_batches_change(change, alice, started, customers):
    wave = started(*customers(1))

    change(alice, wave, batch_size="7", soak="5 00:00:00")

    wave.refresh_from_db()
    assert (wave.batch_size, wave.soak) == (7, timedelta(days=1))


@pytest.mark.parametrize("state", [PhaseState.EXECUTING, PhaseState.COMPLETED, PhaseState.SKIPPED])
def test_a_phase_that_has_started_is_not_edited(client, alice, winter, state):
    Phase.objects.update(state=state)
    phase = Phase.objects.get(position=3)
    client.force_login(alice)

    assert client.post(reverse("admin:rollout_phase_change", args=[phase.pk]), {"share": "30"}).status_code == 403


def test_the_plan_itself_is_edited(change, alice, winter):
    change(alice, winter, max_deferrals="3", deferral_limit="7 00:00:00", reason="kinder")

    winter.refresh_from_db()
    assert (winter.max_deferrals, winter.deferral_limit) == (3, timedelta(days=7))


@pytest.mark.parametrize("kind", ["plan", "phase", "wave", "task"])
def test_who_may_not_change_sees_the_page_without_a_form(client, arthur, winter, kind):
    row = {"plan": Plan, "phase": Phase, "wave": Wave, "task": Task}[kind].objects.first()
    client.force_login(arthur)
    address = reverse(f"admin:rollout_{kind}_change", args=[row.pk])

    assert client.get(address).status_code == 200
    assert client.post(address, {"name": "x"}).status_code == 403


def test_a_plan_is_moved_on_its_page(act_as, client, alice, winter):
    client.force_login(alice)
    page = text_of(client.get(act_address("move", winter)))
    assert "9 waves have not started and move" in page

    address = act_address("move", winter)
    fourth = Phase.objects.get(position=4)
    client.post(address, {"days": "2", "start": str(fourth.pk), "reason": "late", "versions": f'{{"{winter.pk}": 1}}'})

    assert Wave.objects.get(name="40 %").starts_at.date() == date(2028, 1, 5)
    assert Wave.objects.get(name="Pilot users").starts_at.date() == date(2027, 12, 15)
    refused = client.post(address, {"reason": "late", "versions": f'{{"{winter.pk}": 1}}'})
    assert "Give a new first day or a number of days." in text_of(refused)


@pytest.mark.parametrize(("name", "state"), [("submit", "draft"), ("schedule", "approved")])
def test_a_wave_that_would_take_nobody_is_named_before_it_is_asked_for(client, alice, winter, name, state):
    Plan.objects.filter(pk=winter.pk).update(state=state)
    client.force_login(alice)

    page = client.get(f"{reverse('admin:rollout_plan_act', args=[name])}?ids={winter.pk}").content.decode()

    assert "Foundation and internal testing / Internal accounts would take nobody now" in page


def test_a_plan_is_copied_and_cancelled_on_its_page(act_as, client, alice, winter):
    client.force_login(alice)
    client.post(
        act_address("copy", winter),
        {"name": "Spring", "starts_on": "2028-03-06", "reason": "again", "versions": f'{{"{winter.pk}": 1}}'},
    )
    assert Plan.objects.get(name="Spring").starts_on == date(2028, 3, 6)

    page = text_of(client.get(act_address("cancel", winter)))
    assert "9 waves that have not started are cancelled; 0 people are free" in page
    act_as(alice, "cancel", winter)
    winter.refresh_from_db()
    assert winter.state == PlanState.CANCELLED


def test_a_phase_is_skipped_paused_and_resumed_on_its_page(act_as, alice, winter):
    phase = Phase.objects.get(position=2)
    Plan.objects.update(state=PlanState.SCHEDULED)
    set_hold(winter, **{**SAID, "reason": "wait"})
    act_as(alice, "pause", phase)

    page = act_as(alice, "resume", phase)

    assert "is still held: Winter: paused by somebody" in text_of(page)
    act_as(alice, "skip", phase)
    phase.refresh_from_db()
    assert (phase.state, phase.waves.get().state) == (PhaseState.SKIPPED, WaveState.CANCELLED)


def test_a_completed_plan_is_retired_and_closed_on_its_page(act_as, alice, winter):
    Plan.objects.update(state=PlanState.COMPLETED)
    act_as(alice, "deprecate", winter)
    act_as(alice, "close", winter)

    assert Plan.objects.get().state == PlanState.CLOSED


def test_what_keeps_a_phase_is_on_its_page(client, alice, winter):
    Phase.objects.filter(position=5).update(state=PhaseState.EXECUTING)
    phase = Phase.objects.get(position=5)
    client.force_login(alice)

    page = text_of(client.get(reverse("admin:rollout_phase_change", args=[phase.pk])))

    assert "The task “Update all documentation” is not done." in page


def test_a_task_is_added_changed_and_marked_in_the_admin(change, client, alice, winter):
    client.force_login(alice)
    phase = Phase.objects.get(position=2)
    client.post(
        reverse("admin:rollout_task_add"),
        {"phase": phase.pk, "text": "Call them", "due_at_0": "", "due_at_1": "", "is_required": "on"},
    )
    task = phase.tasks.get()
    assert (task.text, task.position, task.is_required) == ("Call them", 1, True)

    change(alice, task, text="Write to them", due_at_0="2027-12-20", due_at_1="12:00:00")
    task.refresh_from_db()
    assert (task.text, f"{task.due_at:%Y-%m-%d}") == ("Write to them", "2027-12-20")

    address = reverse("admin:rollout_task_mark", args=[task.pk])
    assert "no longer waits for it" in text_of(client.get(address))
    client.post(address, {"to": "done", "reason": "written"})
    task.refresh_from_db()
    assert (task.done_by, task.note) == ("alice", "written")
    client.post(address, {"to": "open", "reason": "no answer"})
    task.refresh_from_db()
    assert task.done_at is None


def test_only_operators_mark_tasks(client, arthur, winter):
    client.force_login(arthur)

    assert client.get(reverse("admin:rollout_task_mark", args=[Task.objects.first().pk])).status_code == 403
