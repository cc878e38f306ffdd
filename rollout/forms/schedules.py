"""When something is to happen instead."""

from datetime import datetime
from typing import Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError

from rollout.actions.calendar import check_span
from rollout.blueprints import is_zone
from rollout.errors import FreezeInvalid
from rollout.forms.acts import DATE, ActForm
from rollout.models import Freeze, Phase

ZONE = "The IANA zone that its days are counted in; empty: as it is there."


class MoveForm(ActForm):
    """Ask where to move a plan to: to another start, or by so many days, as a whole or from a phase on."""

    starts_on = forms.DateField(required=False, widget=DATE, label="New first day", help_text="Before the plan runs.")
    days = forms.IntegerField(
        required=False, label="Or by days", help_text="Below 0 for earlier.", min_value=-3_660, max_value=3_660
    )
    start = forms.ModelChoiceField(
        Phase.objects.none(), required=False, label="From", empty_label="The whole plan", help_text="What comes before it stays."
    )
    field_order = ("starts_on", "days", "start", "reason", "versions")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Offer the phases of the plan."""
        super().__init__(*args, **kwargs)
        start: Any = self.fields["start"]
        start.queryset = Phase.objects.filter(plan__in=[row.pk for row in self.rows]).select_related("plan").order_by("position")

    def clean(self) -> dict[str, Any]:
        """Refuse what says neither or both."""
        said = self.cleaned_data
        if not self.errors and (said["starts_on"] is None) == (said["days"] is None):
            self.add_error("days", "Give a new first day or a number of days.")
        return said

    def more(self) -> dict[str, Any]:
        """Return where to, and from where on."""
        return {name: self.cleaned_data[name] for name in ("starts_on", "days", "start")}


class CopyForm(ActForm):
    """Ask for the name and the start of a copy."""

    name = forms.CharField(max_length=200)
    starts_on = forms.DateField(widget=DATE, label="First day")
    time_zone = forms.CharField(max_length=60, required=False, label="Zone", help_text=ZONE)
    field_order = ("name", "starts_on", "time_zone", "reason", "versions")

    def clean_time_zone(self) -> str:
        """Refuse what is no zone."""
        return known_zone(self.cleaned_data["time_zone"])

    def more(self) -> dict[str, Any]:
        """Return the name, the start and the zone."""
        return {name: self.cleaned_data[name] for name in ("name", "starts_on", "time_zone")}


def known_zone(name: str) -> str:
    """Return a zone's name.

    Raises:
        ValidationError: there is no such zone.
    """
    if name and not is_zone(name):
        raise ValidationError(f"{name} is no IANA zone, such as Europe/Berlin or UTC.")
    return name


class FreezeForm(forms.ModelForm):  # type: ignore[type-arg]  # generic in the stubs only
    """Add a freeze; `at` is when it is added."""

    at: ClassVar[datetime]

    class Meta:
        model = Freeze
        fields = ("plan", "starts_at", "ends_at", "reason")

    def clean(self) -> dict[str, Any]:
        """Refuse what is no span."""
        if not self.errors:
            try:
                check_span(self.cleaned_data["starts_at"], self.cleaned_data["ends_at"], at=self.at)
            except FreezeInvalid as invalid:
                raise ValidationError(str(invalid)) from invalid
        return self.cleaned_data
