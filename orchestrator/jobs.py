"""Work beside campaigns, done by workers and answered through the record: previews, checks, trainings. Torch-free.

What may be asked for is listed in `KINDS`: a kind's name and where the function is that does it. That module may load
torch; only workers import it.
"""

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

from experiments_db import jobs
from experiments_db.database import Database
from experiments_db.jobs import JobRecord
from experiments_db.worker_events import forget_worker_events
from orchestrator import app, broker
from orchestrator.errors import BrokerError, RequestError
from orchestrator.owner import is_alive
from orchestrator.settings import Settings

KINDS: dict[str, str] = {
    "domain-check": "orchestrator.work.domain_check:check",
    "domain-prediction": "orchestrator.work.domain_prediction:predict",
    "bands": "orchestrator.work.bands:bands",
    "log-check": "orchestrator.work.log_check:log_check",
    "power": "orchestrator.work.power:power",
    "draw": "orchestrator.work.drawing:draw",
    "train": "orchestrator.work.training:train",
    "compare": "orchestrator.work.comparing:compare",
    "adapt": "orchestrator.work.adapting:adapt",
}


def ask(settings: Settings, database: Database, kind: str, arguments: dict[str, Any], by: str) -> JobRecord:
    """The job that does this: one that is under way or done, else a new one. RequestError for an unknown kind."""
    if kind not in KINDS:
        raise RequestError(f"there is no kind of job {kind!r}; there are {', '.join(KINDS)}")
    with database.write() as session:
        job, added = jobs.find_or_add_job(session, kind, arguments, by)
    if added:
        send_jobs(settings, [job.id])
    return job


def look(database: Database, kind: str, arguments: dict[str, Any]) -> JobRecord | None:
    """The newest job that did or does this, without asking for one."""
    with database.read() as session:
        return jobs.find_job(session, kind, arguments)


def cancel(database: Database, job_id: str) -> None:
    """Stop a job at its next sign of progress; RequestError where it has ended."""
    with database.write() as session:
        job = jobs.get_job(session, job_id)
        if not jobs.cancel_job(session, job_id, datetime.now(UTC)):
            raise RequestError(f"job {job_id} is {job.status}; it cannot be cancelled")


def retry(settings: Settings, database: Database, job_id: str) -> None:
    """Do a failed job again; RequestError where it has not failed."""
    with database.write() as session:
        job = jobs.get_job(session, job_id)
        if not jobs.retry_job(session, job_id):
            raise RequestError(f"job {job_id} is {job.status}; only a failed one is tried again")
    send_jobs(settings, [job_id])


def old_jobs(database: Database, days: float) -> int:
    """How many jobs ended more than so many days ago."""
    with database.read() as session:
        return jobs.ended_jobs(session, datetime.now(UTC) - timedelta(days=days))


def prune(database: Database, days: float) -> int:
    """Delete the jobs that ended more than so many days ago, and the history of workers until then; how many jobs.

    A result can be had again: whoever asks for the same makes a new job of it. Trained agents are kept elsewhere.
    """
    before = datetime.now(UTC) - timedelta(days=days)
    with database.write() as session:
        forget_worker_events(session, before)
        return jobs.forget_jobs(session, before)


def send_jobs(settings: Settings, job_ids: list[str]) -> None:
    """Tell the workers, if somebody listens; else the watchdog of the first worker to come does."""
    with suppress(BrokerError):
        if not settings.embedded_broker or broker.is_running(settings):
            app.send_jobs(settings, job_ids)


def send_waiting(settings: Settings, database: Database) -> int:
    """Send again the jobs that nobody is at, while no message for any waits; how many."""
    with database.read() as session:
        waiting = jobs.waiting_jobs(session, datetime.now(UTC), is_alive)
    if not waiting or broker.queue_length(settings, settings.job_queue) > 0:
        return 0
    app.send_jobs(settings, waiting)
    return len(waiting)
