"""What people say when they act: why, and which state they saw."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from rollout.errors import AudienceInvalid
from rollout.models import Phase, Wave
from rollout.waves import Audience, System

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
