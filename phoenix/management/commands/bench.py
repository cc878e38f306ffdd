"""`bench`: how fast and how right Phoenix is, beside the tools a team would otherwise use."""

import json
from argparse import ArgumentParser
from contextlib import ExitStack
from itertools import islice
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError

from migration.management.corpus.synthetic.cases import generate, lineages
from phoenix.management.bench import engine, samples, tables
from phoenix.management.bench.process import WorkerEnded
from phoenix.management.bench.render import run as render_run
from phoenix.management.bench.rollout import run as rollout_run
from slots.management.base import PlainCommand, WrongUsage

COMPONENTS = Path("phoenix", "demo", "components")
CASES = 3_000
SEED = 1
ROUNDS = 3
RENDER_ROUNDS = 15
PEOPLE = 100_000
# As many synthetic edits stand in for customizations where no corpus is named.
SAMPLES = 200


class Command(PlainCommand):
    """Measure, side by side with peers."""

    help = (
        "Measures the engine beside git merge-file, GNU patch, xmldiff and diff-dom, on the components of the sample shop or "
        "on a corpus of recorded customizations, and rendering beside a template forked by hand, Django's blocks, Jinja2, "
        "JinjaX, django-components, django-cotton, Slippers and the legacy system; both in one run and by processor time. "
        "Rollbacks are measured while two web processes serve pages, and the flag beside waffle's own. "
        "Nothing is stored. A peer that is not installed is left out, and the report says so."
    )
    requires_system_checks = []
    requires_migrations_checks = False

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare what to measure, on what, and the form of the output."""
        parser.add_argument("--engine", action="store_true", help="measure the translation engine (without a choice: everything)")
        parser.add_argument("--render", action="store_true", help="measure rendering")
        parser.add_argument(
            "--rollout", action="store_true", help="measure rollbacks and the flag, on the database of DATABASE_URL"
        )
        people = f"how many people are in the rollout; a wave is a tenth of them (default {PEOPLE})"
        parser.add_argument("--people", type=int, default=PEOPLE, help=people)
        parser.add_argument("--wave", type=int, metavar="PEOPLE", help="how many people are in that wave instead")
        parser.add_argument(
            "--part", action="append", choices=list(engine.PARTS), help="measure this part of the engine only; may be repeated"
        )
        parser.add_argument("--corpus", type=Path, metavar="FILE.jsonl", help="measure on recorded customizations")
        parser.add_argument("--seed", type=int, default=SEED, help=f"of everything that is drawn or made (default {SEED})")
        parser.add_argument("--cases", type=int, default=CASES, help=f"synthetic edits, at most (default {CASES})")
        rounds = f"how often everything is timed (default {ROUNDS}, rendering {RENDER_ROUNDS})"
        parser.add_argument("--rounds", type=int, help=rounds)
        parser.add_argument("--details", type=Path, metavar="OUT.jsonl", help="write every synthetic edit with all its sources")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(
        self,
        *,
        engine: bool,
        render: bool,
        rollout: bool,
        people: int,
        wave: int | None,
        part: list[str] | None,
        corpus: Path | None,
        seed: int,
        cases: int,
        rounds: int | None,
        details: Path | None,
        json: bool,
        **options: Any,
    ) -> None:
        """Measure and print."""
        if min(cases, people) < 1 or any(each is not None and each < 1 for each in (rounds, wave)):
            raise WrongUsage("--rounds, --cases, --people and --wave are counts from 1.", "BENCH_EMPTY")
        is_all = not (engine or render or rollout or part)
        found: dict[str, Any] = {}
        try:
            if is_all or engine or part:
                found |= _engine(part, corpus, details, seed=seed, cases=cases, rounds=rounds or ROUNDS)
            if is_all or render:
                found |= _render(rounds=rounds or RENDER_ROUNDS)
            if is_all or rollout:
                found |= {"rollout": rollout_run.measure(people=people, wave=wave, say=self.stderr.write)}
        except OSError as error:
            raise WrongUsage(f"{error.filename}: {error.strerror}. Give paths that can be used.") from error
        except samples.InputRefused as refused:
            raise CommandError(f"{refused} Mend it, or measure on something else.") from refused
        except (WorkerEnded, render_run.ContestantDiffers, rollout_run.RolloutWrong) as failed:
            raise CommandError(f"BENCH_FAILED: {failed}") from failed
        self.stdout.write(_compact(found) if json else "\n".join(tables.lines(found)))


def _engine(
    parts: list[str] | None, corpus: Path | None, details: Path | None, *, seed: int, cases: int, rounds: int
) -> dict[str, Any]:
    with ExitStack() as stack:
        run = _run(corpus, seed=seed, cases=cases, rounds=rounds)
        run.details = stack.enter_context(details.open("w", encoding="utf-8")) if details else None
        return {"engine": engine.measure(run, dict.fromkeys(parts or engine.PARTS))}


def _render(*, rounds: int) -> dict[str, Any]:
    found = render_run.measure(rounds=rounds)
    return {"render": found, "merge_us": found["merge"]["us"]}


def _run(corpus: Path | None, *, seed: int, cases: int, rounds: int) -> engine.Run:
    """Read what is measured on."""
    if corpus is None:
        found = samples.lineages_in(settings.BASE_DIR / COMPONENTS)
        drawn = list(samples.of_cases(islice(generate(found, seed=seed, count=cases), SAMPLES)))
    else:
        records = samples.read_corpus(corpus)
        found, drawn = lineages(records), list(samples.of_records(records))
    return engine.Run(drawn, found, seed=seed, cases=cases, rounds=rounds)


def _compact(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
