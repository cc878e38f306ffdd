"""What a wave's people were told, and waivers of what they were not."""

from django.core.management.base import CommandParser

from rollout.actions.notices import counts_of, missing_notices, waive_notice
from rollout.management.acts import Act, act_on, who
from rollout.models import Wave
from rollout.timetable import in_words
from slots.management.base import Deed, Report


def _notices(wave: Wave, deed: Deed) -> Report:
    counts = counts_of(wave)
    missing = missing_notices(wave, at=deed.at)
    lines = [f"{len(counts)} notices are for {wave}."]
    for row in counts:
        moment = "before the start" if row["moment"] == "before_start" else "after the switch"
        said = ", ".join(f"{row[state]} {state}" for state in ("sent", "pending", "failed", "cancelled"))
        lines.append(f"  {row['name']} (notice {row['pk']}), {in_words(row['lead'])} {moment}: {said}")
    lines += [f"  Missing: {each.text}" for each in missing]
    data = {
        "wave": wave.pk,
        "notices": [row | {"lead": row["lead"].total_seconds()} for row in counts],
        "missing": [{"notice": each.notice.pk, "text": each.text} for each in missing],
    }
    return Report(data, lines)


def _waive(wave: Wave, deed: Deed, *, notice: int | None) -> Report:
    found = [each.notice for each in missing_notices(wave, at=deed.at) if notice in {None, each.notice.pk}]
    for row in found:
        waive_notice(row, wave, **who(deed))
    lines = [f"{len(found)} notices are waived for this date of {wave}, in the name of {deed.by}."]
    return Report({"wave": wave.pk, "waived": [row.pk for row in found]}, lines)


def _notice(parser: CommandParser) -> None:
    parser.add_argument("--notice", type=int, help="Primary key of the one notice; all that are missing if left out.")


ACTS: tuple[Act, ...] = (
    act_on(Wave, "notices", "Show what a wave's people were told.", _notices),
    act_on(Wave, "waive-notices", "Let a wave go on though not all were told, in your name.", _waive, _notice),
)
