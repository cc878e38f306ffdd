"""Where the bars of a Gantt chart stand."""

from datetime import timedelta

from rollout.drawing import Item, Span, lay_out
from rollout.drawing.gantt import HEAD, LABELS, ROW, TICKS, WIDTH
from tests.rollout.conftest import AT

DAY = timedelta(days=1)
WEEK = Item("Pilot", planned=Span(AT, AT + 7 * DAY, "planned"))


def test_without_a_date_there_is_no_chart():
    assert lay_out([Item("Pilot"), Item("Beta")], at=AT) is None


def test_rows_stand_below_each_other_in_order():
    found = lay_out([WEEK, Item("First"), Item("Second")], at=AT)

    assert [(row.y, row.item.name) for row in found.rows] == [(HEAD, "Pilot"), (HEAD + ROW, "First"), (HEAD + 2 * ROW, "Second")]
    assert found.height >= HEAD + 3 * ROW


def test_widths_are_as_durations_and_nothing_leaves_the_drawing():
    found = lay_out([WEEK, Item("Half", planned=Span(AT, AT + 3.5 * DAY))], at=AT)
    whole, half = (row.planned for row in found.rows)

    assert whole.x == half.x
    assert abs(whole.width - 2 * half.width) < 0.3
    assert all(bar.x >= LABELS and bar.x + bar.width <= WIDTH for bar in (whole, half))


def test_what_goes_on_ends_now():
    found = lay_out([Item("First", actual=Span(AT, None)), WEEK], at=AT + 2 * DAY)

    assert abs(found.rows[0].actual.x + found.rows[0].actual.width - found.now) < 0.2


def test_what_ends_before_it_starts_can_still_be_seen():
    found = lay_out([WEEK, Item("Odd", actual=Span(AT + DAY, AT))], at=AT)

    assert found.rows[1].actual.width == 3


def test_now_is_left_out_where_it_is_far_away():
    assert lay_out([WEEK], at=AT + 300 * DAY).now is None


def test_marks_widen_the_chart_and_bands_outside_are_left_out():
    early, late = AT - 8 * DAY, AT + 90 * DAY
    item = Item("First", planned=WEEK.planned, marks=[(early, "lock", "frozen"), (AT + DAY, "notice", "told")])
    bands = [(Span(AT + DAY, AT + 2 * DAY, "freeze"), "freeze"), (Span(late, late + DAY), "freeze")]

    found = lay_out([item], at=AT, bands=bands)

    first, second = found.rows[0].marks
    assert LABELS <= first.x < found.rows[0].planned.x < second.x
    assert [band.text for band in found.bands] == ["freeze"]


def test_days_are_few_enough_to_be_read_and_weeks_begin_on_monday():
    for days in (1, 5, 20, 60, 200, 700):
        found = lay_out([Item("Pilot", planned=Span(AT, AT + days * DAY))], at=AT)
        assert 1 <= len(found.ticks) <= TICKS + 2
    eight_weeks = lay_out([Item("Pilot", planned=Span(AT, AT + 56 * DAY))], at=AT)
    assert [tick.text for tick in eight_weeks.ticks][:2] == ["23 Nov", "7 Dec"]
