"""Pairs of rendered pages of a given number of elements, the second one spelled otherwise or with seeded changes."""

import random
import re
from typing import Final, NamedTuple

from phoenix.management.bench.growth import WORDS

ELEMENTS_PER_CARD: Final = 9
CARDS_PER_SHELF: Final = 25
CHANGED_PERCENT: Final = 5
HALF_PERCENT: Final = 50


class Pages(NamedTuple):
    """Hold two pages and how many elements the first has."""

    left: str
    right: str
    elements: int


def make_pages(elements: int, *, seed: int, changed_percent: int = CHANGED_PERCENT) -> Pages:
    """Return a page of about that many elements, and the page after changes of text, class and order, additions and removals."""
    chance = random.Random(seed)  # noqa: S311 - reproducible, not secret
    cards = _cards(elements, chance)
    left = _page(cards)
    for turn, index in enumerate(chance.sample(range(len(cards)), max(1, len(cards) * changed_percent // 100))):
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
    return Pages(left, _page(cards), _elements(left))


def make_pairs(elements: int, *, seed: int) -> dict[str, Pages]:
    """Return pairs of pages by what their difference is: the spelling of every card, one text, a few cards, half of them."""
    cards = _cards(elements, random.Random(seed))  # noqa: S311 - reproducible, not secret
    left = _page(cards)
    middle = len(cards) // 2
    one = [*cards[:middle], cards[middle].replace("</h3>", " changed</h3>"), *cards[middle + 1 :]]
    respelled = [_respelled(card, number) for number, card in enumerate(cards)]
    return {
        "spelling": Pages(left, _page(respelled), _elements(left)),
        "one": Pages(left, _page(one), _elements(left)),
        "few": make_pages(elements, seed=seed),
        "half": make_pages(elements, seed=seed, changed_percent=HALF_PERCENT),
    }


def _respelled(card: str, number: int) -> str:
    """Return a card that shows the same, with another order of classes or attributes, or other white space."""
    if number % 3 == 0:
        return re.sub('class="card ([a-z]+)"', r'class="\1 card"', card)
    if number % 3 == 1:
        return card.replace('type="button" name="buy"', 'name="buy" type="button"')
    return card.replace("<p ", "\n    <p ").replace("<div ", "\n    <div ").replace("</li>", "\n  </li>")


def _cards(elements: int, chance: random.Random) -> list[str]:
    return [_card(number, chance) for number in range(elements // ELEMENTS_PER_CARD)]


def _elements(page: str) -> int:
    return page.count("<") - page.count("</")


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
        f'<div class="foot"><span class="price">{number}.50</span><button type="button" name="buy">{words[7]}</button></div></li>'
    )
