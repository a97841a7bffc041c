"""Reads of one run, and of the runs of a campaign page by page: by index, never the whole campaign."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session
from sqlmodel import col

from experiments_db.errors import NotFoundError
from experiments_db.models import Block, Experiment, Finding, Run
from experiments_db.queries import RunRecord, view


@dataclass(frozen=True)
class RunStep:
    """One experiment of a run, and the belief after it."""

    step: int
    design: dict[str, Any]
    outcome: dict[str, Any]
    cost: float
    information: float | None
    given: bool
    belief: dict[str, Any]


@dataclass(frozen=True)
class RunLine:
    """One line of the table of runs; `belief`: after its last experiment, None before the first."""

    index: int
    status: str
    steps: int
    cost: float
    truth: dict[str, Any] | None
    belief: dict[str, Any] | None


@dataclass(frozen=True)
class RunOutcome:
    """What one finished run came to: its finding's content, its truth where known, the nats that it gained."""

    index: int
    finding: dict[str, Any]
    truth: dict[str, Any] | None
    information: float | None


def get_run(session: Session, campaign_id: str, run_index: int) -> RunRecord:
    """Return one run of a campaign.

    Raises:
        NotFoundError: it has no such run.
    """
    mine = (col(Run.campaign_id) == campaign_id, col(Run.index) == run_index)
    if (run := session.scalars(select(Run).where(*mine)).one_or_none()) is None:
        raise NotFoundError(f"Campaign {campaign_id} has no run {run_index + 1}: its runs are counted from 1.")
    return view(RunRecord, run)


def run_steps(session: Session, run_id: int, *, since: int = 0) -> list[RunStep]:
    """Return the experiments of a run from step `since` on, as they were recorded."""
    names = ("step", "design", "outcome", "cost", "information", "given", "belief")
    mine = (col(Experiment.run_id) == run_id, col(Experiment.step) >= since)
    query = select(*(col(getattr(Experiment, name)) for name in names)).where(*mine)
    return [RunStep(*row) for row in session.execute(query.order_by(col(Experiment.step)))]


def recorded_candidates(session: Session, run_id: int, step: int) -> list[dict[str, Any]]:
    """Return the designs that were considered for one experiment, best first; none where it is not on record."""
    mine = (col(Experiment.run_id) == run_id, col(Experiment.step) == step)
    return list(session.scalar(select(col(Experiment.candidates)).where(*mine)) or [])


def run_lines(session: Session, campaign_id: str, *, limit: int, offset: int = 0, law: str = "") -> list[RunLine]:
    """Return runs of a campaign in order, those only whose finding names this law where one is given."""
    last = (col(Experiment.run_id) == col(Run.id)) & (col(Experiment.step) == col(Run.steps) - 1)
    query = select(Run, col(Experiment.belief)).outerjoin(Experiment, last).where(col(Run.campaign_id) == campaign_id)
    if law:
        query = query.join(Finding, col(Finding.run_id) == col(Run.id))
        query = query.where(col(Finding.content)["mechanism"].as_string() == law)
    rows = session.execute(query.order_by(col(Run.index)).limit(limit).offset(offset))
    return [RunLine(run.index, run.status, run.steps, run.cost, run.truth, belief) for run, belief in rows]


def leading_laws(session: Session, campaign_id: str) -> dict[str, int]:
    """Return in how many finished runs each law is the most probable, the most frequent first."""
    law = col(Finding.content)["mechanism"].as_string()
    mine = (col(Finding.campaign_id) == campaign_id, col(Finding.run_id).is_not(None))
    query = select(law, func.count()).where(*mine).group_by(law).order_by(func.count().desc(), law)
    return {str(name): int(count) for name, count in session.execute(query)}


def run_outcomes(session: Session, campaign_id: str, *, most: int) -> list[RunOutcome]:
    """Return what the first `most` finished runs came to, in run order."""
    query = _finished(campaign_id).order_by(col(Run.index)).limit(most)
    rows = session.execute(query).all()
    gained = _information(session, [run_id for run_id, *_ in rows])
    return [RunOutcome(index, content, truth, gained.get(run_id)) for run_id, index, content, truth in rows]


def block_place(session: Session, run: RunRecord) -> tuple[int, int]:
    """Return the first run of a run's block, and how many experiments each run of it has had its turn for."""
    row = session.execute(select(col(Block.first_run), col(Block.step)).where(col(Block.id) == run.block_id)).one()
    return int(row[0]), int(row[1])


def _finished(campaign_id: str) -> Select[Any]:
    return (
        select(col(Run.id), col(Run.index), col(Finding.content), col(Run.truth))
        .join(Finding, col(Finding.run_id) == col(Run.id))
        .where(col(Run.campaign_id) == campaign_id)
    )


def _information(session: Session, run_ids: Sequence[int]) -> dict[int, float | None]:
    """Nats gained by each run; None where that of a step is not known."""
    known, own = func.count(col(Experiment.information)), func.count().filter(col(Experiment.given).is_(False))
    query = select(col(Experiment.run_id), func.sum(col(Experiment.information)), known, own)
    grouped = query.where(col(Experiment.run_id).in_(run_ids)).group_by(col(Experiment.run_id))
    return {
        run_id: float(total or 0.0) if count == steps else None
        for run_id, total, count, steps in session.execute(grouped)
    }
