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
from django_rq import get_queue
from rq import Queue
from rq.defaults import RQ_KEY_PREFIX

from phoenix.embedded_queue import queue_server

DATABASE_FIXTURES = {"db", "transactional_db", "django_db_reset_sequences", "django_db_serialized_rollback", "live_server"}


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


def own_redis_database(url: str, number: int) -> str:
    """Return `url` with another database, refusing one in which something other than an earlier test run's keys lies."""
    parts = urlsplit(url)
    own = parts._replace(query=f"db={number}") if parts.scheme == "unix" else parts._replace(path=f"/{number}", query="")
    with redis.Redis.from_url(own.geturl()) as client:
        foreign = [key for key in client.scan_iter(count=1000) if not key.startswith(RQ_KEY_PREFIX.encode())]
    if foreign:
        pytest.exit(f"Database {number} of REDIS_URL holds {len(foreign)} keys that no test wrote. Point REDIS_URL elsewhere.", 2)
    return own.geturl()


@pytest.fixture(autouse=True)
def _empty_queue(request: pytest.FixtureRequest) -> None:
    """Start each test that may enqueue with an empty queue; tests of the pure core never start a server."""
    uses_database = request.node.get_closest_marker("django_db") or DATABASE_FIXTURES & set(request.fixturenames)
    if not uses_database and "queue_url" not in request.fixturenames:
        return
    with redis.Redis.from_url(request.getfixturevalue("queue_url")) as client:
        if keys := list(client.scan_iter(match=f"{RQ_KEY_PREFIX}:*", count=1000)):
            client.delete(*keys)


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
