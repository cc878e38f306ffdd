"""Every demand is said in words."""

import pytest

from rollout.actions.contents import content_of
from rollout.actions.wording import content_in_words, span
from rollout.models import Phase
from tests.rollout.actions.test_contents import CONTENT, OTHERS

pytestmark = pytest.mark.django_db
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
