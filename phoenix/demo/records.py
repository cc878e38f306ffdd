"""Customization records of the sample customers, each with the category that says what has to become of it.

Pure: the diffs come from the edits, the chance from the generator that is handed in.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from migration.engine import diff
from phoenix.demo.edits import cart_summary, list_header, product_card, promo_banner, review_box
from phoenix.demo.edits.edit import Edit, Legacy, Level
from phoenix.demo.edits.hopeless import BROKEN_DIFFS, BrokenDiff
from phoenix.demo.edits.hostile import HOSTILE
from phoenix.demo.shelf import Shelf, released_at
from slots.registry import ComponentRecord

EDITS: tuple[Edit, ...] = product_card.EDITS + list_header.EDITS + cart_summary.EDITS + review_box.EDITS + promo_banner.EDITS

_LAST_DAY = datetime(2026, 10, 31, tzinfo=UTC)
_LEVEL_WEIGHT = {Level.SIMPLE: 5, Level.MEDIUM: 3, Level.COMPLEX: 2}
_OLD_WEIGHT = {Legacy.CLEAN: 8, Legacy.FUZZ: 4, Legacy.PLAIN: 1}
_OLD_SHARE = 0.3
_MISDATED_SHARE = 0.2


class Category(StrEnum):
    """Kinds of records in the sample data; `expectations.py` says what must become of each."""

    CURRENT = "current"
    CARRIED = "carried"
    FUZZED = "fuzzed"
    FORGOTTEN = "forgotten"
    MISDATED = "misdated"
    LOST = "lost"
    INACTIVE = "inactive"
    HOSTILE = "hostile"
    BROKEN = "broken"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Record:
    """Hold one customization as the old system would export it, and what the sample data knows about it.

    `label` names the edit or the defect, `code` is the code it has to be refused with, empty where none is expected.
    """

    external_id: str
    user: str
    component: str
    base_version: str
    diff: str
    active: bool
    created_at: datetime
    category: Category
    label: str
    level: Level | None = None
    code: str = ""

    def as_json(self) -> dict[str, Any]:
        """Return the record in the import format."""
        return {
            "external_id": self.external_id,
            "user": self.user,
            "component": self.component,
            "base_version": self.base_version,
            "diff": self.diff,
            "active": self.active,
            "created_at": self.created_at.isoformat(),
        }


@dataclass(frozen=True, slots=True)
class Trouble:
    """Describe the one record by which a customer makes trouble: hostile, broken or about something unknown."""

    category: Category
    component: str
    label: str
    make: Callable[["RecordMaker", str, str], Record]


class RecordMaker:
    """Make records from the shelf's components; equal edits give equal diffs, made once."""

    def __init__(self, shelf: Shelf, *, seed: int) -> None:
        """Rank the edits of each component by popularity, and choose which old versions each was made against."""
        self._shelf = shelf
        self._diffs: dict[tuple[str, str, str], str] = {}
        chance = random.Random(f"{seed}:popularity")  # noqa: S311 -- reproducible sample data, nothing secret
        self._popular: dict[str, tuple[list[Edit], list[float]]] = {}
        self._old: dict[str, str] = {}
        for component in sorted(shelf):
            edits = [edit for edit in EDITS if edit.component == component]
            chance.shuffle(edits)
            weights = [_LEVEL_WEIGHT[edit.level] / (rank + 3) for rank, edit in enumerate(edits)]
            self._popular[component] = (edits, weights)
            for edit in edits:
                older = [version for version in edit.on if version != self.current(component).version]
                if older:
                    odds = [_OLD_WEIGHT[edit.on[version]] for version in older]
                    self._old[f"{component}:{edit.name}"] = chance.choices(older, odds)[0]

    def current(self, component: str) -> ComponentRecord:
        """Return the component's newest version."""
        return self._shelf[component][-1]

    def record(
        self, user: str, component: str, chance: random.Random, *, tame: bool = False, current: bool = False, active: bool = True
    ) -> Record:
        """Return an ordinary customer's record; a current one is of the current version, a tame one is a simple edit of it."""
        edits, weights = self._popular[component]
        edit = chance.choices(edits, weights)[0]
        while tame and edit.level is not Level.SIMPLE:
            edit = chance.choices(edits, weights)[0]
        now = self.current(component).version
        old = self._old.get(f"{component}:{edit.name}", now)
        made_on = old if not (tame or current) and chance.random() < _OLD_SHARE else now
        word = edit.on[made_on]
        recorded, category = made_on, _category(made_on == now, word)
        if word is not Legacy.CLEAN and chance.random() < _MISDATED_SHARE:
            recorded, category = now, Category.LOST if word is Legacy.PLAIN else Category.MISDATED
        return Record(
            external_id=name_of(user, component, recorded, active=active),
            user=user,
            component=component,
            base_version=recorded,
            diff=self.diff_of(edit, made_on),
            active=active,
            created_at=self._moment(component, made_on, chance),
            category=category if active else Category.INACTIVE,
            label=edit.name,
            level=edit.level,
        )

    def edits_of_size(self, fewest: int, most: int) -> list[Edit]:
        """Return the edits of current versions that change so many lines, both ends included."""
        found = []
        for edit in (each for each in EDITS if self.current(each.component).version in each.on):
            text = self.diff_of(edit, self.current(edit.component).version)
            lines = sum(line[:1] in "+-" and line[:3] not in {"+++", "---"} for line in text.splitlines() if line)
            if fewest <= lines <= most:
                found.append(edit)
        return found

    def current_record(self, user: str, edit: Edit, chance: random.Random) -> Record:
        """Return the record of an edit of the current version."""
        version = self.current(edit.component).version
        return Record(
            external_id=name_of(user, edit.component, version, active=True),
            user=user,
            component=edit.component,
            base_version=version,
            diff=self.diff_of(edit, version),
            active=True,
            created_at=self._moment(edit.component, version, chance),
            category=Category.CURRENT,
            label=edit.name,
            level=edit.level,
        )

    def diff_of(self, edit: Edit, version: str) -> str:
        """Return the diff that making the edit on that version gives."""
        key = (edit.component, edit.name, version)
        if key not in self._diffs:
            source = next(edition.source for edition in self._shelf[edit.component] if edition.version == version)
            self._diffs[key] = diff.make(source, edit.apply(source), path=f"{edit.component}/template.html")
        return self._diffs[key]

    def _moment(self, component: str, version: str, chance: random.Random) -> datetime:
        """Return an instant at which the version was the current one."""
        editions = self._shelf[component]
        index = next(index for index, edition in enumerate(editions) if edition.version == version)
        until = released_at(editions[index + 1]) if index + 1 < len(editions) else _LAST_DAY
        since = released_at(editions[index])
        return since + timedelta(seconds=int(chance.random() * (until - since).total_seconds()))


def name_of(user: str, component: str, version: str, *, active: bool = True) -> str:
    """Return a record's external id: its path in a folder of diffs, with a mark where it is a former one."""
    return f"{user}/{component}@{version}{'' if active else ' (former)'}"


def troubles(shelf: Shelf) -> tuple[Trouble, ...]:
    """Return every hostile, broken and unknown record there is to hand out, one to a customer."""
    keys = sorted(shelf)
    broken = [(keys[index % len(keys)], each) for index, each in enumerate(BROKEN_DIFFS)]
    return (
        *(_hostile(edit) for edit in HOSTILE),
        *(_broken(component, each) for component, each in broken),
        _unknown_component(),
        _unknown_version(),
    )


def _category(is_current: bool, word: Legacy) -> Category:
    if is_current:
        return Category.CURRENT
    return {Legacy.CLEAN: Category.CARRIED, Legacy.FUZZ: Category.FUZZED, Legacy.PLAIN: Category.FORGOTTEN}[word]


def _hostile(edit: Edit) -> Trouble:
    (version,) = edit.on

    def make(maker: RecordMaker, user: str, component: str) -> Record:
        return _trouble_record(user, component, version, maker.diff_of(edit, version), Category.HOSTILE, edit.name)

    return Trouble(Category.HOSTILE, edit.component, edit.name, make)


def _broken(component: str, broken: BrokenDiff) -> Trouble:
    def make(maker: RecordMaker, user: str, component: str) -> Record:
        version = maker.current(component).version
        return _trouble_record(user, component, version, broken.text(component), Category.BROKEN, broken.name, broken.code)

    return Trouble(Category.BROKEN, component, broken.name, make)


def _unknown_component() -> Trouble:
    key, version = "shop.wish_list", "1.0"

    def make(_maker: RecordMaker, user: str, component: str) -> Record:
        text = diff.make("<p>old</p>\n", "<p>new</p>\n", path=f"{component}/template.html")
        return _trouble_record(user, component, version, text, Category.UNKNOWN, "component", "COMPONENT_UNKNOWN")

    return Trouble(Category.UNKNOWN, key, "component", make)


def _unknown_version() -> Trouble:
    edit = product_card.EDITS[0]

    def make(maker: RecordMaker, user: str, component: str) -> Record:
        text = maker.diff_of(edit, maker.current(component).version)
        return _trouble_record(user, component, "0.9", text, Category.UNKNOWN, "version", "VERSION_UNKNOWN")

    return Trouble(Category.UNKNOWN, edit.component, "version", make)


def _trouble_record(user: str, component: str, version: str, text: str, category: Category, label: str, code: str = "") -> Record:
    name = name_of(user, component, version)
    return Record(name, user, component, version, text, True, _LAST_DAY, category, label, None, code)


def distinct(records: Sequence[Record]) -> int:
    """Return how many different (component, recorded version, diff) the records hold."""
    return len({(record.component, record.base_version, record.diff) for record in records})
