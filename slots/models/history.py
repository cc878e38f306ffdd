"""What every history row of slots adds to the library's: who without a foreign key, and the act that wrote it."""

import uuid
from typing import Any

from django.db import models
from django.dispatch import receiver
from simple_history.models import HistoricalRecords
from simple_history.signals import pre_create_historical_record


def _actor_of(historical_instance: Any) -> str | None:
    return historical_instance.history_user_id or None


def _set_actor(historical_instance: Any, actor: object) -> None:
    historical_instance.history_user_id = str(actor) if actor else None


def _actor_in_request(request: Any = None, **_kwargs: Any) -> str | None:
    return request.user.get_username() if request is not None else None


class HistoryEntry(models.Model):
    """Add to every history row the act that wrote it, so that whole acts can be undone.

    One act (a wave's switch, an import, a restore) writes many rows under one id.
    """

    act = models.UUIDField(null=True, db_index=True, editable=False)

    class Meta:
        abstract = True


def history(**options: Any) -> HistoricalRecords:
    """Return history records that keep *who* as a name without a foreign key, and the act.

    Deleting a staff account must not erase who changed what, and jobs have no account at all.
    """
    return HistoricalRecords(  # type: ignore[no-untyped-call]  # the library has no types
        bases=[HistoryEntry],
        history_user_id_field=models.CharField(max_length=150, null=True, blank=True),
        history_user_getter=_actor_of,
        history_user_setter=_set_actor,
        get_user=_actor_in_request,
        history_id_field=models.BigAutoField(primary_key=True),
        **options,
    )


@receiver(pre_create_historical_record, dispatch_uid="slots.history_act")
def _write_act(history_instance: Any, instance: Any, **_kwargs: Any) -> None:
    if isinstance(history_instance, HistoryEntry):
        history_instance.act = getattr(instance, "_history_act", None)


def record_as(instance: models.Model, *, by: str, reason: str, at: Any, act: uuid.UUID | None = None) -> None:
    """Say who, why, when and in which act the next save or delete of `instance` is recorded in its history."""
    instance._history_user = by  # type: ignore[attr-defined]  # simple_history reads these names off the instance
    instance._change_reason = reason  # type: ignore[attr-defined]
    instance._history_date = at  # type: ignore[attr-defined]
    instance._history_act = act  # type: ignore[attr-defined]
