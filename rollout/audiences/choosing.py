"""Choose people: who matches comes in sticky order or mixed over strata, up to a number; the others are told why not."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

from rollout.audiences.audience import Audience
from rollout.audiences.order import in_order, rank
from rollout.audiences.rules import Miss, first_miss, sentence_of
from rollout.audiences.shares import part_of
from rollout.audiences.strata import Stratum, mixed
from rollout.audiences.traits import KINDS, UNKNOWN, Kind, Traits

NOTHING_KNOWN: Final = Traits()
WORDS: Final = 200  # what `chosen_for` holds


@dataclass(frozen=True, slots=True)
class Candidate:
    """Name somebody who could be taken: `place` is theirs in sticky order, from 1; `is_named` that the audience names them."""

    pk: int
    user: str
    place: int
    traits: Traits = NOTHING_KNOWN
    is_named: bool = False


@dataclass(frozen=True, slots=True)
class Choice:
    """Say whom an audience takes of the candidates, and whom not: `beyond` match, but others come before them.

    `wanted` is how many it would take at most, None for all.
    """

    audience: Audience
    wanted: int | None
    among: int
    taken: tuple[Candidate, ...]
    beyond: tuple[Candidate, ...]
    missed: tuple[tuple[Candidate, Miss], ...]

    @property
    def short(self) -> int:
        """Return how many fewer it takes than it would."""
        return 0 if self.wanted is None else self.wanted - len(self.taken)

    @property
    def by_stratum(self) -> list[tuple[Stratum, int, int]]:
        """Return for each stratum how many are taken and how many match, largest first; nothing without strata."""
        if not self.audience.strata:
            return []
        strata = self.audience.strata
        taken = Counter(each.traits.stratum(strata) for each in self.taken)
        matching = taken + Counter(each.traits.stratum(strata) for each in self.beyond)
        largest_first = sorted(matching.items(), key=lambda each: (-each[1], each[0]))
        return [(stratum, taken[stratum], count) for stratum, count in largest_first]

    def reason(self, candidate: Candidate) -> str:
        """Return why somebody was taken, in words."""
        said = [f"rank {candidate.place:,} of {self.among:,} in sticky order"]
        if candidate.is_named:
            said.insert(0, "named")
        if self.audience.strata:
            said.append(", ".join(words_of(candidate.traits, self.audience.strata)))
        if self.audience.rules:
            said.append(sentence_of(self.audience.rules))
        return "; ".join(said)[:WORDS]


def words_of(traits: Traits, strata: tuple[str, ...]) -> list[str]:
    """Return somebody's place in a mix as words that can be read alone."""
    found = zip(strata, traits.stratum(strata), strict=True)
    return [word if KINDS[trait] is Kind.YES_NO and word != UNKNOWN else f"{trait} {word}" for trait, word in found]


def line_up(salt: str, people: Iterable[tuple[int, str, Traits, bool]]) -> list[Candidate]:
    """Return people (key, name, traits, whether they are named) in sticky order, whatever order they come in."""
    ranked = sorted((rank(salt, user), user, pk, traits, is_named) for pk, user, traits, is_named in people)
    return [
        Candidate(pk, user, place, traits, is_named) for place, (_rank, user, pk, traits, is_named) in enumerate(ranked, start=1)
    ]


def choose(candidates: Sequence[Candidate], *, audience: Audience, wanted: int | None, among: int) -> Choice:
    """Return whom the audience takes of the candidates, who come in sticky order; `among` is how many there were at first."""
    matching: list[Candidate] = []
    missed: list[tuple[Candidate, Miss]] = []
    if audience.rules:
        for each in candidates:
            miss = first_miss(audience.rules, each.traits)
            if miss is None:
                matching.append(each)
            else:
                missed.append((each, miss))
    else:
        matching = list(candidates)
    if wanted is None or wanted >= len(matching):
        return Choice(audience, wanted, among, tuple(matching), (), tuple(missed))
    if not audience.strata:
        return Choice(audience, wanted, among, tuple(matching[:wanted]), tuple(matching[wanted:]), tuple(missed))
    strata = audience.strata
    picked = {each.pk for each in islice(mixed(matching, stratum_of=lambda each: each.traits.stratum(strata)), wanted)}
    taken = tuple([each for each in matching if each.pk in picked])
    beyond = tuple([each for each in matching if each.pk not in picked])
    return Choice(audience, wanted, among, taken, beyond, tuple(missed))


def allot(candidates: Sequence[Candidate], demands: Sequence[tuple[Audience, int]]) -> list[Choice]:
    """Return whom each audience takes in turn, up to its number, of those whom none before it took.

    Audiences without rules take consecutive slices of the sticky order. Whom no audience takes is left for later.
    """
    left: Sequence[Candidate] = candidates
    choices = []
    for audience, wanted in demands:
        choice = choose(left, audience=audience, wanted=wanted, among=len(candidates))
        gone = {each.pk for each in choice.taken}
        left = [each for each in left if each.pk not in gone]
        choices.append(choice)
    return choices


def held_out(salt: str, users: Sequence[str], per_cent: float) -> frozenset[str]:
    """Return who of a wave stays on the old system for comparison, by an order of its own; never everybody."""
    count = min(part_of(len(users), per_cent), max(len(users) - 1, 0))
    return frozenset(in_order(f"{salt}:holdout", users)[:count]) if count else frozenset()
