"""Tell slots which end user an account stands for."""

from typing import Any

from slots.schema import DEFAULT_TENANT, PersonKey


def person_of(user: Any) -> PersonKey | None:
    """Return the person behind a signed-in account, or None for a stranger.

    The user name is the external id. A site with several tenants names a resolver of its own in `SLOTS_PERSON_RESOLVER`, which
    reads the tenant from its account model; nothing that a browser sends may choose it.
    """
    if user is None or not user.is_authenticated:
        return None
    return PersonKey(tenant=DEFAULT_TENANT, user=user.get_username())
