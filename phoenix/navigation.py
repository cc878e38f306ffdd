"""Where the administration leads: every way there is, in groups by the task, each for who may go it."""

from dataclasses import dataclass
from typing import Final

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.urls import reverse


@dataclass(frozen=True, slots=True)
class Way:
    """Name one page, and the permissions of which one opens it, together with all of `also`; `icon` is a name of heroicons."""

    label: str
    icon: str
    view: str
    permissions: tuple[str, ...]
    also: tuple[str, ...] = ()

    def is_open_to(self, user: AbstractBaseUser | AnonymousUser) -> bool:
        """Say whether this person may go there."""
        may = user.has_perm  # type: ignore[union-attr]
        return any(may(permission) for permission in self.permissions) and all(may(permission) for permission in self.also)


@dataclass(frozen=True, slots=True)
class Link:
    """Point to one page; `is_here` where it, or a page below it, is the one shown."""

    label: str
    icon: str
    address: str
    is_here: bool


def _list(label: str, icon: str, model: str) -> Way:
    app, name = model.split(".")
    return Way(label, icon, f"admin:{app}_{name}_changelist", (f"{app}.view_{name}",))


WAYS: Final[tuple[tuple[str, tuple[Way, ...]], ...]] = (
    (
        "Rollout",
        (
            _list("Plans", "map", "rollout.plan"),
            _list("Waves", "queue-list", "rollout.wave"),
            _list("People in waves", "user-group", "rollout.enrolment"),
            _list("Breaches", "bell-alert", "rollout.breach"),
            _list("Holds", "pause-circle", "rollout.hold"),
            _list("Notices", "envelope", "rollout.notice"),
            _list("Acts on many", "rectangle-stack", "rollout.selection"),
            _list("Rehearsals", "beaker", "rollout.rehearsal"),
        ),
    ),
    (
        "Support",
        (
            Way(
                "Find a person",
                "magnifying-glass",
                "admin:rollout_find_person",
                ("rollout.switch_person", "rollout.view_flagoverride"),
            ),
            _list("Tickets", "ticket", "rollout.ticket"),
        ),
    ),
    (
        "Migration",
        (
            Way(
                "Review",
                "clipboard-document-check",
                "admin:migration_review",
                ("migration.view_finding",),
                ("migration.view_customization",),
            ),
            _list("Customizations", "document-text", "migration.customization"),
            _list("Findings", "light-bulb", "migration.finding"),
            _list("Rejected records", "inbox", "migration.rejectedrecord"),
        ),
    ),
    (
        "Slots",
        (
            _list("Components", "cube", "slots.component"),
            _list("Configurations", "adjustments-horizontal", "slots.slotconfiguration"),
            _list("Drafts", "pencil-square", "slots.draft"),
            _list("Upgrades", "arrow-up-circle", "slots.upgrade"),
            _list("Conflicts", "exclamation-triangle", "slots.upgradeconflict"),
            _list("Issues", "shield-exclamation", "slots.configurationissue"),
        ),
    ),
    (
        "System",
        (
            _list("Events", "clock", "rollout.event"),
            Way("Queue", "server-stack", "django_rq:home", ("django_rq.admin",)),
            _list("Users", "users", "auth.user"),
        ),
    ),
)


def ways_of(user: AbstractBaseUser | AnonymousUser, path: str) -> list[tuple[str, list[Link]]]:
    """Return the groups with the ways that are open to a person; the longest address that `path` is below is marked as here."""
    groups = [(name, [(way, reverse(way.view)) for way in ways if way.is_open_to(user)]) for name, ways in WAYS]
    addresses = [address for _, ways in groups for _, address in ways if path.startswith(address)]
    here = max(addresses, key=len, default=None)
    return [
        (name, [Link(way.label, way.icon, address, address == here) for way, address in ways]) for name, ways in groups if ways
    ]
