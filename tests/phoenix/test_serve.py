"""The whole site as one command: it comes up, it goes down, and nothing stays behind."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest
import redis
from django.core.management import CommandError, call_command
from rq import Queue, Retry
from rq.serializers import JSONSerializer

from phoenix.embedded_queue import embedded_queue_url

PATIENCE = 90  # seconds; a second on a quiet machine


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


class Site:
    """One `manage.py serve` with a database and a queue of its own."""

    def __init__(self, repository: Path, var: Path) -> None:
        self.port = free_port()
        self.var = var
        kept = {name: value for name, value in os.environ.items() if name not in {"DATABASE_URL", "REDIS_URL"}}
        environment = {**kept, "PHOENIX_VAR": str(var)}
        manage = [sys.executable, str(repository / "manage.py")]
        subprocess.run([*manage, "migrate", "--verbosity", "0"], env=environment, check=True)
        self.process = subprocess.Popen(
            [*manage, "serve", "--bind", f"127.0.0.1:{self.port}", "--web", "1"],
            env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        self.children: dict[str, int] = {}
        for line in self.process.stdout:
            name, _, number = line.strip().partition(": process ")
            if number:
                self.children[name] = int(number)
            if len(self.children) == 3:
                break

    def health(self) -> dict[str, str]:
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/healthz") as answer:
                    return json.load(answer)
            except (urllib.error.URLError, ConnectionError):
                time.sleep(0.1)
        raise AssertionError(f"the site did not come up: {self.stop(signal.SIGTERM)}")

    def stop(self, kind: signal.Signals) -> tuple[int, str]:
        self.process.send_signal(kind)
        out, errors = self.process.communicate(timeout=PATIENCE)
        return self.process.returncode, out + errors

    def queue_is_up(self) -> bool:
        try:
            with redis.Redis.from_url(embedded_queue_url(self.var)) as client:
                return client.ping()
        except redis.ConnectionError:
            return False


@pytest.fixture
def site(repository, tmp_path):
    site = Site(repository, tmp_path)
    yield site
    if site.process.poll() is None:
        site.stop(signal.SIGTERM)
    for stream in (site.process.stdout, site.process.stderr):
        stream.close()


@pytest.mark.slow
@pytest.mark.parametrize("kind", [signal.SIGINT, signal.SIGTERM])
def test_the_site_comes_up_and_leaves_nothing_behind(site, kind):
    assert site.health() == {"status": "ok", "database": "ok", "queue": "ok"}
    assert sorted(site.children) == ["reconciler", "site", "worker 1"]
    assert site.queue_is_up()

    code, _ = site.stop(kind)

    assert code == 0
    assert [name for name, process in site.children.items() if is_alive(process)] == []
    assert not site.queue_is_up()


@pytest.mark.slow
def test_the_worker_does_what_is_enqueued(site):
    site.health()
    with redis.Redis.from_url(embedded_queue_url(site.var)) as client:
        job = Queue("phoenix", connection=client, serializer=JSONSerializer).enqueue("phoenix.health.database_answers")
        result = job.latest_result(timeout=PATIENCE)

        assert result is not None
        assert (result.type.name, result.return_value) == ("SUCCESSFUL", True)


@pytest.mark.slow
def test_a_retry_after_a_pause_comes(site):
    site.health()
    with redis.Redis.from_url(embedded_queue_url(site.var)) as client:
        queue = Queue("phoenix", connection=client, serializer=JSONSerializer)
        job = queue.enqueue("operator.truediv", 1, 0, retry=Retry(max=1, interval=1))
        deadline = time.monotonic() + PATIENCE
        while job.get_status(refresh=True) != "failed" and time.monotonic() < deadline:
            time.sleep(0.1)

        job.refresh()
        assert (job.get_status(), job.retries_left) == ("failed", 0)


@pytest.mark.slow
def test_a_process_that_ends_takes_the_rest_down_and_is_named(site):
    site.health()

    os.kill(site.children["worker 1"], signal.SIGKILL)
    _, errors = site.process.communicate(timeout=PATIENCE)

    assert site.process.returncode == 1
    assert "SERVE_PROCESS_ENDED: worker 1 ended by itself" in errors
    assert [name for name, process in site.children.items() if is_alive(process)] == []
    assert not site.queue_is_up()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("bind", "foo"),
        ("bind", "127.0.0.1:"),
        ("bind", ":8000"),
        ("bind", "127.0.0.1:0"),
        ("bind", "127.0.0.1:70000"),
        ("web", 0),
        ("workers", 0),
    ],
)
def test_wrong_usage_is_refused_before_anything_starts(name, value):
    with pytest.raises(CommandError, match=f"--{name} is ") as refused:
        call_command("serve", **{name: value})

    assert refused.value.returncode == 2


def test_an_address_in_use_is_refused_with_the_next_step():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        bind = f"127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(CommandError, match=f"SERVE_ADDRESS_REFUSED.*{bind}.*name another address: --bind") as refused:
            call_command("serve", bind=bind)

    assert refused.value.returncode == 1


def test_without_any_queue_server_serve_says_what_to_do(repository, tmp_path):
    outcome = subprocess.run(
        [sys.executable, str(repository / "manage.py"), "serve", "--bind", f"127.0.0.1:{free_port()}"],
        env={**os.environ, "PHOENIX_VAR": str(tmp_path), "REDIS_URL": "redis://127.0.0.1:1/0"},
        capture_output=True,
        text=True,
    )

    assert outcome.returncode == 1
    assert outcome.stderr.startswith("QUEUE_UNREACHABLE: The queue server at 127.0.0.1 does not answer")
