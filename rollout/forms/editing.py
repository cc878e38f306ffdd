"""What the contents of a plan are edited with."""

import json
from dataclasses import fields as dataclass_fields
from datetime import datetime
from typing import Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError

from rollout.actions.blueprints import template, template_names
from rollout.actions.contents import require_undivided
from rollout.actions.notice_edits import NoticeDraft, check_edit, check_notice
from rollout.actions.samples import SampleDraft, check_sample
from rollout.audiences import Audience
from rollout.blueprints import laid_out, read
from rollout.errors import (
    AudienceInvalid,
    BlueprintInvalid,
    NoticeInUse,
    NoticeInvalid,
    PlanNameTaken,
    PopulationFrozen,
    SampleInvalid,
)
from rollout.forms.acts import DATE, REASON
from rollout.forms.schedules import ZONE, known_zone
from rollout.gates import Arm, Metric
from rollout.models import Notice, Phase, Plan, Sample, Wave

WHOM = (
    "JSON. “users”: names; “internal”: true; “limit”: so many; “rules”, all of which match: "
    '[{"trait": "customizations", "at_least": 2, "at_most": 5}, {"trait": "complexity", "one_of": ["simple"]}, '
    '{"trait": "technical", "is": true}]; “strata”: ["region", "complexity"], to mix people over; '
    "“holdout”: per cent that stay on the old system for comparison. "
    "A wave with a share of its phase takes everybody who matches, up to the share."
)


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
        if isinstance(value, str):
            return value
        return json.dumps(value, indent=2, ensure_ascii=False) if value else ""


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
