"""The sample shop with a handful of customers, for tests of its pages."""

from datetime import UTC, datetime

import pytest
from django.contrib.auth.models import User

from migration.models import Person
from phoenix.demo.shelf import read_shelf
from phoenix.demo.shop import load_components
from rollout.switch import ensure_flag
from tests.scenes import kept

AT = datetime(2026, 11, 1, 9, tzinfo=UTC)


@pytest.fixture
@kept
def shop(db):
    """Return the loaded components."""
    ensure_flag()
    return load_components(read_shelf(), by="test", at=AT, reason="test")


@pytest.fixture
def bob(db):
    """Return a customer of the shop: person and account."""
    person = Person.objects.create(user="bob", email="bob@customers.example", region="eu-west")
    User.objects.create_user("bob")
    return person


@pytest.fixture
def alice(db):
    """Return an operator, who is no customer."""
    return User.objects.create_user("alice", is_staff=True)
