"""Doing a job: what a worker does with one message of the queue of jobs."""

import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import import_module
from time import monotonic, sleep
from typing import Any

from sqlalchemy.orm import Session

from experiments_db import jobs
from experiments_db.database import Database
from experiments_db.errors import ConflictError
from experiments_db.jobs import JobRecord
from orchestrator.errors import EXPECTED, RequestError
from orchestrator.jobs import KINDS
from orchestrator.lease import AWAY, give_back, job_heartbeat
from orchestrator.limits import ran_out_of_memory
from orchestrator.logs import about, note
from orchestrator.owner import is_alive, this_process
from orchestrator.settings import Settings

log = logging.getLogger("organon")
_SLICE_SECONDS = 5.0
_REST_SECONDS = 1.0


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


@about()
def work_next(database: Database, settings: Settings, progress: Callable[[], None]) -> tuple[str, str | None]:
    """Do the job whose turn it is, or a slice of it; ``again`` where it is to go on, and which it was."""
    owner = this_process()
    try:
        with database.write() as session:
            claimed = _claim(session, settings, owner)
        if claimed is None:
            return "busy", None
        job = claimed.job
        note(job=job.id)
        if job.attempts > settings.attempts:
            return "finished", job.id
        with job_heartbeat(database, job.id, owner, settings.lease_seconds):
            work = Work(settings, database, job, owner, progress, monotonic() + _SLICE_SECONDS)
            return _done(work), job.id
    except AWAY as error:
        give_back(database, owner, f"could not use the record: {str(error).splitlines()[0]}")
        sleep(_REST_SECONDS)  # what is wrong each time must not keep a worker spinning
        return "again", None


def _claim(session: Session, settings: Settings, owner: str) -> jobs.ClaimedJob | None:
    """The job whose turn it is; one that kills its workers again and again is given up at once."""
    now = datetime.now(UTC)
    claimed = jobs.claim_job(
        session, owner=owner, now=now, lease_seconds=settings.lease_seconds, owner_is_alive=is_alive
    )
    if claimed is not None and claimed.job.attempts > settings.attempts:
        tried = f"{claimed.job.attempts - 1} workers in a row came to nothing over it"
        cause = f"; the last {claimed.job.message}" if claimed.job.message else ""
        jobs.give_up_job(session, claimed, tried + cause, now)
    return claimed


def _done(work: Work) -> str:
    """Whatever the work throws ends it, with the reason; where the database is away, it is for the caller to wait."""
    try:
        result = _function(work.job.kind)(work)
        with work.database.write() as session:
            if result is None:
                jobs.release_job(session, work.job.id, work.owner, datetime.now(UTC))
                return "again"
            jobs.finish_job(session, work.job.id, work.owner, result, datetime.now(UTC))
    except AWAY:
        raise
    except EXPECTED as error:  # ConflictError among them: cancelled, say, and then there is nothing left to fail
        log.info("job %s: %s", work.job.id, error)
        _fail(work, str(error))
    except Exception as error:  # of the domain's own code, say: the worker goes on with other work
        log.exception("job %s failed", work.job.id)
        _fail(work, _OUT_OF_MEMORY if ran_out_of_memory(error) else _in_words(error))
    return "finished"


_OUT_OF_MEMORY = "it needs more memory than a worker may have: ask for less, or see ORGANON_MEMORY_LIMIT_MB"


def _function(kind: str) -> Callable[[Work], dict[str, Any] | None]:
    if kind not in KINDS:
        raise RequestError(f"these workers know no kind of job {kind!r}: they run another version than whoever asked")
    module, _, function = KINDS[kind].partition(":")
    found: Callable[[Work], dict[str, Any] | None] = getattr(import_module(module), function)
    return found


def _in_words(error: Exception) -> str:
    said = next(iter(str(error).splitlines()), "")
    return f"{type(error).__name__}: {said}" if said else type(error).__name__


def _fail(work: Work, message: str) -> None:
    with suppress(ConflictError), work.database.write() as session:
        jobs.fail_job(session, work.job.id, work.owner, message, datetime.now(UTC))
