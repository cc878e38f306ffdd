"""How pages say instants, durations and shares."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from rollout.templatetags.rollout import lasting, moment, percent


def test_an_instant_is_said_in_utc_whatever_zone_it_comes_in():
    there = datetime(2026, 11, 29, 15, 40, 7, tzinfo=ZoneInfo("Europe/Berlin"))

    assert moment(there) == (
        '<time datetime="2026-11-29T14:40:07+00:00" title="2026-11-29 14:40:07 UTC">2026-11-29 14:40 UTC</time>'
    )
    assert moment(None) == "–"


@pytest.mark.parametrize(
    ("seconds", "said"), [(0, "0 s"), (119, "119 s"), (120, "2 minutes"), (3_660, "1 hour 1 minute"), (90_000, "1 day 1 hour")]
)
def test_a_duration_is_said_in_its_two_largest_units(seconds, said):
    assert lasting(timedelta(seconds=seconds)) == said


@pytest.mark.parametrize(("share", "said"), [(None, "–"), (0, "0 %"), (0.8148, "81.5 %"), (0.9999, "100.0 %"), (1, "100 %")])
def test_a_share_is_said_in_per_cent(share, said):
    assert percent(share) == said
