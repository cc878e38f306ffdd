"""The part of a wave's page that keeps itself fresh: how far it is, what went wrong, and the button that tries again."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.http import urlencode

from migration.admin.columns import list_link
from rollout.actions.claims import waits_of
from rollout.actions.holds import holds_on
from rollout.actions.progress import Cause, Progress, causes_of, progress_of
from rollout.admin.overview import state_badge
from rollout.drawing import shares
from rollout.models import Enrolment, Wave
from rollout.states import GROUPS, STUCK, WAVE_AT_WORK, PersonState, WaveState

LABELS: Final[Mapping[str, str]] = {
    "waiting": "Waiting",
    "working": "At work",
    "on_slots": "On slots",
    "stuck": "Failed",
    "deferred": "Moved to a later wave",
    "off": "Taken back, left out or held out",
}
ORDER: Final = ("on_slots", "working", "waiting", "stuck", "deferred", "off")
LIVE: Final = WAVE_AT_WORK | {WaveState.ROLLING_BACK}


class ProgressPages:
    """Add the address of the part to a wave's admin."""

    admin_site: Any

    def get_urls(self) -> list[URLPattern]:
        """Add the part."""
        more: list[URLPattern] = super().get_urls()  # type: ignore[misc]  # the admin it is mixed into
        guard = self.admin_site.admin_view
        return [path("<int:pk>/progress/", guard(self.progress_view), name="rollout_wave_progress"), *more]

    def progress_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Return the part alone."""
        if not request.user.has_perm("rollout.view_wave"):
            raise PermissionDenied
        wave = get_object_or_404(Wave.objects.select_related("phase__plan"), pk=pk)
        context, _ = progress_context(wave, at=timezone.now())
        answer = TemplateResponse(request, "admin/rollout/_progress.html", context)
        answer["Cache-Control"] = "no-store"
        return answer


def progress_context(wave: Wave, *, at: datetime) -> tuple[dict[str, Any], Progress]:
    """Return what the part shows, and the progress that it is made of; a fixed number of queries."""
    is_at_work = wave.state in WAVE_AT_WORK
    is_held = is_at_work and bool(holds_on(wave, at=at))
    progress = progress_of(wave, at=at, is_held=is_held)
    causes = causes_of(wave)
    stuck = sum(progress.by_state.get(state, 0) for state in STUCK)
    return {
        "at": at,
        "live": reverse("admin:rollout_wave_progress", args=[wave.pk]) if wave.state in LIVE else "",
        "progress": progress,
        "is_held": is_held,
        "bar": shares((name, progress.groups[name]) for name in ORDER),
        "groups": _groups(wave, progress),
        "causes": [(each, state_badge(each.state, str(each.state.label)), _address_of(wave, each)) for each in causes],
        "retry": _retry(wave, stuck) if is_at_work and stuck else None,
        "stuck_for_good": bool(stuck) and not is_at_work,
        "waits": [wait.text for wait in waits_of(wave, at=at)] if is_at_work else [],
    }, progress


def _groups(wave: Wave, progress: Progress) -> list[dict[str, Any]]:
    parts = {each.name: each for each in shares((name, progress.groups[name]) for name in ORDER)}
    return [
        {
            "label": LABELS[name],
            "share": parts[name],
            "states": [
                (str(state.label), list_link(Enrolment, count, wave__id__exact=wave.pk, state__exact=state.value))
                for state, count in progress.by_state.items()
                if state in GROUPS[name]
            ],
        }
        for name in ORDER
    ]


def _address_of(wave: Wave, cause: Cause) -> str:
    """Return the list of just these people."""
    chosen: dict[str, Any] = {"wave__id__exact": wave.pk, "state__exact": PersonState(cause.state).value}
    more = {"code": cause.code} if cause.code else {}
    return f"{reverse('admin:rollout_enrolment_changelist')}?{urlencode(chosen | more)}"


def _retry(wave: Wave, count: int) -> dict[str, Any]:
    """Return what the one button sends, the act with the version that is shown, and where these people are looked at first."""
    first = reverse("admin:rollout_selection_failed", args=[wave.pk])
    address = f"{reverse('admin:rollout_wave_act', args=['retry'])}?{urlencode({'ids': wave.pk})}"
    return {"address": address, "versions": json.dumps({wave.pk: wave.version}), "count": count, "first": first}
