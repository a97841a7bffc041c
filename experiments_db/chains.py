"""Reading the log, and checking that each event follows from the one before it."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session
from sqlmodel import col

from experiments_db.differences import Difference
from experiments_db.events import RETENTION, chain_of, first_hash, next_hash
from experiments_db.models import Event


@dataclass(frozen=True)
class EventRecord:
    """An event as recorded; content: the text that its hash covers."""

    chain: str
    index: int
    campaign_id: str
    kind: str
    content: str
    hash: str

    @property
    def said(self) -> dict[str, Any]:
        """The content as plain data; empty where it is no JSON object, which the chain's check finds."""
        try:
            found = json.loads(self.content)
        except (ValueError, RecursionError):
            return {}
        return found if isinstance(found, dict) else {}


def read_chain(session: Session, chain: str) -> list[EventRecord]:
    """The events of a chain in order."""
    names = ("chain", "index", "campaign_id", "kind", "content", "hash")
    columns = [col(getattr(Event, name)) for name in names]
    query = select(*columns).where(col(Event.chain) == chain).order_by(col(Event.index), col(Event.id))
    return [EventRecord(*row) for row in session.execute(query)]


def strange_chains(session: Session, campaign_id: str, blocks: int) -> list[Difference]:
    """The chains that events of a campaign are in, though it has none such."""
    known = {chain_of(campaign_id), *(chain_of(campaign_id, index) for index in range(blocks))}
    query = select(col(Event.chain)).where(col(Event.campaign_id) == campaign_id).distinct()
    found = sorted(set(session.scalars(query)) - known - {RETENTION})
    return [Difference("chain", "chain", chain, None, place=f"chain {chain}") for chain in found]


def check_chain(chain: str, events: Sequence[EventRecord]) -> list[Difference]:
    """Every event that is missing, doubled, moved, or does not follow from the one before it."""
    found: list[Difference] = []
    previous: str | None = first_hash(chain)
    place = 0
    for event in events:
        if event.index != place:
            what = "missing event" if event.index > place else "doubled event"
            found.append(_difference(chain, what, event.index, place))
            previous, place = None if event.index > place else previous, event.index
        if previous is not None and event.hash != next_hash(previous, event.index, event.kind, event.content):
            wanted = next_hash(previous, event.index, event.kind, event.content)
            found.append(_difference(chain, f"event {event.index} ({event.kind})", event.hash, wanted))
        if chain != RETENTION and event.campaign_id != chain.split("/", 1)[0]:
            found.append(_difference(chain, f"event {event.index}: campaign", event.campaign_id, chain))
        previous, place = event.hash, event.index + 1
    return found


def _difference(chain: str, field: str, recorded: Any, wanted: Any) -> Difference:
    return Difference("chain", field, recorded, wanted, place=f"chain {chain}")
