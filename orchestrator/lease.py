"""Holding a block's lease: heartbeats while it is advanced, and giving it back when the database was away."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from threading import Event, Thread

from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.orm import Session

from experiments_db import scheduling
from experiments_db.database import Database
from experiments_db.errors import UnreachableDatabaseError
from experiments_db.jobs import release_jobs, renew_job
from experiments_db.scheduling import renew_lease

# What a statement may be refused for otherwise (a value, a constraint) would be refused again.
AWAY = (UnreachableDatabaseError, OperationalError, InterfaceError)
_BEATS_A_LEASE = 3
_PATIENCE_SECONDS = 120.0  # a database that is away for longer finds the lease expired or its owner dead
_LOOK_SECONDS = 0.5
_REST_SECONDS = 1.0  # what fails again and again must not keep a worker spinning


@contextmanager
def heartbeat(database: Database, block_id: int, owner: str, lease_seconds: float) -> Iterator[None]:
    """Renew a block's lease while the context lasts: a step, or drawing worlds, may take longer than a lease.

    A thread that finds the lease gone ends; the next write of the main thread finds out for itself.
    """
    with _beating(database, lease_seconds, lambda session, until: renew_lease(session, block_id, owner, until)):
        yield


@contextmanager
def job_heartbeat(database: Database, job_id: str, owner: str, lease_seconds: float) -> Iterator[None]:
    """Renew a job's lease likewise."""
    with _beating(database, lease_seconds, lambda session, until: renew_job(session, job_id, owner, until)):
        yield


Renewal = Callable[[Session, datetime], bool]


@contextmanager
def _beating(database: Database, lease_seconds: float, renew: Renewal) -> Iterator[None]:
    done = Event()
    thread = Thread(target=_beat, args=(database, lease_seconds, renew, done), daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def _beat(database: Database, lease_seconds: float, renew: Renewal, done: Event) -> None:
    while not done.wait(lease_seconds / _BEATS_A_LEASE):
        try:
            with database.write() as session:
                held = renew(session, datetime.now(UTC) + timedelta(seconds=lease_seconds))
        except AWAY:
            continue  # it may be back by the next beat
        if not held:
            return


def give_back(database: Database, owner: str, fault: str = "") -> int:
    """Release what a process holds whose task could not go on, as soon as the database answers; how many it held.

    Until then it has nothing better to do, and others would take the lease for one that is in use. Raises what the
    database says after two minutes.
    """
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            with database.write() as session:
                now = datetime.now(UTC)
                blocks = scheduling.release_all(session, owner, now + timedelta(seconds=_REST_SECONDS))
                return blocks + release_jobs(session, owner, now, fault)
        except AWAY:
            if time.monotonic() >= deadline:
                raise
            time.sleep(_LOOK_SECONDS)
