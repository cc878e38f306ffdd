"""What is said about people who are put off, left out or moved later."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from rollout.actions.deferrals import OPEN_TO_MORE
from rollout.audiences import Rule, rules_from_json
from rollout.errors import AudienceInvalid
from rollout.forms.acts import ActForm
from rollout.forms.editing import PreciseJSONField
from rollout.models import Wave


class LaterWaveForm(forms.Form):
    """Ask to which later wave many are deferred."""

    to = forms.ModelChoiceField(
        Wave.objects.none(), label="Later wave", help_text="A wave of the same plan that told nobody yet."
    )

    def __init__(self, *args: Any, plans: Any = (), **kwargs: Any) -> None:
        """Offer the waves of these plans that are open to more people."""
        super().__init__(*args, **kwargs)
        offer_later(self.fields["to"], plans)


def offer_later(field: Any, plans: Any) -> None:
    """Let a field offer the waves of these plans that are open to more people."""
    waves = Wave.objects.filter(phase__plan__in=plans, state__in=OPEN_TO_MORE, starts_at__isnull=False)
    field.queryset = waves.select_related("phase").order_by("starts_at", "pk")
    field.label_from_instance = lambda wave: f"{wave}, {wave.starts_at:%Y-%m-%d %H:%M} UTC"


class DeferForm(ActForm):
    """Ask to which later wave somebody is deferred, and why."""

    to = forms.ModelChoiceField(
        Wave.objects.none(), label="Later wave", help_text="A wave of the same plan that told nobody yet."
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Offer the waves that are open to more people."""
        super().__init__(*args, **kwargs)
        offer_later(self.fields["to"], {row.plan_id for row in self.rows})

    def more(self) -> dict[str, Any]:
        """Return the wave."""
        return {"to": self.cleaned_data["to"]}


class LeaveOutForm(ActForm):
    """Ask whom a wave leaves out, by name or by rule, and why."""

    users = forms.CharField(
        required=False,
        widget=forms.Textarea(attrs={"rows": 4, "cols": 80}),
        label="People",
        help_text="External ids, one a line.",
    )
    rules = PreciseJSONField(required=False, initial=[], help_text="Or rules, all of which match whoever is left out.")

    def clean_rules(self) -> tuple[Rule, ...]:
        """Refuse what is no rule."""
        try:
            return rules_from_json(self.cleaned_data["rules"] or [])
        except AudienceInvalid as invalid:
            raise ValidationError(str(invalid)) from invalid

    def more(self) -> dict[str, Any]:
        """Return names and rules."""
        users = [line.strip() for line in self.cleaned_data["users"].splitlines() if line.strip()]
        return {"users": users, "rules": self.cleaned_data["rules"]}
