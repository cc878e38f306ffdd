"""The accounts of people who work here, with groups and permissions as plain lists: Django's two boxes fail screen readers."""

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group, User

admin.site.unregister([User, Group])


@admin.register(User)
class AccountAdmin(UserAdmin):  # type: ignore[type-arg]  # generic for the type checker alone
    """Show accounts; `filter_horizontal` names its parts in a way that assistive technology may not read."""

    filter_horizontal = ()


@admin.register(Group)
class RoleAdmin(GroupAdmin):
    """Show the roles with their permissions."""

    filter_horizontal = ()
