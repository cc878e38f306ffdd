"""Dates and instants are written alike, with their zone."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from django.contrib.admin.utils import display_for_value
from django.template import Context, Template
from django.utils import timezone

AT = datetime(2026, 11, 29, 18, 4, 59, tzinfo=UTC)


@pytest.mark.parametrize(("zone", "said"), [(UTC, "2026-11-29 18:04 UTC"), (ZoneInfo("Asia/Kolkata"), "2026-11-29 23:34 IST")])
def test_an_instant_says_its_zone(zone, said):
    with timezone.override(zone):
        shown = Template("{{ at|date:'DATETIME_FORMAT' }} {{ at }}").render(Context({"at": AT}))

    assert shown == f"{said} {said}"


def test_the_administration_writes_a_day_and_an_instant_alike():
    assert display_for_value(date(2026, 1, 2), "-") == "2026-01-02"
    with timezone.override(UTC):
        assert display_for_value(AT, "-") == "2026-11-29 18:04 UTC"
