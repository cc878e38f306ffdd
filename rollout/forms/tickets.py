"""What is said of tickets: what somebody reported, what was answered, how pressing it is."""

from typing import Any

from django import forms

from rollout.actions.tickets import LONGEST_SUBJECT, LONGEST_TEXT
from rollout.forms.acts import ActForm, ReasonForm
from rollout.gates import Severity
from rollout.tickets import RESPONSE
from rollout.timetable import in_words

SEVERITIES = [
    (severity.value, f"{severity.value.capitalize()}: answered within {in_words(span)}") for severity, span in RESPONSE.items()
]


def _words(label: str, help_text: str) -> forms.CharField:
    return forms.CharField(
        label=label, max_length=1000, help_text=help_text, widget=forms.Textarea(attrs={"rows": 3, "cols": 80})
    )


class TicketForm(ReasonForm):
    """Ask what somebody reported, and how pressing it is."""

    severity = forms.ChoiceField(choices=SEVERITIES, initial=Severity.MEDIUM.value)
    subject = forms.CharField(label="What it is about", max_length=LONGEST_SUBJECT)
    reason = forms.CharField(
        label="What they said",
        max_length=LONGEST_TEXT,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3, "cols": 80}),
        help_text="Kept with the ticket.",
    )
    field_order = ("severity", "subject", "reason")


class AnswerForm(ActForm):
    """Ask what the person was answered."""

    reason = _words("What you answered", "Kept in the record, beside your name. Write to the person the way they wrote to you.")


class ResolveForm(ActForm):
    """Ask how it was settled."""

    reason = _words("How it was settled", "Kept in the record, beside your name.")


class RegradeForm(ActForm):
    """Ask for another severity, and why."""

    severity = forms.ChoiceField(choices=SEVERITIES)
    field_order = ("severity", "reason", "versions")

    def more(self) -> dict[str, Any]:
        """Return the severity."""
        return {"severity": Severity(self.cleaned_data["severity"])}
