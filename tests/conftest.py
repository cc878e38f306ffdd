"""What every test may ask for: a database of this run, a real queue server of this process, and the people."""

import os
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import redis
from django.conf import settings
from django.contrib.auth.models import Group, User
from django.db import connections
from django.test import override_settings
from django_rq import get_queue
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from rq import Queue

from phoenix.embedded_queue import queue_server

DATABASE_FIXTURES = {"db", "transactional_db", "django_db_reset_sequences", "django_db_serialized_rollback", "live_server"}
TESTS_MARK = "phoenix-tests"

# How long an example takes says how busy the machine is, not whether the law holds; benchmarks measure time.
hypothesis_settings.register_profile("phoenix", deadline=None, suppress_health_check=[HealthCheck.too_slow])
hypothesis_settings.load_profile("phoenix")


def worker_number(config: pytest.Config) -> int:
    """Return the number of this pytest-xdist worker, 0 where there is but one process."""
    worker = getattr(config, "workerinput", {}).get("workerid", "gw0")
    return int(worker.removeprefix("gw"))


@pytest.fixture(scope="session")
def django_db_modify_db_settings(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Give this process a test database of its own.

    SQLite gets a file, not memory: only a file has the locks, the journal and the second process of the real thing.
    """
    configuration = connections["default"].settings_dict
    if connections["default"].vendor == "sqlite":
        configuration["TEST"]["NAME"] = str(tmp_path_factory.mktemp("database") / "phoenix.sqlite3")
    else:
        configuration["TEST"]["NAME"] = f"test_{configuration['NAME']}_{os.getppid()}_{worker_number(request.config)}"


@pytest.fixture(autouse=True, scope="session")
def _quick_passwords() -> Iterator[None]:
    """Hash passwords quickly in this process: how strong a hash is, is Django's matter, and a strong one costs half a second."""
    with override_settings(PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"]):
        yield


@pytest.fixture(autouse=True, scope="session")
def _no_samples_of_tests() -> Iterator[None]:
    """Keep this process from counting the tests' renders: what it writes every 15 seconds would turn up in anybody's test."""
    with override_settings(SLOTS_RENDER_OBSERVER=None):
        yield


@pytest.fixture(scope="session")
def queue_url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Run a queue server for this process, or take a database of its own on the server that REDIS_URL names."""
    home = tmp_path_factory.mktemp("queue")
    named = own_redis_database(settings.REDIS_URL, 1 + worker_number(request.config)) if settings.REDIS_URL else ""
    with queue_server(named, home) as server:
        before = settings.RQ_QUEUES[settings.QUEUE_NAME]["URL"]
        settings.RQ_QUEUES[settings.QUEUE_NAME]["URL"] = server.url
        yield server.url
        settings.RQ_QUEUES[settings.QUEUE_NAME]["URL"] = before
        with redis.Redis.from_url(server.url) as client:
            client.flushdb()


def own_redis_database(url: str, number: int) -> str:
    """Return `url` with database `number`, refusing one that holds data which no test run wrote."""
    address = url.partition("?")[0]
    own = f"{address}?db={number}" if url.startswith("unix:") else urlsplit(address)._replace(path=f"/{number}").geturl()
    with redis.Redis.from_url(own) as client:
        if client.dbsize() and not client.exists(TESTS_MARK):
            pytest.exit(f"Database {number} of REDIS_URL holds data that no test wrote. Empty it or name another server.", 2)
        empty(client)
    return own


def empty(client: redis.Redis) -> None:
    """Remove everything but the mark by which the next run knows that the database is the tests' own."""
    client.flushdb()
    client.set(TESTS_MARK, 1)


@pytest.fixture(autouse=True)
def _empty_queue(request: pytest.FixtureRequest) -> None:
    """Start each test that may enqueue with an empty queue; tests of the pure core never start a server."""
    uses_database = request.node.get_closest_marker("django_db") or DATABASE_FIXTURES & set(request.fixturenames)
    if uses_database or "queue_url" in request.fixturenames:
        with redis.Redis.from_url(request.getfixturevalue("queue_url")) as client:
            empty(client)


@pytest.fixture
def queue(queue_url: str) -> Queue:
    """Return Phoenix's queue, empty, on a real server; `phoenix.workers.work_off` runs what is in it."""
    return get_queue(settings.QUEUE_NAME)


def person(name: str, *, staff: bool = False, role: str = "") -> User:
    """Create a user; `role` is one of `rollout.roles.ROLES`, whose groups every database has."""
    user = User.objects.create_user(name, email=f"{name}@example.org", is_staff=staff)
    if role:
        user.groups.add(Group.objects.get(name=role))
    return user


@pytest.fixture
def alice(db: None) -> User:
    """Return an operator: prepares and runs rollouts."""
    return person("alice", staff=True, role="operator")


@pytest.fixture
def bob(db: None) -> User:
    """Return a customer whose pages are customized."""
    return person("bob")


@pytest.fixture
def charlie(db: None) -> User:
    """Return a member of staff without any rights."""
    return person("charlie", staff=True)


@pytest.fixture
def dora(db: None) -> User:
    """Return an approver: signs what others prepared."""
    return person("dora", staff=True, role="approver")


@pytest.fixture
def repository() -> Path:
    """Return the folder that holds the project."""
    return Path(settings.BASE_DIR)
