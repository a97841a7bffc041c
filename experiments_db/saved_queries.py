"""Queries of the console that were kept under a name."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session
from sqlmodel import col

from experiments_db.models import SavedQuery
from experiments_db.queries import view


@dataclass(frozen=True)
class SavedQueryRecord:
    """A query as kept."""

    name: str
    text: str
    by: str
    created_at: datetime


def saved_queries(session: Session) -> list[SavedQueryRecord]:
    """All of them, by name."""
    return [view(SavedQueryRecord, row) for row in session.scalars(select(SavedQuery).order_by(col(SavedQuery.name)))]


def get_query(session: Session, name: str) -> SavedQueryRecord | None:
    """The query of this name, None where there is none."""
    row = session.get(SavedQuery, name)
    return None if row is None else view(SavedQueryRecord, row)


def save_query(session: Session, name: str, text: str, by: str) -> bool:
    """Keep a query; False where there is one of that name already."""
    if session.get(SavedQuery, name) is not None:
        return False
    session.add(SavedQuery(name=name, text=text, by=by))
    session.flush()
    return True


def delete_query(session: Session, name: str) -> bool:
    """Keep it no longer; whether there was one."""
    row = session.get(SavedQuery, name)
    if row is not None:
        session.delete(row)
    return row is not None
