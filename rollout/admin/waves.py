"""Waves: who is meant, how far they are, and the acts on them."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest
from django.utils import timezone

from migration.admin.columns import link
from rollout.actions.audiences import audience_of, is_chosen
from rollout.actions.outlook import outlook_of_wave
from rollout.actions.plans import WaveDraft, add_wave
from rollout.actions.prevalidation import AHEAD, readiness_of
from rollout.actions.readiness import what_keeps
from rollout.actions.rescheduling import set_start
from rollout.actions.steering import PACE, tune_wave
from rollout.admin.acts import ActsAdmin, JoinedFilter, state_badge
from rollout.admin.audiences import AudiencePages, audience_context
from rollout.admin.charts import charts_of
from rollout.admin.editing import EditedAdmin
from rollout.admin.notices import told_of
from rollout.admin.progress import ProgressPages, progress_context
from rollout.admin.wave_acts import ACTS
from rollout.errors import WaveHeld
from rollout.forms import WaveForm
from rollout.models import Wave
from rollout.states import BEFORE_START, WAVE_AT_WORK, WaveState
from rollout.templatetags.rollout import moment

WHOM = ("audience", "share")
DEMANDED = ("name", "lock_lead", "soak", "checks")


class WaveList(ChangeList):
    """List waves with how many of their people are in each group."""

    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> QuerySet[Any]:
        """Bring the counts in the same query."""
        self.root_queryset = self.root_queryset.counted()  # type: ignore[attr-defined]  # the stubs know managers of no model
        rows: QuerySet[Any] = super().get_queryset(request, exclude_parameters)
        return rows


@admin.register(Wave)
class WaveAdmin(EditedAdmin, AudiencePages, ProgressPages, ActsAdmin):
    """Show waves with their people by state; plan new ones; act on them."""

    form = WaveForm
    change_form_template = "admin/rollout/wave.html"
    list_display = (
        "name", "phase_link", "shown_state", "size", "waiting", "working", "on_slots", "stuck", "deferred", "off", "attempt",
        "started_at",
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
        "phase", "name", "audience", "share", "starts_at", "lock_lead", "soak", "checks", "rate",
        "max_workers", "batch_size", "max_batch", "size", "attempt", "schedule_version", "engine_version", "started_at",
        "finished_at", "revoked_at",
    )  # fmt: skip
    readonly_fields = (
        "size", "attempt", "schedule_version", "engine_version", "started_at", "finished_at",
        "revoked_at",
    )  # fmt: skip
    acts = ACTS

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Bring phase and plan in the same query."""
        return Wave.objects.select_related("phase__plan").order_by("phase", "position")

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        """Count people in the list only: the page of one wave says more of them."""
        return WaveList

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
        """Return how far the wave is, what keeps it from starting, who is meant and told, and how its metrics went."""
        at = timezone.now()
        shown, progress = progress_context(row, at=at)
        keeps = what_keeps(row, at=at) if row.state in BEFORE_START else []  # once: it judges the gates
        return {
            **shown,
            **audience_context(row),
            "outlook": outlook_of_wave(row, progress, at=at, is_held=shown["is_held"]),
            "facts": self._facts(row),
            "shows_progress": is_chosen(row),
            "keeps": keeps,
            "blockers": [each for each in keeps if each.code != WaveHeld.code],
            "readiness": readiness_of(row) if row.state in AHEAD else None,
            "told": told_of(row),
            "charts": charts_of(row.phase.plan, row.phase),
        }

    def _facts(self, wave: Wave) -> list[tuple[str, Any]]:
        facts: list[tuple[str, Any]] = [("Plan", link(wave.phase.plan)), ("Phase", link(wave.phase, wave.phase.name))]
        dates = (("Starts", wave.starts_at), ("Started", wave.started_at), ("Ended", wave.finished_at))
        facts += [(name, moment(at)) for name, at in dates if at]
        facts += [("People", f"{wave.size:,}")] if wave.size else []
        facts += [("Attempt", wave.attempt)] if wave.attempt > 1 else []
        facts += [("Engine", wave.engine_version)] if wave.engine_version else []
        return facts

    @admin.display(description="phase", ordering="phase")
    def phase_link(self, wave: Wave) -> str:
        """Return a link to the phase."""
        return link(wave.phase)

    @admin.display(description="state", ordering="state")
    def shown_state(self, wave: Wave) -> str:
        """Return the state as a badge."""
        return state_badge(wave.state, wave.state_label)

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

    @admin.display(description="deferred", ordering="n_deferred")
    def deferred(self, wave: Any) -> int:
        """Return how many members wait for a later wave, which counts them too."""
        return int(wave.n_deferred)

    @admin.display(description="off", ordering="n_off")
    def off(self, wave: Any) -> int:
        """Return how many members were taken back or left out."""
        return int(wave.n_off)
