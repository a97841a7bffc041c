"""What was run, by block and day, and the caps on it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import ColumnElement, delete, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session
from sqlmodel import col

from experiments_db.models import UNFINISHED, Block, Campaign, Cap, Run, Usage


@dataclass(frozen=True)
class Amount:
    """So many experiments, and what they cost."""

    experiments: int
    cost: float


@dataclass(frozen=True)
class CapRecord:
    """A cap with what was run under it: of one agent, or of all where `agent` is empty; today (UTC) or in total."""

    agent: str
    period: str
    max_experiments: int | None
    max_cost: float | None
    used: Amount

    @property
    def reached(self) -> str | None:
        """What of it is used up, in words; None where there is something left."""
        whose = f"of agent {self.agent}" if self.agent else "of all agents together"
        when = " today" if self.period == "day" else ""
        if self.max_experiments is not None and self.used.experiments >= self.max_experiments:
            return f"the cap of {self.max_experiments} experiments{when} {whose} is reached"
        if self.max_cost is not None and self.used.cost >= self.max_cost:
            return f"the cap of {self.max_cost:g} on the cost{when} {whose} is reached"
        return None


def charge(session: Session, block_id: int, amount: Amount, now: datetime) -> None:
    """Add what a step of a block ran to its account of the day. One row a block: no two workers wait for each other."""
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    new = insert(Usage).values(block_id=block_id, day=_day(now), experiments=amount.experiments, cost=amount.cost)
    table = Usage.metadata.tables["usage"]
    added = {
        "experiments": table.c.experiments + new.excluded.experiments,
        "cost": table.c.cost + new.excluded.cost,
    }
    session.execute(new.on_conflict_do_update(index_elements=["block_id", "day"], set_=added))


def set_cap(session: Session, cap: Cap) -> None:
    """Set a cap in place of the one there was for this agent and period; without a number in it, there is none then."""
    session.execute(delete(Cap).where(col(Cap.agent) == cap.agent, col(Cap.period) == cap.period))
    if cap.max_experiments is not None or cap.max_cost is not None:
        session.add(cap)
    session.flush()


def caps(session: Session, now: datetime) -> list[CapRecord]:
    """Return all caps, by agent and period, with what was run under them."""
    rows = session.scalars(select(Cap).order_by(col(Cap.agent), col(Cap.period))).all()
    return [
        CapRecord(cap.agent, cap.period, cap.max_experiments, cap.max_cost, _used(session, cap, now)) for cap in rows
    ]


def exhausted(session: Session, now: datetime) -> dict[str, str]:
    """Return the agents that may run nothing now ('' stands for all), each with the cap that says so."""
    return {cap.agent: cap.reached for cap in caps(session, now) if cap.reached is not None}


def campaign_usage(session: Session, campaign_id: str) -> Amount:
    """Return what a campaign has run; experiments made before it do not count."""
    return _sum(session, col(Block.campaign_id) == campaign_id)


def in_flight(session: Session, campaign_id: str, block_id: int, now: datetime) -> int:
    """Return how many experiments other blocks of a campaign may be running: the unfinished runs of those leased."""
    query = (
        select(func.count())
        .select_from(Run)
        .join(Block, col(Block.id) == col(Run.block_id))
        .where(col(Block.campaign_id) == campaign_id, col(Block.id) != block_id, col(Block.lease_until) > now)
        .where(col(Run.status).in_(UNFINISHED))
    )
    return int(session.scalar(query) or 0)


def _used(session: Session, cap: Cap, now: datetime) -> Amount:
    conditions: list[ColumnElement[bool]] = []
    if cap.agent:
        conditions.append(col(Campaign.policy) == cap.agent)
    if cap.period == "day":
        conditions.append(col(Usage.day) == _day(now))
    return _sum(session, *conditions)


def _sum(session: Session, *conditions: ColumnElement[bool]) -> Amount:
    query = (
        select(func.coalesce(func.sum(col(Usage.experiments)), 0), func.coalesce(func.sum(col(Usage.cost)), 0.0))
        .join(Block, col(Block.id) == col(Usage.block_id))
        .join(Campaign, col(Campaign.id) == col(Block.campaign_id))
        .where(*conditions)
    )
    experiments, cost = session.execute(query).one()
    return Amount(int(experiments), float(cost))


def total(amounts: Sequence[tuple[float, bool]]) -> Amount:
    """Return the amount of experiments given as (cost, given before the campaign), those given left out."""
    own = [cost for cost, given in amounts if not given]
    return Amount(len(own), sum(own))


def _day(moment: datetime) -> str:
    return moment.astimezone(UTC).date().isoformat()
