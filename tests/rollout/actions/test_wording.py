"""Every demand is said in words."""

from datetime import timedelta

import pytest

from rollout.actions.contents import content_of
from rollout.actions.gates import add_policy
from rollout.actions.wording import content_in_words, span
from rollout.gates import Compare, Metric, Policy, Purpose
from rollout.models import Phase
from tests.rollout.actions.test_contents import CONTENT, OTHERS
from tests.rollout.conftest import WHY

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
SILENT = {("Phase", "position"), ("Wave", "position"), ("Task", "position")}  # said by the order, or by a number beside the name


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "no time"), (1, "1 second"), (3_600, "1 hour"), (93_600, "1 day 2 hours"), (90.4, "1 minute 30 seconds")],
)
def test_durations_are_said_in_the_largest_units(seconds, words):
    assert span(seconds) == words


@pytest.mark.parametrize(
    ("kind", "column"),
    [(kind, column) for kind, columns in CONTENT.items() for column in columns if (kind.__name__, column) not in SILENT],
    ids=lambda each: each if isinstance(each, str) else each.__name__,
)
def test_whoever_signs_reads_what_the_hash_stands_for(whole, kind, column):
    """What changes the hash changes the words: nobody signs what the page does not say."""
    one = whole.phases.first()
    if column == "share_of":
        Phase.objects.filter(pk=one.pk).update(share=5)
    if column == "moment":
        whole.notices.update(is_required=False)
    row = kind.objects.filter(**({"phase": one} if hasattr(kind, "phase") else {})).order_by("pk").first()
    before = content_in_words(content_of(whole)), content_in_words(content_of(whole, one))

    kind.objects.filter(pk=row.pk).update(**{column: OTHERS[column]})

    after = content_in_words(content_of(whole)), content_in_words(content_of(whole, one))
    assert before[0] != after[0]
    assert before[1] != after[1]


@pytest.mark.parametrize(
    ("policy", "words"),
    [
        (
            Policy(Metric.MIGRATION_SUCCESS, 0.95, 0.98, DAY),
            "migration success trips below 95 % and is clear above 98 %, over 1 day",
        ),
        (Policy(Metric.UPTIME, 0.9, 0.99995, DAY, purpose=Purpose.GATE), "uptime passes above 99.995 % and trips below 90 %,"),
        (
            Policy(Metric.UPTIME, 0.9, 0.9999995, DAY, purpose=Purpose.GATE),
            "uptime passes above 99.99995 % and trips below 90 %,",
        ),
        (
            Policy(Metric.TICKET_VOLUME, 1234567.5, 0.0000001, DAY),
            "ticket volume trips above 1234567.5 tickets a day and is clear below 0.0000001 tickets",
        ),
        (Policy(Metric.ERROR_RATE, 0.001, 0.001, DAY, purpose=Purpose.GATE), "error rate passes below 0.1 %, over"),
        (
            Policy(Metric.PERFORMANCE, 1.2, 1.1, DAY, compare=Compare.CONTROL),
            "performance, against the old system at the same time, trips above 1.2 times as much and is clear below 1.1 times",
        ),
        (Policy(Metric.RESOLUTION_TIME, 7200, 7200, DAY, purpose=Purpose.GATE), "resolution time passes below 2 hours, over"),
        (
            Policy(Metric.TICKET_VOLUME, 50, 45.5, DAY),
            "ticket volume trips above 50 tickets a day and is clear below 45.5 tickets",
        ),
    ],
    ids=lambda each: each.metric.value if isinstance(each, Policy) else "",
)
def test_thresholds_are_said_as_people_say_them_and_to_the_last_digit(whole, policy, words):
    add_policy(whole, name="Mine", policy=policy, **WHY)

    lines = content_in_words(content_of(whole))[0].lines

    assert words in next(line for line in lines if "“Mine”" in line)
