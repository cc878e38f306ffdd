"""Shares of a number of people: whole people, by largest remainder, so that shares of a hundred per cent are everybody.

A share has three decimals, so three equal waves are 33.333 % each: a sum that misses a hundred by no more than such rounding
counts as a hundred.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from rollout.errors import AudienceInvalid

WHOLE: Final = 100_000  # thousandths of a per cent


def part_of(total: int, per_cent: Decimal | float) -> int:
    """Return so many per cent of a number of people, half a person rounded up."""
    return (2 * total * _thousandths(per_cent) + WHOLE) // (2 * WHOLE)


def portions(total: int, shares: Sequence[Decimal]) -> list[int]:
    """Return how many people each share is, in order; together they are the sum of the shares, rounded.

    Raises:
        AudienceInvalid: the shares are more than a hundred per cent.
    """
    parts = [_thousandths(share) for share in shares]
    whole, is_all = WHOLE, 2 * abs(sum(parts) - WHOLE) <= len(parts)
    if is_all:
        whole = sum(parts)
    elif sum(parts) > WHOLE:
        text = f"The shares of a phase's waves are {Decimal(sum(parts)) / 1000:f} % together."
        raise AudienceInvalid(text, place="share", step="Lower them to 100 % at most.")
    wanted = total if is_all else (2 * total * sum(parts) + WHOLE) // (2 * WHOLE)
    found = [total * part // whole for part in parts]
    by_remainder = sorted(range(len(parts)), key=lambda number: (-(total * parts[number] % whole), number))
    for number in by_remainder[: wanted - sum(found)]:
        found[number] += 1
    return found


def _thousandths(per_cent: Decimal | float) -> int:
    return round(Decimal(str(per_cent)) * 1000)
