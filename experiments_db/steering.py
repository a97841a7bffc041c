"""Taking up again a campaign that failed, and making one larger."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.orm import Session
from sqlmodel import col

from experiments_db import event_kinds
from experiments_db.errors import NotFoundError
from experiments_db.events import append
from experiments_db.models import Block, Campaign, Finding, Run

_EXTENDABLE = ("scheduled", "running", "paused", "finished")


@dataclass(frozen=True)
class Extension:
    """What a campaign gets: blocks of so many further runs, and new caps (None leaves a cap as it is)."""

    block_sizes: Sequence[int] = ()
    max_experiments: int | None = None
    max_cost: float | None = None


def retry_campaign(session: Session, campaign_id: str, *, by: str = "", reason: str = "") -> bool:
    """Let the blocks of a failed campaign go on from what is recorded; whether it had failed."""
    mine = (col(Block.campaign_id) == campaign_id, col(Block.status) == "failed")
    _lock_blocks(session, campaign_id)
    campaign = _lock(session, campaign_id)
    if campaign.status != "failed" or campaign.imported is not None:
        return False
    anew = {
        "status": "scheduled",
        "waiting": False,
        "attempts": 0,
        "retry_at": None,
        "fault": "",
        "finished_at": None,
        "sent_at": None,
    }
    session.execute(update(Block).where(*mine).values(anew))
    failed = (col(Run.campaign_id) == campaign_id, col(Run.status) == "failed")
    session.execute(update(Run).where(*failed, col(Run.steps) > 0).values(status="running"))
    session.execute(update(Run).where(*failed, col(Run.steps) == 0).values(status="scheduled"))
    _reopen(campaign)
    session.flush()
    append(session, campaign_id, event_kinds.RETRIED, {"by": by, "reason": reason})
    return True


def extend_campaign(
    session: Session, campaign_id: str, extension: Extension, *, by: str = "", reason: str = ""
) -> list[int] | None:
    """Give a campaign more runs or other caps; one that stood at its cap, or had finished, goes on.

    A finished campaign that gets runs loses its finding as a whole until the new runs have ended: those of the single
    runs stay. What was recorded does not change, and the new runs are those of new blocks.

    Returns:
        The new blocks; None where the campaign has failed, was cancelled, or came from another installation.
    """
    _lock_blocks(session, campaign_id)
    campaign = _lock(session, campaign_id)
    if campaign.status not in _EXTENDABLE or campaign.imported is not None:
        return None
    stood_at_cap = campaign.status == "paused" and campaign.message != ""
    if extension.max_experiments is not None:
        campaign.max_experiments = extension.max_experiments
    if extension.max_cost is not None:
        campaign.max_cost = extension.max_cost
    blocks = _add_blocks(session, campaign, extension.block_sizes)
    resting = (col(Block.campaign_id) == campaign_id, col(Block.waiting))
    session.execute(update(Block).where(*resting).values(waiting=False))  # a cap may have left room for no more
    goes_on = stood_at_cap or bool(blocks and campaign.status == "finished")
    if goes_on:
        whole = (col(Finding.campaign_id) == campaign_id, col(Finding.run_id).is_(None))
        session.execute(delete(Finding).where(*whole))
        _reopen(campaign)
    session.flush()
    caps = {"max_experiments": campaign.max_experiments, "max_cost": campaign.max_cost}
    said = {"blocks": list(extension.block_sizes), "caps": caps, "goes_on": goes_on, "by": by, "reason": reason}
    append(session, campaign_id, event_kinds.EXTENDED, said)
    return blocks


def _reopen(campaign: Campaign) -> None:
    campaign.status = "running" if campaign.started_at else "scheduled"
    campaign.message, campaign.finished_at = "", None


def _add_blocks(session: Session, campaign: Campaign, sizes: Sequence[int]) -> list[int]:
    last = session.scalar(select(func.max(col(Block.index))).where(col(Block.campaign_id) == campaign.id))
    blocks = []
    for index, size in enumerate(sizes, start=(-1 if last is None else last) + 1):
        block = Block(campaign_id=campaign.id, index=index, first_run=campaign.runs, runs=size)
        session.add(block)
        session.flush()
        session.execute(
            insert(Run),
            [
                {"campaign_id": campaign.id, "block_id": block.id, "index": campaign.runs + offset}
                for offset in range(size)
            ],
        )
        campaign.runs += size
        blocks.append(block.id or 0)
    return blocks


def _lock_blocks(session: Session, campaign_id: str) -> None:
    """In the order block, campaign, as everywhere."""
    mine = select(col(Block.id)).where(col(Block.campaign_id) == campaign_id).order_by(col(Block.id))
    session.execute(mine.with_for_update()).all()


def _lock(session: Session, campaign_id: str) -> Campaign:
    campaign = session.get(Campaign, campaign_id, with_for_update={"key_share": True}, populate_existing=True)
    if campaign is None:
        raise NotFoundError(f"There is no campaign '{campaign_id}': `organon campaign list` shows all.")
    return campaign
