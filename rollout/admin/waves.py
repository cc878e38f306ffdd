"""Waves: who is meant, how far they are, and the acts on them."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html

from migration.admin.columns import link, list_link
from rollout.actions.audiences import audience_of, is_chosen
from rollout.actions.claims import waits_of
from rollout.actions.holds import holds_on, said
from rollout.actions.plans import WaveDraft, add_wave
from rollout.actions.prevalidation import AHEAD, readiness_of
from rollout.actions.rescheduling import set_start
from rollout.actions.steering import PACE, tune_wave
from rollout.admin.acts import ActsAdmin, JoinedFilter, state_badge
from rollout.admin.audiences import AudiencePages
from rollout.admin.editing import EditedAdmin
from rollout.admin.notices import told_of
from rollout.admin.wave_acts import ACTS
from rollout.errors import AudienceInvalid
from rollout.forms import WaveForm
from rollout.models import Enrolment, Wave
from rollout.states import BEFORE_START, WAVE_AT_WORK, PersonState, WaveState

WHOM = ("audience", "share")
DEMANDED = ("name", "lock_lead", "soak", "checks")


@admin.register(Wave)
class WaveAdmin(EditedAdmin, AudiencePages, ActsAdmin):
    """Show waves with their people by state; plan new ones; act on them."""

    form = WaveForm
    list_display = (
        "name", "phase_link", "shown_state", "size", "waiting", "working", "on_slots", "stuck", "off", "attempt", "started_at",
    )  # fmt: skip
    list_filter = ("state", "phase__plan", ("phase", JoinedFilter))
    search_fields = ("name", "phase__name", "phase__plan__name")
    permission = "rollout.change_wave"
    asked = ("phase", "name", "audience", "share", "soak")
    edited = {
        **dict.fromkeys(BEFORE_START, ("starts_at", *DEMANDED, *PACE)),
        **dict.fromkeys(WAVE_AT_WORK, PACE),
    }
    fields = (
        "phase", "name", "shown_state", "meant", "audience", "share", "starts_at", "lock_lead", "soak", "checks", "rate",
        "max_workers", "batch_size", "max_batch", "size", "attempt", "schedule_version", "engine_version", "started_at",
        "finished_at", "revoked_at",
    )  # fmt: skip
    readonly_fields = (
        "shown_state", "meant", "size", "attempt", "schedule_version", "engine_version", "started_at", "finished_at",
        "revoked_at",
    )  # fmt: skip
    acts = ACTS

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Bring phase, plan and the counts in the same query."""
        rows: QuerySet[Any] = Wave.objects.counted().select_related("phase__plan").order_by("phase", "position")
        return rows

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Let operators plan waves."""
        return request.user.has_perm("rollout.add_wave")

    def editable(self, row: Wave) -> Sequence[str]:
        """Return the fields that may be changed now; whom it takes only until its people are fixed."""
        open_ones = super().editable(row)
        return (*open_ones, *WHOM) if row.state == WaveState.PLANNED and not is_chosen(row) else open_ones

    def change_apart(self, row: Wave, changed: Mapping[str, Any], said: dict[str, Any]) -> list[str]:
        """Set another date, and another pace."""
        if pace := {name: changed[name] for name in PACE if name in changed}:
            tune_wave(row, **pace, **said)
        if "starts_at" in changed:
            set_start(row, changed["starts_at"], **said)
        return [name for name in changed if name == "starts_at" or name in PACE]

    def save_model(self, request: HttpRequest, obj: Wave, form: "ModelForm[Wave]", change: bool) -> None:
        """Add a wave behind the phase's others in the visitor's name, or change a planned one."""
        if change:
            self.save_changes(request, obj, form)
            return
        draft = WaveDraft(obj.name, audience_of(obj), obj.soak, obj.share)
        made = add_wave(obj.phase, draft=draft, by=request.user.get_username(), at=timezone.now())
        obj.__dict__.update(made.__dict__)

    def more_context(self, row: Wave) -> dict[str, Any]:
        """Return the members by state, with links, and their sum."""
        members = row.members_by_state()
        labels = dict(PersonState.choices)
        return {
            "members": [
                (
                    state_badge(state, str(labels[PersonState(state)])),
                    list_link(Enrolment, count, wave__id__exact=row.pk, state__exact=state),
                )
                for state, count in members.items()
            ],
            "holdings": said(holds_on(row, at=timezone.now())),
            "waits": [wait.text for wait in waits_of(row, at=timezone.now())] if row.state in WAVE_AT_WORK else [],
            "readiness": readiness_of(row) if row.state in AHEAD else None,
            "members_total": sum(members.values()),
            "told": told_of(row),
            "size": row.size,
        }

    @admin.display(description="phase", ordering="phase")
    def phase_link(self, wave: Wave) -> str:
        """Return a link to the phase."""
        return link(wave.phase)

    @admin.display(description="state", ordering="state")
    def shown_state(self, wave: Wave) -> str:
        """Return the state as a badge."""
        return state_badge(wave.state, wave.state_label)

    @admin.display(description="who is meant")
    def meant(self, wave: Wave) -> str:
        """Return the audience as a sentence."""
        try:
            said = str(audience_of(wave))
        except AudienceInvalid as invalid:
            return str(invalid)
        if wave.share is not None:
            said = f"{wave.share.normalize():f} % of the phase's population, of {said}"
        address = reverse("admin:rollout_wave_audience", args=[wave.pk]) if wave.pk else ""
        return format_html('{} <a href="{}">Who that is, and why</a>', said, address) if address else said

    @admin.display(description="waiting", ordering="n_waiting")
    def waiting(self, wave: Any) -> int:
        """Return how many members have not been begun."""
        return int(wave.n_waiting)

    @admin.display(description="working", ordering="n_working")
    def working(self, wave: Any) -> int:
        """Return how many members a worker holds."""
        return int(wave.n_working)

    @admin.display(description="on slots", ordering="n_on_slots")
    def on_slots(self, wave: Any) -> int:
        """Return how many members were switched."""
        return int(wave.n_on_slots)

    @admin.display(description="stuck", ordering="n_stuck")
    def stuck(self, wave: Any) -> int:
        """Return how many members need somebody."""
        return int(wave.n_stuck)

    @admin.display(description="off", ordering="n_off")
    def off(self, wave: Any) -> int:
        """Return how many members were taken back or left out."""
        return int(wave.n_off)
