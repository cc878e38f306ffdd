"""Try a law on seeded inputs until the time is up, and make the first input on which it fails as small as it gets."""

import random
import time
from dataclasses import dataclass

from tests.fuzz.grammar import sources

SHRINKING_SECONDS = 20


@dataclass(frozen=True)
class Found:
    """Hold an input on which a law fails: as it was drawn, and what was left after making it smaller."""

    law: str
    number: int
    seed: int
    sample: tuple
    error: str

    def __str__(self):
        base, ours, theirs = ("".join(pieces) for pieces in self.sample)
        return (
            f"{self.law} does not hold: {self.error}\n"
            f"Again: make fuzz FUZZ_SEED={self.seed} FUZZ_CASE={self.number} ARGS='-k {self.law}'. Smallest input:\n"
            f"from tests.fuzz.laws import {self.law}\n{self.law}(\n    {base!r},\n    {ours!r},\n    {theirs!r},\n)"
        )


def draw(seed, number):
    """Return the input of one case; equal arguments give equal inputs."""
    return sources(random.Random(f"{seed}/{number}"))


def hunt(law, *, seed, seconds, first=0, only=None):
    """Return what was found (None: nothing) and how many cases were tried before the time was up."""
    deadline = time.monotonic() + seconds
    number = first if only is None else only
    tried = 0
    while True:
        sample = draw(seed, number)
        tried += 1
        error = failure(law, sample)
        if error:
            sample = smallest(law, sample, deadline=time.monotonic() + SHRINKING_SECONDS)
            return Found(law.__name__, number, seed, sample, failure(law, sample) or error), tried
        number += 1
        if only is not None or time.monotonic() > deadline:
            return None, tried


def failure(law, sample):
    """Return in what way the law fails on the sample, empty where it holds."""
    try:
        law(*("".join(pieces) for pieces in sample))
    except Exception as error:  # whatever it is, it is what was looked for
        return f"{type(error).__name__}: {error}"[:2000]
    return ""


def smallest(law, sample, *, deadline):
    """Take pieces, then characters, out of the sample as long as the law still fails."""
    for split in (list, lambda pieces: list("".join(pieces))):
        sample = tuple(split(pieces) for pieces in sample)
        size = max(map(len, sample))
        while size and time.monotonic() < deadline:
            smaller = _without(law, sample, size, deadline)
            if smaller is None:
                size //= 2
            else:
                sample = smaller
    return sample


def _without(law, sample, size, deadline):
    """Return the sample without one run of `size` pieces, taken out wherever it stands in each source or in one; or None."""
    for which in ((0, 1, 2), (0, 1), (0, 2), (1, 2), (0,), (1,), (2,)):
        for start in range(0, max(len(sample[index]) for index in which), size):
            if time.monotonic() > deadline:
                return None
            candidate = tuple(
                pieces[:start] + pieces[start + size :] if index in which else pieces for index, pieces in enumerate(sample)
            )
            if candidate != sample and failure(law, candidate):
                return candidate
    return None
