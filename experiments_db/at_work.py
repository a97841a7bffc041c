"""Who is at work on what, what waits, what was done lately and what failed: from the record alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, and_, func, or_, select
from sqlalchemy.orm import Session
from sqlmodel import col

from experiments_db.jobs import OPEN
from experiments_db.models import UNFINISHED, Block, Campaign, Domain, Job
from experiments_db.scheduling import ready


@dataclass(frozen=True)
class Queues:
    """How much waits for a worker and how much is under way, of blocks and of jobs.

    blocks_resting: those that wait for somebody's answer; blocks_later: not before their time, or until a retry.
    """

    blocks_waiting: int
    blocks_running: int
    blocks_resting: int
    blocks_later: int
    jobs_waiting: int
    jobs_running: int


@dataclass(frozen=True)
class HeldBlock:
    """A block that a process advances now."""

    owner: str
    campaign_id: str
    domain_title: str
    index: int
    step: int
    runs: int


@dataclass(frozen=True)
class HeldJob:
    """A job that a process does now."""

    owner: str
    id: str
    kind: str
    by: str
    share: float
    saying: str
    started_at: datetime | None


@dataclass(frozen=True)
class DoneBlock:
    """A block that has ended."""

    campaign_id: str
    domain_title: str
    index: int
    runs: int
    step: int
    finished_at: datetime


@dataclass(frozen=True)
class FailedCampaign:
    """A campaign that has failed, and why."""

    id: str
    domain_title: str
    message: str
    finished_at: datetime | None


def queues(session: Session, now: datetime) -> Queues:
    """Count what waits and what runs."""
    held = _held(Block, now)
    open_blocks = select(func.count()).select_from(Block).join(Campaign, col(Campaign.id) == col(Block.campaign_id))
    may_run = (
        col(Campaign.status).in_(UNFINISHED),
        col(Block.status).in_(UNFINISHED),
        col(Campaign.imported).is_(None),
    )
    later = or_(col(Campaign.start_at) > now, col(Block.retry_at) > now)
    jobs = select(func.count()).select_from(Job)
    return Queues(
        blocks_waiting=_number(session, open_blocks.where(*ready(now), ~_known(held))),
        blocks_running=_number(session, select(func.count()).select_from(Block).where(held)),
        blocks_resting=_number(session, open_blocks.where(*may_run, col(Block.waiting).is_(True))),
        blocks_later=_number(session, open_blocks.where(*may_run, col(Block.waiting).is_(False), later)),
        jobs_waiting=_number(session, jobs.where(col(Job.status).in_(OPEN), ~_known(_held(Job, now)))),
        jobs_running=_number(session, jobs.where(_held(Job, now))),
    )


def held_blocks(session: Session, now: datetime, *, limit: int = 100) -> list[HeldBlock]:
    """The blocks under a lease, by their owner."""
    query: Any = (
        select(col(Block.lease_owner), col(Block.campaign_id), col(Domain.title), col(Block.index), col(Block.step),
               col(Block.runs))
        .join(Campaign, col(Campaign.id) == col(Block.campaign_id))
        .join(Domain, col(Domain.identity) == col(Campaign.domain_identity))
        .where(_held(Block, now))
        .order_by(col(Block.lease_owner), col(Block.id))
    )  # fmt: skip
    return [HeldBlock(*row) for row in session.execute(query.limit(limit))]


def held_jobs(session: Session, now: datetime, *, limit: int = 100) -> list[HeldJob]:
    """The jobs under a lease, by their owner."""
    columns = (Job.lease_owner, Job.id, Job.kind, Job.by, Job.share, Job.saying, Job.started_at)
    query: Any = select(*map(col, columns)).where(_held(Job, now)).order_by(col(Job.lease_owner), col(Job.id))
    return [HeldJob(*row) for row in session.execute(query.limit(limit))]


def done_blocks(session: Session, *, limit: int = 20) -> list[DoneBlock]:
    """The blocks that ended last."""
    query: Any = (
        select(col(Block.campaign_id), col(Domain.title), col(Block.index), col(Block.runs), col(Block.step),
               col(Block.finished_at))
        .join(Campaign, col(Campaign.id) == col(Block.campaign_id))
        .join(Domain, col(Domain.identity) == col(Campaign.domain_identity))
        .where(col(Block.status) == "finished", col(Block.finished_at).is_not(None))
        .order_by(col(Block.finished_at).desc(), col(Block.id).desc())
    )  # fmt: skip
    return [DoneBlock(*row) for row in session.execute(query.limit(limit))]


def failed_campaigns(session: Session, *, limit: int = 20, offset: int = 0) -> list[FailedCampaign]:
    """The campaigns that have failed, those created last first."""
    query = (
        select(col(Campaign.id), col(Domain.title), col(Campaign.message), col(Campaign.finished_at))
        .join(Domain, col(Domain.identity) == col(Campaign.domain_identity))
        .where(col(Campaign.status) == "failed")
        .order_by(col(Campaign.created_at).desc(), col(Campaign.id))
    )
    return [FailedCampaign(*row) for row in session.execute(query.limit(limit).offset(offset))]


def job_kinds(session: Session) -> Sequence[str]:
    """The kinds of jobs that there are on record."""
    return list(session.scalars(select(col(Job.kind)).distinct().order_by(col(Job.kind))))


def _held(table: type[Block] | type[Job], now: datetime) -> Any:
    return and_(col(table.status) == "running", col(table.lease_owner).is_not(None), col(table.lease_until) > now)


def _known(condition: Any) -> Any:
    """A condition that is false, not unknown, where a column is null."""
    return func.coalesce(condition, False)


def _number(session: Session, query: Select[Any]) -> int:
    return int(session.scalar(query) or 0)
