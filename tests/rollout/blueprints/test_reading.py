"""Reading blueprints: what is said, what is left out, and every refusal with its place."""

from datetime import time, timedelta
from decimal import Decimal

import pytest

from rollout.blueprints import Day, read
from rollout.blueprints.days import WEEKDAYS
from rollout.errors import BlueprintInvalid
from rollout.gates import Metric, Purpose

HEAD = 'format = 1\nname = "small"\nversion = 1\n'
PHASE = '[[phases]]\nname = "One"\n'
WAVE = '[[phases.waves]]\nname = "First"\naudience = { limit = 5 }\n'
SHARED = '[[phases]]\nname = "One"\nshare = 50\n[[phases.waves]]\nname = "First"\n'
NOTICE = '[[notices]]\nname = "Soon"\nlead = "2 days"\nsubject = "Soon"\nbody = "Soon."\n'
GATE = '[[policies]]\nname = "Fast"\npurpose = "gate"\nmetric = "performance"\nclear = 1.1\n'
SMALL = HEAD + PHASE + WAVE


def test_what_is_left_out_is_as_it_is_by_itself():
    found = read(SMALL)

    assert (found.label, found.time_zone, found.signoffs, found.policies) == ("small@1", "UTC", (), ())
    phase = found.phases[0]
    assert (phase.share, phase.share_of, phase.soak, phase.needs_certificate, phase.starts) == (
        None, "customized", timedelta(), False, None,
    )  # fmt: skip
    wave = phase.waves[0]
    assert (wave.audience, wave.starts, wave.lock_lead, wave.soak, wave.rate) == (
        {"limit": 5},
        None,
        None,
        timedelta(days=1),
        None,
    )
    assert wave.checks == (timedelta(hours=1), timedelta(hours=6), timedelta(days=1))


def test_what_is_said_is_read():
    text = HEAD + NOTICE + GATE + '[[windows]]\nopens = "22:30"\ncloses = 04:00:00\ndays = ["saturday"]\n' + SHARED
    text += 'share = 33.333\nstarts = { week = 2, weekday = "friday", at = "02:00" }\nrate = 10\nchecks = ["90 seconds"]\n'

    found = read(text)

    assert (found.notices[0].lead, found.notices[0].is_required) == (timedelta(days=2), True)
    policy = found.policies[0].policy
    assert (policy.metric, policy.purpose, policy.trip, policy.clear) == (Metric.PERFORMANCE, Purpose.GATE, 1.1, 1.1)
    window = found.windows[0]
    assert (window.opens, window.closes, window.days, window.zone) == (time(22, 30), time(4), (5,), "")
    wave = found.phases[0].waves[0]
    assert (wave.share, wave.starts, wave.rate, wave.checks) == (
        Decimal("33.333"), Day(2, weekday=4, at=time(2)), 10, (timedelta(seconds=90),),
    )  # fmt: skip


def test_a_wave_is_locked_a_day_before_the_first_word_of_it_where_nothing_is_said():
    found = read(HEAD + NOTICE + PHASE + WAVE)

    assert found.lock_lead(found.phases[0], found.phases[0].waves[0]) == timedelta(days=3)


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("format = ", "", "It is no TOML"),
        ("x = " + "[" * 5_000, "", "It is no TOML"),
        ('name = "small"', "format", "It is missing"),
        (SMALL.replace("format = 1", "format = 2"), "format", "It is 1"),
        (SMALL.replace("format = 1", "format = true"), "format", "It is 1"),
        (SMALL.replace('"small"', '"Small One"'), "name", "small letters"),
        (SMALL.replace('name = "small"', ""), "name", "missing"),
        (SMALL.replace("version = 1", "version = 0"), "version", "whole number from 1"),
        (SMALL.replace("version = 1", 'version = "1"'), "version", "whole number from 1"),
        (SMALL.replace("version = 1", "version = true"), "version", "whole number from 1"),
        (HEAD, "phases", "at least one phase"),
        (HEAD + 'phases = "none"', "phases", "It is a list"),
        (HEAD + "phases = [1]", "phases[0]", "It is a table"),
        (HEAD + 'tiem_zone = "UTC"\n' + PHASE, "tiem_zone", "no such key"),
        (HEAD + 'time_zone = "Berlin"\n' + PHASE, "time_zone", "no IANA zone"),
        (HEAD + "max_deferrals = -1\n" + PHASE, "max_deferrals", "whole number from 0"),
        (HEAD + 'deferral_limit = "soon"\n' + PHASE, "deferral_limit", "length of time"),
        (HEAD + 'deferral_limit = "4000 days"\n' + PHASE, "deferral_limit", "ten years"),
        (HEAD + 'certificate_valid_for = "0 days"\n' + PHASE, "certificate_valid_for", "longer than nothing"),
        (HEAD + 'signoffs = ["CTO", ""]\n' + PHASE, "signoffs[1]", "not empty"),
        (HEAD + 'signoffs = ["CTO", "CTO"]\n' + PHASE, "signoffs[1]", "named twice"),
        (HEAD + PHASE + 'nmae = "x"\n', "phases[0].nmae", "no such key"),
        (HEAD + PHASE + PHASE, "phases[1].name", "the name of phases[0] already"),
        (HEAD + PHASE + "share = 0\n", "phases[0].share", "above 0"),
        (HEAD + PHASE + "share = 100.5\n", "phases[0].share", "up to 100"),
        (HEAD + PHASE + "share = nan\n", "phases[0].share", "above 0"),
        (HEAD + PHASE + "share = 33.3333\n", "phases[0].share", "three places"),
        (HEAD + PHASE + 'share_of = "all"\n', "phases[0].share_of", "customized, remaining"),
        (HEAD + PHASE + "needs_certificate = 1\n", "phases[0].needs_certificate", "true or false"),
        (HEAD + PHASE + "starts = { day = 1 }\n", "phases[0].starts.week", "missing"),
        (HEAD + PHASE + "starts = { week = 1 }\n", "phases[0].starts", "and not both"),
        (HEAD + PHASE + 'starts = { week = 1, day = 1, weekday = "monday" }\n', "phases[0].starts", "and not both"),
        (HEAD + PHASE + "starts = { week = 1, day = 8 }\n", "phases[0].starts.day", "from 1 to 7"),
        (HEAD + PHASE + "starts = { week = 521, day = 1 }\n", "phases[0].starts.week", "from 1 to 520"),
        (HEAD + PHASE + 'starts = { week = 1, weekday = "mo" }\n', "phases[0].starts.weekday", WEEKDAYS[0]),
        (HEAD + PHASE + 'starts = { week = 1, day = 1, at = "25:00" }\n', "phases[0].starts.at", "time of day"),
        (HEAD + PHASE + "starts = { week = 1, day = 1, date = 2026-01-01 }\n", "phases[0].starts.date", "no such key"),
        (SMALL + "share = 50\n", "phases[0].waves[0].audience", "takes its people from the population"),
        (SMALL.replace("limit = 5", "limit = 0"), "phases[0].waves[0].audience", "limit"),
        (SMALL.replace("limit = 5", "lmit = 5"), "phases[0].waves[0].audience", "lmit"),
        (SMALL.replace("audience = { limit = 5 }", ""), "phases[0].waves[0].audience", "names nobody"),
        (HEAD + PHASE + '[[phases.waves]]\nname = "First"\nshare = 5\n', "phases[0].waves[0].share", "A share of what?"),
        (
            HEAD + SHARED + 'share = 60\n[[phases.waves]]\nname = "Second"\nshare = 41\n',
            "phases[0].waves",
            "101 per cent together",
        ),
        (SMALL + WAVE, "phases[0].waves[1].name", "the name of phases[0].waves[0] already"),
        (SMALL + 'checks = ["1 hour", "1 hour"]\n', "phases[0].waves[0].checks[1]", "later than the one before"),
        (SMALL + 'checks = ["1 hour 5 microseconds"]\n', "phases[0].waves[0].checks[0]", "whole seconds"),
        (SMALL + "checks = [60]\n", "phases[0].waves[0].checks[0]", "length of time"),
        (SMALL + "rate = 0\n", "phases[0].waves[0].rate", "whole number from 1"),
        (SMALL + "max_workers = 0\n", "phases[0].waves[0].max_workers", "whole number from 1"),
        (SMALL + "max_workers = 40000\n", "phases[0].waves[0].max_workers", "to 32767"),
        (HEAD + NOTICE + SMALL.removeprefix(HEAD) + 'lock_lead = "1 day"\n', "phases[0].waves[0].lock_lead", "told 2 days"),
        (HEAD + '[[windows]]\nopens = "02:00"\ncloses = "02:00"\n' + PHASE, "windows[0]", "different times"),
        (HEAD + '[[windows]]\nopens = "02:00"\ncloses = "04:00"\ndays = ["noday"]\n' + PHASE, "windows[0].days[0]", "monday"),
        (HEAD + '[[windows]]\nopens = "02:00"\ncloses = "04:00"\nzone = "Nowhere"\n' + PHASE, "windows[0].zone", "no IANA zone"),
        (HEAD + "[[windows]]\nopens = 2\n" + PHASE, "windows[0].opens", "time of day"),
        (HEAD + NOTICE.replace('lead = "2 days"', "") + PHASE, "notices[0].lead", "missing"),
        (HEAD + NOTICE + 'channel = "pigeon"\n' + PHASE, "notices[0].channel", "email, in_app"),
        (HEAD + NOTICE + 'moment = "after_switch"\nis_required = true\n' + PHASE, "notices[0].is_required", "No wave can wait"),
        (HEAD + NOTICE + NOTICE + PHASE, "notices[1].name", "already"),
        (HEAD + GATE + GATE + PHASE, "policies[1].name", "already"),
        (
            HEAD + GATE + PHASE + GATE.replace("[policies", "[phases.policies"),
            "phases[0].policies[0].name",
            "policies[0] already",
        ),
        (HEAD + GATE.replace('"performance"', '"happiness"') + PHASE, "policies[0].metric", "validation_score"),
        (HEAD + GATE.replace("1.1", "inf") + PHASE, "policies[0].clear", "finite"),
        (HEAD + GATE.replace('"gate"', '"guard"') + PHASE, "policies[0].trip", "missing"),
        (HEAD + GATE + 'sustained = "5 minutes"\n' + PHASE, "policies[0]", "A gate looks once"),
        (HEAD + GATE + 'responses = [{ action = "panic" }]\n' + PHASE, "policies[0].responses[0].action", "pause"),
        (
            HEAD + GATE + 'responses = [{ action = "pause", later = 1 }]\n' + PHASE,
            "policies[0].responses[0].later",
            "no such key",
        ),
        (HEAD + PHASE + '[[phases.tasks]]\ntext = ""\n', "phases[0].tasks[0].text", "not empty"),
        (HEAD + PHASE + f'[[phases.tasks]]\ntext = "{"x" * 301}"\n', "phases[0].tasks[0].text", "at most 300"),
    ],
)
def test_what_is_no_blueprint_is_refused_with_its_place(text, place, words):
    with pytest.raises(BlueprintInvalid) as refused:
        read(text)

    assert (refused.value.code, refused.value.place) == ("BLUEPRINT_INVALID", place)
    assert words in str(refused.value)
    assert str(refused.value).startswith(f"{place}: " if place else "It is")
