"""Whether a person may move: as a whole, with every active customization proven for what there is now, or not at all."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256

from migration.actions.facts import Fact, facts_about
from migration.models import Customization, Person, RejectedRecord
from migration.states import CustomizationState
from slots.errors import Refusal
from slots.markup import ops
from slots.models import Body, ComponentVersion, Layer, SegmentMember, SlotConfiguration


@dataclass(frozen=True, slots=True)
class ProofItem:
    """Name what was proven about one customization, by primary keys and digests."""

    customization: int
    component: str
    version: int
    body: str
    translation: int
    validation: int


@dataclass(frozen=True, slots=True)
class Proof:
    """State that a person's pages stay the same on slots; `items` are ordered by component."""

    person: int
    items: tuple[ProofItem, ...]

    @property
    def digest(self) -> str:
        """Return the SHA-256 over everything that was proven; it changes when any of it does."""
        rows = [(each.customization, each.component, each.version, each.body, each.validation) for each in self.items]
        return sha256(json.dumps([self.person, rows], separators=(",", ":")).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Unproven:
    """Say why a person has to stay on the old system; the gravest reason first."""

    person: int
    reasons: tuple[Refusal, ...]

    @property
    def code(self) -> str:
        """Return the code of the first reason."""
        return self.reasons[0].code

    @property
    def text(self) -> str:
        """Return all reasons as sentences."""
        return " ".join(reason.text for reason in self.reasons)


def proof_of(person: Person) -> Proof | Unproven:
    """Return the proof of one person, or why there is none."""
    return proofs_of([person])[person.pk]


def proofs_of(people: Iterable[Person]) -> dict[int, Proof | Unproven]:
    """Return the proof of each person by primary key, in a fixed number of queries.

    A person with no active customization has a proof of nothing: plain components are the same on both systems.
    """
    rows = {person.pk: person for person in people}
    wanted = (
        Customization.objects.active()
        .filter(person__in=rows)
        .exclude(state=CustomizationState.ARCHIVED)
        .values_list("pk", flat=True)
    )
    facts: dict[int, list[Fact]] = {pk: [] for pk in rows}
    for fact in facts_about(wanted):
        facts[fact.customization.person_id].append(fact)
    rejected = _rejected(rows.values())
    below = _layers_below(rows.values(), {fact.customization.component_key for group in facts.values() for fact in group})
    return {pk: _judge(row, facts[pk], rejected.get(pk, []), below) for pk, row in rows.items()}


def configurations_for(proof: Proof) -> list[tuple[ComponentVersion, Body]]:
    """Return what to install for a person, ordered by component; two queries."""
    versions = ComponentVersion.objects.select_related("component").in_bulk({each.version for each in proof.items})
    bodies = Body.objects.in_bulk({each.body for each in proof.items})
    return [(versions[each.version], bodies[each.body]) for each in proof.items]


@dataclass(frozen=True, slots=True)
class _Below:
    """Hold the layers that change a component for people beside their own: by (tenant, key, segment), and who is in a segment."""

    layers: frozenset[tuple[str, str, str]]
    members: frozenset[tuple[str, str, str]]

    def change(self, person: Person, component: str) -> bool:
        """Say whether the person would see one of the layers on slots."""
        named = ((tenant, segment) for tenant, key, segment in self.layers if key == component and tenant == person.tenant)
        return any(not segment or (tenant, person.user, segment) in self.members for tenant, segment in named)


def _layers_below(people: Iterable[Person], components: set[str]) -> _Below:
    """Read the default, site and segment layers of these components that have operations; two queries."""
    rows = list(people)
    layers = (
        SlotConfiguration.objects.active()
        .filter(
            layer__in=(Layer.DEFAULT, Layer.SITE, Layer.SEGMENT),
            component__key__in=components,
            tenant__in={row.tenant for row in rows},
        )
        .exclude(body=ops.digest(()))
        .order_by()
        .values_list("tenant", "component__key", "key")
    )
    found = frozenset(layers)
    segments = {segment for _tenant, _key, segment in found if segment}
    members = SegmentMember.objects.filter(segment__in=segments, user__in={row.user for row in rows})
    return _Below(found, frozenset(members.values_list("tenant", "user", "segment")))


def _judge(person: Person, facts: list[Fact], rejected: list[Refusal], below: _Below) -> Proof | Unproven:
    reasons = list(rejected)
    items = []
    for fact in sorted(facts, key=lambda fact: fact.customization.component_key):
        item = _item(fact)
        if isinstance(item, Refusal):
            reasons.append(item)
        elif below.change(person, item.component):
            text = f"{item.component} has a default, site or segment layer that the validated pages lack; take it off first."
            reasons.append(Refusal("LAYERS_BELOW", 0, text))
        else:
            items.append(item)
    return Unproven(person.pk, tuple(reasons)) if reasons else Proof(person.pk, tuple(items))


def _item(fact: Fact) -> ProofItem | Refusal:
    """Return what is proven about one customization, or the first thing that is missing."""
    row, translation, validation = fact.customization, fact.translation, fact.validation
    name = f"{row.component_key} ({row.external_id})"
    if fact.blocking:
        codes = ", ".join(sorted({each.code for each in fact.blocking}))
        return Refusal("FINDING_OPEN", 0, f"{name} has findings that nobody accepted: {codes}.")
    if translation is None:
        return Refusal("NOT_TRANSLATED", 0, f"{name} has no translation for the current versions; run translate.")
    if translation.body_id is None or not translation.is_proven:
        return Refusal("NOT_PROVEN", 0, f"{name} could not be translated with a proof; open it in the admin.")
    if validation is None:
        return Refusal("NOT_VALIDATED", 0, f"{name} has no validation for the current versions; run validate_users.")
    if not validation.is_passed:
        return Refusal("VALIDATION_FAILED", 0, f"{name} does not look the same on both systems; open its side-by-side page.")
    return ProofItem(row.pk, row.component_key, translation.target_id, translation.body_id, translation.pk, validation.pk)


def _rejected(people: Iterable[Person]) -> dict[int, list[Refusal]]:
    """Return what an import could not take, by person."""
    names = {(person.tenant, person.user): person.pk for person in people}
    waiting = RejectedRecord.objects.unsettled().filter(user__in={user for _tenant, user in names}).order_by("pk")
    found: dict[int, list[Refusal]] = {}
    for tenant, user, source, line, code in waiting.values_list("tenant", "user", "source", "line", "code"):
        if (tenant, user) in names:
            text = f"A record of this person could not be imported ({source}, line {line}: {code}); import it again or settle it."
            found.setdefault(names[tenant, user], []).append(Refusal("RECORD_REJECTED", line, text))
    return found
