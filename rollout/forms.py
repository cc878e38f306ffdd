"""What people say when they act: why, and which state they saw."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError

from rollout.actions.samples import SampleDraft, check_sample
from rollout.audiences import Audience
from rollout.errors import AudienceInvalid, SampleInvalid
from rollout.gates import Arm, Metric
from rollout.models import Phase, Sample, Wave
from rollout.waves import System

REASON = "Kept in the record, beside your name."


class ReasonForm(forms.Form):
    """Ask why."""

    reason = forms.CharField(max_length=1000, widget=forms.Textarea(attrs={"rows": 3, "cols": 80}), help_text=REASON)


class ActForm(ReasonForm):
    """Ask why, and hold the versions of the rows that the page showed."""

    versions = forms.JSONField(widget=forms.HiddenInput)

    def clean_versions(self) -> Mapping[int, int]:
        """Return version by primary key."""
        given = self.cleaned_data["versions"]
        try:
            return {int(pk): int(version) for pk, version in given.items()}
        except (AttributeError, TypeError, ValueError) as malformed:
            raise ValidationError("The page was incomplete. Load it again.") from malformed


class SignoffForm(ReasonForm):
    """Ask for a decision on the content that the page shows, and why."""

    decision = forms.ChoiceField(choices=[("approved", "I agree"), ("rejected", "I do not agree")], widget=forms.RadioSelect)
    content_hash = forms.CharField(max_length=64, widget=forms.HiddenInput)
    field_order = ("decision", "reason", "content_hash")


class SwitchForm(ReasonForm):
    """Ask where a person should be: on one of the systems, or where their wave says."""

    WAVE = "wave"
    system = forms.ChoiceField(
        choices=[(System.SLOTS.value, "Slots"), (System.LEGACY.value, "Legacy"), (WAVE, "Whatever the wave says")],
        widget=forms.RadioSelect,
    )


class WaveForm(forms.ModelForm):  # type: ignore[type-arg]  # generic in the stubs only
    """Describe a wave that is planned."""

    class Meta:
        model = Wave
        fields = ("phase", "name", "audience", "soak")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Bring the plan with each phase, since the phase's name says it."""
        super().__init__(*args, **kwargs)
        if "phase" in self.fields:
            phase: Any = self.fields["phase"]
            phase.queryset = Phase.objects.select_related("plan")

    def clean_audience(self) -> dict[str, Any]:
        """Refuse an audience that does not say whom it means."""
        try:
            return Audience.from_json(self.cleaned_data["audience"] or {}).as_json()
        except (AudienceInvalid, AttributeError, TypeError) as invalid:
            raise ValidationError(str(invalid)) from invalid


class SampleForm(forms.ModelForm):  # type: ignore[type-arg]  # generic in the stubs only
    """Enter a measurement; `at` is when it is entered."""

    at: ClassVar[datetime]

    class Meta:
        model = Sample
        fields = (
            "metric", "arm", "plan", "phase", "numerator", "denominator", "count", "taken_at", "source", "key", "note",
        )  # fmt: skip

    def draft(self) -> SampleDraft:
        """Return what was entered."""
        said = dict(self.cleaned_data)
        return SampleDraft(**{**said, "metric": Metric(said["metric"]), "arm": Arm(said["arm"])})

    def clean(self) -> dict[str, Any]:
        """Refuse what is no measurement."""
        if not self.errors:
            try:
                check_sample(self.draft(), at=self.at)
            except SampleInvalid as invalid:
                raise ValidationError(str(invalid)) from invalid
        return self.cleaned_data
