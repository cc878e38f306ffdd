"""Keeping what could not be imported, and settling it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from django.db import models

from migration.actions.records import KEPT_BYTES, Raw
from migration.models import RejectedRecord
from slots.errors import Refusal
from slots.schema import PersonKey

SOURCE_LENGTH: Final = 500


def keep_rejected(refused: Sequence[tuple[Raw, Refusal, PersonKey | None, str]], *, at: datetime) -> None:
    """Store records as they came, each with its refusal, whom it names and its external id.

    The same record at the same place is kept once, however often it is imported.
    """
    if not refused:
        return
    RejectedRecord.objects.bulk_create(
        [
            RejectedRecord(
                source=raw.source[-SOURCE_LENGTH:],
                line=raw.line or refusal.line,
                code=refusal.code,
                text=refusal.text,
                content=raw.content[:KEPT_BYTES],
                digest=raw.digest,
                tenant=person.tenant if person else "",
                user=person.user if person else "",
                external_id=external_id,
                at=at,
            )
            for raw, refusal, person, external_id in refused
        ],
        ignore_conflicts=True,
    )


def settle_imported(names: Sequence[tuple[PersonKey, str]], *, by: str, at: datetime) -> int:
    """Settle the rejected records whose customization, by (person, external id), was imported after all."""
    if not names:
        return 0
    wanted = {(person.tenant, person.user, external_id) for person, external_id in names}
    waiting = RejectedRecord.objects.unsettled().filter(external_id__in={external_id for _person, external_id in names})
    found = [pk for pk, *name in waiting.values_list("pk", "tenant", "user", "external_id") if tuple(name) in wanted]
    return settle_rejected(RejectedRecord.objects.filter(pk__in=found), by=by, at=at, reason="Imported after all.")


def settle_rejected(records: models.QuerySet[RejectedRecord], *, by: str, at: datetime, reason: str) -> int:
    """Settle those records that nobody settled yet; return their number."""
    unsettled = records.filter(settled_at__isnull=True)
    return unsettled.update(settled_at=at, settled_by=by, settled_reason=reason)
