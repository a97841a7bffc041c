"""Doing a job: what a worker does with one message of the queue of jobs."""

import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import import_module
from time import monotonic
from typing import Any

from experiments_db import jobs
from experiments_db.database import Database
from experiments_db.errors import ConflictError
from experiments_db.jobs import JobRecord
from orchestrator.errors import EXPECTED
from orchestrator.jobs import KINDS
from orchestrator.lease import AWAY, job_heartbeat
from orchestrator.logs import note
from orchestrator.owner import is_alive, this_process
from orchestrator.settings import Settings

log = logging.getLogger("organon")
_SLICE_SECONDS = 5.0


@dataclass(frozen=True)
class Work:
    """A job at hand. A function that does one returns its result, or None to be called again for the next slice."""

    settings: Settings
    database: Database
    job: JobRecord
    owner: str
    progress: Callable[[], None]
    deadline: float

    @property
    def arguments(self) -> dict[str, Any]:
        return self.job.arguments

    @property
    def time_is_up(self) -> bool:
        """Whether long work should keep what it has and return None: others wait for this worker, too."""
        return monotonic() >= self.deadline

    def tell(self, share: float, saying: str = "") -> None:
        """How far it is; ConflictError where the job was cancelled or taken over, which ends it."""
        with self.database.write() as session:
            jobs.note_progress(session, self.job.id, self.owner, share, saying)
        self.progress()


def work_next(database: Database, settings: Settings, progress: Callable[[], None]) -> tuple[str, str | None]:
    """Do the job whose turn it is, or a slice of it; ``again`` where it is to go on, and which it was."""
    owner = this_process()
    with database.write() as session:
        job = jobs.claim_job(
            session,
            owner=owner,
            now=datetime.now(UTC),
            lease_seconds=settings.lease_seconds,
            owner_is_alive=is_alive,
        )
    if job is None:
        return "busy", None
    note(job=job.id)
    work = Work(settings, database, job, owner, progress, monotonic() + _SLICE_SECONDS)
    if job.attempts > settings.attempts:
        _fail(work, f"its worker died {job.attempts - 1} times in a row over it; what it said is in the workers' log")
        return "finished", job.id
    with job_heartbeat(database, job.id, owner, settings.lease_seconds):
        return _done(work), job.id


def _done(work: Work) -> str:
    """Whatever the work throws ends it, with the reason; a database that is away is waited for by the watchdog."""
    try:
        module, _, function = KINDS[work.job.kind].partition(":")
        result = getattr(import_module(module), function)(work)
        with work.database.write() as session:
            if result is None:
                jobs.release_job(session, work.job.id, work.owner)
                return "again"
            jobs.finish_job(session, work.job.id, work.owner, result, datetime.now(UTC))
    except ConflictError as error:
        log.info("job %s: %s", work.job.id, error)
    except AWAY:
        return "again"
    except EXPECTED as error:
        _fail(work, str(error))
    except Exception as error:  # of the domain's own code, say: the worker goes on with other work
        log.exception("job %s failed", work.job.id)
        _fail(work, f"{type(error).__name__}: {(str(error).splitlines() or [''])[0]}")
    return "finished"


def _fail(work: Work, message: str) -> None:
    with suppress(ConflictError), work.database.write() as session:
        jobs.fail_job(session, work.job.id, work.owner, message, datetime.now(UTC))
