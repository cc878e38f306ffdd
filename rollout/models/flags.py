"""The flag that says who is on slots, and the one query that decides it for a request."""

import uuid
from collections.abc import Iterable
from functools import cache
from typing import Any, ClassVar

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import connection, models
from django.db.models import Case, Q, Subquery, Value, When
from django.http import HttpRequest
from django.utils.module_loading import import_string
from waffle.models import AbstractUserFlag

from migration.models import Person
from rollout.models.enrolments import Enrolment, FlagOverride, Snapshot
from rollout.waves import Standing, System
from slots.schema import PersonKey

SLOTS_FLAG = "micro-slots"
ANYBODY = PersonKey(f"tenant {uuid.uuid4()}", f"user {uuid.uuid4()}")  # nobody is named so


class Flag(AbstractUserFlag):
    """The waffle flag of the rollout, asked per person from that person's own rows.

    `everyone=False` is the kill switch: it is read by the query that serves each request, never from a cache. Membership lists,
    percentages and test cookies are refused: they are stale, random or open to visitors. There is one row.
    """

    class Meta(AbstractUserFlag.Meta):
        abstract = False
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(name=SLOTS_FLAG), name="rollout_flag_is_the_one"),
            models.CheckConstraint(
                condition=Q(everyone__isnull=True) | Q(everyone=False), name="rollout_flag_never_on_for_everyone"
            ),
            models.CheckConstraint(
                condition=Q(
                    percent__isnull=True,
                    testing=False,
                    superusers=False,
                    staff=False,
                    authenticated=False,
                    languages="",
                    rollout=False,
                ),
                name="rollout_flag_by_own_row_only",
            ),
        ]

    def clean(self) -> None:
        """Refuse every way of switching that a person's own row does not show."""
        super().clean()
        errors = {
            name: f"{name} is not used here: people are switched by their own row. Leave it empty." for name in self.unused_ways()
        }
        if self.everyone:
            errors["everyone"] = "Yes would show slots to people without a proof. Choose No (kill switch) or Unknown."
        if errors:
            raise ValidationError(errors)

    def unused_ways(self) -> list[str]:
        """Return the names of the columns that stock waffle would heed and this flag does not, where they are set."""
        ways = {
            "percent": self.percent is not None,
            "testing": self.testing,
            "superusers": self.superusers,
            "staff": self.staff,
            "authenticated": self.authenticated,
            "languages": bool(self.languages),
            "rollout": self.rollout,
        }
        return [name for name, is_set in ways.items() if is_set]

    @classmethod
    def get(cls, name: str) -> "Flag":
        """Return a flag of that name without asking the database or waffle's cache: being asked is what costs the query."""
        return cls(name=name)

    @classmethod
    def get_all(cls) -> list["Flag"]:
        """Return the one flag there is."""
        return [cls.get(SLOTS_FLAG)]

    def _get_user_ids(self) -> set[Any]:
        raise AssertionError("membership lists are not used: ask is_active_for_user, which reads the person's own row")

    def _get_group_ids(self) -> set[Any]:
        raise AssertionError("group lists are not used: ask is_active_for_user, which reads the person's own row")

    def is_active(self, request: HttpRequest | None, read_only: bool = False) -> bool | None:
        """Say whether the person of `request` is on slots; one query a request, the answer is kept on the request.

        Where there is no request (a template of a mail that a job renders), there is nobody to ask about: the legacy system.
        """
        if request is None:
            return False
        if self.name != SLOTS_FLAG:
            return bool(super().is_active(request, read_only))  # has no row: waffle logs it as missing and says no
        user = getattr(request, "user", None)
        asked, answer = getattr(request, "_is_on_slots", (None, False))
        if asked is None or asked != getattr(user, "pk", None):  # nobody yet, or about who has signed in or out since
            answer = is_on_slots(user)
            request._is_on_slots = getattr(user, "pk", None), answer  # type: ignore[attr-defined]
        return bool(answer)

    def is_active_for_user(self, user: Any) -> bool:
        """Say whether the person behind `user` is on slots, kill switch first.

        Each call is one query and nothing is kept on `user`: in a job or a shell the object outlives many requests.
        """
        return self.name == SLOTS_FLAG and is_on_slots(user)


def ensure_flag() -> Flag:
    """Return the flag's row, made where it is missing, with none of stock waffle's ways of switching.

    While the row is missing everybody sees the legacy system. So where people have been switched the new row holds the kill
    switch on: making it (every `migrate` does) must not put them back on slots unasked.
    """
    flag: Flag | None = Flag.objects.filter(name=SLOTS_FLAG).first()
    if flag is not None:
        return flag
    note = "Who sees slots. Unknown: each person's own standing. No: nobody."
    everyone = False if Snapshot.objects.standing().exists() else None
    made: Flag
    made, _ = Flag.objects.get_or_create(name=SLOTS_FLAG, defaults={"superusers": False, "everyone": everyone, "note": note})
    return made


def is_on_slots(user: Any) -> bool:
    """Ask the database which system the person behind an account is on; strangers are on the legacy system."""
    person: PersonKey | None = import_string(settings.SLOTS_PERSON_RESOLVER)(user)
    return person is not None and standing_of(person).decide().system == System.SLOTS


def standing_query(person: PersonKey) -> models.QuerySet[Flag, Any]:
    """Return the one row that decides which system a person is on, as five text columns.

    The columns are: killed, override, the live enrolment's state, whether its wave is revoked, and the digest of the standing
    snapshot, which exists exactly while a switch is not taken back. There is a row for people without a wave too, and none
    where the flag's row is missing.
    """
    row = Person.objects.named(person).values("pk")
    enrolment = Enrolment.objects.live().filter(person__in=row)
    yes, no = Value("yes"), Value("no")
    revoked = Case(When(wave__revoked_at__isnull=False, then=yes), default=no, output_field=models.CharField())
    flags: models.QuerySet[Flag] = Flag.objects.filter(name=SLOTS_FLAG)
    return (
        flags.annotate(
            killed=Case(When(everyone=False, then=yes), default=no, output_field=models.CharField()),
            override=Subquery(FlagOverride.objects.filter(person__in=row).values("system")[:1]),
            state=Subquery(enrolment.order_by().values("state")[:1]),
            revoked=Subquery(enrolment.order_by().annotate(is_revoked=revoked).values("is_revoked")[:1]),
            proof=Subquery(Snapshot.objects.standing().filter(person__in=row).order_by().values("digest")[:1]),
        )
        .order_by()
        .values_list("killed", "override", "state", "revoked", "proof")
    )


def standings_of(people: Iterable[PersonKey]) -> dict[PersonKey, Standing]:
    """Read many people's standings, each by the query of a request; it is built once, which takes longer than to ask it."""
    sql, params = _standing_sql()
    found: dict[PersonKey, Standing] = {}
    with connection.cursor() as cursor:
        for person in people:
            named = {ANYBODY.tenant: person.tenant, ANYBODY.user: person.user}
            cursor.execute(sql, [named.get(each, each) for each in params])
            found[person] = Standing.from_row(cursor.fetchone())
    return found


@cache
def _standing_sql() -> tuple[str, tuple[Any, ...]]:
    """Return the SQL of a request's query and its parameters, with `ANYBODY` in the place of the person."""
    return standing_query(ANYBODY).query.sql_with_params()


def standing_of(person: PersonKey) -> Standing:
    """Read one person's standing in one query; without the flag's row everybody is on the legacy system."""
    return Standing.from_row(next(iter(standing_query(person)), None))
