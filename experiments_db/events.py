"""The event log: append-only, chained by SHA-256, one chain a block, one a campaign, one for retention.

A chain holds nothing that differs between two runs of the same work: no clock, no process, no decision's time. Each
event is written in the transaction of what it records. The hash of an event covers the one before it, its place, its
kind and its content; the first follows from the chain's name, so that no event can be moved to another chain.
"""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session
from sqlmodel import col

from experiments_db.canonical import canonical, digest
from experiments_db.errors import ConflictError
from experiments_db.event_kinds import check_kind
from experiments_db.models import Block, Campaign, Event, now_utc

RETENTION = "retention"  # the installation's chain: what was forgotten


def chain_of(campaign_id: str, block: int | None = None) -> str:
    """The name of a campaign's own chain, or of the chain of its block with this index."""
    return campaign_id if block is None else f"{campaign_id}/{block}"


def first_hash(chain: str) -> str:
    """What the first event of a chain follows."""
    return hashlib.sha256(f"organon/event/1/{chain}".encode()).hexdigest()


def next_hash(previous: str, index: int, kind: str, content: str) -> str:
    """The hash of an event; content: its canonical text."""
    return hashlib.sha256(f"{previous}\n{index}\n{kind}\n{content}".encode()).hexdigest()


def append(
    session: Session, campaign_id: str, kind: str, content: Mapping[str, Any], *, block: int | None = None
) -> str:
    """Add an event to a campaign's chain, or to that of its block with this index; returns its hash.

    Takes the lock of the block's or the campaign's row first (in a transaction of several: blocks before campaigns).

    Raises:
        RecordError: an unknown kind, or a content that is no plain data.
        ConflictError: somebody else added an event to the chain in between; nothing was written.
    """
    if session.get_bind().dialect.name == "postgresql":
        session.execute(_lock(campaign_id, block)).all()
    return append_to(session, chain_of(campaign_id, block), campaign_id, kind, content)


def append_to(session: Session, chain: str, campaign_id: str, kind: str, content: Mapping[str, Any]) -> str:
    """Add an event about a campaign to a chain of any name; as ``append``, without a lock."""
    check_kind(kind)
    index, previous = head(session, chain)
    text = canonical(content)
    found = next_hash(previous, index, kind, text)
    row = {"chain": chain, "index": index, "campaign_id": campaign_id, "kind": kind, "content": text, "hash": found}
    dialect_insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    # Compare and set: of two that add the same place, the later waits for the earlier and then adds nothing.
    statement = dialect_insert(Event).values(**row, created_at=now_utc()).on_conflict_do_nothing()
    if session.scalars(statement.returning(col(Event.index))).one_or_none() is None:
        raise ConflictError(
            f"Event {index} of the chain '{chain}' was recorded by somebody else meanwhile. Nothing was written; begin "
            "again from what is recorded."
        )
    return found


def head(session: Session, chain: str) -> tuple[int, str]:
    """The place of a chain's next event, and the hash that it will follow."""
    last = select(col(Event.index), col(Event.hash)).where(col(Event.chain) == chain)
    row = session.execute(last.order_by(col(Event.index).desc()).limit(1)).one_or_none()
    return (0, first_hash(chain)) if row is None else (int(row[0]) + 1, str(row[1]))


def campaign_digest(session: Session, campaign_id: str) -> str:
    """SHA-256 over the heads of all chains of a campaign: its own, then its blocks' in order."""
    blocks = select(col(Block.index)).where(col(Block.campaign_id) == campaign_id).order_by(col(Block.index))
    chains = [chain_of(campaign_id), *(chain_of(campaign_id, index) for index in session.scalars(blocks))]
    return digest_of_heads([head(session, chain)[1] for chain in chains])


def digest_of_heads(heads: Sequence[str]) -> str:
    """A campaign's digest from the heads of its own chain and of its blocks', in order."""
    return digest(list(heads))


def _lock(campaign_id: str, block: int | None) -> Select[Any]:
    if block is None:
        return select(col(Campaign.id)).where(col(Campaign.id) == campaign_id).with_for_update(key_share=True)
    of_block = (col(Block.campaign_id) == campaign_id, col(Block.index) == block)
    return select(col(Block.id)).where(*of_block).with_for_update()
