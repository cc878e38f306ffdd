"""What people say when they act: why, and which state they saw."""

from rollout.forms.acts import DATE, REASON, ActForm, ConfirmForm, ReasonForm, RehearseForm, SignoffForm, SwitchForm, TypedForm
from rollout.forms.editing import WHOM, EditForm, NoticeForm, PhaseForm, PreciseJSONField, SampleForm, TemplateForm, WaveForm
from rollout.forms.people import DeferForm, LaterWaveForm, LeaveOutForm, offer_later
from rollout.forms.schedules import ZONE, CopyForm, FreezeForm, MoveForm, known_zone

__all__ = [
    "DATE",
    "REASON",
    "WHOM",
    "ZONE",
    "ActForm",
    "ConfirmForm",
    "CopyForm",
    "DeferForm",
    "EditForm",
    "FreezeForm",
    "LaterWaveForm",
    "LeaveOutForm",
    "MoveForm",
    "NoticeForm",
    "PhaseForm",
    "PreciseJSONField",
    "ReasonForm",
    "RehearseForm",
    "SampleForm",
    "SignoffForm",
    "SwitchForm",
    "TemplateForm",
    "TypedForm",
    "WaveForm",
    "known_zone",
    "offer_later",
]
