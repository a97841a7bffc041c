"""The event log of a campaign, page by page."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session
from sqlmodel import col

from experiments_db.chains import EventRecord, check_chain, read_chain, strange_chains
from experiments_db.differences import Difference
from experiments_db.events import chain_of
from experiments_db.models import Block, Event


@dataclass(frozen=True)
class LoggedEvent:
    """An event with the moment at which it was written."""

    event: EventRecord
    created_at: datetime


def events_page(
    session: Session, campaign_id: str, *, limit: int, offset: int = 0, kind: str = ""
) -> list[LoggedEvent]:
    """Return events of a campaign, newest first, those of one kind if given."""
    query = select(Event).where(col(Event.campaign_id) == campaign_id)
    if kind:
        query = query.where(col(Event.kind) == kind)
    rows = session.scalars(query.order_by(col(Event.id).desc()).limit(limit).offset(offset))
    return [
        LoggedEvent(EventRecord(e.chain, e.index, e.campaign_id, e.kind, e.content, e.hash), e.created_at) for e in rows
    ]


def kinds_in_log(session: Session, campaign_id: str) -> dict[str, int]:
    """Return how many events of each kind a campaign has."""
    query = select(col(Event.kind), func.count()).where(col(Event.campaign_id) == campaign_id)
    return {str(kind): int(count) for kind, count in session.execute(query.group_by(col(Event.kind)))}


def chains_of(session: Session, campaign_id: str) -> list[str]:
    """Return the names of a campaign's chains: its own, then its blocks'."""
    blocks = select(col(Block.index)).where(col(Block.campaign_id) == campaign_id).order_by(col(Block.index))
    return [chain_of(campaign_id), *(chain_of(campaign_id, index) for index in session.scalars(blocks))]


def chain_faults(session: Session, campaign_id: str) -> Iterator[tuple[int, list[Difference]]]:
    """Yield for each chain how many events it has and what is wrong with it; last, chains that should not be."""
    chains = chains_of(session, campaign_id)
    for chain in chains:
        events = read_chain(session, chain)
        missing = [] if events else [Difference("chain", "event 0", None, "an event", place=f"chain {chain}")]
        own = missing if chain == chain_of(campaign_id) else []
        yield len(events), own + check_chain(chain, events)
    yield 0, strange_chains(session, campaign_id, len(chains) - 1)
