"""Templates of a given size with two independent changes each, to see how time grows.

Half of the sections are alike but for their text, as in real lists; texts are seeded words. The share of what is changed is
the same at every size, so the number of operations grows with the source.
"""

import random
from typing import Final, NamedTuple

from slots.markup.tree import parse

WORDS: Final = (
    "account basket blue card colour customer delivery discount field gift green help image label list message name new note "
    "number offer order page panel paper parcel payment people place price product quantity query reason record red result "
    "return review sale save search season send set shelf shop size small sold start stock store sum table text title today "
    "total track user value view wish word year"
).split()
# Of a hundred sections, so many are changed by the customization and so many by the next release.
CHANGED_PERCENT: Final = 5


class Grown(NamedTuple):
    """Hold a template, a customization of it, the next release, and how many nodes the template's tree has."""

    base: str
    customized: str
    later: str
    nodes: int


def grow(nodes: int, *, seed: int) -> Grown:
    """Return a template of about that many nodes (never more) with both changes."""
    chance = random.Random(seed)  # noqa: S311 - reproducible, not secret
    sections = [_section(number, chance) for number in range(2)]
    per_section = _count(sections)
    sections = [_section(number, chance) for number in range(max(2, int((nodes - 2) / per_section)))]
    while _count(sections) * len(sections) + 2 > nodes:
        sections.pop()
    base = _page(sections)
    return Grown(base, _page(_customized(sections, chance)), _page(_released(sections, chance)), len(parse(base).nodes))


def _count(sections: list[str]) -> float:
    """Return how many nodes a section has on average."""
    return (len(parse("".join(sections)).nodes) - 1) / len(sections)


def _page(sections: list[str]) -> str:
    return f"<main>\n{''.join(sections)}</main>\n"


def _section(number: int, chance: random.Random) -> str:
    words = [chance.choice(WORDS) for _ in range(8)]
    if number % 2:
        return (
            f'<section id="s{number}" class="{words[0]} {words[1]}">\n <h2>{words[2]} {words[3]} {number}</h2>\n'
            f' {{% if {words[4]} %}}<a href="/{words[5]}">{words[6]}</a>{{% endif %}}\n <p>{{{{ {words[7]}.{number} }}}}</p>\n'
            f" <i>{words[1]}</i>\n</section>\n"
        )
    return (
        f'<section class="row">\n <h3>{words[0]}</h3>\n <ul>\n  <li>{words[1]}</li>\n  <li>{words[2]} {words[3]}</li>\n'
        f" </ul>\n <b>{{{{ {words[4]} }}}}</b>\n <hr>\n</section>\n"
    )


def _customized(sections: list[str], chance: random.Random) -> list[str]:
    changed = list(sections)
    for turn, index in enumerate(_picked(sections, chance)):
        if turn % 4 == 0:
            changed[index] = changed[index].replace('class="', 'class="own ', 1)
        elif turn % 4 == 1:
            changed[index] = changed[index].replace("</section>", f" <p>Own note {turn}</p>\n</section>")
        elif turn % 4 == 2:
            changed[index] = f'<div class="frame">\n{changed[index]}</div>\n'
        else:
            changed[index] = ""
    return changed


def _released(sections: list[str], chance: random.Random) -> list[str]:
    changed = list(sections)
    for turn, index in enumerate(_picked(sections, chance)):
        if turn % 3 == 0:
            changed[index] = changed[index].replace("<section ", '<section role="group" ', 1)
        elif turn % 3 == 1:
            changed[index] += f'<aside id="new{turn}">{chance.choice(WORDS)}</aside>\n'
        else:
            other = chance.randrange(len(changed))
            changed[index], changed[other] = changed[other], changed[index]
    return changed


def _picked(sections: list[str], chance: random.Random) -> list[int]:
    count = max(1, len(sections) * CHANGED_PERCENT // 100)
    return sorted(chance.sample(range(len(sections)), count))
