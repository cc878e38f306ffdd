"""A page that shows the effect of an act, asks for a reason, and then acts."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone

from slots.admin.asking import ShownForm

SHOWN = 50
MOST = 300  # primary keys in one address: web servers take some 4,000 characters


class ReasonForm(ShownForm):
    """Ask why."""

    reason = forms.CharField(
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 3, "cols": 80}),
        help_text="Kept in the history, beside your name.",
    )


def chosen_url(request: HttpRequest, name: str, queryset: QuerySet[Any], **more: str) -> HttpResponseRedirect:
    """Send to a page about the chosen rows; of too many take the first, and say so."""
    chosen = list(queryset.values_list("pk", flat=True)[: MOST + 1])
    if len(chosen) > MOST:
        messages.warning(request, f"Only the first {MOST} of the chosen rows are taken. Choose the others again afterwards.")
    keys = ",".join(map(str, chosen[:MOST]))
    return HttpResponseRedirect(f"{reverse(name)}?{urlencode({'ids': keys, **more}, safe=',')}")


class ReasonPage:
    """Show what will happen to the rows named in the address, and do it on POST."""

    def __init__(self, model_admin: "admin.ModelAdmin[Any]", request: HttpRequest, *, permission: str) -> None:
        """Let in only who has the permission."""
        if not request.user.has_perm(permission):
            raise PermissionDenied
        self._admin = model_admin
        self._request = request

    def chosen(self) -> list[int]:
        """Return the primary keys that the address names."""
        return [int(part) for part in self._request.GET.get("ids", "").split(",") if part.isdecimal()][:MOST]

    def respond(
        self,
        *,
        title: str,
        effect: str,
        rows: Sequence[str],
        button: str,
        act: Callable[[str, datetime, str], None],
        state: str = "",
    ) -> HttpResponse:
        """Return the page, or act and return to the list; where `state` is not what the page showed it is shown again."""
        options = self._admin.model._meta
        back = reverse(f"admin:{options.app_label}_{options.model_name}_changelist")
        form = ReasonForm(self._request.POST or None, state=state)
        if self._request.method == "POST" and form.is_valid():
            act(form.cleaned_data["reason"], timezone.now(), self._request.user.get_username())
            return HttpResponseRedirect(back)
        context = {
            **self._admin.admin_site.each_context(self._request),
            "title": title,
            "opts": options,
            "effect": effect,
            "rows": list(rows[:SHOWN]),
            "more": max(0, len(rows) - SHOWN),
            "button": button,
            "form": form,
            "back": back,
        }
        return TemplateResponse(self._request, "admin/migration/reason.html", context)
