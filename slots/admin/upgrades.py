"""Upgrades of components: what a version does to everybody's configurations, what waits for a decision, and going live."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.defaultfilters import pluralize
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from slots.actions.upgrades import Impact, activate_upgrade, decide_conflicts, impact
from slots.admin.asking import ReasonForm
from slots.admin.columns import NOTHING, MachineMadeAdmin, link, list_link
from slots.errors import SlotsError
from slots.jobs import compose_later
from slots.models import CaseStatus, Resolution, Upgrade, UpgradeConflict, UpgradeState

GO_LIVE = "slots.change_upgrade"
DECIDE = "slots.change_upgradeconflict"
_PEOPLE_SHOWN = 20


class DecisionForm(ReasonForm):
    """Ask what is to stand, and why; the order of the fields is that of the page."""

    resolution = forms.ChoiceField(widget=forms.RadioSelect, label="What is to stand")
    field_order = ("resolution", "reason", "shown")

    def __init__(self, *args: Any, status: str, **kwargs: Any) -> None:
        """Offer the customization's version only where it has a place."""
        super().__init__(*args, **kwargs)
        offered = [choice for choice in Resolution.choices if choice[0] and (choice[0] != Resolution.OURS or status == "kept")]
        self.fields["resolution"].choices = offered  # type: ignore[attr-defined]  # the stubs know fields in general only


@admin.register(Upgrade)
class UpgradeAdmin(MachineMadeAdmin):
    """Show an upgrade's impact; go live and decide conflicts on pages that show the effect first."""

    list_display = ("upgrade_title", "state", "by", "planned_at", "live_since", "cases_link")
    list_filter = ("state", "component")
    list_select_related = ("component", "version")
    search_fields = ("component__key", "version__version", "reason")
    fields = (
        "component_link",
        "version_link",
        "state",
        "reason",
        "by",
        "planned_at",
        "live_since",
        "effect",
        "conflicts",
        "go",
    )
    readonly_fields = ("component_link", "version_link", "live_since", "effect", "conflicts", "go")

    def get_urls(self) -> list[URLPattern]:
        """Add the pages that ask."""
        wrap = self.admin_site.admin_view
        return [
            path("<int:pk>/activate/", wrap(self.activate), name="slots_upgrade_activate"),
            path("<int:pk>/decide/<str:group>/", wrap(self.decide), name="slots_upgrade_decide"),
            *super().get_urls(),
        ]

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Upgrade | None:
        """Note on the row what its reader may do, so that the page offers nothing else."""
        row: Upgrade | None = super().get_object(request, object_id, from_field)
        if row is not None:
            row.reader_may = frozenset(name for name in (GO_LIVE, DECIDE) if request.user.has_perm(name))  # type: ignore[attr-defined]
        return row

    @admin.display(description="upgrade")
    def upgrade_title(self, row: Upgrade) -> str:
        """Return component and version."""
        return str(row)

    @admin.display(description="component")
    def component_link(self, row: Upgrade) -> SafeString | str:
        """Return a link to the component."""
        return link(row.component)

    @admin.display(description="version")
    def version_link(self, row: Upgrade) -> SafeString | str:
        """Return a link to the version."""
        return link(row.version, row.version.version)

    @admin.display(description="live since", ordering="activated_at", empty_value=NOTHING)
    def live_since(self, row: Upgrade) -> datetime | None:
        """Return when it was made live."""
        return row.activated_at

    @admin.display(description="conflicts")
    def cases_link(self, row: Upgrade) -> SafeString:
        """Return a link to what is to be decided."""
        return list_link(UpgradeConflict, "to decide", case__upgrade=row.pk)

    @admin.display(description="effect")
    def effect(self, row: Upgrade) -> SafeString:
        """Return the counts of configurations by outcome."""
        found = impact(row)
        counts = ((found.counts.get(status, 0), label) for status, label in CaseStatus.choices)
        lines = format_html_join("", "<li>{} {}</li>", (each for each in counts if each[0]))
        lines += format_html_join("", "<li>{} refused: {}</li>", ((count, text) for text, count in found.refusals.items()))
        return format_html(
            "<p>{} configurations, {} distinct: {} ready, {} waiting, {} moved, {} pinned.</p><ul>{}</ul>",
            sum(found.counts.values()), found.distinct, found.ready, found.waiting, found.moved, found.pinned, lines,
        )  # fmt: skip

    @admin.display(description="to decide")
    def conflicts(self, row: Upgrade) -> SafeString | str:
        """Return the groups of equal conflicts, each with a link to its decision."""
        groups = impact(row).groups
        if not groups:
            return "Nothing: every operation goes by itself."
        rows = (
            (
                self._decision(row, group),
                group["status"],
                f"{group['configurations']} configuration{pluralize(group['configurations'])}",
                Resolution(group["resolution"]).label,
            )
            for group in groups
        )
        body = format_html_join("", "<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>", rows)
        head = "<thead><tr><th>operation</th><th>outcome</th><th>concerns</th><th>decision</th></tr></thead>"
        return format_html("<table>{}<tbody>{}</tbody></table>", SafeString(head), body)

    @staticmethod
    def _decision(row: Upgrade, group: Mapping[str, Any]) -> SafeString | str:
        """Return a group's words, linked to the decision for those who may take it."""
        if not _may(row, DECIDE):
            return str(group["words"])
        return format_html(
            '<a href="{}">{}</a>', reverse("admin:slots_upgrade_decide", args=[row.pk, group["group"]]), group["words"]
        )

    @admin.display(description="go live")
    def go(self, row: Upgrade) -> SafeString | str:
        """Return a link to the page that makes the version live, or moves what became ready."""
        if row.state == UpgradeState.SUPERSEDED or not _may(row, GO_LIVE):
            return NOTHING
        found = impact(row)
        if row.state == UpgradeState.ACTIVE and found.ready <= found.moved:
            return "Nothing is ready to move."
        label = "Make it live…" if row.state == UpgradeState.PLANNED else "Move what is ready…"
        return format_html('<a href="{}">{}</a>', reverse("admin:slots_upgrade_activate", args=[row.pk]), label)

    def activate(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Show what going live does, ask why, do it."""
        if not request.user.has_perm(GO_LIVE):
            raise PermissionDenied
        upgrade = self._row(pk)
        form = ReasonForm(request.POST or None, state=upgrade.state)
        if request.method == "POST" and form.is_valid():
            try:
                moved = activate_upgrade(upgrade, **self._deed(request, form))
                compose_later(upgrade.component)
            except SlotsError as fault:
                form.add_error(None, f"{fault.code}: {fault}")
            else:
                messages.success(request, f"{upgrade}: live, {moved} configuration{pluralize(moved)} moved.")
                return self._back(upgrade)
        found = impact(upgrade)
        return self._page(request, "activate.html", upgrade, form, {"impact": found, "lines": _lines(found)})

    def decide(self, request: HttpRequest, pk: int, group: str) -> HttpResponse:
        """Show the three texts of a group of conflicts, ask what is to stand, do it for all of them."""
        if not request.user.has_perm(DECIDE):
            raise PermissionDenied
        upgrade = self._row(pk)
        conflicts = UpgradeConflict.objects.filter(case__upgrade=upgrade, group=group).select_related("case")
        first = conflicts.first()
        if first is None:
            raise Http404
        initial = {"resolution": first.resolution, "reason": first.resolved_because}
        decided = f"{first.resolution} {first.resolved_by} {first.resolved_at or ''}".strip() or Resolution.OPEN.label
        form = DecisionForm(request.POST or None, status=first.status, initial=initial, state=decided)
        if request.method == "POST" and form.is_valid():
            try:
                moved = decide_conflicts(upgrade, group, form.cleaned_data["resolution"], **self._deed(request, form))
                compose_later(upgrade.component)
            except SlotsError as fault:
                form.add_error(None, f"{fault.code}: {fault}")
            else:
                messages.success(request, f"Decided; {moved} configuration{pluralize(moved)} moved.")
                return self._back(upgrade)
        concerned = sum(row.case.configurations for row in conflicts)
        return self._page(request, "decide.html", upgrade, form, {
            "conflict": first, "concerned": concerned, "news": [_decided(first)] if form.seen else [],
        })  # fmt: skip

    def _row(self, pk: int) -> Upgrade:
        row = Upgrade.objects.select_related("component", "version").filter(pk=pk).first()
        if row is None:
            raise Http404
        return row

    @staticmethod
    def _deed(request: HttpRequest, form: forms.Form) -> dict[str, Any]:
        return {"by": request.user.get_username(), "at": timezone.now(), "reason": form.cleaned_data["reason"]}

    @staticmethod
    def _back(upgrade: Upgrade) -> HttpResponseRedirect:
        return HttpResponseRedirect(reverse("admin:slots_upgrade_change", args=[upgrade.pk]))

    def _page(
        self, request: HttpRequest, template: str, upgrade: Upgrade, form: forms.Form, more: dict[str, Any]
    ) -> TemplateResponse:
        context = {
            **self.admin_site.each_context(request), "opts": self.opts, "title": str(upgrade), "upgrade": upgrade, "form": form,
            "back": reverse("admin:slots_upgrade_change", args=[upgrade.pk]), **more,
        }  # fmt: skip
        return TemplateResponse(request, f"admin/slots/{template}", context)


def _may(row: Upgrade, permission: str) -> bool:
    """Say whether the reader of a page, as `get_object` noted, has a permission."""
    return permission in getattr(row, "reader_may", ())


def _lines(found: Impact) -> list[str]:
    """Return what going live does, in sentences."""
    moving = found.ready - found.moved
    return [
        f"{found.component} {found.version} is shown to everybody whom nothing holds back, strangers first of all.",
        f"{_count(moving)} move{pluralize(moving, 's,')} to it.",
        f"{_count(found.waiting)} wait{pluralize(found.waiting, 's,')} for a decision; until then nobody's page changes.",
        f"{_count(found.pinned)} {pluralize(found.pinned, 'is,are')} pinned and stay{pluralize(found.pinned, 's,')}.",
    ]


def _decided(conflict: UpgradeConflict) -> str:
    """Say what was decided about a conflict, by whom and why."""
    if not conflict.resolution:
        return "The decision was taken back."
    words = Resolution(conflict.resolution).label
    return f"{conflict.resolved_by} decided: {words}. Reason: {conflict.resolved_because}"


def _count(number: int) -> str:
    return f"{number} configuration{pluralize(number)}"


@admin.register(UpgradeConflict)
class UpgradeConflictAdmin(MachineMadeAdmin):
    """List what upgrades could not settle; the decision is taken for a whole group, on the upgrade's page."""

    list_display = ("words", "upgrade", "status", "resolution", "resolved_by", "resolved_at", "decision")
    list_filter = ("status", "resolution", "case__upgrade__component")
    list_select_related = ("case__upgrade__component", "case__upgrade__version")
    search_fields = ("words", "place", "group")
    fields = (
        "words", "upgrade", "status", "code", "place", "reason", "base", "ours", "theirs", "resolution", "resolved_by",
        "resolved_at", "resolved_because", "decision",
    )  # fmt: skip
    readonly_fields = ("upgrade", "code", "decision")

    def get_queryset(self, request: HttpRequest) -> QuerySet[UpgradeConflict]:
        """Leave the texts unread in lists."""
        rows: QuerySet[UpgradeConflict] = super().get_queryset(request)
        match = request.resolver_match
        is_list = match is not None and (match.url_name or "").endswith("changelist")
        return rows.defer("base", "ours", "theirs", "case__outcomes") if is_list else rows

    @admin.display(description="upgrade")
    def upgrade(self, row: UpgradeConflict) -> SafeString | str:
        """Return a link to the upgrade."""
        return link(row.case.upgrade)

    @admin.display(description="decision")
    def decision(self, row: UpgradeConflict) -> SafeString:
        """Return a link to the page that decides the group."""
        address = reverse("admin:slots_upgrade_decide", args=[row.case.upgrade_id, row.group])
        return format_html('<a href="{}">Decide…</a>', address)
