"""The road of an imported diff to operations. A module of its own: it needs Django, whose memory no other step should count."""

import django

django.setup()

from migration.actions import routes  # noqa: E402 - needs the apps
from migration.engine.bases import Bases  # noqa: E402
from slots.errors import Refusal  # noqa: E402


def brought(text, old, new, expired):
    """Find the operations of a diff that was made for an earlier version, and say which road led to them."""
    found = routes.find_operations(text, base=old, target=new, versions=list, bases=Bases(), expired=expired)
    if isinstance(found, Refusal):
        return found.code
    return " ".join([found.legacy, found.route, *(remark.code for remark in found.remarks)])
