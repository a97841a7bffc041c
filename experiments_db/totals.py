"""Totals over the whole record, for monitoring: read from small tables, so that asking often costs little."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import quantiles

from sqlalchemy import ColumnElement, and_, case, func, or_, select
from sqlalchemy.orm import Session
from sqlmodel import col

from experiments_db.desk_models import JOB_STATUSES
from experiments_db.models import (
    CAMPAIGN_STATUSES,
    SUGGESTION_STATUSES,
    WORK_STATUSES,
    Block,
    Campaign,
    Experiment,
    Job,
    Measurements,
    Run,
    Suggestion,
)

QUANTILES = (0.5, 0.9, 0.99)
_RECENT = 1000  # decisions: experiments are large, so that a sum over all of them would read the whole record


@dataclass(frozen=True)
class Totals:
    """What the record holds at one moment.

    experiments: made in campaigns, without those `given` beforehand; steps: of blocks; waiting: suggestions that
    nobody has answered, overdue: those past their time; held and expired: leases of blocks at work; holders: processes
    that hold one; jobs_expired: leases of jobs whose worker shows no sign of life; decision_seconds: quantile → seconds
    over the newest decisions, empty before the first.
    """

    campaigns: dict[str, int]
    blocks: dict[str, int]
    suggestions: dict[str, int]
    jobs: dict[str, int]
    experiments: int
    given: int
    steps: int
    resting: int
    overdue: int
    held: int
    expired: int
    holders: int
    jobs_expired: int
    decision_seconds: dict[float, float]

    @property
    def decisions(self) -> int:
        """Designs chosen: each experiment's, and those of suggestions that did not become one (yet)."""
        return self.experiments + sum(count for status, count in self.suggestions.items() if status != "recorded")


def totals(session: Session, now: datetime) -> Totals:
    """Count; `now` tells leases that have expired and suggestions that are overdue."""
    steps_of_runs, given = _experiments(session)
    at_work = and_(col(Block.status) == "running", col(Block.lease_owner).is_not(None))
    until = col(Block.lease_until)
    open_past = and_(col(Suggestion.status) == "open", col(Suggestion.due_at) < now)
    return Totals(
        campaigns=_by_status(session, Campaign, CAMPAIGN_STATUSES),
        blocks=_by_status(session, Block, WORK_STATUSES),
        suggestions=_by_status(session, Suggestion, SUGGESTION_STATUSES),
        jobs=_by_status(session, Job, JOB_STATUSES),
        experiments=steps_of_runs - given,
        given=given,
        steps=int(session.scalar(select(func.coalesce(func.sum(col(Block.step)), 0))) or 0),
        resting=_count(session, Block, and_(col(Block.waiting), col(Block.status).in_(("scheduled", "running")))),
        overdue=_count(session, Suggestion, open_past),
        held=_count(session, Block, and_(at_work, until >= now)),
        expired=_count(session, Block, and_(at_work, or_(until.is_(None), until < now))),
        holders=int(
            session.scalar(select(func.count(func.distinct(col(Block.lease_owner)))).where(at_work, until >= now)) or 0
        ),
        jobs_expired=_count(
            session,
            Job,
            and_(col(Job.status) == "running", col(Job.lease_owner).is_not(None), col(Job.lease_until) < now),
        ),
        decision_seconds=_decision_seconds(session),
    )


def clock_ahead(session: Session, now: datetime) -> timedelta | None:
    """How far the database server's clock is ahead of `now`; None on SQLite, which has no clock of its own."""
    if session.get_bind().dialect.name == "sqlite":
        return None
    server: datetime = session.execute(select(func.clock_timestamp())).scalar_one()
    return server - now


def _by_status(
    session: Session, table: type[Campaign] | type[Block] | type[Suggestion] | type[Job], statuses: tuple[str, ...]
) -> dict[str, int]:
    """Every status with its count, 0 where there is none: a series that comes and goes raises false alarms."""
    found = session.execute(select(col(table.status), func.count()).group_by(col(table.status)))
    return {**dict.fromkeys(statuses, 0), **{status: count for status, count in found}}


def _count(session: Session, table: type[Block] | type[Suggestion] | type[Job], where: ColumnElement[bool]) -> int:
    return int(session.scalar(select(func.count()).select_from(table).where(where)) or 0)


def _experiments(session: Session) -> tuple[int, int]:
    """Experiments of all runs, and how many of them were given: the first of each run of a campaign with a table."""
    rows = func.coalesce(func.json_array_length(col(Measurements.rows)), 0)
    given = case((col(Run.steps) < rows, col(Run.steps)), else_=rows)
    sums = select(func.coalesce(func.sum(col(Run.steps)), 0), func.coalesce(func.sum(given), 0)).outerjoin_from(
        Run, Measurements, col(Measurements.campaign_id) == col(Run.campaign_id)
    )
    made, before = session.execute(sums).one()
    return int(made), int(before)


def _decision_seconds(session: Session) -> dict[float, float]:
    newest = select(col(Experiment.decision_ms)).order_by(col(Experiment.id).desc()).limit(_RECENT)
    found = [milliseconds / 1000 for milliseconds in session.scalars(newest)]
    if not found:
        return {}
    hundredths = quantiles([*found, found[0]] if len(found) == 1 else found, n=100, method="inclusive")
    return {quantile: hundredths[round(quantile * 100) - 1] for quantile in QUANTILES}
