"""Give a component its default layer: what it shows where nobody configured anything."""

import json
import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction

from slots.actions.bodies import save_body
from slots.actions.configurations import Placement, install_configuration
from slots.errors import VersionUnknown
from slots.markup import ops
from slots.models import Component, Layer, Origin, SlotConfiguration
from slots.schema import DEFAULT_TENANT


@transaction.atomic
def initialise_defaults(
    component: Component,
    *,
    operations: Sequence[Mapping[str, Any]] = (),
    tenant: str = DEFAULT_TENANT,
    by: str,
    at: datetime,
    reason: str,
    act: uuid.UUID | None = None,
) -> SlotConfiguration:
    """Install the default layer of a component on its current version; the same one again changes nothing.

    `operations` are JSON objects as in a body. Without any the component's own template is its default, and the row says so:
    the admin and `explain` then have a lowest layer to show.

    Raises:
        VersionUnknown: the component has no current version.
        OperationsInvalid: an operation does not follow the schema.
    """
    version = component.current_version
    if version is None:
        raise VersionUnknown(component.key, "current")
    body = save_body(ops.loads(json.dumps({"schema": ops.SCHEMA, "ops": list(operations)})), at=at)
    placement = Placement(tenant, Layer.DEFAULT, "", version, body.digest, Origin.SHIPPED)
    return install_configuration(placement, by=by, at=at, reason=reason, act=act)
