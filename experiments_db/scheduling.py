"""Which block a worker takes next, and what becomes of one whose workers die.

Of higher priority first; among equals the campaign that was served least, so that each gets a like share of the
workers' time however many blocks it has. A campaign that joins, or comes back, begins at the level of those at work.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, false, func, or_, select, true, update
from sqlalchemy.orm import Session
from sqlmodel import col

from experiments_db import accounts, event_kinds, record
from experiments_db.events import append
from experiments_db.models import UNFINISHED, Block, Campaign

_DEBTS = 10  # tasks that a campaign which was kept back may catch up with
_LOOKED_AT = 20  # candidates of one look: more than a worker finds taken from under its nose


@dataclass(frozen=True)
class Claimant:
    """Who claims, when, for how long, and how it knows that other owners live. slice_seconds: what a task takes."""

    owner: str
    now: datetime
    lease_seconds: float
    slice_seconds: float
    owner_is_alive: Callable[[str], bool]


@dataclass(frozen=True)
class Claimed:
    """A block just claimed. others_wait: campaigns that nobody has served yet stand behind this, which is one such;
    before: who held it last, if nobody gave it back."""

    block: Block
    others_wait: bool
    before: str | None = None


def ready(now: datetime) -> tuple[ColumnElement[bool], ...]:
    """Conditions on block and campaign: there is work of ours that waits for nobody's answer, its time has come, and
    no retry is to be waited for."""
    return (
        col(Campaign.status).in_(UNFINISHED),
        col(Block.status).in_(UNFINISHED),
        col(Campaign.imported).is_(None),
        col(Block.waiting).is_(False),
        or_(col(Campaign.start_at).is_(None), col(Campaign.start_at) <= now),
        or_(col(Block.retry_at).is_(None), col(Block.retry_at) <= now),
    )


def claim_next(session: Session, by: Claimant) -> Claimed | None:
    """Claim the block whose turn it is, and charge its campaign for one task; None where nothing waits."""
    for block_id, started in session.execute(_candidates(session, by)).all():
        before = session.scalar(select(col(Block.lease_owner)).where(col(Block.id) == block_id))
        block = claim(session, block_id, by)
        if block is not None:
            if started is None:
                rejoin(session, block.campaign_id, credit=by.slice_seconds)
            else:
                _forgive(session, block.campaign_id, _DEBTS * by.slice_seconds)
            serve(session, block.campaign_id, by.slice_seconds)
            return Claimed(block, started is None and _newcomers(session, by.now), before)
    return None


def claim(session: Session, block_id: int, by: Claimant) -> Block | None:
    """Claim this block; None where somebody else holds it, or there is nothing to do."""
    return record.claim_block(
        session,
        block_id,
        owner=by.owner,
        now=by.now,
        lease_seconds=by.lease_seconds,
        owner_is_alive=by.owner_is_alive,
    )


def waiting_blocks(
    session: Session, now: datetime, owner_is_alive: Callable[[str], bool], grace_seconds: float
) -> list[int]:
    """Return the blocks that somebody should be advancing and nobody is, in the order of their turn.

    They are ready, no cap holds them back, they have no live lease, and were not sent to the workers within the last
    `grace_seconds`.
    """
    sent_long_ago = col(Block.sent_at) < now - timedelta(seconds=grace_seconds)
    query = _in_turn(session, now).where(or_(col(Block.sent_at).is_(None), sent_long_ago))
    held = _live_owners(session, now, owner_is_alive)
    return [int(block_id) for block_id, _ in session.execute(query.where(_free(held, now)))]


def serve(session: Session, campaign_id: str, seconds: float) -> None:
    """Charge a campaign for workers' time; negative where less was used than was charged."""
    mine = col(Campaign.id) == campaign_id
    session.execute(update(Campaign).where(mine).values(served=col(Campaign.served) + seconds))


def rejoin(session: Session, campaign_id: str, *, credit: float = 0.0) -> None:
    """Bring a campaign that begins or comes back to the level of those at work: no debts are collected.

    credit: seconds below that level, for a campaign that is charged for the same task next.
    """
    at_work = select(func.min(col(Campaign.served))).where(
        col(Campaign.status) == "running", col(Campaign.id) != campaign_id
    )
    level = session.scalar(at_work)
    if level is not None:
        behind = (col(Campaign.id) == campaign_id, col(Campaign.served) < level - credit)
        session.execute(update(Campaign).where(*behind).values(served=level - credit))


def _forgive(session: Session, campaign_id: str, most: float) -> None:
    """Let a campaign that was kept back by a cap or a retry catch up with its equals by so many seconds at most."""
    priority = select(col(Campaign.priority)).where(col(Campaign.id) == campaign_id).scalar_subquery()
    equals = select(func.max(col(Campaign.served))).where(
        col(Campaign.status) == "running", col(Campaign.priority) == priority
    )
    level = (session.scalar(equals) or 0.0) - most
    behind = (col(Campaign.id) == campaign_id, col(Campaign.served) < level)
    session.execute(update(Campaign).where(*behind).values(served=level))


def renew_lease(session: Session, block_id: int, owner: str, until: datetime) -> bool:
    """Let a block stay with its owner until then; whether it is still the owner's."""
    mine = (col(Block.id) == block_id, col(Block.lease_owner) == owner, col(Block.status) == "running")
    renewed = update(Block).where(*mine).values(lease_until=until).returning(col(Block.id))
    return session.scalars(renewed).one_or_none() is not None


def release_all(session: Session, owner: str, retry_at: datetime) -> int:
    """Give back every lease that an owner holds, as if nothing had been tried; how many there were."""
    held = update(Block).where(col(Block.lease_owner) == owner, col(Block.status) == "running")
    anew = {"lease_owner": None, "lease_until": None, "attempts": 0, "retry_at": retry_at}
    return len(session.scalars(held.values(anew).returning(col(Block.id))).all())


def note_fault(session: Session, owner_prefix: str, fault: str) -> list[int]:
    """Note on the blocks that a dead process held what it died of; returns them."""
    held = update(Block).where(col(Block.lease_owner).startswith(owner_prefix, autoescape=True))
    return [int(block_id or 0) for block_id in session.scalars(held.values(fault=fault).returning(col(Block.id)))]


@dataclass(frozen=True)
class FaultRecord:
    """A block whose workers died since its last progress: how often it was claimed, and of what the last died."""

    index: int
    attempts: int
    fault: str


def faults(session: Session, campaign_id: str) -> list[FaultRecord]:
    """Return the blocks of a campaign over which more than one worker came to nothing, the worst first."""
    query = select(Block).where(col(Block.campaign_id) == campaign_id, col(Block.attempts) > 1)
    rows = session.scalars(query.order_by(col(Block.attempts).desc(), col(Block.index)))
    return [FaultRecord(block.index, block.attempts, block.fault) for block in rows]


def postpone(session: Session, block_id: int, until: datetime | None) -> None:
    """Let nobody claim a block before then; its next progress forgets it."""
    session.execute(update(Block).where(col(Block.id) == block_id).values(retry_at=until))


def pause_because(session: Session, campaign_id: str, reason: str) -> None:
    """Pause a campaign that is under way, with the reason; nothing happens to one that is not."""
    open_one = (col(Campaign.id) == campaign_id, col(Campaign.status).in_(UNFINISHED))
    paused = update(Campaign).where(*open_one).values(status="paused", message=reason).returning(col(Campaign.id))
    if session.scalars(paused).one_or_none() is not None:
        append(session, campaign_id, event_kinds.CAPPED, {"message": reason})


def lock_campaign(session: Session, campaign_id: str) -> None:
    """Keep others from changing a campaign's row, or adding to its chain, until the transaction ends."""
    session.execute(
        select(col(Campaign.id)).where(col(Campaign.id) == campaign_id).with_for_update(key_share=True)
    ).all()


def _candidates(session: Session, by: Claimant) -> Any:
    held = _live_owners(session, by.now, by.owner_is_alive) - {by.owner}
    return _in_turn(session, by.now).where(_free(held, by.now)).limit(_LOOKED_AT)


def _in_turn(session: Session, now: datetime) -> Any:
    """Ready blocks in the order of their turn, with the time at which their campaign began."""
    held_back = accounts.exhausted(session, now)
    query = (
        select(col(Block.id), col(Campaign.started_at))
        .join(Campaign, col(Campaign.id) == col(Block.campaign_id))
        .where(*ready(now), false() if "" in held_back else true())
        .order_by(
            col(Campaign.priority).desc(),
            col(Campaign.served),
            col(Campaign.created_at),
            col(Campaign.id),
            col(Block.attempts),
            col(Block.step),
            col(Block.id),
        )
    )
    return query.where(col(Campaign.policy).not_in(held_back)) if held_back else query


def _free(held: set[str], now: datetime) -> ColumnElement[bool]:
    """No lease, one that has expired, or one whose owner is not among the living."""
    free = or_(col(Block.lease_owner).is_(None), col(Block.lease_until) <= now)
    return or_(free, col(Block.lease_owner).not_in(held)) if held else or_(free, col(Block.lease_owner).is_not(None))


def _live_owners(session: Session, now: datetime, alive: Callable[[str], bool]) -> set[str]:
    leased = (
        select(col(Block.lease_owner)).where(col(Block.status) == "running", col(Block.lease_until) > now).distinct()
    )
    return {owner for owner in session.scalars(leased) if owner is not None and alive(owner)}


def _newcomers(session: Session, now: datetime) -> bool:
    """Whether campaigns wait that nobody has served yet."""
    waiting = select(col(Campaign.id)).where(
        col(Campaign.status) == "scheduled", or_(col(Campaign.start_at).is_(None), col(Campaign.start_at) <= now)
    )
    return session.scalars(waiting.limit(1)).first() is not None
