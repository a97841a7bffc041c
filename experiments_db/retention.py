"""Forgetting a campaign: its rows go, and what was computed of it, the documents of domains stay, and an event says
what was there.

That event, in the installation's own chain, is also what lets the database delete the campaign's events: its triggers
ask for it. Tables of whatever module go with the campaign if they refer to it, to its blocks, its runs, and so on.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Select, delete, select
from sqlalchemy import Table as SqlTable
from sqlalchemy.orm import Session
from sqlmodel import col

from experiments_db import event_kinds
from experiments_db.chains import EventRecord, read_chain
from experiments_db.errors import ConflictError, RecordError
from experiments_db.events import RETENTION, append_to, campaign_digest
from experiments_db.jobs import forget_jobs_about
from experiments_db.models import Campaign, Event, Recurrence, Table

ENDED = ("finished", "failed", "cancelled")


def forget(session: Session, campaign_id: str, *, digest: str, said: Mapping[str, Any]) -> None:
    """Delete a campaign that has ended and leave an event with ``said`` of it.

    digest: of its log when it was last looked at.

    Raises:
        RecordError: it has not ended, or is still repeated.
        ConflictError: its log has another digest now; nothing was deleted.
    """
    campaign = session.get(Campaign, campaign_id, with_for_update=True, populate_existing=True)
    if campaign is None or campaign.status not in ENDED:
        found = "not there" if campaign is None else campaign.status
        raise RecordError(f"Only a campaign that has ended is forgotten; {campaign_id} is {found}: cancel it first.")
    if campaign_id in _repeated(session):
        raise RecordError(
            f"Campaign {campaign_id} is repeated from time to time, which needs it: organon campaign recurring --stop "
            f"{campaign_id} first."
        )
    if campaign_digest(session, campaign_id) != digest:
        raise ConflictError(f"Campaign {campaign_id} was changed since it was archived. Nothing was deleted.")
    content = {"campaign": campaign_id, "digest": digest, **said}
    append_to(session, RETENTION, campaign_id, event_kinds.FORGOTTEN, content)
    session.expunge(campaign)
    owned = _owned(campaign_id)
    for table in reversed(Table.metadata.sorted_tables):
        if table.name in owned:
            session.execute(delete(table).where(table.primary_key.columns[0].in_(owned[table.name])))
    forget_jobs_about(session, campaign_id)
    session.execute(delete(Event).where(col(Event.campaign_id) == campaign_id, col(Event.chain) != RETENTION))


def forgotten(session: Session) -> list[EventRecord]:
    """The events of what was forgotten and brought back, in order."""
    return read_chain(session, RETENTION)


def bring_back(session: Session, campaign_id: str, said: Mapping[str, Any]) -> None:
    """Where a campaign was forgotten, say that it is here again: from then on its events are kept as any others."""
    events = [event for event in forgotten(session) if event.campaign_id == campaign_id]
    if events and events[-1].kind == event_kinds.FORGOTTEN:
        append_to(session, RETENTION, campaign_id, event_kinds.RETURNED, said)


def ended_before(session: Session, moment: datetime) -> list[str]:
    """The campaigns that ended before a moment, the longest ago first; without those that are still repeated."""
    query = select(col(Campaign.id)).where(col(Campaign.status).in_(ENDED), col(Campaign.finished_at) < moment)
    repeated = _repeated(session)
    ended = session.scalars(query.order_by(col(Campaign.finished_at), col(Campaign.id)))
    return [campaign for campaign in ended if campaign not in repeated]


def _repeated(session: Session) -> set[str]:
    """The campaigns that are repeated: each repetition is made from the first."""
    return set(session.scalars(select(col(Recurrence.campaign_id)).where(col(Recurrence.active))))


def _owned(campaign_id: str) -> dict[str, Select[Any]]:
    """Table → the keys of the rows that belong to a campaign, through whatever they refer to."""
    campaign: SqlTable = Table.metadata.tables["campaign"]
    owned: dict[str, Select[Any]] = {"campaign": select(campaign.c.id).where(campaign.c.id == campaign_id)}
    for table in Table.metadata.sorted_tables:  # parents first
        for key in sorted(table.foreign_keys, key=lambda key: key.parent.name):
            parent = key.column.table.name
            if parent in owned and table.name not in owned:
                owned[table.name] = select(table.primary_key.columns[0]).where(key.parent.in_(owned[parent]))
    return owned
