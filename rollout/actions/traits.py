"""How complex and how risky people's customizations are, and what else is known of people, as expressions over their rows.

The definitions are those of docs/rollout.md. A person's complexity is that of their most complex active customization, their
risk that of the riskiest; where one of them was not translated and validated yet, and none is risky already, the risk is unknown.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db.models import Case, Count, Exists, F, Func, IntegerField, Max, OuterRef, Q, QuerySet, Subquery, Value, When
from django.db.models.functions import Coalesce, Length, Replace

from migration.models import Customization, Finding, LegacyOutcome, Severity, Validation
from migration.states import CustomizationState
from rollout.audiences import Audience, Traits
from rollout.audiences.traits import LEVELS

SIMPLE_OPERATIONS: Final = 2
SIMPLE_LINES: Final = 10
MEDIUM_OPERATIONS: Final = 10
MEDIUM_LINES: Final = 60
LOW_SIMILARITY: Final = 0.95
LOW, MEDIUM, NOT_KNOWN, HIGH = range(4)  # the greatest of a person's customizations is the person's
RISKS: Final = {LOW: "low", MEDIUM: "medium", NOT_KNOWN: None, HIGH: "high"}
COMPLEXITIES: Final = dict(enumerate(LEVELS["complexity"]))
ROWS_AT_ONCE: Final = 5_000
NOTHING: Final = Traits()
NONE: Final[frozenset[str]] = frozenset()


class SumOfValues(Func):
    """Add up the numbers in a JSON object."""

    output_field = IntegerField()
    template = "(SELECT COALESCE(SUM(each.value), 0) FROM json_each(%(expressions)s) AS each)"

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        """Unfold the object as PostgreSQL does."""
        template = "(SELECT COALESCE(SUM(each.value::int), 0) FROM jsonb_each_text(%(expressions)s) AS each)"
        return self.as_sql(compiler, connection, template=template, **context)


def _times(text: str) -> Any:
    """Return how often a text is in the diff."""
    without = Length(Replace(F("diff"), Value(text), Value("")))
    return (Length("diff") - without) / Value(len(text))


def changed_lines() -> Any:
    """Return how many lines a diff takes off or adds; the names of the files are none."""
    return _times("\n+") + _times("\n-") - _times("\n+++ ")


def complexity_of(person: OuterRef) -> Subquery:
    """Return the place of a person's complexity in its levels; null without an active customization."""
    rows = Customization.objects.active().filter(person=person)
    rows = rows.annotate(n_lines=changed_lines(), n_operations=SumOfValues("translation__kinds"))
    level = Case(
        When(translation__replaced_source=True, then=Value(2)),
        When(n_lines__lte=SIMPLE_LINES, n_operations__lte=SIMPLE_OPERATIONS, then=Value(0)),
        When(n_lines__lte=MEDIUM_LINES, n_operations__lte=MEDIUM_OPERATIONS, then=Value(1)),
        default=Value(2),
        output_field=IntegerField(),
    )
    return _greatest(rows, level)


def risk_of(person: OuterRef) -> Subquery:
    """Return a person's risk as one of `RISKS`; null without an active customization."""
    findings = Finding.objects.filter(validation__isnull=True)
    own, shared = findings.filter(customization=OuterRef("pk")), findings.filter(translation=OuterRef("translation"))
    is_blocked = Exists(own.blocking()) | Exists(shared.blocking())
    is_warned = Exists(own.filter(severity=Severity.WARNING)) | Exists(shared.filter(severity=Severity.WARNING))
    newest = Validation.objects.filter(translation=OuterRef("translation")).order_by("-pk")
    rows = (
        Customization.objects.active()
        .filter(person=person)
        .annotate(shown=Subquery(newest.annotate(level=_level_of_validation()).values("level")[:1]))
    )
    level = Case(
        When(state__in=[CustomizationState.REJECTED, CustomizationState.NEEDS_REVIEW], then=Value(HIGH)),
        When(is_blocked, then=Value(HIGH)),
        When(translation__is_proven=False, then=Value(HIGH)),
        When(translation__legacy_outcome=LegacyOutcome.PLAIN, then=Value(HIGH)),
        When(shown=HIGH, then=Value(HIGH)),
        When(Q(state=CustomizationState.IMPORTED) | Q(shown__isnull=True), then=Value(NOT_KNOWN)),
        When(Q(translation__legacy_outcome=LegacyOutcome.FUZZ) | Q(translation__replaced_source=True), then=Value(MEDIUM)),
        When(Q(shown=MEDIUM) | is_warned, then=Value(MEDIUM)),
        default=Value(LOW),
        output_field=IntegerField(),
    )
    return _greatest(rows, level)


def _level_of_validation() -> Case:
    """Return the risk that the newest comparison of pages shows."""
    return Case(
        When(Q(is_passed=False) | Q(similarity_min__lt=LOW_SIMILARITY), then=Value(HIGH)),
        When(is_equal=False, then=Value(MEDIUM)),
        default=Value(LOW),
        output_field=IntegerField(),
    )


def _greatest(rows: QuerySet[Customization], level: Case) -> Subquery:
    found = rows.order_by().values("person").annotate(greatest=Max(level)).values("greatest")
    return Subquery(found, output_field=IntegerField())


def customizations_of(person: OuterRef) -> Coalesce:
    """Return how many active customizations a person has."""
    rows = Customization.objects.active().filter(person=person).order_by()
    return Coalesce(Subquery(rows.values("person").annotate(n=Count("pk")).values("n")), Value(0))


@dataclass(frozen=True, slots=True)
class TraitReader:
    """Read the traits that are asked about, and no others: each needs columns, and makes a value of what they hold.

    `components` are the keys that rules ask about; whether somebody changes others is not read. `at` is when tenure is counted.
    """

    asked: frozenset[str]
    at: datetime
    components: frozenset[str] = frozenset()

    @classmethod
    def of(cls, audiences: Iterable[Audience], *, at: datetime) -> "TraitReader":
        """Return what reads all that these audiences ask about."""
        wanted = list(audiences)
        rules = [rule for audience in wanted for rule in audience.rules]
        asked = {rule.trait for rule in rules} | {trait for audience in wanted for trait in audience.strata}
        keys = {key for rule in rules if rule.trait == "component" for key in rule.one_of}
        return cls(frozenset(asked), at, frozenset(keys))

    @property
    def columns(self) -> dict[str, Any]:
        """Return expressions over a person by name, in the order in which `traits` takes their values."""
        return {f"trait_{trait}": COLUMNS[trait]() for trait in COLUMNS if trait in self.asked}

    def traits(self, values: Sequence[Any], components: frozenset[str]) -> Traits:
        """Return the traits of a person from the values of their columns."""
        if not self.asked:
            return NOTHING
        said = dict(zip((trait for trait in COLUMNS if trait in self.asked), values, strict=True))
        found = {trait: self._value(trait, value) for trait, value in said.items()}
        if "component" in self.asked:
            found["components"] = components
        return Traits(**found)

    def _value(self, trait: str, value: Any) -> Any:
        if trait == "complexity":
            return COMPLEXITIES.get(value)
        if trait == "risk":
            return RISKS.get(value)
        if trait == "tenure_days":
            return None if value is None else max((self.at - value).days, 0)
        return None if value == "" else value

    def components_by_person(self) -> dict[int, frozenset[str]]:
        """Return which of the components asked about each person changes; one query, none where no rule asks."""
        if not self.components:
            return {}
        rows = Customization.objects.active().filter(component_key__in=self.components).order_by()
        found: dict[int, frozenset[str]] = {}
        alone = {key: frozenset({key}) for key in self.components}
        for pk, key in rows.values_list("person", "component_key").iterator(chunk_size=ROWS_AT_ONCE):
            found[pk] = found.get(pk, NONE) | alone[key]
        return found


COLUMNS: Final[Mapping[str, Callable[[], Any]]] = {
    "customizations": lambda: F("n_customizations"),
    "complexity": lambda: complexity_of(OuterRef("pk")),
    "risk": lambda: risk_of(OuterRef("pk")),
    "region": lambda: F("region"),
    "language": lambda: F("language"),
    "time_zone": lambda: F("time_zone"),
    "engagement": lambda: F("engagement"),
    "technical": lambda: F("is_technical"),
    "internal": lambda: F("is_internal"),
    "tenure_days": lambda: F("signed_up_at"),
}
