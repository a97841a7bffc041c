"""Task distributions on record: versions are only ever added; the newest of a name is the one that is offered."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session
from sqlmodel import col

from experiments_db.errors import NotFoundError
from experiments_db.models import TaskDistribution
from experiments_db.queries import view


@dataclass(frozen=True)
class DistributionRecord:
    """A version of a task distribution as recorded."""

    id: str
    name: str
    version: int
    text: str
    recipe: dict[str, Any]
    by: str
    created_at: datetime


@dataclass(frozen=True)
class DistributionVersion:
    """Of a version, who saved it and when."""

    version: int
    by: str
    created_at: datetime


def add_distribution(session: Session, name: str, text: str, recipe: dict[str, Any], by: str) -> DistributionRecord:
    """Record the next version of a name. Two at once collide in the database's constraint, which lets one through."""
    newest = session.scalar(select(func.max(col(TaskDistribution.version))).where(col(TaskDistribution.name) == name))
    row = TaskDistribution(name=name, version=(newest or 0) + 1, text=text, recipe=recipe, by=by)
    session.add(row)
    session.flush()
    return view(DistributionRecord, row)


def newest_distributions(session: Session, *, limit: int = 50, offset: int = 0) -> list[DistributionRecord]:
    """The newest version of each name, by name."""
    newest = (
        select(col(TaskDistribution.name), func.max(col(TaskDistribution.version)).label("version"))
        .group_by(col(TaskDistribution.name))
        .order_by(col(TaskDistribution.name))
        .limit(limit)
        .offset(offset)
        .subquery()
    )
    both = (newest.c.name == col(TaskDistribution.name), newest.c.version == col(TaskDistribution.version))
    query = select(TaskDistribution).join(newest, both[0] & both[1]).order_by(col(TaskDistribution.name))
    return [view(DistributionRecord, row) for row in session.scalars(query)]


def find_distribution(session: Session, name: str, version: int | None = None) -> DistributionRecord | None:
    """A version of a name, the newest unless told; None where there is none."""
    query = _of(name) if version is None else _of(name).where(col(TaskDistribution.version) == version)
    row = session.scalars(query.limit(1)).one_or_none()
    return None if row is None else view(DistributionRecord, row)


def get_distribution(session: Session, name: str, version: int | None = None) -> DistributionRecord:
    """The same; NotFoundError where there is none."""
    found = find_distribution(session, name, version)
    if found is None:
        which = f"There is no task distribution '{name}'" + ("" if version is None else f" of version {version}")
        raise NotFoundError(f"{which}: the page of task distributions lists them all.")
    return found


def distribution_versions(session: Session, name: str, limit: int = 200) -> list[DistributionVersion]:
    """The versions of a name, newest first."""
    columns = (col(TaskDistribution.version), col(TaskDistribution.by), col(TaskDistribution.created_at))
    query = select(*columns).where(col(TaskDistribution.name) == name).order_by(columns[0].desc()).limit(limit)
    return [DistributionVersion(*row) for row in session.execute(query)]


def _of(name: str) -> Select[Any]:
    return select(TaskDistribution).where(col(TaskDistribution.name) == name).order_by(
        col(TaskDistribution.version).desc()
    )  # fmt: skip
