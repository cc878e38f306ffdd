"""What people say when they act: why, and which state they saw."""

from rollout.forms.acts import DATE, REASON, ActForm, ConfirmForm, ReasonForm, RehearseForm, SignoffForm, SwitchForm, TypedForm
from rollout.forms.editing import WHOM, EditForm, NoticeForm, PhaseForm, PreciseJSONField, SampleForm, TemplateForm, WaveForm
from rollout.forms.people import DeferForm, LaterWaveForm, LeaveOutForm, offer_later
from rollout.forms.schedules import ZONE, CopyForm, FreezeForm, MoveForm, known_zone
from rollout.forms.tickets import AnswerForm, RegradeForm, ResolveForm, TicketForm

__all__ = [
    "DATE",
    "REASON",
    "WHOM",
    "ZONE",
    "ActForm",
    "AnswerForm",
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
    "RegradeForm",
    "RehearseForm",
    "ResolveForm",
    "SampleForm",
    "SignoffForm",
    "SwitchForm",
    "TemplateForm",
    "TicketForm",
    "TypedForm",
    "WaveForm",
    "known_zone",
    "offer_later",
]
