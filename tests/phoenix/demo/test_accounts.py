"""Accounts of the sample shop: customers without a password, staff with one that the site keeps."""

import pytest
from django.contrib.auth.models import Group, User

from migration.models import Person
from phoenix.demo.accounts import make_customer_accounts, make_staff_accounts, password_of
from rollout.roles import ROLES


@pytest.mark.django_db
def test_customer_accounts_cannot_be_signed_in_to():
    Person.objects.create(user="bob", email="bob@customers.example")
    assert make_customer_accounts() == 1
    bob = User.objects.get(username="bob")
    assert (bob.has_usable_password(), bob.is_staff, bob.email) == (False, False, "bob@customers.example")


@pytest.mark.django_db
def test_customer_accounts_are_made_once():
    Person.objects.create(user="bob", email="bob@customers.example")
    make_customer_accounts()
    assert make_customer_accounts() == 0


@pytest.mark.django_db
def test_customer_accounts_leave_an_account_with_rights_alone():
    User.objects.create_user("alice", is_staff=True, password="her own")
    Person.objects.create(user="alice", email="alice@customers.example")
    assert make_customer_accounts() == 0
    assert User.objects.get(username="alice").check_password("her own")


@pytest.mark.django_db
def test_staff_accounts_take_the_password_that_is_printed(client):
    for log_in in make_staff_accounts():
        assert client.login(username=log_in.name, password=log_in.password)


@pytest.mark.django_db
def test_staff_accounts_have_the_rights_of_their_roles():
    make_staff_accounts()
    operator, approver = User.objects.get(username="alice"), User.objects.get(username="dora")
    assert operator.has_perm("rollout.operate_rollout")
    assert not operator.has_perm("rollout.approve_rollout")
    assert approver.has_perm("rollout.approve_rollout")
    assert not approver.has_perm("rollout.operate_rollout")
    assert [user.username for user in User.objects.filter(is_superuser=True)] == ["admin"]


@pytest.mark.django_db
def test_staff_accounts_are_there_for_every_role():
    made = [each.name for each in make_staff_accounts()]

    assert set(ROLES) <= set(Group.objects.filter(user__username__in=made).values_list("name", flat=True))


def test_password_differs_from_site_to_site(settings):
    settings.SECRET_KEY = "a" * 60
    first = password_of("admin")
    settings.SECRET_KEY = "b" * 60
    assert password_of("admin") != first
    assert password_of("alice") != password_of("admin")


@pytest.mark.django_db
def test_staff_accounts_made_again_take_a_changed_password_back(client):
    make_staff_accounts()
    admin = User.objects.get(username="admin")
    admin.set_password("something else")
    admin.save()
    (log_in, *_others) = make_staff_accounts()
    assert client.login(username="admin", password=log_in.password)


@pytest.mark.django_db
def test_customer_accounts_are_made_for_sample_people_only():
    Person.objects.create(user="real", email="real@elsewhere.test")
    assert make_customer_accounts() == 0
