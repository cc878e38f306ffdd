"""Who may do what: the four roles and those who sign off, as groups, each with the permissions of its part and no other."""

from collections.abc import Mapping
from typing import Any, Final

from django.apps import apps as installed
from django.apps.registry import Apps
from django.contrib.auth.management import create_permissions
from django.contrib.auth.models import Group, Permission

from rollout.models import ensure_flag

VIEWED: Final = ("slots", "migration", "rollout")  # every role but support sees all of it
RESPONDERS: Final = "operator"  # who answers for what runs, and is alerted first
APPROVERS: Final = "approver"
OPERATE: Final = "rollout.operate_rollout"
APPROVE: Final = "rollout.approve_rollout"
SIGNING: Final = ("CTO", "VP Engineering", "VP Product")  # in whose name plans and phases are signed off
ROLES: Final[Mapping[str, tuple[str, ...]]] = {
    RESPONDERS: (
        OPERATE,
        "rollout.add_plan",
        "rollout.change_plan",
        "rollout.add_phase",
        "rollout.change_phase",
        "rollout.add_wave",
        "rollout.change_wave",
        "rollout.add_guardpolicy",
        "rollout.add_sample",
        "rollout.add_window",
        "rollout.delete_window",
        "rollout.add_notice",
        "rollout.change_notice",
        "rollout.delete_notice",
        "rollout.add_task",
        "rollout.change_task",
        "rollout.add_freeze",
        "rollout.delete_freeze",
        "rollout.add_signoffrequirement",
        "rollout.add_rehearsal",
        "rollout.add_ticket",
        "rollout.change_ticket",
        "migration.translate_customization",
        "slots.change_upgrade",
        "slots.add_draft",
        "slots.change_draft",
        "slots.change_slotconfiguration",
        "slots.add_segment",
        "slots.add_segmentmember",
        "slots.delete_segmentmember",
    ),
    APPROVERS: (
        APPROVE,
        "migration.decide_finding",
        "migration.settle_rejectedrecord",
        "slots.change_upgradeconflict",
    ),
    "support": (  # the console of one person, which shows all that it needs itself, whom support switched, and tickets
        "rollout.switch_person",
        "rollout.view_flagoverride",
        "rollout.view_ticket",
        "rollout.add_ticket",
        "rollout.change_ticket",
    ),
    "auditor": (),
    **dict.fromkeys(SIGNING, ("rollout.sign_off_rollout",)),
}
SEES_EVERYTHING: Final = frozenset({RESPONDERS, APPROVERS, "auditor", *SIGNING})


def ensure_roles(*, apps: Apps = installed, **_signal: Any) -> None:
    """Make the groups and the flag where they are missing; leave what an administrator changed in them alone.

    Runs after `migrate` (and after a test database is flushed), when all permissions can be had. Where `migrate` went only so far
    that the tables are not there yet (`apps` knows), it waits for the next time.
    """
    if not ("flag" in apps.all_models["rollout"] and "group" in apps.all_models["auth"]):
        return
    ensure_flag()
    missing = set(ROLES) - set(Group.objects.filter(name__in=ROLES).values_list("name", flat=True))
    if not missing:
        return
    for label in VIEWED:
        create_permissions(installed.get_app_config(label), verbosity=0)
    known = {f"{each.content_type.app_label}.{each.codename}": each for each in Permission.objects.select_related("content_type")}
    for role in sorted(missing):
        names = set(ROLES[role])
        if role in SEES_EVERYTHING:
            names |= {name for name in known if name.split(".")[0] in VIEWED and name.split(".")[1].startswith("view_")}
        group = Group.objects.create(name=role)
        group.permissions.set(known[name] for name in sorted(names))
