"""What the tests themselves promise: they never touch a queue that is not theirs."""

import pytest
import redis

from phoenix.embedded_queue import queue_server
from tests import conftest
from tests.conftest import empty, own_redis_database


@pytest.fixture
def server(tmp_path):
    with queue_server("", tmp_path) as server:
        yield server.url


def test_an_empty_database_is_taken(server):
    own = own_redis_database(server, 3)

    with redis.Redis.from_url(own) as client:
        assert client.connection_pool.connection_kwargs["db"] == 3
        assert client.ping()


def test_a_database_of_an_earlier_run_is_emptied(server):
    own = own_redis_database(server, 3)
    with redis.Redis.from_url(own) as client:
        client.set("rq:left:behind", 1)

        assert own_redis_database(server, 3) == own
        assert client.get("rq:left:behind") is None


def test_a_database_with_other_data_is_refused_and_kept(server):
    with redis.Redis.from_url(f"{server}?db=3") as client:
        client.set("phoenix:job:of-somebody", 1)

        with pytest.raises(pytest.exit.Exception, match="Database 3 of REDIS_URL holds data that no test wrote"):
            own_redis_database(server, 3)
        assert client.get("phoenix:job:of-somebody") == b"1"


def test_emptying_keeps_the_mark(server):
    own = own_redis_database(server, 3)
    with redis.Redis.from_url(own) as client:
        client.set("job", 1)
        empty(client)

        assert client.keys() == [b"phoenix-tests"]


def test_a_run_that_is_not_thorough_tries_a_quarter(monkeypatch):
    monkeypatch.setattr(conftest, "IS_THOROUGH", False)
    assert conftest.examples(100) == 25

    monkeypatch.setattr(conftest, "IS_THOROUGH", True)
    assert conftest.examples(100) == 100


def test_a_test_of_values_uses_no_server(request):
    assert not conftest.uses_server(request.node)


@pytest.mark.django_db
def test_a_test_with_the_mark_uses_a_server(request):
    assert conftest.uses_server(request.node)


def test_a_test_with_the_database_or_the_queue_of_a_fixture_uses_a_server(request, alice, queue):
    assert conftest.uses_server(request.node)


def test_what_takes_longest_begins_and_the_rest_keeps_its_order(request):
    def like(name, *marks):
        item = pytest.Function.from_parent(request.node.parent, name=name, callobj=lambda: None)
        for mark in marks:
            item.add_marker(mark)
        return item

    items = [like("a"), like("b", pytest.mark.slow), like("c"), like("d", pytest.mark.slow(60)), like("e", pytest.mark.slow)]

    assert "".join(item.name for item in sorted(items, key=conftest.seconds_of, reverse=True)) == "dbeac"
