"""The sticky order."""

from hypothesis import given
from hypothesis import strategies as st

from rollout.audiences import in_order

USERS = st.lists(st.text("abcdef/", min_size=1, max_size=6), unique=True, max_size=30)


@given(USERS, st.lists(st.text("ghij", min_size=1, max_size=6), unique=True, max_size=10), st.text(max_size=5))
def test_adding_people_never_changes_the_order_of_those_who_were_there(users, newcomers, salt):
    before = in_order(salt, users)

    after = in_order(salt, users + newcomers)

    assert [user for user in after if user in set(users)] == before


@given(USERS, st.randoms(), st.text(max_size=5))
def test_the_order_of_the_names_does_not_matter(users, chance, salt):
    shuffled = list(users)
    chance.shuffle(shuffled)

    assert in_order(salt, shuffled) == in_order(salt, users)


def test_the_order_depends_on_the_salt():
    users = [f"user{number}" for number in range(50)]

    assert in_order("a", users) != in_order("b", users)
