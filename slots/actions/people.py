"""Say whether anybody is called so: slots keeps no list of people, so it asks whoever has one."""

from django.conf import settings

from slots.actions.asking import system_resolver
from slots.actions.segments import people_of
from slots.models import SegmentMember
from slots.schema import PersonKey


def is_known(person: PersonKey) -> bool | None:
    """Say whether a segment, the site's people or the resolver of systems has that person; None where nobody could know."""
    if SegmentMember.objects.filter(tenant=person.tenant, user=person.user).exists():
        return True
    if getattr(settings, "SLOTS_PEOPLE", None):
        return any(key == person for key, _attributes in people_of(person.tenant))
    knows = getattr(system_resolver(), "knows", None)
    return None if knows is None else bool(knows(person))
