"""The people of the tests are who they are said to be, also after a database was flushed."""

import pytest

PARTS = ["rollout.operate_rollout", "rollout.approve_rollout", "rollout.switch_person"]


def rights(user) -> tuple[bool, list[str]]:
    return user.is_staff, [part for part in PARTS if user.has_perm(part)]


def test_each_has_the_rights_of_the_part(alice, bob, charlie, dora):
    assert rights(alice) == (True, ["rollout.operate_rollout"])
    assert rights(bob) == (False, [])
    assert rights(charlie) == (True, [])
    assert rights(dora) == (True, ["rollout.approve_rollout"])


@pytest.mark.parametrize("_time", [1, 2])
def test_the_roles_survive_a_flush(transactional_db, alice, _time):
    assert rights(alice) == (True, ["rollout.operate_rollout"])
