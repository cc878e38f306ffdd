"""What the demo's plan is asked and what was measured of it, and whom the plan of eight weeks would take afterwards."""

from datetime import timedelta
from http import HTTPStatus
from typing import Final

from django.db import transaction
from django.test import RequestFactory

from phoenix.demo.run.setting import Setting, run_command
from phoenix.health import healthz
from rollout.actions.audiences import preview_audience
from rollout.actions.blueprints import create_from_template, template
from rollout.actions.samples import SampleDraft, record_sample
from rollout.actions.scorecard import scores_of
from rollout.gates import Compare, Metric, Policy, Purpose
from rollout.models import Wave
from rollout.renders import write_renders

EIGHT_WEEKS: Final = "eight-weeks"
FIRST_WAVE: Final = 10  # people whom its first wave takes
MONTH: Final = timedelta(days=30)
PROBES: Final = 20
MADE_UP: Final = "Made up for the demo: nobody was asked."
SOURCE: Final = "demo"
TARGETS: Final = {
    name: Policy(metric, at, at, MONTH, Purpose.GATE, compare, least)
    for name, metric, at, compare, least in (
        ("Migration success above 98 %", Metric.MIGRATION_SUCCESS, 0.98, Compare.ABSOLUTE, 2),
        ("Satisfaction above 90 % (answers made up for the demo)", Metric.SATISFACTION, 0.9, Compare.ABSOLUTE, 2),
        ("Within 20 % of the old system's speed", Metric.PERFORMANCE, 1.2, Compare.CONTROL, 100),
        ("Uptime above 99.9 %", Metric.UPTIME, 0.999, Compare.ABSOLUTE, PROBES),
    )
}


def begin(setting: Setting) -> None:
    """Forget what was rendered before the wave: only its pages are measured."""
    write_renders(at=setting.clock(), is_last=True)


def measure(setting: Setting, wave: Wave) -> None:
    """Keep what the pilot's renders took on both systems and probes of the health check; answers are made up, and say so."""
    plan = wave.phase.plan
    with setting.printer.step("Measure the pilot by its targets") as (step, _advance):
        written = write_renders(at=setting.clock(), is_last=True)
        up = sum(healthz(RequestFactory().get("/healthz")).status_code == HTTPStatus.OK for _ in range(PROBES))
        at = setting.clock()
        for metric, numerator, count, note in (
            (Metric.UPTIME, up, PROBES, "Probes of the health check by the demo."),
            (Metric.SATISFACTION, wave.size - wave.size // 20, wave.size, MADE_UP),
        ):
            key = f"{plan.name}: {metric}"
            draft = SampleDraft(metric, numerator, count, count, at, plan=plan, source=SOURCE, key=key, note=note)
            record_sample(draft, by=setting.operator, at=at)
        run_command("tick")
        found = scores_of(plan, at=setting.clock())
        step.facts += [f"{score.name}: {score.value or 'unknown'}, target {score.target}" for score in found]
        step.facts.append(f"{written} samples of renders and {PROBES} probes are measured, the {wave.size} answers are made up")
        step.check("metrics without a value", expected=[], found=[score.name for score in found if not score.value])


def look_ahead(setting: Setting) -> None:
    """Say whom the plan of eight weeks would take now; the plan is made for that and undone."""
    with setting.printer.step("Look whom a plan of eight weeks would take") as (step, _advance), transaction.atomic():
        at = setting.clock()
        blueprint = template(EIGHT_WEEKS)
        plan = create_from_template("Look ahead", template=blueprint, starts_on=at.date(), **setting.deed("undone"))
        rows = Wave.objects.filter(phase__plan=plan).select_related("phase__plan").order_by("phase__position", "position")
        taken = {str(wave): len(preview_audience(wave, at=at).choice.taken) for wave in rows}
        step.facts += [f"{name}: {count:,} people" for name, count in taken.items()]
        step.check("colleagues for the first wave", expected=FIRST_WAVE, found=next(iter(taken.values())))
        transaction.set_rollback(True)
