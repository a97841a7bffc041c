"""Meta-trainings on record: the write and the read."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
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
