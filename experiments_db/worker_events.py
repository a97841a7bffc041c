"""The history of workers: pools that started and stopped, processes that died."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session
from sqlmodel import col

from experiments_db.models import WorkerEvent
from experiments_db.queries import view


@dataclass(frozen=True)
class WorkerEventRecord:
    """What happened to a pool or one of its processes."""

    kind: str
    host: str
    pid: int
    processes: int | None
    message: str
    created_at: datetime


def add_worker_event(session: Session, event: WorkerEvent) -> None:
    """Record what happened."""
    session.add(event)
    session.flush()


def forget_worker_events(session: Session, before: datetime) -> int:
    """Delete what happened before a moment; how much that was."""
    old = delete(WorkerEvent).where(col(WorkerEvent.created_at) < before).returning(col(WorkerEvent.id))
    return len(session.scalars(old).all())


def worker_events(session: Session, *, limit: int = 100, offset: int = 0) -> list[WorkerEventRecord]:
    """What happened, newest first."""
    query = select(WorkerEvent).order_by(col(WorkerEvent.created_at).desc(), col(WorkerEvent.id).desc())
    return [view(WorkerEventRecord, row) for row in session.scalars(query.limit(limit).offset(offset))]
