"""Tell slots which end user a request comes from."""

from django.http import HttpRequest

from slots.schema import DEFAULT_TENANT, PersonKey

TENANT_SESSION_KEY = "tenant"


def person_of(request: HttpRequest) -> PersonKey | None:
    """Return the person signed in to `request`, or None for a stranger.

    The user name is the external id. The tenant comes from the session, where a sign-in of a site with several tenants puts
    it; nothing that the browser sends can choose it.
    """
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return None
    session = getattr(request, "session", {})
    return PersonKey(tenant=session.get(TENANT_SESSION_KEY, DEFAULT_TENANT), user=user.get_username())
