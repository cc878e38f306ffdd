"""Virtual workers: they move people chunk by chunk with the real code, while the virtual clock goes on by what work takes."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from rollout.actions.chunks import ChunkReport, claim, process_chunk
from rollout.models import Wave
from rollout.rehearsal.clock import VirtualClock, WorkClock

AT_ONCE: Final = 20  # people in a chunk at least, so that guards look in between as they do in earnest
CHUNKS: Final = 8  # of a large wave
PER_LOOK: Final = 0.4  # seconds between two looks at the clock: some 16 s for a chunk of 20


@dataclass(slots=True)
class Workers:
    """Process chunks; `dying` workers claim theirs and are never heard of again."""

    clock: VirtualClock
    chance: random.Random
    pace: Callable[[], float] = lambda: 1.0
    dying: int = 0
    deaths: list[tuple[str, int]] = field(default_factory=list)

    def work(self, wave_pk: int) -> ChunkReport:
        """Do what one worker does that was woken up for a wave."""
        wave = Wave.objects.select_related("phase__plan").get(pk=wave_pk)
        size = max(AT_ONCE, wave.size // CHUNKS)
        if self.dying:
            self.dying -= 1
            lease = claim(wave, size=size, at=self.clock())
            self.deaths.append((str(wave), len(lease.people) if lease else 0))
            return ChunkReport()
        clock = WorkClock(self.clock, self.chance, per_look=PER_LOOK * self.pace())
        return process_chunk(wave, clock=clock, size=size)
