"""After a test that commits, the database holds what it held when it was new."""

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.db import connection

from rollout.models import Enrolment, Flag, Freeze, GuardPolicy, Snapshot, Window
from rollout.roles import ROLES
from tests.restoring import Original
from tests.rows import make_row

pytestmark = pytest.mark.django_db(transaction=True)


def names():
    return set(Group.objects.values_list("name", flat=True))


@pytest.mark.parametrize("turn", [1, 2])
def test_a_test_that_commits_finds_a_new_database_whatever_the_one_before_did(turn):
    assert not Enrolment.objects.exists() and not User.objects.exists()
    assert names() == set(ROLES)

    make_row(Enrolment)
    User.objects.create_user("alice").groups.add(Group.objects.get(name="operator"))
    Group.objects.filter(name="auditor").delete()
    Group.objects.filter(name="support").update(name="supporters")
    Flag.objects.update(note="changed")


def test_only_what_differs_is_touched():
    original = Original(connection)
    permissions = Permission.objects.count()
    make_row(Enrolment)
    Group.objects.filter(name="auditor").delete()

    differed = set(original.restore()) - {"sqlite_sequence"}

    assert {"rollout_enrolment", "rollout_plan", "auth_group", "auth_group_permissions"} <= differed
    assert "auth_permission" not in differed
    assert (Permission.objects.count(), names(), Enrolment.objects.count()) == (permissions, set(ROLES), 0)
    assert set(original.restore()) == set()


@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL counts on, as it does after TRUNCATE")
def test_keys_go_on_from_where_they_were():
    original = Original(connection)
    first = User.objects.create_user("alice").pk
    original.restore()

    assert User.objects.create_user("bob").pk == first


def test_rows_with_every_kind_of_value_come_back_as_they_were():
    made = [make_row(model) for model in (Window, Freeze, GuardPolicy, Snapshot)]

    def values():
        return [list(type(row)._default_manager.filter(pk=row.pk).values()) for row in made]

    before, original = values(), Original(connection)
    for row in made:
        type(row)._default_manager.filter(pk=row.pk).delete()
    assert values() == [[], [], [], []]
    original.restore()

    assert values() == before
