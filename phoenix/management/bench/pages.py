"""Two rendered pages of a given number of elements, the second with seeded changes."""

import random
from typing import Final, NamedTuple

from phoenix.management.bench.growth import WORDS

ELEMENTS_PER_CARD: Final = 9
CARDS_PER_SHELF: Final = 25
CHANGED_PERCENT: Final = 5


class Pages(NamedTuple):
    """Hold two pages and how many elements the first has."""

    left: str
    right: str
    elements: int


def make_pages(elements: int, *, seed: int) -> Pages:
    """Return a page of about that many elements, and the page after changes of text, class and order, additions and removals."""
    chance = random.Random(seed)  # noqa: S311 - reproducible, not secret
    cards = [_card(number, chance) for number in range(elements // ELEMENTS_PER_CARD)]
    left = _page(cards)
    for turn, index in enumerate(chance.sample(range(len(cards)), max(1, len(cards) * CHANGED_PERCENT // 100))):
        if turn % 5 == 0:
            cards[index] = cards[index].replace("</h3>", " changed</h3>")
        elif turn % 5 == 1:
            cards[index] = cards[index].replace('class="card', 'class="card card-wide')
        elif turn % 5 == 2:
            cards[index] += '<li class="new"><p>Something new</p></li>'
        elif turn % 5 == 3:
            cards[index] = ""
        else:
            other = chance.randrange(len(cards))
            cards[index], cards[other] = cards[other], cards[index]
    return Pages(left, _page(cards), left.count("<") - left.count("</"))


def _page(cards: list[str]) -> str:
    shelves = (cards[start : start + CARDS_PER_SHELF] for start in range(0, len(cards), CARDS_PER_SHELF))
    lists = "".join(
        f"<section><h2>Shelf {number}</h2><ul>{''.join(shelf)}</ul></section>" for number, shelf in enumerate(shelves)
    )
    return f"<html><head><title>Shop</title></head><body>{lists}</body></html>"


def _card(number: int, chance: random.Random) -> str:
    words = [chance.choice(WORDS) for _ in range(8)]
    return (
        f'<li class="card {words[0]}"><h3><a href="/{words[1]}/{number}">{words[2]} {words[3]}</a></h3>'
        f'<p class="text">{words[4]} <b>{words[5]}</b> and <i>{words[6]}</i></p>'
        f'<div class="foot"><span class="price">{number}.50</span><button type="button">{words[7]}</button></div></li>'
    )
