"""Who stands behind an account."""

from django.conf import settings
from django.contrib.auth.models import AnonymousUser, User
from django.utils.module_loading import import_string

from phoenix.people import person_of
from slots.schema import PersonKey


def test_an_account_is_the_person_of_its_name():
    assert person_of(User(username="bob")) == PersonKey(tenant="default", user="bob")


def test_a_stranger_is_nobody():
    assert person_of(AnonymousUser()) is None
    assert person_of(None) is None


def test_the_settings_name_this_resolver():
    assert import_string(settings.SLOTS_PERSON_RESOLVER) is person_of
