"""Meta-trainings on record: the write and the read."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session
from sqlmodel import col

from experiments_db.models import Training
from experiments_db.queries import view


@dataclass(frozen=True)
class TrainingRecord:
    """A meta-training; curve: [step, value] pairs."""

    id: str
    agent: str
    recipe: dict[str, Any]
    status: str
    step: int
    steps: int
    seconds: float
    curve: list[Any]
    hardware: dict[str, Any]
    commit: str | None
    weights: str | None
    created_at: datetime
    updated_at: datetime


def save_training(session: Session, training: Training) -> None:
    """Record how far a meta-training has come: a new row, or the newer state of one that is there."""
    session.merge(training)
    session.flush()


def trainings(session: Session) -> list[TrainingRecord]:
    """All meta-trainings, the newest first."""
    query = select(Training).order_by(col(Training.created_at).desc())
    return [view(TrainingRecord, row) for row in session.scalars(query)]


def trainings_of(session: Session, agent: str, limit: int = 20) -> list[TrainingRecord]:
    """The meta-trainings of one agent, the newest first."""
    query = select(Training).where(col(Training.agent) == agent).order_by(col(Training.created_at).desc()).limit(limit)
    return [view(TrainingRecord, row) for row in session.scalars(query)]


def trained_names(session: Session, limit: int = 200) -> list[str]:
    """The agents that there were meta-trainings of, those of late first."""
    newest = func.max(col(Training.created_at))
    query = select(col(Training.agent)).group_by(col(Training.agent)).order_by(newest.desc()).limit(limit)
    return list(session.scalars(query))
