"""The roles as groups: made where they are missing, left alone where somebody changed them."""

import pytest
from django.apps.registry import Apps
from django.contrib.auth.models import Group

from rollout.roles import ROLES, ensure_roles

pytestmark = pytest.mark.django_db


def test_the_roles_are_groups_with_fitting_permissions(db):
    held = {
        group.name: {
            f"{each.content_type.app_label}.{each.codename}" for each in group.permissions.select_related("content_type")
        }
        for group in Group.objects.filter(name__in=ROLES)
    }

    assert set(held) == set(ROLES)
    assert "rollout.operate_rollout" in held["operator"]
    assert "rollout.approve_rollout" in held["approver"]
    assert "rollout.operate_rollout" not in held["approver"]
    assert held["support"] == set(ROLES["support"])
    assert all(name.split(".")[1].startswith("view_") for name in held["auditor"])
    assert {"rollout.view_wave", "migration.view_customization", "slots.view_slotconfiguration"} <= held["auditor"]


def test_what_an_administrator_changed_in_a_role_stays(db):
    Group.objects.get(name="support").permissions.clear()
    Group.objects.get(name="auditor").delete()

    ensure_roles()

    assert Group.objects.get(name="support").permissions.count() == 0
    assert Group.objects.get(name="auditor").permissions.count() > 0


def test_roles_wait_where_the_tables_are_not_there_yet(db):
    Group.objects.all().delete()

    ensure_roles(apps=Apps())

    assert not Group.objects.exists()
