"""Forms that pages of this app ask with before they do something."""

from django import forms


class ReasonForm(forms.Form):
    """Ask why."""

    reason = forms.CharField(max_length=500, widget=forms.Textarea(attrs={"rows": 2}), help_text="Kept in the history.")
