"""Campaigns that are repeated: what is due, and beginning it exactly once however many look."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from math import floor
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session
from sqlmodel import col

from experiments_db import record
from experiments_db.models import Block, Campaign, Measurements, Recurrence
from experiments_db.queries import view

_SEEDS = 2**63


@dataclass(frozen=True)
class RecurrenceRecord:
    """A campaign that is repeated `every_seconds`; `made` repetitions so far, of `times` (None: until stopped)."""

    campaign_id: str
    every_seconds: float
    next_at: datetime
    made: int
    times: int | None
    active: bool


def repeat(session: Session, recurrence: Recurrence) -> None:
    """Record that a campaign just created is to be repeated."""
    session.add(recurrence)
    session.flush()


def recurrences(session: Session, campaign_id: str | None = None) -> list[RecurrenceRecord]:
    """Return what is repeated, the next first; only that campaign's where one is named."""
    query = select(Recurrence).order_by(col(Recurrence.active).desc(), col(Recurrence.next_at))
    if campaign_id is not None:
        query = query.where(col(Recurrence.campaign_id) == campaign_id)
    return [view(RecurrenceRecord, row) for row in session.scalars(query)]


def due(session: Session, now: datetime) -> list[str]:
    """Return the campaigns whose next repetition is due."""
    query = select(col(Recurrence.campaign_id)).where(col(Recurrence.active), col(Recurrence.next_at) <= now)
    return list(session.scalars(query.order_by(col(Recurrence.next_at))))


def stop(session: Session, campaign_id: str) -> bool:
    """Let a campaign be repeated no more; whether it was."""
    mine = (col(Recurrence.campaign_id) == campaign_id, col(Recurrence.active))
    stopped = update(Recurrence).where(*mine).values(active=False).returning(col(Recurrence.campaign_id))
    return session.scalars(stopped).one_or_none() is not None


def begin(session: Session, campaign_id: str, now: datetime, versions: dict[str, Any]) -> list[int] | None:
    """Create the repetition that is due, with the next seed and the same blocks; None where another has done it.

    The row is locked, and moved on in the same transaction. Of several that were missed one is made up for.

    Returns:
        The blocks of the new campaign.
    """
    row = session.get(Recurrence, campaign_id, with_for_update=True, populate_existing=True)
    if row is None or not row.active or row.next_at > now:
        return None
    missed = floor((now - row.next_at).total_seconds() / row.every_seconds)
    row.next_at += timedelta(seconds=(missed + 1) * row.every_seconds)
    row.made += 1
    row.active = row.times is None or row.made < row.times
    return _repetition(session, campaign_id, row.made, versions)


def _repetition(session: Session, campaign_id: str, number: int, versions: dict[str, Any]) -> list[int]:
    first = session.get_one(Campaign, campaign_id)
    copied = ("domain_identity", "policy", "laboratory", "runs", "budget", "priority", "max_experiments", "max_cost")
    again = Campaign(
        **{name: getattr(first, name) for name in copied},
        seed=(first.seed + number) % _SEEDS,
        settings={**first.settings, "repeats": {"campaign": campaign_id, "number": number}},
        versions=versions,
    )
    again_id = again.id
    sizes = select(col(Block.runs)).where(col(Block.campaign_id) == campaign_id).order_by(col(Block.index))
    blocks = record.create_campaign(session, again, list(session.scalars(sizes)))
    given = session.get(Measurements, campaign_id)
    if given is not None:
        copy = Measurements(campaign_id=again_id, file=given.file, sha256=given.sha256, rows=given.rows)
        record.save_measurements(session, copy)
    return blocks
