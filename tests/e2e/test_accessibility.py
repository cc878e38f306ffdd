"""Every page of the administration: readable for assistive technology, light and dark, and no wider than a small phone."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.contrib import admin
from django.urls import NoReverseMatch, reverse

from rollout.actions.chunks import process_chunk
from rollout.actions.gates import add_policy
from rollout.actions.holds import set_hold
from rollout.actions.plans import PhaseDraft, create_plan, submit_plan
from rollout.actions.selections import freeze_selection
from rollout.actions.signing import require_role
from rollout.actions.tickets import TicketDraft, open_ticket
from rollout.actions.waves import announce_wave, lock_wave, start_wave
from rollout.gates import Metric, Policy, Severity
from rollout.models import Breach, SignoffRequirement, Wave
from tests.e2e.conftest import fits
from tests.e2e.test_admin import AT, SAID, customization, wave

__all__ = ["customization", "wave"]  # their rows are what the pages show
pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]
GRAVE = {"serious", "critical"}
TWICE = "[...document.querySelectorAll('[id]')].map(each => each.id).filter((id, place, all) => all.indexOf(id) !== place)"
CONTRAST = {"runOnly": ["color-contrast", "link-in-text-block"]}  # all that another scheme can change


@pytest.fixture
def busy(wave):
    """A wave at work that is held, with a guard and a late ticket beside it: every kind of row that the pages are about."""
    policy = Policy(Metric.ERROR_RATE, 0.01, 0.005, AT - AT.replace(day=AT.day - 1), min_sample=1)
    add_policy(wave.phase.plan, phase=wave.phase, name="Errors", policy=policy, reason="watched", **SAID)
    lock_wave(wave, **SAID)
    announce_wave(wave, reason="told by letter", **SAID)
    start_wave(wave, **SAID)
    process_chunk(wave, clock=lambda: AT)
    set_hold(wave.phase.plan, reason="looked at first", **SAID)
    open_ticket(wave.enrolments.get().person, TicketDraft(Severity.CRITICAL, "The button is gone", "Help."), **SAID)
    freeze_selection(wave.enrolments.all(), "rollback", criteria="all rows", **SAID)
    plan = create_plan("Winter", phases=[PhaseDraft("Pilot")], salt="salt", **SAID)
    require_role(plan, "CTO", reason="asked", **SAID)
    submit_plan(plan, **SAID)
    return Wave.objects.get(pk=wave.pk)


def pages_of(label):
    """Yield the addresses of an app: each list, each form to add, and the page of the latest row."""
    for model in admin.site._registry:
        if model._meta.app_label != label:
            continue
        name = f"admin:{label}_{model._meta.model_name}"
        yield reverse(f"{name}_changelist")
        yield reverse(f"{name}_add")
        row = model._default_manager.order_by("-pk").first()
        if row is not None:
            yield reverse(f"{name}_change", args=[row.pk])
            yield reverse(f"{name}_history", args=[row.pk])


def own_pages(label, wave):
    """Yield the pages that are not of a model alone."""
    if label == "auth":
        yield reverse("admin:index")
        yield reverse("admin:password_change")
    if label == "migration":
        customization = wave.enrolments.get().person.customizations.get()
        yield reverse("admin:migration_customization_compare", args=[customization.pk])
    if label != "rollout":
        return
    for name in ("stop", "kill_switch", "freeze", "find_person", "plan_new"):
        yield reverse(f"admin:rollout_{name}")
    yield reverse("admin:rollout_person", args=[wave.enrolments.get().person_id])
    yield reverse("admin:rollout_wave_audience", args=[wave.pk])
    yield reverse("admin:rollout_plan_change", args=[wave.phase.plan_id])
    yield reverse("admin:rollout_phase_change", args=[wave.phase_id])
    asked = SignoffRequirement.objects.get()
    yield reverse("admin:rollout_plan_sign", args=[asked.plan_id, asked.pk])
    for act in ("pause", "resume", "rollback"):
        yield f"{reverse('admin:rollout_wave_act', args=[act])}?ids={wave.pk}"
    for act in ("answer", "regrade"):
        yield f"{reverse('admin:rollout_ticket_act', args=[act])}?ids={wave.enrolments.get().person.tickets.get().pk}"


def findings_on(tab, address, options=None):
    """Return what is grave on the page that is shown, in words."""
    found = Axe().run(tab, options=options).response["violations"]
    return [
        f"{address}: {each['id']} at {each['nodes'][0]['target']} ({len(each['nodes'])}): {each['nodes'][0]['html'][:120]}"
        for each in found
        if each["impact"] in GRAVE
    ]


@pytest.mark.parametrize("label", ["auth", "migration", "rollout", "slots"])
def test_every_page_can_be_read_by_everybody(tab, live_server, look, sign_in, admin_user, busy, label):
    sign_in(admin_user)
    found, seen = [], 0
    for address in [*pages_of(label), *own_pages(label, busy)]:
        look(1280)
        response = tab.goto(live_server.url + address)
        if response.status in {403, 404}:  # nobody adds rows of most models by hand, and many have no history
            continue
        assert response.status == 200, address
        seen += 1
        found += findings_on(tab, f"{address} light")
        found += [f"{address}: two elements are named {name}" for name in tab.evaluate(TWICE)]
        tab.emulate_media(color_scheme="dark")
        found += findings_on(tab, f"{address} dark", CONTRAST)
        look(320)
        tab.wait_for_function("window.innerWidth === 320")
        if not fits(tab):
            found.append(f"{address}: wider than 320 px")
    assert found == []
    assert seen >= 4
    assert Breach.objects.count() == 0


def test_the_check_itself_sees_what_it_is_about(tab, live_server):
    tab.goto(live_server.url + reverse("admin:login"))
    tab.evaluate("document.body.insertAdjacentHTML('beforeend', '<input type=text class=nameless><img src=x>')")
    assert {"label", "image-alt"} <= {text.split(": ")[1].split(" ")[0] for text in findings_on(tab, "login")}
    with pytest.raises(NoReverseMatch):
        reverse("admin:no_such_page")
