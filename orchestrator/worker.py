"""Keeping workers at work: starts the pool, starts it again if it dies, and sends orphaned blocks again."""

import logging
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from experiments_db.database import Database
from experiments_db.models import WorkerEvent
from experiments_db.worker_events import add_worker_event
from orchestrator import jobs, recurring, services
from orchestrator.broker import broker, keep_running
from orchestrator.deaths import Deaths
from orchestrator.errors import BrokerError, OrganonError
from orchestrator.lease import AWAY
from orchestrator.logs import output_of
from orchestrator.pool import pool_is_present
from orchestrator.settings import Settings

log = logging.getLogger("organon")
_STOP_SECONDS = 20.0
_LOOK_SECONDS = 1.0  # between looks at broker, pool and record
_QUICK_SECONDS = 10.0  # a pool that ends within this time has not got to work
_QUICK_ENDS = 5  # so many in a row, and starting it again is of no use


def default_processes() -> int:
    """One process a core, at most four: each holds torch and its own particles."""
    return max(1, min(4, os.cpu_count() or 1))


class Supervisor:
    """Watches over broker, one pool of worker processes, and the blocks of this database. ``check`` is called often."""

    def __init__(self, settings: Settings, database: Database, processes: int) -> None:
        self._settings, self._database, self._processes = settings, database, processes
        self._pool: subprocess.Popen[bytes] | None = None
        self._started = self._looked = 0.0
        self._quick_ends = 0
        self._silent = ""
        self._deaths = Deaths()
        self.log_file = settings.folder / "logs" / "worker.log"

    def start(self) -> None:
        """Start the pool; what it prints goes to the log file."""
        self._started = time.monotonic()
        with output_of(self._settings, self.log_file.name) as output:
            self._pool = subprocess.Popen(
                [sys.executable, "-m", "orchestrator.pool", str(self._processes), str(self._deaths.writing)],
                pass_fds=(self._deaths.writing,),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=environment(self._settings),
                start_new_session=True,  # Ctrl-C is for us; we stop the pool in good order
            )
        self._history("started")

    def check(self) -> None:
        """Start again what died, pool or broker, begin what is due, and send blocks that nobody advances.

        OrganonError if the pool ends again and again. A broker or a database that is away for a while is waited for.
        """
        if self._pool is not None and self._pool.poll() is not None:
            self._restart(self._pool.returncode)
        if time.monotonic() - self._looked < _LOOK_SECONDS:
            return
        self._looked = time.monotonic()
        if self._pool is None and not pool_is_present(self._settings):
            self.start()  # the pool of another command, which we used, has left with it
        elif self._quick_ends and pool_is_present(self._settings):
            self._quick_ends = 0  # it got to work
        self._look_after_work()

    def _restart(self, status: int) -> None:
        quick = time.monotonic() - self._started < _QUICK_SECONDS
        self._quick_ends = self._quick_ends + 1 if quick else 0
        if self._quick_ends >= _QUICK_ENDS:
            raise OrganonError(
                f"the worker pool ended {_QUICK_ENDS} times in a row before it got to work, last with status {status}; "
                f"{self.log_file} says why"
            )
        log.warning("the worker pool ended with status %s and is started again", status)
        self._history("died", f"the pool ended with status {status}")
        self.start()

    def _look_after_work(self) -> None:
        try:
            if keep_running(self._settings):
                log.warning("the broker had died and was started again")
            self._deaths.note(self._database)
            recurring.begin_due(self._settings, self._database)
            services.send_orphans(self._settings, self._database)
            jobs.send_waiting(self._settings, self._database)
            self._silent = ""
        except (BrokerError, *AWAY) as error:
            reason = str(error).splitlines()[0]
            if reason != self._silent:
                log.warning("%s (work goes on as soon as it answers)", reason)
            self._silent = reason

    def stop(self) -> None:
        """End the pool: it finishes the tasks at hand, which take about two seconds."""
        self._deaths.close()
        if self._pool is None:
            return
        self._pool.terminate()
        try:
            self._pool.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(self._pool.pid, signal.SIGKILL)
            self._pool.wait()
        self._history("stopped")
        self._pool = None

    def _history(self, kind: str, message: str = "") -> None:
        """Keep on record what happened to the pool; a record that is away misses it."""
        pid = 0 if self._pool is None else self._pool.pid
        happened = WorkerEvent(
            kind=kind, host=socket.gethostname(), pid=pid, processes=self._processes, message=message
        )
        with suppress(*AWAY), self._database.write() as session:
            add_worker_event(session, happened)


def environment(settings: Settings) -> dict[str, str]:
    """Our environment, with these settings: the pool must see the same home, database and broker."""
    shown = settings.model_dump(
        exclude={"api_token", "ui_token", "ui_viewer_token"}
    )  # a secret stays in the environment that it came from
    own = {f"ORGANON_{name.upper()}": str(value) for name, value in shown.items()}
    root = str(Path(__file__).resolve().parent.parent)
    path = os.pathsep.join(part for part in (root, os.environ.get("PYTHONPATH", "")) if part)
    return {**os.environ, **own, "PYTHONPATH": path}


@contextmanager
def workers(settings: Settings, *, processes: int, always: bool = False) -> Iterator[Supervisor]:
    """Broker and workers for as long as the context lasts.

    Where a pool of this home is at work already it is used, unless ``always`` asks for one more.
    """
    database = services.open_database(settings)
    with broker(settings):
        supervisor = Supervisor(settings, database, processes)
        if always or not pool_is_present(settings):
            supervisor.start()
        try:
            yield supervisor
        finally:
            supervisor.stop()
            database.close()


def run_worker(settings: Settings, processes: int, ready: Callable[[], None]) -> None:
    """Work until SIGTERM or SIGINT."""
    stop_on_sigterm()
    with workers(settings, processes=processes, always=True) as supervisor:
        ready()
        try:
            while True:
                supervisor.check()
                time.sleep(0.25)
        except KeyboardInterrupt:
            return


def stop_on_sigterm() -> None:
    """Make SIGTERM end this process the way Ctrl-C does, with everything put in order."""

    def interrupt(signum: int, frame: object) -> None:
        del signum, frame
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, interrupt)
