"""What every test may ask for: a database of this run, a real queue server of this process, and the people."""

import gc
import os
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import redis
from django.conf import settings
from django.contrib.auth.models import Group, User
from django.db import connections
from django.test import TransactionTestCase, override_settings
from django_rq import get_queue
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from pytest_django import DjangoDbBlocker
from rq import Queue

from phoenix.embedded_queue import queue_server
from tests.prepared import digest_of, keep, take
from tests.restoring import Original

DATABASE_FIXTURES = {"db", "transactional_db", "django_db_reset_sequences", "django_db_serialized_rollback", "live_server"}
TESTS_MARK = "phoenix-tests"

# How long an example takes says how busy the machine is, not whether the law holds; benchmarks measure time.
# `make test` tries a quarter of the examples of every law, `make slow` (LAWS=thorough) all of them.
IS_THOROUGH = os.environ.get("LAWS") == "thorough"


def examples(count: int) -> int:
    """Return how many of so many examples of a law this run tries."""
    return count if IS_THOROUGH else count // 4


hypothesis_settings.register_profile(
    "phoenix", deadline=None, max_examples=examples(100), suppress_health_check=[HealthCheck.too_slow]
)
hypothesis_settings.load_profile("phoenix")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let a run leave out what it would only repeat."""
    parser.addoption("--servers", action="store_true", help="run only the tests that use the database or the queue")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Begin with what takes longest; leave out what has nothing to do with the servers, where only they differ."""
    items.sort(key=seconds_of, reverse=True)
    if config.getoption("servers"):
        kept = [item for item in items if uses_server(item)]
        config.hook.pytest_deselected(items=[item for item in items if not uses_server(item)])
        items[:] = kept


def seconds_of(item: pytest.Item) -> int:
    """Return about how long a test takes, as its mark `slow` says; a process that began with it ends with quick ones."""
    mark = item.get_closest_marker("slow")
    return 0 if mark is None else next(iter(mark.args), 5)


def uses_server(item: pytest.Item) -> bool:
    """Say whether a test uses the database or the queue of its process."""
    fixtures = set(getattr(item, "fixturenames", ()))
    return item.get_closest_marker("django_db") is not None or bool(fixtures & (DATABASE_FIXTURES | {"queue_url"}))


def pytest_collection_finish() -> None:
    """Let the collector of garbage pass over what lives as long as the run: modules, tests, models."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


def worker_number(config: pytest.Config) -> int:
    """Return the number of this pytest-xdist worker, 0 where there is but one process."""
    worker = getattr(config, "workerinput", {}).get("workerid", "gw0")
    return int(worker.removeprefix("gw"))


@pytest.fixture(scope="session")
def kept_database(request: pytest.FixtureRequest) -> Path | None:
    """Return where the migrated database of this code is kept between runs, None where the runs keep nothing."""
    if connections["default"].vendor != "sqlite" or not hasattr(request.config, "cache"):
        return None
    return request.config.cache.mkdir("databases") / f"{digest_of(Path(settings.BASE_DIR))}.sqlite3"


@pytest.fixture(scope="session")
def django_db_keepdb(kept_database: Path | None, tmp_path_factory: pytest.TempPathFactory) -> bool:
    """Take the kept database, and say whether there was one: then it is brought up to date instead of made anew."""
    return kept_database is not None and take(kept_database, own_file(tmp_path_factory))


def own_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the file of this process's database; its folder is there."""
    folder = tmp_path_factory.getbasetemp() / "database"
    folder.mkdir(exist_ok=True)
    return folder / "phoenix.sqlite3"


@pytest.fixture(scope="session")
def django_db_setup(
    django_db_setup: None,
    django_db_keepdb: bool,
    django_db_blocker: DjangoDbBlocker,
    kept_database: Path | None,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[None]:
    """Make the database; keep a new one for the next run before any test writes to it; put it back after each that commits."""
    if kept_database is not None and not django_db_keepdb:
        keep(own_file(tmp_path_factory), kept_database)
    with django_db_blocker.unblock():
        original = Original(connections["default"])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", lambda _case: original.restore())
        yield


@pytest.fixture(scope="session")
def django_db_modify_db_settings(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Give this process a test database of its own.

    SQLite gets a file, not memory: only a file has the locks, the journal and the second process of the real thing. It need not
    outlive the machine, so it never waits for the disk.
    """
    configuration = connections["default"].settings_dict
    if connections["default"].vendor == "sqlite":
        configuration["TEST"]["NAME"] = str(own_file(tmp_path_factory))
        configuration["OPTIONS"]["init_command"] += "PRAGMA synchronous=OFF;"
    else:
        configuration["TEST"]["NAME"] = f"test_{configuration['NAME']}_{os.getppid()}_{worker_number(request.config)}"


@pytest.fixture(autouse=True, scope="session")
def _quick_passwords() -> Iterator[None]:
    """Hash passwords quickly in this process: how strong a hash is, is Django's matter, and a strong one costs half a second."""
    with override_settings(PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"]):
        yield


@pytest.fixture(autouse=True, scope="session")
def _static_files_when_asked_for() -> Iterator[None]:
    """Look a static file up when it is asked for, as under DEBUG: every client of a test would look through all of them anew."""
    with override_settings(WHITENOISE_AUTOREFRESH=True):
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
    with client.pipeline(transaction=False) as both:
        both.flushdb().set(TESTS_MARK, 1).execute()


@pytest.fixture(scope="session")
def queue_client(queue_url: str) -> Iterator[redis.Redis]:
    """Stay connected to the queue's server for as long as this process lives."""
    with redis.Redis.from_url(queue_url) as client:
        yield client


@pytest.fixture(autouse=True)
def _empty_queue(request: pytest.FixtureRequest) -> None:
    """Start each test that may enqueue with an empty queue; tests of the pure core never start a server."""
    if uses_server(request.node):
        empty(request.getfixturevalue("queue_client"))


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
