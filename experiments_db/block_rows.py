"""The experiments of a block with everything that is recorded of them, for checks and archives."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session
from sqlmodel import col

from experiments_db.models import Block, Experiment, Finding, Run


@dataclass(frozen=True)
class ExperimentRecord:
    """One experiment of a block; ``row`` is the offset of its run within the block."""

    step: int
    row: int
    design: dict[str, Any]
    outcome: dict[str, Any]
    cost: float
    information: float | None
    given: bool
    belief: dict[str, Any]
    candidates: list[Any]


def block_experiments(session: Session, block_id: int) -> list[ExperimentRecord]:
    """The experiments of a block by (step, run)."""
    fields = ("design", "outcome", "cost", "information", "given", "belief", "candidates")
    columns: list[Any] = [col(Experiment.step), (col(Run.index) - col(Block.first_run)).label("row")]
    query = (
        select(*columns, *(col(getattr(Experiment, name)) for name in fields))
        .join(Run, col(Run.id) == col(Experiment.run_id))
        .join(Block, col(Block.id) == col(Run.block_id))
        .where(col(Run.block_id) == block_id)
        .order_by(col(Experiment.step), col(Run.index))
    )
    return [ExperimentRecord(*row) for row in session.execute(query)]


def block_findings(session: Session, block_id: int) -> dict[int, tuple[dict[str, Any], str]]:
    """What the runs of a block conclude: run's index → content and text."""
    query = (
        select(col(Run.index), col(Finding.content), col(Finding.text))
        .join(Finding, col(Finding.run_id) == col(Run.id))
        .where(col(Run.block_id) == block_id)
    )
    return {index: (content, text) for index, content, text in session.execute(query)}


def campaign_blocks(session: Session, campaign_id: str) -> list[int]:
    """The ids of a campaign's blocks, in order."""
    query = select(col(Block.id)).where(col(Block.campaign_id) == campaign_id).order_by(col(Block.index))
    return [int(block_id or 0) for block_id in session.scalars(query)]
