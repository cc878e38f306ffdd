"""Make rows of any model: what its fields, its choices and its constraints ask for, nothing more."""

import hashlib
import itertools
import uuid
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

from django.contrib.contenttypes.models import ContentType
from django.db import models

from migration.models import Finding
from rollout.models import Event, Flag, Freeze, Hold, Notice, Selection, Snapshot, Ticket, Wave, Window
from slots.models import Draft, SlotConfiguration

AT = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
NUMBERS = itertools.count(1)
# What constraints ask for beside the fields, and which of several foreign keys is filled
EXCEPTIONS = {
    Event: {"subject": "wave"},
    Snapshot: {"set_aside": []},
    Wave: {"state": "planned", "revoked_at": None, "share": None},
    Notice: {"phase": None},
    Finding: {"translation": None},
    Freeze: {"ends_at": AT + timedelta(days=1)},
    Window: {"closes": time(4)},
    Hold: {"kind": "admin", "phase": None, "wave": None, "breach": None},
    Draft: {"layer": "default", "key": ""},
    SlotConfiguration: {"layer": "default", "key": ""},
    Ticket: {"respond_by": AT + timedelta(minutes=15)},
    Selection: {"subject": "enrolment", "act": "exclude"},
}
ONLY = (Flag,)  # models of which there is one row, always


def make_row(model, depth=0, **given):
    """Return a new row with a value in every field, and a new row behind every foreign key."""
    if model in ONLY:
        return model._default_manager.get()
    number = next(NUMBERS)
    values = {**EXCEPTIONS.get(model, {}), **given}
    for field in model._meta.concrete_fields:
        if field.name not in values and field.attname not in values and not field.auto_created:
            values[field.name] = value_of(field, number, depth)
    return model._default_manager.create(**values)


def value_of(field, number, depth):
    if field.is_relation:
        if field.null and (depth > 2 or field.related_model is field.model):
            return None
        if field.related_model is ContentType:
            return ContentType.objects.first()
        return make_row(field.related_model, depth + 1)
    if field.has_default() and not field.unique:
        return field.get_default()
    if field.flatchoices:
        return field.flatchoices[0][0]
    if isinstance(field, models.GenericIPAddressField):
        return "127.0.0.1"
    makers = {
        models.BooleanField: lambda: True,
        models.DateTimeField: lambda: None if field.null else AT,
        models.DateField: lambda: date(2026, 11, 23),
        models.TimeField: lambda: time(2),
        models.DurationField: lambda: timedelta(days=1),
        models.DecimalField: lambda: Decimal(1),
        models.FloatField: lambda: 0.5,
        models.UUIDField: lambda: None if field.null else uuid.uuid4(),
        models.JSONField: dict,
        models.BinaryField: lambda: b"x",
        models.PositiveSmallIntegerField: lambda: number % 30_000,
        models.IntegerField: lambda: number,
        models.CharField: lambda: text_of(field, number),
        models.TextField: lambda: text_of(field, number),
    }
    for kind, make in makers.items():
        if isinstance(field, kind):
            return make()
    raise AssertionError(f"No value for {field}")


def text_of(field, number):
    if field.blank:
        return ""
    if field.max_length == 64:
        return hashlib.sha256(str(number).encode()).hexdigest()
    return f"{field.name}{number}"[: field.max_length]
