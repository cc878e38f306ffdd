"""One rollout from the template to its rollback, by the people who do it: clicking what their pages show, and nothing else.

Everybody signs in as themselves, in a browser of their own. What is not done by people is done by what does it in production:
rounds of the reconciler, and a worker on a real queue. The customizations that fail are such as the old system lost.
"""

from dataclasses import dataclass
from datetime import timedelta
from importlib.resources import files

import pytest
from django.contrib.auth.models import Group
from django.utils import timezone
from playwright.sync_api import Page, expect

from migration.actions import import_customizations
from migration.models import Person
from phoenix.workers import work_off
from rollout.management.commands.tick import one_round
from rollout.models import Enrolment
from rollout.states import PersonState
from tests.e2e.conftest import complaints_of, enter, follow
from tests.migration.conftest import AT, LOST, NEW, OLD, line, ship, write
from tests.rollout.conftest import signers

__all__ = ["signers", "write"]  # fixtures
pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]
MONTH = timedelta(days=28)  # the plan's days lie so far ahead that nothing of it happens by its date
PHASE = "Foundation and internal testing"
WAVE = "Internal accounts"
PEOPLE, LATE, BATCH = 30, 7, 25  # whichever come first, two of 25 are late ones at least, which is more than 5 %


@dataclass(frozen=True)
class Desk:
    """One person at their own browser."""

    tab: Page

    def go(self, *links):
        """Follow links, one after the other."""
        for link in links:
            follow(self.tab, self.tab.get_by_role("link", name=link, exact=True).first)

    def go_home_and(self, *links):
        """Go home by the brand, and follow links from there."""
        follow(self.tab, self.tab.locator("#branding a"))
        self.go(*links)

    def press(self, button):
        """Press a button that leads to a page."""
        follow(self.tab, self.tab.get_by_role("button", name=button, exact=True))

    def act(self, name, why):
        """Choose an act on a row's page, see what it would do, say why, and confirm; return what the page said of its effect."""
        self.go(f"{name}…")
        effect = self.text
        assert "Nothing has happened yet" in effect
        self.tab.get_by_label("Reason").fill(why)
        self.press(name)
        return effect

    def is_told(self, text):
        """Read the answer of the latest act."""
        expect(self.tab.locator(".messagelist")).to_contain_text(text)

    @property
    def text(self):
        """What the page says."""
        return self.tab.locator("#content").inner_text()

    @property
    def standing(self):
        """What the page begins with: the row's state, and what keeps it."""
        return self.tab.locator(".overview").inner_text()


@pytest.fixture
def desk_of(chromium, live_server):
    """What seats a member of staff at a browser of their own, signed in; in the end no browser has complained."""
    contexts, complaints = [], []

    def seat(user):
        contexts.append(chromium.new_context(reduced_motion="reduce", viewport={"width": 1280, "height": 900}))
        tab = contexts[-1].new_page()
        complaints.append(complaints_of(tab))
        enter(tab, live_server.url, user)
        return Desk(tab)

    yield seat
    for context in contexts:
        context.close()
    assert not any(complaints), complaints


@pytest.fixture
def bring_in(write, db):
    """What has accounts of the company imported, each with a change of theirs; in the shop there are two versions by now."""
    ship("1.0", OLD)
    ship("2.0", NEW)

    def bring(numbers, *change, **more):
        import_customizations([write([line(f"staff{number:02}", *change, **more) for number in numbers])], at=AT, by="import")
        Person.objects.update(is_internal=True)

    return bring


def the_clock_ticks():
    """Let the reconciler look once, as it does every few seconds."""
    assert +one_round(by="phoenix").failed == {}


def first_two_weeks():
    """Return the template of the eight weeks as far as its first phase goes."""
    text = (files("rollout.blueprints") / "templates" / "eight-weeks.toml").read_text()
    return "[[phases]]".join(text.split("[[phases]]")[:2])


def write_a_plan(alice):
    """See what the template would make, take the first phase of it alone, and make that."""
    alice.go("Plans", "New plan from a template…")
    alice.tab.get_by_label("Name").fill("Autumn")
    alice.tab.get_by_label("First day").fill((timezone.now() + MONTH).date().isoformat())
    alice.press("Show what would be made")
    assert f"1. {PHASE}" in alice.text and "5. Stabilization" in alice.text
    assert "Signed by CTO, VP Engineering, VP Product." in alice.text
    alice.tab.get_by_label("Or a template of your own").fill(first_two_weeks())
    alice.press("Show what would be made")
    assert f"1. {PHASE}" in alice.text and "2. " not in alice.text
    alice.press("Make the draft")
    alice.is_told("Autumn is made as a draft.")


def widen_the_wave(alice):
    """Take more people into the wave than the template does, and fewer at a time."""
    alice.go(WAVE)
    alice.tab.get_by_text("Settings, and what can be changed").click()
    alice.tab.get_by_label("Audience").fill(f'{{"internal": true, "limit": {PEOPLE}}}')
    for size in ("Batch size", "Max batch"):
        alice.tab.get_by_label(size).fill(str(BATCH))
    alice.tab.get_by_label("Reason").fill("among ten accounts one failure would be a tenth")
    alice.press("Save and continue editing")
    assert f"The first {PEOPLE} of internal accounts" in alice.text
    alice.go("Autumn")


def rehearse(alice):
    """Play the plan through with the people who are there, by a worker, and read what would happen."""
    assert "It was never rehearsed." in alice.text
    assert f"{PEOPLE - LATE} people and the plan are copied" in alice.act("Rehearse", "before anybody signs it")
    alice.is_told("its page shows the report once it is there")
    assert "waits for a worker" in alice.text
    work_off()
    alice.tab.reload()
    alice.go("nothing goes wrong")
    assert "Nothing goes wrong." in alice.text
    assert "completed" in alice.tab.locator("section[aria-labelledby=asked] .badge").inner_text()
    alice.go("Autumn")


def sign(desk, *way, subject):
    """Go the way to what is to be signed, read it, and agree."""
    desk.go_home_and(*way)
    desk.go("Sign off…")
    assert "What it demands" in desk.text
    desk.tab.get_by_label("I agree", exact=True).check()
    desk.tab.get_by_label("Reason").fill("read it, and the rehearsal")
    desk.press("Decide")
    desk.is_told(f"has approved {subject}.")


def sign_the_plan(alice, holders):
    """Ask for the approval: the author cannot give it, the three who hold the roles do, and then it is approved by itself."""
    alice.act("Ask for approval", "complete, and rehearsed")
    alice.is_told("Autumn is in review.")
    assert "CTO, VP Engineering and VP Product have not signed." in alice.standing
    assert alice.tab.get_by_role("link", name="Sign off…").count() == 0
    for desk in holders:
        sign(desk, "Autumn", subject="Autumn")
    assert "approved" in holders[-1].standing
    alice.tab.reload()
    alice.act("Schedule", "the dates are agreed with everybody")
    alice.is_told("Autumn is scheduled.")


def open_the_phase(alice, dora, holders):
    """Once its turn has come its own roles sign the phase, and an approver opens it."""
    the_clock_ticks()
    for desk in holders:
        sign(desk, "Autumn", PHASE, subject=f"Autumn / {PHASE}")
    dora.go_home_and("Autumn", PHASE)
    dora.act("Open", "signed by all three")
    dora.is_told("is open.")
    assert alice.tab.get_by_role("link", name="Open…").count() == 0


def start_the_wave(alice):
    """Lock, announce, start: each with its effect first."""
    alice.go_home_and("Waves", WAVE)
    assert f"{PEOPLE} people are frozen as its members" in alice.act("Lock", "the accounts are agreed")
    alice.is_told(f"{PEOPLE} members are frozen, 0 people were left out.")
    alice.act("Announce", "told in the all-hands meeting")
    alice.is_told(f"{PEOPLE} people count as told.")
    alice.act("Start", "everybody was told")
    alice.is_told(f"{PEOPLE} people are queued.")


def watch_it_trip(alice):
    """One batch is done, the guard looks, trips, and holds the plan; return how many failed, as the page says it."""
    assert work_off(max_jobs=1) == 1
    the_clock_ticks()
    failed = Enrolment.objects.filter(state=PersonState.VALIDATION_FAILED).count()
    alice.tab.reload()
    figures = alice.tab.locator(".figures").inner_text()
    assert f"{BATCH} of {PEOPLE} people handled" in " ".join(figures.split())
    assert "Guard tripped" in alice.standing
    assert f"Try the {failed} that failed again…" in alice.tab.locator(".one-button input[type=submit]").get_attribute("value")
    alice.act("Pause", "nobody goes on before I have looked myself")
    alice.is_told("is paused.")
    assert work_off() == 1
    assert Enrolment.objects.filter(state=PersonState.QUEUED).count() == PEOPLE - BATCH
    return failed


def review(dora, failed):
    """Decide what a person has to decide: it is one change, whoever made it."""
    dora.go_home_and("Review")
    assert f"1 decision for {failed} customizations." in dora.text
    follow(dora.tab, dora.tab.locator("[data-row]"))
    dora.tab.get_by_label("Accept").check()
    dora.tab.get_by_label("Reason").fill("they want their wide summaries back")
    dora.press("Decide and go on")
    dora.is_told(f"Accepted for {failed} customizations. Their pages were compared again.")


def validate_again(alice, failed):
    """Go from what holds the wave to its breach, read who failed, and have all whom it affects validated anew: that clears it."""
    alice.go_home_and("Waves", WAVE)
    follow(alice.tab, alice.tab.locator(".kept a", has_text="Validation failures"))
    assert f"{failed} of the people whom it affects failed or were taken back." in alice.text
    assert "The time to respond is over." not in alice.text
    assert f"{BATCH} people are translated and validated again" in alice.act("Validate again", "the approver has decided")
    alice.is_told("is cleared.")


def resume(alice, failed):
    """The guard lets go; her own pause still holds until she resumes, and then everybody comes through."""
    alice.go_home_and("Waves", WAVE)
    assert "Guard tripped" not in alice.standing
    assert "Paused by somebody: “nobody goes on before I have looked myself”" in alice.standing
    alice.press(f"Try the {failed} that failed again…")
    assert "Nothing has happened yet" in alice.text
    alice.tab.get_by_label("Reason").fill("accepted in review")
    alice.press(f"Try again: {failed} people")
    alice.is_told(f"Try again: {failed} of {failed} done.")
    alice.go_home_and("Waves", WAVE)
    alice.act("Resume", "looked, and decided")
    alice.is_told("is not held any more.")
    work_off()
    alice.tab.reload()
    assert "100 % of them on slots" in " ".join(alice.tab.locator(".figures").inner_text().split())


def roll_back(alice):
    """Take everybody back, which takes the name of the wave, exactly."""
    alice.go("Roll back…")
    assert f"{PEOPLE} people on slots see the legacy system from their next page on" in alice.text
    alice.tab.get_by_label("Reason").fill("the wide summaries cover the price")
    alice.tab.get_by_label("To go on, type").fill("internal accounts")
    alice.press("Roll back")
    assert f"This is not “{WAVE}”. Nothing has happened." in alice.text
    alice.tab.get_by_label("To go on, type").fill(WAVE)
    alice.press("Roll back")
    alice.is_told(f"{PEOPLE} of {PEOPLE} people are back.")
    assert "rolled back" in alice.standing


def test_a_rollout_from_its_template_to_its_rollback(desk_of, alice, dora, signers, bring_in):
    alice.groups.add(Group.objects.get(name="CTO"))  # whatever roles its author holds
    author, approver = desk_of(alice), desk_of(dora)
    holders = [desk_of(signers[role]) for role in ("CTO", "VP Engineering", "VP Product")]

    bring_in(range(PEOPLE - LATE))
    write_a_plan(author)
    widen_the_wave(author)
    rehearse(author)
    bring_in(range(PEOPLE - LATE, PEOPLE), LOST, base_version="1.0")
    sign_the_plan(author, holders)
    open_the_phase(author, approver, holders)
    start_the_wave(author)
    failed = watch_it_trip(author)
    assert failed >= 2
    review(approver, failed)
    validate_again(author, failed)
    resume(author, failed)
    roll_back(author)

    assert set(Enrolment.objects.values_list("state", flat=True)) == {PersonState.ROLLED_BACK}
