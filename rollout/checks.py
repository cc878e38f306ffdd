"""Refuse, at start, every setting of waffle that would switch people by anything but their own row."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register
from django.core.checks import Tags as Area
from waffle.utils import get_setting

REFUSED = {
    "OVERRIDE": "any visitor could switch the flag by an address",
    "FLAG_DEFAULT": "a misspelt flag would be on for everybody",
    "CREATE_MISSING_FLAGS": "a misspelt name would make a flag",
    "ENABLE_ADMIN_PAGES": "its form rewrites the whole membership on every save",
}
WANTED = {"WAFFLE_FLAG_MODEL": "rollout.Flag", "SLOTS_SYSTEM_RESOLVER": "rollout.switch.SystemResolver"}


@register(Area.security)
def check_flag_settings(**_options: Any) -> list[CheckMessage]:
    """Return an error for each setting that opens another way of switching."""
    found: list[CheckMessage] = []
    for name, why in REFUSED.items():
        if get_setting(name):  # waffle's default where it is not set
            found.append(Error(f"WAFFLE_{name} is on: {why}.", hint=f"Set WAFFLE_{name} = False.", id="rollout.E001"))
    for name, fitting in WANTED.items():
        if getattr(settings, name, None) != fitting:
            text = f"{name} is {getattr(settings, name, None)!r}: who is on slots would not be read from the person's own row."
            found.append(Error(text, hint=f"Set {name} = {fitting!r}.", id="rollout.E002"))
    return found
