"""How the rollout's pages say instants, durations and shares; `{% unread_messages as unread %}` for a page's head."""

from datetime import UTC, datetime, timedelta

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from rollout.actions.messages import unread_of
from rollout.timetable import in_words
from slots.actions.pages import person_of_request

register = template.Library()
NOTHING = "–"


@register.filter
def moment(at: datetime | None) -> SafeString | str:
    """Return an instant in UTC as `<time>`, to which a script adds the viewer's own time; a dash where there is none."""
    if at is None:
        return NOTHING
    there = at.astimezone(UTC)
    machine = there.isoformat(timespec="seconds")
    return format_html(
        '<time datetime="{}" title="{} UTC">{} UTC</time>', machine, f"{there:%Y-%m-%d %H:%M:%S}", f"{there:%Y-%m-%d %H:%M}"
    )


@register.filter
def lasting(duration: timedelta | None) -> str:
    """Return a duration in its two largest units; seconds where it is short of two minutes, a dash where there is none."""
    if duration is None:
        return NOTHING
    seconds = duration.total_seconds()
    return f"{seconds:.0f} s" if seconds < 120 else in_words(duration)


@register.filter
def words(name: str) -> str:
    """Return a name as it is stored, in words."""
    return name.replace("_", " ")


@register.filter
def percent(share: float | None) -> str:
    """Return a share of 1 in per cent, with one digit where it is neither none nor all."""
    if share is None:
        return NOTHING
    return f"{share * 100:.0f} %" if share in {0, 1} else f"{share * 100:.1f} %"


@register.simple_tag(takes_context=True)
def unread_messages(context: template.Context) -> int:
    """Return how many messages the visitor was shown in the application and has not marked as read; one query."""
    person = person_of_request(context["request"])
    return unread_of(person) if person is not None else 0
