"""Acts on many rows at once, as the lists of the admin do them: first what it would be, then that and nothing else."""

from django.core.management.base import CommandParser

from rollout.actions.bulk import BULK_ACTS, MODELS
from rollout.actions.criteria import Criteria, rows_meant
from rollout.actions.selection_parts import parts_that_failed
from rollout.actions.selection_rows import done_so_far, selection_as_json
from rollout.actions.selections import begin_selection, freeze_selection
from rollout.jobs import carry_out, wake_selection
from rollout.management.acts import Act, act_on
from rollout.models import Selection, Subject
from slots.management.base import Deed, Report


def _shown(selection: Selection) -> list[str]:
    lines = [f"Selection {selection.pk}: {selection.act} {selection.taken:,} of {selection.looked_at:,} ({selection.criteria})."]
    lines += [f"  left out: {count:,} ({code}). {text}" for code, text, count in selection.reasons]
    if selection.finished_at:
        given_up = f", {selection.given_up:,} given up after an accident" if selection.given_up else ""
        lines.append(f"  {selection.applied:,} done, {selection.refused:,} changed since the preview or refused{given_up}.")
    lines += [f"  not done: {count:,} ({code}). {text}" for code, text, count in selection.changes]
    lines += [f"  failed {part.tries} times and is tried again: {part.error}" for part in parts_that_failed(selection)]
    return lines


def _select_options(parser: CommandParser) -> None:
    parser.add_argument("verb", metavar="ACT", choices=sorted({act.name for act in BULK_ACTS}), help="What is to be done.")
    parser.add_argument("--of", dest="subject", default=str(Subject.ENROLMENT), choices=list(map(str, MODELS)), help="To what.")
    for place in ("wave", "phase", "plan"):
        parser.add_argument(f"--{place}", type=int, metavar="PK", help=f"Those of this {place}.")
    parser.add_argument("--state", default="", metavar="A,B", help="Those in one of these states.")
    parser.add_argument("--code", default="", metavar="A,B", help="People who stopped with one of these codes.")
    parser.add_argument("--users", default="", metavar="A,B", help="These people; tenant/user outside the default tenant.")
    parser.add_argument("--to", type=int, metavar="WAVE", help="The later wave of a deferral.")


def _select(
    deed: Deed,
    *,
    verb: str,
    subject: str,
    wave: int | None,
    phase: int | None,
    plan: int | None,
    state: str,
    code: str,
    users: str,
    to: int | None,
) -> Report:
    criteria = Criteria(wave, phase, plan, _listed(state), _listed(code), _listed(users))
    options = {} if to is None else {"to": to}
    rows = rows_meant(subject, criteria)
    selection = freeze_selection(rows, verb, criteria=str(criteria), by=deed.by, at=deed.at, options=options)
    lines = [*_shown(selection), f"Nothing has happened yet: `manage.py rollout apply {selection.pk} --reason …` does it."]
    return Report(selection_as_json(selection), lines)


def _listed(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _apply_options(parser: CommandParser) -> None:
    parser.add_argument("--hash", default="", help="Refuse unless the selection has this hash.")
    parser.add_argument("--async", action="store_true", dest="is_left", help="Leave it to the workers.")


def _apply(selection: Selection, deed: Deed, *, hash: str, is_left: bool) -> Report:
    begin_selection(selection, digest=hash or selection.digest, by=deed.by, at=deed.at, reason=deed.reason)
    if is_left:
        wake_selection(selection.pk)
        return Report(selection_as_json(selection), [f"Selection {selection.pk} is left to the workers."])
    carry_out(selection)
    if selection.finished_at is None:
        left = selection.taken - done_so_far(selection)
        line = f"  {left:,} rows are left to the workers: some hold them already, or they wait for another try."
        return Report(selection_as_json(selection), [*_shown(selection), line])
    return Report(selection_as_json(selection), _shown(selection), _needs(selection))


def _needs(selection: Selection) -> str:
    """Return what is left for a person, if anything."""
    ended, refused = selection.given_up, selection.refused
    said = [f"{ended} rows were given up after an accident. Mend its cause, then select anew."] if ended else []
    said += [f"{refused} rows are not what the preview showed. Look at them, then select anew."] if refused else []
    return " ".join(said)


def _show(selection: Selection, _deed: Deed) -> Report:
    return Report(selection_as_json(selection), _shown(selection))


ACTS: tuple[Act, ...] = (
    Act("select", "Freeze on whom or what an act is to be done, and show it; nothing happens yet.", _select, _select_options),
    act_on(Selection, "apply", "Do what a selection froze, to these rows and no others.", _apply, _apply_options),
    act_on(Selection, "selection", "Show a selection, and what came of it.", _show),
)
