"""What waves wait for after their date has come: from when, until when, and the reasons that were given."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from rollout.actions.readiness import what_keeps
from rollout.models import Plan, Wave
from rollout.states import WaveState

BEFORE = frozenset({WaveState.PLANNED, WaveState.LOCKED, WaveState.ANNOUNCED})


@dataclass(slots=True)
class Wait:
    """Say for what a wave waited, as codes and sentences; `until` is None while it waits."""

    wave: str
    since: datetime
    codes: tuple[str, ...]
    reasons: tuple[str, ...]
    until: datetime | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the JSON object of a report."""
        hours = round((self.until - self.since).total_seconds() / 3600, 2) if self.until else None
        return {
            "wave": self.wave,
            "since": self.since.isoformat(),
            "until": self.until.isoformat() if self.until else None,
            "hours": hours,
            "codes": list(self.codes),
            "reasons": list(self.reasons),
        }


@dataclass(slots=True)
class Waiting:
    """Keep every wait of every wave: a further one begins where the codes change."""

    waits: list[Wait] = field(default_factory=list)
    _open: dict[int, Wait] = field(default_factory=dict)

    def look(self, plan: Plan, *, at: datetime) -> None:
        """Note which waves should have started by now, and what keeps them."""
        late = Wave.objects.filter(phase__plan=plan, state__in=BEFORE, starts_at__lt=at).select_related("phase__plan")
        found = {wave.pk: (str(wave.name), what_keeps(wave, at=at)) for wave in late.order_by("pk")}
        for pk in list(self._open):
            if pk not in found:
                self._open.pop(pk).until = at
        for pk, (name, blockers) in found.items():
            codes = tuple(sorted({each.code for each in blockers}))
            before = self._open.get(pk)
            if before is not None and before.codes == codes:
                continue
            if before is not None:
                before.until = at
            self._open[pk] = Wait(name, at, codes, tuple(each.text for each in blockers))
            self.waits.append(self._open[pk])
