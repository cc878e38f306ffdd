"""Forms on which operators change what a plan demands: every number of it, as long as what it is about has not started.

Content goes through `edit_content`, which sends a plan that was submitted back to draft. Dates are no content.
"""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from django.forms import ModelForm
from django.http import HttpRequest
from django.utils import timezone

from rollout.actions.contents import edit_content

BY_HAND = "changed by hand"


class EditedAdmin:
    """Let operators change a row in some of its states; `edited` says which fields, by state."""

    permission: ClassVar[str]
    edited: ClassVar[Mapping[str, Sequence[str]]]
    asked: ClassVar[Sequence[str]]
    fields: ClassVar[Any]
    readonly_fields: ClassVar[Any]

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Let operators change what may be changed now."""
        return obj is not None and bool(self.editable(obj)) and request.user.has_perm(self.permission)

    def editable(self, row: Any) -> Sequence[str]:
        """Return the fields that may be changed now."""
        return self.edited.get(row.state, ())

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Ask why, where something may be changed; ask for what a new row needs."""
        if obj is None:
            return self.asked
        return (*self.fields, "reason") if self.has_change_permission(request, obj) else self.fields

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Keep everything else as it is."""
        if obj is None:
            return self.readonly_fields
        open_ones = {*self.editable(obj), "reason"}
        return tuple(name for name in self.fields if name not in open_ones)

    def save_changes(self, request: HttpRequest, obj: Any, form: "ModelForm[Any]") -> None:
        """Change what the form changed: dates and batches first, since content may send the plan back to draft."""
        said: dict[str, Any] = {
            "by": request.user.get_username(),
            "at": timezone.now(),
            "reason": form.cleaned_data.get("reason") or BY_HAND,
        }
        changed = {name: form.cleaned_data[name] for name in form.changed_data if name in self.editable(obj)}
        row = type(obj)._default_manager.get(pk=obj.pk)
        for name in self.change_apart(row, changed, said):
            changed.pop(name)
        if changed:
            edit_content(row, **changed, **said)

    def change_apart(self, row: Any, changed: Mapping[str, Any], said: dict[str, Any]) -> list[str]:
        """Change what is no content, and return the names of those fields."""
        return []
