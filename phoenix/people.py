"""Tell the apps which end user stands behind a request or an account."""

from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest

from slots.schema import DEFAULT_TENANT, PersonKey

TENANT_SEPARATOR = "/"


def person_of(subject: HttpRequest | AbstractBaseUser | AnonymousUser) -> PersonKey | None:
    """Return the person of a request or of an account, or None for a stranger.

    An account is named like the person: `bob`, or `acme/bob` where bob belongs to the tenant acme. Both come from the account
    alone, so that a flag asked about a user and a page rendered for a request cannot disagree. No form of Django accepts a
    slash in a user name: only a sign-in that knows its tenants can make such accounts.
    """
    user = subject.user if isinstance(subject, HttpRequest) else subject
    if not user.is_authenticated:
        return None
    tenant, separator, name = user.get_username().partition(TENANT_SEPARATOR)
    return PersonKey(tenant=tenant, user=name) if separator else PersonKey(tenant=DEFAULT_TENANT, user=tenant)
