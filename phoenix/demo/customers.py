"""The sample shop's customers: a seed in, people with their customizations out.

Pure and reproducible: the same seed gives the same people to the byte, and asking for more people only adds some at the end.
First come the colleagues (internal), then the customers who make trouble, one record each, then everybody else.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from phoenix.demo.records import Record, RecordMaker, Trouble, troubles
from phoenix.demo.shelf import Shelf

INTERNAL = 12
CUSTOMERS, COLLEAGUES = "customers.example", "staff.example"  # domains that nobody can register (RFC 2606)
MANY_LINES, VERY_MANY_LINES = (11, 60), (61, 1_000_000)
FEWEST = 60  # room for the colleagues, for every kind of trouble and for some ordinary customers

_COUNTS, _COUNT_WEIGHTS = (1, 2, 3, 4, 5), (47, 27, 14, 8, 4)
_POPULARITY = {
    "shop.product_card": 10,
    "shop.cart_summary": 5,
    "shop.promo_banner": 4,
    "shop.product_list_header": 4,
    "shop.review_box": 3,
}


@dataclass(frozen=True, slots=True)
class Region:
    """Describe where customers live and what they are called there."""

    name: str
    weight: int
    time_zones: tuple[str, ...]
    languages: tuple[str, ...]
    given: tuple[str, ...]
    family: tuple[str, ...]


def _names(text: str) -> tuple[str, ...]:
    return tuple(text.split())


REGIONS = (
    Region(
        "eu-west", 30, ("Europe/Berlin", "Europe/Paris", "Europe/Madrid", "Europe/London"), ("de", "fr", "es", "en"),
        _names("anna ben clara david elisa felix greta hugo ines jonas lea marta nils paula simon thea"),
        _names("bauer dubois ferrer garnier hoffmann keller laurent martin navarro oconnor petit richter soler vogel"),
    ),
    Region(
        "eu-north", 10, ("Europe/Stockholm", "Europe/Helsinki", "Europe/Copenhagen"), ("sv", "fi", "da", "en"),
        _names("aino bjorn ebba elias freja gustav ida joonas liv mikael saga sofus tuva veera"),
        _names("berg dahl eriksson hansen korhonen lind makinen nystrom olsen rask solberg virtanen"),
    ),
    Region(
        "na-east", 20, ("America/New_York", "America/Toronto"), ("en", "fr"),
        _names("aaliyah brandon chloe daniel emily grace isaiah jordan kayla liam mason olivia sophie tyler"),
        _names("adams brooks carter diaz evans foster gagnon hayes jenkins kelly morgan reed tremblay walker"),
    ),
    Region(
        "na-west", 12, ("America/Los_Angeles", "America/Denver", "America/Vancouver"), ("en", "es"),
        _names("abigail carlos diego ethan fiona hannah jade kai leo maya noah riley sierra wyatt"),
        _names("begay chen flores gonzalez hughes kim lee mitchell nguyen ortega price ramirez stone wong"),
    ),
    Region(
        "latam", 10, ("America/Sao_Paulo", "America/Mexico_City", "America/Bogota"), ("pt", "es"),
        _names("ana bruno camila emilio fernanda gael julia lucas mariana rafael sofia thiago valentina"),
        _names("almeida barros castillo costa gomez lima mendoza pereira rojas santos torres vargas"),
    ),
    Region(
        "apac", 12, ("Asia/Tokyo", "Asia/Singapore", "Asia/Kolkata", "Asia/Seoul"), ("ja", "en", "hi", "ko"),
        _names("aarav akira ananya haruka jisoo kenji mei minjun priya ravi sakura wei yuna yuto"),
        _names("gupta iyer kobayashi lim mehta nakamura park rao sato sharma suzuki tan yamada"),
    ),
    Region(
        "mea", 4, ("Africa/Lagos", "Africa/Nairobi", "Asia/Dubai"), ("en", "sw", "ar"),
        _names("amara chidi fatima hassan imani kwame layla nia omar samira tunde zuri"),
        _names("abdi adeyemi diallo farouk kamau mensah nasser okafor otieno rahman"),
    ),
    Region(
        "anz", 2, ("Australia/Sydney", "Pacific/Auckland"), ("en",),
        _names("aroha bailey cooper isla jack matilda ngaire oscar ruby tane"),
        _names("campbell fraser harris ngata parata robinson taylor watson"),
    ),
)  # fmt: skip


class TooFewPeople(ValueError):
    """The number of people leaves no room for every kind of record."""

    def __init__(self, people: int) -> None:
        """Keep what was asked for."""
        super().__init__(f"{people} people cannot hold every kind of record; ask for at least {FEWEST}.")
        self.people = people


@dataclass(frozen=True, slots=True)
class Customer:
    """Hold one person and their customizations."""

    user: str
    email: str
    region: str
    time_zone: str
    language: str
    engagement: float
    technical: bool
    internal: bool
    signed_up_at: datetime
    records: tuple[Record, ...]

    def as_json(self) -> dict[str, Any]:
        """Return the person in the import format."""
        return {
            "user": self.user,
            "email": self.email,
            "region": self.region,
            "time_zone": self.time_zone,
            "language": self.language,
            "engagement": self.engagement,
            "technical": self.technical,
            "internal": self.internal,
            "signed_up_at": self.signed_up_at.isoformat(),
        }


def customers(shelf: Shelf, *, seed: int, people: int) -> Iterator[Customer]:
    """Yield that many customers, made up from the seed and the components on the shelf.

    Raises:
        TooFewPeople: if `people` is below `FEWEST`.
    """
    if people < FEWEST:
        raise TooFewPeople(people)
    maker = RecordMaker(shelf, seed=seed)
    bad = troubles(shelf)
    for index in range(people):
        chance = random.Random(f"{seed}:{index}")  # noqa: S311 -- reproducible sample data, nothing secret
        trouble = bad[index - INTERNAL] if INTERNAL <= index < INTERNAL + len(bad) else None
        yield _customer(index, maker, chance, trouble)


def easy_customers(shelf: Shelf, *, seed: int, people: int) -> Iterator[Customer]:
    """Yield that many customers who make no trouble: simple edits of the current versions only. Their names say the seed."""
    maker = RecordMaker(shelf, seed=seed)
    for index in range(people):
        chance = random.Random(f"{seed}:easy:{index}")  # noqa: S311 -- reproducible sample data, nothing secret
        yield _customer(index, maker, chance, None, name=f"seed-{seed}-{index + 1}")


def movable_customers(shelf: Shelf, *, seed: int, people: int) -> Iterator[Customer]:
    """Yield that many customers whom a wave can move: colleagues first, then edits of the current versions only.

    Of twelve customers two change many lines, and one, who is engaged and technical, very many, so that every wave of the
    eight-week plan finds its people.
    """
    maker = RecordMaker(shelf, seed=seed)
    larger = {5: maker.edits_of_size(*MANY_LINES), 8: maker.edits_of_size(*MANY_LINES), 11: maker.edits_of_size(*VERY_MANY_LINES)}
    for index in range(people):
        chance = random.Random(f"{seed}:movable:{index}")  # noqa: S311 -- reproducible sample data, nothing secret
        made = _customer(index, maker, chance, None, current=True)
        edits = larger.get(index % 12, [])
        if index >= INTERNAL and edits:
            record = maker.current_record(made.user, chance.choice(edits), chance)
            others = tuple(each for each in made.records if each.component != record.component)
            made = replace(made, records=(record, *others))
        if index >= INTERNAL and index % 12 == 11:
            made = replace(made, engagement=round(chance.uniform(0.6, 1), 3), technical=True)
        yield made


def _customer(
    index: int, maker: RecordMaker, chance: random.Random, trouble: Trouble | None, *, name: str = "", current: bool = False
) -> Customer:
    """Return one customer; who has a `name` already makes no trouble, wherever they stand."""
    region = chance.choices(REGIONS, [each.weight for each in REGIONS])[0]
    internal = index < INTERNAL and not name
    user = name or f"{chance.choice(region.given)}-{chance.choice(region.family)}-{index + 1:04}"
    engagement = round(chance.betavariate(2, 2), 3)
    technical = internal or chance.random() < 0.1 + 0.3 * engagement
    records = _records(user, maker, chance, trouble, tame=internal or bool(name), current=current)
    first = min(record.created_at for record in records)
    return Customer(
        user=user,
        email=f"{user}@{COLLEAGUES if internal else CUSTOMERS}",
        region=region.name,
        time_zone=chance.choice(region.time_zones),
        language=chance.choice(region.languages),
        engagement=engagement,
        technical=technical,
        internal=internal,
        signed_up_at=first - timedelta(days=chance.randrange(1, 700)),
        records=records,
    )


def _records(
    user: str, maker: RecordMaker, chance: random.Random, trouble: Trouble | None, *, tame: bool, current: bool
) -> tuple[Record, ...]:
    """Return one to five active records on different components, now and then with a former one that is inactive."""
    wanted = chance.choices(_COUNTS, _COUNT_WEIGHTS)[0]
    components: list[str] = [trouble.component] if trouble else []
    while len(components) < wanted:
        component = chance.choices(list(_POPULARITY), list(_POPULARITY.values()))[0]
        if component not in components:
            components.append(component)
    records = [
        trouble.make(maker, user, component)
        if trouble and component == trouble.component
        else maker.record(user, component, chance, tame=tame, current=current)
        for component in components
    ]
    if trouble is None and chance.random() < 0.06:
        records.append(maker.record(user, components[0], chance, active=False))
    return tuple(records)
