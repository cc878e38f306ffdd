"""Who is meant by a wave: the page that shows it before and after its people are fixed, and the acts on who is in it."""

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any

from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone

from rollout.actions.audiences import Preview, audience_of, is_chosen, preview_audience
from rollout.actions.people import exclude_people, release_holdout
from rollout.actions.waves import require_people
from rollout.admin.acts import OPERATE, REFUSED, Act
from rollout.errors import AudienceEmpty, AudienceInvalid, RolloutError
from rollout.forms import LeaveOutForm
from rollout.models import Wave
from rollout.states import BEFORE_START, NOT_BEGUN, PersonState, WaveState
from slots.admin.exports import csv_lines

NAMES = 20  # people named on a page of an act
PEOPLE = 100  # on one page of a list
SAMPLE = 8  # people named on the page of the wave
REASONS = 8  # why others are not taken, named there
HEADER = ("person", "taken", "code", "reason")
ANYTHING = frozenset(WaveState)


def effect_of_lock(wave: Wave) -> list[str]:
    """Return what locking would do: how many are frozen, who, and who is left out."""
    if is_chosen(wave):
        return _refusal_of_lock(wave) or [f"The wave keeps its {wave.size} people: they were fixed before."]
    preview = preview_audience(wave, at=timezone.now())
    users = preview.users
    lines = _refusal_of_lock(wave)
    lines += [f"{len(users)} people are frozen as its members: {', '.join(users[:NAMES])}{' …' if len(users) > NAMES else ''}"]
    if preview.held_out:
        lines.append(f"{len(preview.held_out)} of them stay on the old system for comparison.")
    if preview.population is not None:
        lines.append(f"The population of the phase is frozen: {preview.population:,} people, for all waves that have a share.")
    if preview.choice.short:
        lines.append(f"{preview.choice.short} fewer than its number: nobody else matches.")
    return lines + [f"Left out: {each.user} ({each.code}). {each.text}" for each in preview.skipped[:NAMES]]


def _refusal_of_lock(wave: Wave) -> list[str]:
    """Return that locking would be refused, beside which its page still says whom the wave means and why nobody is taken."""
    try:
        require_people(wave, at=timezone.now())
    except AudienceEmpty as refused:
        return [REFUSED.format(code=refused.code, text=refused)]
    return []


def _leave_out(wave: Wave, **said: Any) -> str:
    done = exclude_people(wave, **said)
    missing = f" Not waiting in it: {', '.join(done.missing[:NAMES])}." if done.missing else ""
    return f"{done.count} people are left out.{missing}"


def _release(wave: Wave, **who: Any) -> str:
    return f"{release_holdout(wave, **who)} people are free for another wave."


AUDIENCE_ACTS = (
    Act(
        "leave-out",
        "Leave people out",
        OPERATE,
        BEFORE_START,
        lambda wave: [
            f"{wave.enrolments.filter(state__in=NOT_BEGUN).count()} people wait in it. Whom you name, and who matches all rules, "
            "is left out, stays counted in it, and is free for another wave."
        ],
        _leave_out,
        form=LeaveOutForm,
    ),
    Act(
        "release",
        "End the comparison",
        OPERATE,
        ANYTHING,
        lambda wave: [
            f"{wave.enrolments.filter(state=PersonState.HOLDOUT).count()} people who were kept on the old system are free for "
            "another wave."
        ],
        _release,
        offers=lambda wave: wave.enrolments.filter(state=PersonState.HOLDOUT).exists(),
    ),
)


class AudiencePages:
    """Add the pages of a wave's audience to its admin: the numbers and the list, and all of it as a file."""

    admin_site: Any
    opts: Any

    def get_urls(self) -> list[URLPattern]:
        """Add both pages."""
        guard = self.admin_site.admin_view
        more: list[URLPattern] = super().get_urls()  # type: ignore[misc]  # the admin it is mixed into
        return [
            path("<int:pk>/audience/", guard(self.audience_view), name="rollout_wave_audience"),
            path("<int:pk>/audience/part/", guard(self.audience_part), name="rollout_wave_audience_part"),
            path("<int:pk>/audience.csv", guard(self.audience_file), name="rollout_wave_audience_file"),
            *more,
        ]

    def audience_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Show whom the wave would take and whom not, with the reasons; or, once its people are fixed, who they are."""
        wave = self._wave(request, pk)
        context = {
            **self.admin_site.each_context(request),
            "title": f"{wave}: who is meant",
            "opts": self.opts,
            "wave": wave,
            "file": reverse("admin:rollout_wave_audience_file", args=[pk]),
        }
        try:
            context |= {"meant": str(audience_of(wave))}
            context |= _members(request, wave) if is_chosen(wave) else _preview(request, wave)
        except RolloutError as refused:
            context["refused"] = f"{refused.code}: {refused}"
        return TemplateResponse(request, "admin/rollout/audience.html", context)

    def audience_part(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Return the part of the wave's page that says whom it would take now, which costs a look at everybody."""
        wave = self._wave(request, pk)
        try:
            context = {**audience_context(wave), **_sample_of_preview(preview_audience(wave, at=timezone.now()))}
        except RolloutError as refused:
            context = {"refused": f"{refused.code}: {refused}"}
        return TemplateResponse(request, "admin/rollout/_sample.html", context)

    def audience_file(self, request: HttpRequest, pk: int) -> HttpResponse | StreamingHttpResponse:
        """Return everybody who was looked at as CSV, one a line: whether they are taken, and why or why not."""
        wave = self._wave(request, pk)
        try:
            rows = _rows_of_members(wave) if is_chosen(wave) else _rows_of_preview(preview_audience(wave, at=timezone.now()))
        except RolloutError as refused:
            return HttpResponse(f"{refused.code}: {refused}", content_type="text/plain; charset=utf-8", status=409)
        name = f'attachment; filename="wave-{pk}-audience.csv"'
        return StreamingHttpResponse(
            csv_lines(chain([HEADER], rows)), content_type="text/csv; charset=utf-8", headers={"Content-Disposition": name}
        )

    def _wave(self, request: HttpRequest, pk: int) -> Wave:
        if not request.user.has_perm("rollout.view_wave"):
            raise PermissionDenied
        return get_object_or_404(Wave.objects.select_related("phase__plan"), pk=pk)


def audience_context(wave: Wave) -> dict[str, Any]:
    """Return whom a wave means, and the first of its people where they are fixed; else `sample` is None, to be asked for."""
    try:
        meant = str(audience_of(wave))
    except AudienceInvalid as invalid:
        meant = str(invalid).removesuffix(".")
    if wave.share is not None:
        meant = f"{wave.share.normalize():f} % of the phase's population, of {meant}"
    return {
        "meant": meant,
        "audience_page": reverse("admin:rollout_wave_audience", args=[wave.pk]),
        "audience_part": reverse("admin:rollout_wave_audience_part", args=[wave.pk]),
        "sample": _sample(wave) if is_chosen(wave) else None,
        "summary": f"Its people are fixed: {wave.size:,}.",
    }


def _sample(wave: Wave) -> list[tuple[str, str, str]]:
    first = wave.enrolments.select_related("person").order_by("pk")[:SAMPLE]
    return [(str(row.person), row.state_label, row.chosen_for) for row in first]


def _sample_of_preview(preview: Preview) -> dict[str, Any]:
    taken = preview.choice.taken
    left = sum(count for *_, count in preview.reasons)
    held = f", {len(preview.held_out):,} of them held out for comparison" if preview.held_out else ""
    return {
        "summary": f"Locked now, it would take {len(taken):,} people{held}, and leave {left:,} out who were looked at.",
        "sample": [
            (each.user, "held out" if each.user in preview.held_out else "taken", preview.choice.reason(each))
            for each in taken[:SAMPLE]
        ],
        "reasons": preview.reasons[:REASONS],
    }


def _members(request: HttpRequest, wave: Wave) -> dict[str, Any]:
    """Return what the page of a wave shows whose people are fixed."""
    labels = dict(PersonState.choices)
    page = Paginator(wave.enrolments.select_related("person").order_by("pk"), PEOPLE).get_page(request.GET.get("p"))
    return {
        "is_chosen": True,
        "members": [(labels[PersonState(state)], count) for state, count in wave.members_by_state().items()],
        "page": page,
        "rows": [(str(row.person), row.state_label, row.chosen_for) for row in page],
    }


def _preview(request: HttpRequest, wave: Wave) -> dict[str, Any]:
    """Return what the page of a wave shows whose people are not fixed: what its lock would do now."""
    preview = preview_audience(wave, at=timezone.now())
    shows_left = request.GET.get("list") == "left"
    people: Sequence[Any] = preview.left_out if shows_left else preview.choice.taken
    page = Paginator(people, PEOPLE).get_page(request.GET.get("p"))
    return {
        "preview": preview,
        "strata": [(" · ".join(stratum), taken, count) for stratum, taken, count in preview.choice.by_stratum],
        "left_count": sum(count for *_, count in preview.reasons),
        "shows_left": shows_left,
        "page": page,
        "rows": [
            (each.user, each.code, each.text)
            if shows_left
            else (each.user, "held out" if each.user in preview.held_out else "taken", preview.choice.reason(each))
            for each in page
        ],
    }


def _rows_of_members(wave: Wave) -> Iterator[tuple[str, ...]]:
    for row in wave.enrolments.select_related("person").order_by("pk").iterator():
        yield str(row.person), "yes", row.state, row.chosen_for


def _rows_of_preview(preview: Preview) -> Iterator[tuple[str, ...]]:
    for each in preview.choice.taken:
        yield each.user, "yes", "HOLDOUT" if each.user in preview.held_out else "", preview.choice.reason(each)
    for left in preview.left_out:
        yield left.user, "no", left.code, left.text
