"""Forms that pages of this app ask with before they do something."""

from typing import Any

from django import forms

OVERTAKEN = "This changed after the page was shown. The page shows it as it is now: look again before you go on."


class ShownForm(forms.Form):
    """Carry what a page showed, so that nobody agrees to something that they have not seen.

    `state` names what is there now. A page that was shown in another state is not acted upon but shown again; `seen` is then the
    state that it showed. A script that posts without having asked for the page carries none.
    """

    shown = forms.CharField(widget=forms.HiddenInput, required=False)

    def __init__(self, *args: Any, state: str, **kwargs: Any) -> None:
        """Put the state into the page."""
        super().__init__(*args, **kwargs)
        self.state = state
        self.seen = ""
        self.initial["shown"] = state
        for field in self.fields.values():
            field.widget.attrs.pop("maxlength", None)  # browsers cut what is pasted; a form says that it is too long

    def clean(self) -> dict[str, Any]:
        """Refuse what is agreed to in another state, and carry the present one from now on."""
        cleaned: dict[str, Any] = super().clean() or {}
        given = cleaned.get("shown", "")
        if given and given != self.state:
            self.seen = given
            posted: Any = self.data  # a QueryDict, which the stubs do not promise
            again = posted.copy()
            again[self.add_prefix("shown")] = self.state
            self.data = again
            self.add_error(None, OVERTAKEN)
        return cleaned


class ReasonForm(ShownForm):
    """Ask why."""

    reason = forms.CharField(max_length=500, widget=forms.Textarea(attrs={"rows": 2}), help_text="Kept in the history.")
