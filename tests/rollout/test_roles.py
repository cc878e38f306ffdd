"""The roles as groups: made where they are missing, left alone where somebody changed them."""

from importlib import import_module

import pytest
from django.apps import apps as installed
from django.apps.registry import Apps
from django.contrib.auth.models import Group, Permission
from django.core.management import call_command

from rollout.roles import ROLES, VIEWED, ensure_roles

pytestmark = pytest.mark.django_db
GATES = ("guardpolicy", "guardevaluation", "breach", "breachresponse", "hold", "sample", "waiver", "window")
NEW = ("draft", "segment", "upgrade", "upgradecase", "upgradeconflict", "slotconfiguration")


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


@pytest.mark.parametrize(("changed", "left"), [(False, {"switch_person", "view_flagoverride"}), (True, None)])
def test_support_of_an_older_installation_is_narrowed_unless_somebody_changed_it(db, changed, left):
    migration = import_module("rollout.migrations.0007_support_reaches_its_console")
    group = Group.objects.get(name="support")
    older = migration.GIVEN | ({"view_plan"} if changed else set())
    group.permissions.set(Permission.objects.filter(codename__in=older, content_type__app_label__in=VIEWED))

    migration.narrow(installed, None)

    assert set(group.permissions.values_list("codename", flat=True)) == (left or older)


def test_roles_of_an_installation_without_tickets_are_given_their_part(db):
    tickets = Permission.objects.filter(content_type__app_label="rollout", content_type__model="ticket")
    for group in Group.objects.filter(name__in=ROLES):
        group.permissions.remove(*tickets)

    import_module("rollout.migrations.0011_tickets").grant(installed, None)

    held = {
        group.name: set(group.permissions.filter(pk__in=tickets).values_list("codename", flat=True))
        for group in Group.objects.filter(name__in=ROLES)
    }
    handling = {"view_ticket", "add_ticket", "change_ticket"}
    assert held == {role: handling if role in ("support", "operator") else {"view_ticket"} for role in ROLES}


def test_operators_of_an_older_installation_may_keep_segments(db):
    group = Group.objects.get(name="operator")
    group.permissions.remove(*Permission.objects.filter(content_type__model__in=["segment", "segmentmember"]))

    import_module("rollout.migrations.0012_operators_keep_segments").grant(installed, None)

    assert {"add_segment", "add_segmentmember", "delete_segmentmember"} <= set(
        group.permissions.values_list("codename", flat=True)
    )


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_roles_of_an_older_installation_are_given_what_is_new(db):
    """Go back before drafts, take from the groups what they did not have then, and migrate as an upgrade does."""
    call_command("migrate", "rollout", "0001", verbosity=0)
    for group in Group.objects.filter(name__in=ROLES):
        group.permissions.remove(*Permission.objects.filter(content_type__app_label="slots", content_type__model__in=NEW))
        group.permissions.remove(*Permission.objects.filter(content_type__app_label="rollout", content_type__model__in=GATES))
    support = set(Group.objects.get(name="support").permissions.values_list("codename", flat=True))

    call_command("migrate", verbosity=0)

    held = {
        group.name: set(group.permissions.values_list("codename", flat=True)) for group in Group.objects.filter(name__in=ROLES)
    }
    assert {"view_draft", "add_draft", "change_draft", "change_upgrade", "view_upgradecase"} <= held["operator"]
    assert {"view_draft", "change_upgradeconflict"} <= held["approver"]
    assert "change_upgrade" not in held["approver"]
    assert "view_segment" in held["auditor"]
    assert {"view_hold", "view_breach", "add_guardpolicy", "add_sample", "add_window"} <= held["operator"]
    assert {"view_breach", "view_waiver"} <= held["approver"] & held["auditor"]
    assert not {"add_sample", "add_window"} & (held["approver"] | held["auditor"])
    assert held["support"] == support
