"""Accounts of the sample shop: one for each customer, without a password, and those of the people who run it."""

from dataclasses import dataclass
from typing import Final

from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Group, User
from django.db import transaction
from django.db.models import Q
from django.utils.crypto import salted_hmac

from migration.models import Person
from phoenix.demo.customers import COLLEAGUES, CUSTOMERS
from slots.schema import DEFAULT_TENANT

ADMIN: Final = "admin"
OPERATOR: Final = "alice"
APPROVER: Final = "dora"
STAFF: Final[tuple[tuple[str, str, tuple[str, ...]], ...]] = (
    (ADMIN, "administrator: everything", ()),
    (OPERATOR, "operator and support: waves, and single people", ("operator", "support")),
    (APPROVER, "approver: plans and findings", ("approver",)),
    ("carla", "CTO: signs plans and phases", ("CTO",)),
    ("erik", "VP Engineering: signs plans and phases", ("VP Engineering",)),
    ("paula", "VP Product: signs plans and phases", ("VP Product",)),
    ("sue", "support: single people, and tickets", ("support",)),
    ("arthur", "auditor: sees everything and changes nothing", ("auditor",)),
)
SAMPLE_PEOPLE: Final = Q(email__endswith=f"@{CUSTOMERS}") | Q(email__endswith=f"@{COLLEAGUES}")


@dataclass(frozen=True, slots=True)
class LogIn:
    """Hold what somebody needs to sign in to the admin."""

    name: str
    password: str
    role: str


def make_customer_accounts() -> int:
    """Make an account for every sample person that has none; return how many were made.

    Nobody can sign in to them with a password: the shop's door is the only way in.
    """
    known = User.objects.values("username")
    missing = Person.objects.filter(SAMPLE_PEOPLE, tenant=DEFAULT_TENANT).exclude(user__in=known)
    made = [
        User(username=user, email=email, password=make_password(None)) for user, email in missing.values_list("user", "email")
    ]
    User.objects.bulk_create(made, batch_size=500)
    return len(made)


def make_staff_accounts() -> tuple[LogIn, ...]:
    """Make or renew the accounts of those who run the rollout, and return how to sign in.

    The passwords follow from the site's secret key: the same on every run of one site, another one on every other site.
    """
    with transaction.atomic():
        return tuple(_staff(name, *groups, role=role) for name, role, groups in STAFF)


def password_of(name: str) -> str:
    """Return the password that a staff account of the sample shop has on this site."""
    digits = salted_hmac("phoenix.demo.accounts", name, algorithm="sha256").hexdigest()
    return "-".join(digits[start : start + 4] for start in range(0, 16, 4))


def _staff(name: str, *groups: str, role: str) -> LogIn:
    """Make one account; without a group it may do everything."""
    user, _made = User.objects.get_or_create(username=name, defaults={"email": f"{name}@{COLLEAGUES}"})
    user.is_active = user.is_staff = True
    user.is_superuser = not groups
    if not user.check_password(password_of(name)):
        user.set_password(password_of(name))
    user.save()
    user.groups.set(Group.objects.filter(name__in=groups))
    return LogIn(name, password_of(name), role)
