"""Whom the demo moves and whom it must not move."""

import io
from datetime import UTC, datetime
from pathlib import Path

import pytest
from rich.console import Console

from migration.models import Person
from phoenix.demo.edits.product_card import EDITS as PRODUCT_CARD_EDITS
from phoenix.demo.exports import Export
from phoenix.demo.records import Category, Record
from phoenix.demo.run.moving import choose_pilots, choose_staying, planned_wave, take_back_earlier_runs
from phoenix.demo.run.printing import Printer
from phoenix.demo.run.setting import Setting
from rollout.actions.people import override_person
from rollout.actions.waves import lock_wave
from rollout.models import Enrolment, FlagOverride
from rollout.states import PhaseState, PlanState, WaveState
from rollout.switch import engage_kill_switch, is_killed
from rollout.waves import System
from tests.phoenix.demo.test_views import customise

AT = datetime(2026, 11, 1, 9, tzinfo=UTC)
CARD, CART = "shop.product_card", "shop.cart_summary"


def _record(user, category=Category.CURRENT, component=CARD, *, active=True):
    return Record(f"{user}/{component}/{active}", user, component, "2.2", "", active, AT, category, "edit")


def _export(*records):
    return Export(Path("people"), Path("customizations"), Path("folder"), records=list(records))


def _person(user, *, region="eu-west", engagement=0.5, internal=False):
    return Person.objects.create(user=user, region=region, engagement=engagement, is_internal=internal)


@pytest.mark.django_db
def test_choose_pilots_takes_the_regions_in_turn_and_the_most_engaged_first():
    for user, region, engagement in (("a", "east", 0.9), ("b", "east", 0.8), ("c", "west", 0.1), ("d", "east", 0.7)):
        _person(user, region=region, engagement=engagement)
    written = _export(*(_record(user, component=component) for user in "abcd" for component in (CARD, CART)))
    assert choose_pilots(written, 3) == ["a", "c", "b"]
    assert choose_pilots(written, 9) == ["a", "c", "b", "d"]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("records", "internal"),
    [
        ([_record("a")], False),
        ([_record("a"), _record("a", component=CART, active=False)], False),
        ([_record("a"), _record("a", Category.HOSTILE, CART)], False),
        ([_record("a"), _record("a", Category.FORGOTTEN, CART)], False),
        ([_record("a"), _record("a", component=CART)], True),
    ],
    ids=["one change only", "second is inactive", "hostile", "forgotten", "colleague"],
)
def test_choose_pilots_leaves_out_who_is_no_power_user_or_cannot_move(records, internal):
    _person("a", internal=internal)
    assert choose_pilots(_export(*records), 5) == []


def test_choose_staying_takes_one_of_each_kind_who_is_only_that():
    written = _export(
        _record("both", Category.HOSTILE),
        _record("both", Category.LOST, CART),
        _record("attacker", Category.HOSTILE),
        _record("attacker", Category.CURRENT, CART),
        _record("attacker two", Category.HOSTILE),
        _record("forgotten", Category.FORGOTTEN),
        _record("forgotten", Category.INACTIVE, CART, active=False),
    )
    assert choose_staying(written) == {"attacker": "hostile", "forgotten": "forgotten"}


@pytest.mark.django_db
def test_planned_wave_stands_in_an_open_phase_of_an_approved_plan(tmp_path):
    setting = Setting(printer=None, clock=lambda: AT, folder=tmp_path, people=60, seed=1, workers=1, wave=2)
    waves = [planned_wave(setting, "Power users", ["a", "b"]) for _ in range(2)]
    for wave in waves:
        assert (wave.state, wave.phase.state, wave.phase.plan.state) == (WaveState.PLANNED, PhaseState.OPEN, PlanState.RUNNING)
        assert wave.audience == {"users": ["a", "b"]}
    assert waves[0].phase.plan.name != waves[1].phase.plan.name


@pytest.fixture
def setting(tmp_path):
    printer = Printer(Console(file=io.StringIO(), width=120))
    return Setting(printer=printer, clock=lambda: AT, folder=tmp_path, people=60, seed=1, workers=1, wave=2)


@pytest.mark.django_db
def test_take_back_frees_sample_people_from_a_wave_that_waits(shop, bob, setting):
    customise(bob, PRODUCT_CARD_EDITS[0])
    wave = planned_wave(setting, "Somebody's try", ["bob"])
    lock_wave(wave, **setting.deed("test"))
    take_back_earlier_runs(setting)
    wave.refresh_from_db()
    assert wave.state == WaveState.CANCELLED
    assert not Enrolment.objects.live().exists()
    (step,) = setting.printer.steps
    assert step.holds


@pytest.mark.django_db
def test_take_back_leaves_waves_of_real_people_alone(shop, bob, setting):
    customise(bob, PRODUCT_CARD_EDITS[0])
    Person.objects.filter(user="bob").update(email="bob@elsewhere.test")
    wave = planned_wave(setting, "A real one", ["bob"])
    lock_wave(wave, **setting.deed("test"))
    take_back_earlier_runs(setting)
    wave.refresh_from_db()
    assert wave.state == WaveState.LOCKED
    assert setting.printer.steps == []


@pytest.mark.django_db
def test_take_back_clears_supports_word_and_the_kill_switch(shop, bob, setting):
    override_person(bob, system=System.LEGACY, **setting.deed("test"))
    engage_kill_switch(**setting.deed("test"))
    take_back_earlier_runs(setting)
    assert not FlagOverride.objects.exists()
    assert not is_killed()


@pytest.mark.django_db
def test_take_back_says_nothing_where_there_is_nothing(shop, bob, setting):
    take_back_earlier_runs(setting)
    assert setting.printer.steps == []
