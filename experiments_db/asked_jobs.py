"""What came of a job that was asked for, failures too."""

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session
from sqlmodel import col

from experiments_db.jobs import JobRecord, find_job, job_key
from experiments_db.models import Job
from experiments_db.queries import view


def asked_job(session: Session, kind: str, arguments: dict[str, Any]) -> JobRecord | None:
    """The newest job that did or does this; where none did, the newest that failed or was cancelled."""
    if (known := find_job(session, kind, arguments)) is not None:
        return known
    same = select(Job).where(col(Job.key) == job_key(kind, arguments)).order_by(col(Job.created_at).desc()).limit(1)
    job = session.scalars(same).one_or_none()
    return None if job is None else view(JobRecord, job)
