"""Template tags of the rollout: `{% unread_messages as unread %}` for a page's head."""

from django import template

from rollout.actions.messages import unread_of
from slots.actions.pages import person_of_request

register = template.Library()


@register.simple_tag(takes_context=True)
def unread_messages(context: template.Context) -> int:
    """Return how many messages the visitor was shown in the application and has not marked as read; one query."""
    person = person_of_request(context["request"])
    return unread_of(person) if person is not None else 0
