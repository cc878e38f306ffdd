"""What people say when they act: why, and which state they saw."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import fields as dataclass_fields
from datetime import datetime
from typing import Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError

from rollout.actions.blueprints import template, template_names
from rollout.actions.calendar import check_span
from rollout.actions.contents import require_undivided
from rollout.actions.deferrals import OPEN_TO_MORE
from rollout.actions.notice_edits import NoticeDraft, check_edit, check_notice
from rollout.actions.samples import SampleDraft, check_sample
from rollout.audiences import Audience, Rule, rules_from_json
from rollout.blueprints import is_zone, laid_out, read
from rollout.errors import (
    AudienceInvalid,
    BlueprintInvalid,
    FreezeInvalid,
    NoticeInUse,
    NoticeInvalid,
    PlanNameTaken,
    PopulationFrozen,
    SampleInvalid,
)
from rollout.gates import Arm, Metric
from rollout.models import Freeze, Notice, Phase, Plan, Sample, Wave
from rollout.rehearsal.runs import MOST_SEED
from rollout.rehearsal.scenarios import SCENARIOS
from rollout.waves import System

DATE = forms.DateInput(attrs={"type": "date"})
ZONE = "The IANA zone that its days are counted in; empty: as it is there."
REASON = "Kept in the record, beside your name."
WHOM = (
    "JSON. `users`: names; `internal`: true; `limit`: so many; `rules`, all of which match: "
    '[{"trait": "customizations", "at_least": 2, "at_most": 5}, {"trait": "complexity", "one_of": ["simple"]}, '
    '{"trait": "technical", "is": true}]; `strata`: ["region", "complexity"], to mix people over; '
    "`holdout`: per cent that stay on the old system for comparison. "
    "A wave with a share of its phase takes everybody who matches, up to the share."
)


class ReasonForm(forms.Form):
    """Ask why."""

    reason = forms.CharField(max_length=1000, widget=forms.Textarea(attrs={"rows": 3, "cols": 80}), help_text=REASON)


class TypedForm(ReasonForm):
    """Ask why, and before a grave act for words that nobody types without having read."""

    def __init__(self, *args: Any, typed: str = "", **kwargs: Any) -> None:
        """Ask for the words `typed` before anything is done, where they are given."""
        super().__init__(*args, **kwargs)
        self.typed = typed
        if typed:
            field = forms.CharField(
                label="To go on, type", help_text=typed, widget=forms.TextInput(attrs={"autocomplete": "off"})
            )
            self.fields["typed"] = field

    def clean_typed(self) -> str:
        """Refuse other words than those that were asked for; only spaces around them do not count."""
        given: str = self.cleaned_data["typed"]
        if given.strip() != self.typed:
            raise ValidationError(f"This is not “{self.typed}”. Nothing has happened.")
        return given


class ActForm(TypedForm):
    """Ask why, and hold the versions of the rows that the page showed."""

    versions = forms.JSONField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, rows: Sequence[Any] = (), **kwargs: Any) -> None:
        """Keep the rows that the act is about."""
        super().__init__(*args, **kwargs)
        self.rows = rows

    def more(self) -> dict[str, Any]:
        """Return what else was said, as keywords of the act."""
        return {}

    def clean_versions(self) -> Mapping[int, int]:
        """Return version by primary key."""
        given = self.cleaned_data["versions"]
        try:
            return {int(pk): int(version) for pk, version in given.items()}
        except (AttributeError, TypeError, ValueError) as malformed:
            raise ValidationError("The page was incomplete. Load it again.") from malformed


class RehearseForm(ActForm):
    """Ask what is to go wrong in a rehearsal, and from which seed chance is drawn."""

    scenario = forms.ChoiceField(required=False, choices=[(name, each.text) for name, each in SCENARIOS.items()])
    seed = forms.IntegerField(initial=1, min_value=0, max_value=MOST_SEED, help_text="The same seed gives the same report.")
    field_order = ("scenario", "seed", "reason", "versions")

    def more(self) -> dict[str, Any]:
        """Return scenario and seed."""
        return {"scenario": self.cleaned_data["scenario"], "seed": self.cleaned_data["seed"]}


class PreciseJSONField(forms.JSONField):
    """Take JSON, show it on lines of its own, and say where it cannot be read."""

    widget = forms.Textarea(attrs={"rows": 12, "cols": 80, "spellcheck": "false"})

    def to_python(self, value: Any) -> Any:
        """Return the value; the refusal names line and column."""
        try:
            return super().to_python(value)
        except ValidationError as invalid:
            try:
                json.loads(value)
            except json.JSONDecodeError as broken:
                text = f"Line {broken.lineno}, column {broken.colno} is no JSON: {broken.msg}."
                raise ValidationError(text, code="invalid") from broken
            raise invalid from invalid

    def prepare_value(self, value: Any) -> Any:
        """Return the text that is shown."""
        return value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False)


class ConfirmForm(TypedForm):
    """Ask why, and hold the hash of the selection that the page showed."""

    digest = forms.CharField(max_length=64, widget=forms.HiddenInput)


class LaterWaveForm(forms.Form):
    """Ask to which later wave many are deferred."""

    to = forms.ModelChoiceField(
        Wave.objects.none(), label="Later wave", help_text="A wave of the same plan that told nobody yet."
    )

    def __init__(self, *args: Any, plans: Any = (), **kwargs: Any) -> None:
        """Offer the waves of these plans that are open to more people."""
        super().__init__(*args, **kwargs)
        offer_later(self.fields["to"], plans)


def offer_later(field: Any, plans: Any) -> None:
    """Let a field offer the waves of these plans that are open to more people."""
    waves = Wave.objects.filter(phase__plan__in=plans, state__in=OPEN_TO_MORE, starts_at__isnull=False)
    field.queryset = waves.select_related("phase").order_by("starts_at", "pk")
    field.label_from_instance = lambda wave: f"{wave}, {wave.starts_at:%Y-%m-%d %H:%M} UTC"


class DeferForm(ActForm):
    """Ask to which later wave somebody is deferred, and why."""

    to = forms.ModelChoiceField(
        Wave.objects.none(), label="Later wave", help_text="A wave of the same plan that told nobody yet."
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Offer the waves that are open to more people."""
        super().__init__(*args, **kwargs)
        offer_later(self.fields["to"], {row.plan_id for row in self.rows})

    def more(self) -> dict[str, Any]:
        """Return the wave."""
        return {"to": self.cleaned_data["to"]}


class LeaveOutForm(ActForm):
    """Ask whom a wave leaves out, by name or by rule, and why."""

    users = forms.CharField(
        required=False,
        widget=forms.Textarea(attrs={"rows": 4, "cols": 80}),
        label="People",
        help_text="External ids, one a line.",
    )
    rules = PreciseJSONField(required=False, initial=[], help_text="Or rules, all of which match whoever is left out.")

    def clean_rules(self) -> tuple[Rule, ...]:
        """Refuse what is no rule."""
        try:
            return rules_from_json(self.cleaned_data["rules"] or [])
        except AudienceInvalid as invalid:
            raise ValidationError(str(invalid)) from invalid

    def more(self) -> dict[str, Any]:
        """Return names and rules."""
        users = [line.strip() for line in self.cleaned_data["users"].splitlines() if line.strip()]
        return {"users": users, "rules": self.cleaned_data["rules"]}


class SignoffForm(ReasonForm):
    """Ask for a decision on the content that the page shows, and why."""

    decision = forms.ChoiceField(choices=[("approved", "I agree"), ("rejected", "I do not agree")], widget=forms.RadioSelect)
    content_hash = forms.CharField(max_length=64, widget=forms.HiddenInput)
    field_order = ("decision", "reason", "content_hash")


class SwitchForm(ReasonForm):
    """Ask where a person should be: on one of the systems, or where their wave says."""

    WAVE = "wave"
    system = forms.ChoiceField(
        choices=[(System.SLOTS.value, "Slots"), (System.LEGACY.value, "Legacy"), (WAVE, "Whatever the wave says")],
        widget=forms.RadioSelect,
    )


class WaveForm(forms.ModelForm):  # type: ignore[type-arg]  # generic in the stubs only
    """Describe a wave that is planned, and say why it is changed."""

    reason = forms.CharField(required=False, max_length=1000, help_text=REASON)
    audience = PreciseJSONField(required=False, help_text=WHOM)

    class Meta:
        model = Wave
        fields = (
            "phase", "name", "audience", "share", "starts_at", "lock_lead", "soak", "checks", "rate", "max_workers",
            "batch_size", "max_batch",
        )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Bring the plan with each phase, since the phase's name says it."""
        super().__init__(*args, **kwargs)
        if "phase" in self.fields:
            phase: Any = self.fields["phase"]
            phase.queryset = Phase.objects.select_related("plan")

    def clean_checks(self) -> list[int]:
        """Refuse what are no instants after the switch, one later than the other."""
        checks = self.cleaned_data["checks"]
        is_list = isinstance(checks, list) and all(type(each) is int and each > 0 for each in checks)
        if not is_list or sorted(set(checks)) != checks:
            raise ValidationError("They are whole seconds, each check later than the one before it, such as [3600, 86400].")
        return list(checks)

    def clean(self) -> dict[str, Any]:
        """Refuse an audience that does not say whom it means; with a share it may say nothing, and mean everybody."""
        said = self.cleaned_data
        if "audience" in self.fields and "audience" in said:
            share = said.get("share") if "share" in self.fields else self.instance.share
            try:
                said["audience"] = Audience.from_json(said["audience"] or {}, has_share=share is not None).as_json()
            except AudienceInvalid as invalid:
                self.add_error("audience", str(invalid))
        phase = said.get("phase") if "phase" in self.fields else self.instance.phase
        if "share" in self.fields and phase is not None:
            try:
                require_undivided(phase, said.get("share"))
            except PopulationFrozen as refused:
                self.add_error("share", str(refused))
        return said


class MoveForm(ActForm):
    """Ask where to move a plan to: to another start, or by so many days, as a whole or from a phase on."""

    starts_on = forms.DateField(required=False, widget=DATE, label="New first day", help_text="Before the plan runs.")
    days = forms.IntegerField(
        required=False, label="Or by days", help_text="Below 0 for earlier.", min_value=-3_660, max_value=3_660
    )
    start = forms.ModelChoiceField(
        Phase.objects.none(), required=False, label="From", empty_label="The whole plan", help_text="What comes before it stays."
    )
    field_order = ("starts_on", "days", "start", "reason", "versions")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Offer the phases of the plan."""
        super().__init__(*args, **kwargs)
        start: Any = self.fields["start"]
        start.queryset = Phase.objects.filter(plan__in=[row.pk for row in self.rows]).select_related("plan").order_by("position")

    def clean(self) -> dict[str, Any]:
        """Refuse what says neither or both."""
        said = self.cleaned_data
        if not self.errors and (said["starts_on"] is None) == (said["days"] is None):
            self.add_error("days", "Give a new first day or a number of days.")
        return said

    def more(self) -> dict[str, Any]:
        """Return where to, and from where on."""
        return {name: self.cleaned_data[name] for name in ("starts_on", "days", "start")}


class CopyForm(ActForm):
    """Ask for the name and the start of a copy."""

    name = forms.CharField(max_length=200)
    starts_on = forms.DateField(widget=DATE, label="First day")
    time_zone = forms.CharField(max_length=60, required=False, label="Zone", help_text=ZONE)
    field_order = ("name", "starts_on", "time_zone", "reason", "versions")

    def clean_time_zone(self) -> str:
        """Refuse what is no zone."""
        return known_zone(self.cleaned_data["time_zone"])

    def more(self) -> dict[str, Any]:
        """Return the name, the start and the zone."""
        return {name: self.cleaned_data[name] for name in ("name", "starts_on", "time_zone")}


class TemplateForm(forms.Form):
    """Ask from which template a plan is made, under which name, from when on and in which zone."""

    template = forms.ChoiceField(label="Template")
    text = forms.CharField(
        required=False,
        widget=forms.Textarea(attrs={"rows": 8, "cols": 100, "spellcheck": "false", "class": "code"}),
        label="Or a template of your own",
        help_text="TOML, as “Export” of a plan gives it. It is taken instead of the one above.",
    )
    name = forms.CharField(max_length=200)
    starts_on = forms.DateField(widget=DATE, label="First day")
    time_zone = forms.CharField(max_length=60, required=False, label="Zone", help_text=ZONE)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Offer the templates that come with the software."""
        super().__init__(*args, **kwargs)
        known: Any = self.fields["template"]
        known.choices = [(name, f"{template(name).title} ({template(name).label})") for name in template_names()]

    def clean_name(self) -> str:
        """Refuse a name that is taken."""
        name: str = self.cleaned_data["name"]
        if Plan.objects.filter(name=name).exists():
            raise ValidationError(str(PlanNameTaken(name)))
        return name

    def clean_time_zone(self) -> str:
        """Refuse what is no zone."""
        return known_zone(self.cleaned_data["time_zone"])

    def clean(self) -> dict[str, Any]:
        """Lay the template out, and refuse it where that cannot be done, with the place."""
        said = self.cleaned_data
        if self.errors:
            return said
        try:
            blueprint = read(said["text"]) if said["text"].strip() else template(said["template"])
            zone = said["time_zone"] or blueprint.time_zone
            said["layout"] = laid_out(blueprint, starts_on=said["starts_on"], zone=zone)
        except BlueprintInvalid as invalid:
            self.add_error("text" if said["text"].strip() else "template", str(invalid))
        return said


def known_zone(name: str) -> str:
    """Return a zone's name.

    Raises:
        ValidationError: there is no such zone.
    """
    if name and not is_zone(name):
        raise ValidationError(f"{name} is no IANA zone, such as Europe/Berlin or UTC.")
    return name


class EditForm(forms.ModelForm):  # type: ignore[type-arg]  # generic in the stubs only
    """Change a row, and say why."""

    reason = forms.CharField(required=False, max_length=1000, help_text=REASON)


class PhaseForm(EditForm):
    """Change what a phase demands, or when it may open."""

    class Meta:
        model = Phase
        fields = ("plan", "name", "objective", "share", "share_of", "soak", "needs_certificate", "starts_at")


class SampleForm(forms.ModelForm):  # type: ignore[type-arg]  # generic in the stubs only
    """Enter a measurement; `at` is when it is entered."""

    at: ClassVar[datetime]

    class Meta:
        model = Sample
        fields = (
            "metric", "arm", "plan", "phase", "numerator", "denominator", "count", "taken_at", "source", "key", "note",
        )  # fmt: skip

    def draft(self) -> SampleDraft:
        """Return what was entered."""
        said = dict(self.cleaned_data)
        return SampleDraft(**{**said, "metric": Metric(said["metric"]), "arm": Arm(said["arm"])})

    def clean(self) -> dict[str, Any]:
        """Refuse what is no measurement."""
        if not self.errors:
            try:
                check_sample(self.draft(), at=self.at)
            except SampleInvalid as invalid:
                raise ValidationError(str(invalid)) from invalid
        return self.cleaned_data


class NoticeForm(forms.ModelForm):  # type: ignore[type-arg]  # generic in the stubs only
    """Write or change a notice, and ask why."""

    reason = forms.CharField(max_length=1000, widget=forms.Textarea(attrs={"rows": 2, "cols": 80}), help_text=REASON)

    class Meta:
        model = Notice
        fields = ("plan", "phase", "name", "channel", "moment", "lead", "subject", "body", "is_required")

    def draft(self) -> NoticeDraft:
        """Return what was written."""
        return NoticeDraft(**{each.name: self._said(each.name) for each in dataclass_fields(NoticeDraft)})

    def clean(self) -> dict[str, Any]:
        """Refuse what could not be sent, what would change words that people have, and a phase of another plan."""
        if self.errors:
            return self.cleaned_data
        phase, plan = self._said("phase"), self._said("plan")
        if phase is not None and phase.plan_id != plan.pk:
            raise ValidationError({"phase": "The phase belongs to another plan."})
        try:
            check_notice(self.draft())
            if self.instance.pk:
                check_edit(Notice.objects.get(pk=self.instance.pk), changed=set(self.changed_data))
        except (NoticeInvalid, NoticeInUse) as refused:
            raise ValidationError(str(refused)) from refused
        return self.cleaned_data

    def _said(self, name: str) -> Any:
        return self.cleaned_data.get(name, getattr(self.instance, name, None))


class FreezeForm(forms.ModelForm):  # type: ignore[type-arg]  # generic in the stubs only
    """Add a freeze; `at` is when it is added."""

    at: ClassVar[datetime]

    class Meta:
        model = Freeze
        fields = ("plan", "starts_at", "ends_at", "reason")

    def clean(self) -> dict[str, Any]:
        """Refuse what is no span."""
        if not self.errors:
            try:
                check_span(self.cleaned_data["starts_at"], self.cleaned_data["ends_at"], at=self.at)
            except FreezeInvalid as invalid:
                raise ValidationError(str(invalid)) from invalid
        return self.cleaned_data
