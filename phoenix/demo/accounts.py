"""Accounts of the sample shop: one for each customer, without a password, and those of the people who run it."""

from dataclasses import dataclass
from typing import Final

from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Permission, User
from django.db import transaction
from django.utils.crypto import salted_hmac

from migration.models import Person
from slots.schema import DEFAULT_TENANT

ADMIN: Final = "admin"
OPERATOR: Final = "olivia"
APPROVER: Final = "dora"
_PERMISSIONS: Final = ("operate_rollout", "switch_person")


@dataclass(frozen=True, slots=True)
class LogIn:
    """Hold what somebody needs to sign in to the admin."""

    name: str
    password: str
    role: str


def make_customer_accounts() -> int:
    """Make an account for every person that has none; return how many were made.

    Nobody can sign in to them with a password: the shop's door is the only way in.
    """
    known = User.objects.values("username")
    missing = Person.objects.filter(tenant=DEFAULT_TENANT).exclude(user__in=known)
    made = [
        User(username=user, email=email, password=make_password(None)) for user, email in missing.values_list("user", "email")
    ]
    User.objects.bulk_create(made, batch_size=500)
    return len(made)


def make_staff_accounts() -> tuple[LogIn, ...]:
    """Make or renew the accounts of the administrator and of an operator, and return how to sign in.

    The passwords follow from the site's secret key: the same on every run of one site, another one on every other site.
    """
    with transaction.atomic():
        admin = _staff(ADMIN, is_superuser=True)
        operator = _staff(OPERATOR, is_superuser=False)
        shown = Permission.objects.filter(
            codename__startswith="view_", content_type__app_label__in=("slots", "migration", "rollout")
        )
        operator.user_permissions.set([*shown, *Permission.objects.filter(codename__in=_PERMISSIONS)])
    return (
        LogIn(admin.username, password_of(ADMIN), "administrator: everything"),
        LogIn(operator.username, password_of(OPERATOR), "operator: sees everything, moves waves and people"),
    )


def password_of(name: str) -> str:
    """Return the password that a staff account of the sample shop has on this site."""
    digits = salted_hmac("phoenix.demo.accounts", name, algorithm="sha256").hexdigest()
    return "-".join(digits[start : start + 4] for start in range(0, 16, 4))


def _staff(name: str, *, is_superuser: bool) -> User:
    user, _made = User.objects.get_or_create(username=name, defaults={"email": f"{name}@staff.example"})
    user.is_active = user.is_staff = True
    user.is_superuser = is_superuser
    if not user.check_password(password_of(name)):
        user.set_password(password_of(name))
    user.save()
    return user
