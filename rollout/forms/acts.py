"""Why somebody acts, which state they saw, and the words that they type before a grave act."""

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from rollout.rehearsal.runs import MOST_SEED
from rollout.rehearsal.scenarios import SCENARIOS
from rollout.waves import System

DATE = forms.DateInput(attrs={"type": "date"})
REASON = "Kept in the record, beside your name."


class ReasonForm(forms.Form):
    """Ask why."""

    reason = forms.CharField(max_length=1000, widget=forms.Textarea(attrs={"rows": 3, "cols": 80}), help_text=REASON)


class TypedForm(ReasonForm):
    """Ask why, and before a grave act for words that nobody types without having read."""

    def __init__(self, *args: Any, typed: str = "", **kwargs: Any) -> None:
        """Ask for the words `typed` before anything is done, where they are given."""
        super().__init__(*args, **kwargs)
        self.typed = typed
        if typed:
            field = forms.CharField(
                label="To go on, type", help_text=typed, widget=forms.TextInput(attrs={"autocomplete": "off"})
            )
            self.fields["typed"] = field

    def clean_typed(self) -> str:
        """Refuse other words than those that were asked for; only spaces around them do not count."""
        given: str = self.cleaned_data["typed"]
        if given.strip() != self.typed:
            raise ValidationError(f"This is not “{self.typed}”. Nothing has happened.")
        return given


class ActForm(TypedForm):
    """Ask why, and hold the versions of the rows that the page showed."""

    versions = forms.JSONField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, rows: Sequence[Any] = (), **kwargs: Any) -> None:
        """Keep the rows that the act is about."""
        super().__init__(*args, **kwargs)
        self.rows = rows

    def more(self) -> dict[str, Any]:
        """Return what else was said, as keywords of the act."""
        return {}

    def clean_versions(self) -> Mapping[int, int]:
        """Return version by primary key."""
        given = self.cleaned_data["versions"]
        try:
            return {int(pk): int(version) for pk, version in given.items()}
        except (AttributeError, TypeError, ValueError) as malformed:
            raise ValidationError("The page was incomplete. Load it again.") from malformed


class RehearseForm(ActForm):
    """Ask what is to go wrong in a rehearsal, and from which seed chance is drawn."""

    scenario = forms.ChoiceField(required=False, choices=[(name, each.text) for name, each in SCENARIOS.items()])
    seed = forms.IntegerField(initial=1, min_value=0, max_value=MOST_SEED, help_text="The same seed gives the same report.")
    field_order = ("scenario", "seed", "reason", "versions")

    def more(self) -> dict[str, Any]:
        """Return scenario and seed."""
        return {"scenario": self.cleaned_data["scenario"], "seed": self.cleaned_data["seed"]}


class ConfirmForm(TypedForm):
    """Ask why, and hold the hash of the selection that the page showed."""

    digest = forms.CharField(max_length=64, widget=forms.HiddenInput)


class SignoffForm(ReasonForm):
    """Ask for a decision on the content that the page shows, and why."""

    decision = forms.ChoiceField(choices=[("approved", "I agree"), ("rejected", "I do not agree")], widget=forms.RadioSelect)
    content_hash = forms.CharField(max_length=64, widget=forms.HiddenInput)
    field_order = ("decision", "reason", "content_hash")


class SwitchForm(ReasonForm):
    """Ask where a person should be: on one of the systems, or where their wave says."""

    WAVE = "wave"
    SYSTEMS = ((System.SLOTS.value, "Slots"), (System.LEGACY.value, "Legacy"), (WAVE, "Whatever the wave says"))
    system = forms.ChoiceField(
        choices=SYSTEMS,
        widget=forms.RadioSelect,
    )

    def __init__(self, *args: Any, unproven: str = "", **kwargs: Any) -> None:
        """Offer no slots where `unproven` says why they cannot be installed; what is sent all the same the act judges."""
        super().__init__(*args, **kwargs)
        field = self.fields["system"]
        if unproven and not self.is_bound and isinstance(field, forms.ChoiceField):
            field.choices = [each for each in self.SYSTEMS if each[0] != System.SLOTS.value]
            field.help_text = f"Slots cannot be chosen: {unproven}"
