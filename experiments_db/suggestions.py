"""Suggestions on record: chosen by a worker, decided on, taken and answered by people and programs.

Rows are locked in the order block, suggestion, campaign. As in ``record``, nothing is committed here, and each write
adds its event to the log in the same transaction.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import takewhile
from typing import Any

from sqlalchemy import ColumnElement, Select, func, insert, select, update
from sqlalchemy.orm import Session
from sqlmodel import col

from experiments_db import suggestion_log
from experiments_db.errors import ConflictError, NotFoundError
from experiments_db.events import append
from experiments_db.models import GOES_ON, OUTSTANDING, Block, Campaign, Run, Suggestion


@dataclass(frozen=True)
class NewSuggestion:
    """A choice to record. `known` and `revised`: the experiments and revisions that it rests on."""

    number: int
    known: int
    revised: int
    design: dict[str, Any]
    candidates: list[Any]
    decision_ms: float


@dataclass(frozen=True)
class SuggestionRecord:
    """A suggestion with where it belongs."""

    id: int
    campaign_id: str
    campaign_status: str
    domain_identity: str
    laboratory: str
    block_id: int
    run_index: int
    number: int
    known: int
    revised: int
    design: dict[str, Any]
    candidates: list[Any]
    decision_ms: float
    status: str
    created_at: datetime
    due_at: datetime | None
    decided_by: str | None
    decided_at: datetime | None
    reason: str
    taken_by: str | None
    taken_at: datetime | None
    attempts: int
    used: dict[str, Any] | None
    outcome: dict[str, Any] | None
    failure: str | None
    answered_by: str | None
    answered_at: datetime | None
    step: int | None


def add_suggestions(  # noqa: PLR0913  (what is recorded of them)
    session: Session,
    block_id: int,
    run_id: int,
    new: Sequence[NewSuggestion],
    *,
    owner: str,
    status: str,
    now: datetime,
    due_at: datetime | None,
    lease_seconds: float,
    rests_on: Mapping[str, Any] | None = None,
) -> None:
    """Record choices of the one run of a block, and renew the lease.

    rests_on: for the log: the designs `under_way` and `refused` that they were told of, and what `made` the numbers.

    Raises:
        ConflictError: the block is not (or no longer) `owner`'s to advance.
    """
    hold_block(session, block_id, owner=owner, now=now, lease_seconds=lease_seconds)
    rows = [
        {**vars(entry), "run_id": run_id, "status": status, "created_at": now, "due_at": due_at, "reason": ""}
        for entry in new
    ]
    session.execute(insert(Suggestion), [{**row, "attempts": 0} for row in rows])
    session.execute(update(Block).where(col(Block.id) == block_id).values(attempts=0, retry_at=None))
    place = select(col(Block.campaign_id), col(Block.index)).where(col(Block.id) == block_id)
    campaign_id, index = session.execute(place).one()
    append(session, campaign_id, suggestion_log.SUGGESTED, suggestion_log.suggested(rows, rests_on or {}), block=index)


def hold_block(session: Session, block_id: int, *, owner: str, now: datetime, lease_seconds: float) -> None:
    """Renew the lease of a block.

    Raises:
        ConflictError: the block is not (or no longer) `owner`'s to advance.
    """
    held = (col(Block.id) == block_id, col(Block.status) == "running", col(Block.lease_owner) == owner)
    renew = update(Block).where(*held).values(lease_until=now + timedelta(seconds=lease_seconds))
    if session.scalars(renew.returning(col(Block.id))).one_or_none() is None:
        raise ConflictError(
            f"Block {block_id} is not held by '{owner}' any more: claim it again and go on from what is recorded."
        )


def suggestions(
    session: Session,
    *,
    campaign_id: str | None = None,
    block_id: int | None = None,
    statuses: Sequence[str] = (),
    limit: int | None = None,
    offset: int = 0,
    newest_first: bool = False,
) -> list[SuggestionRecord]:
    """Return suggestions in the order in which they were made, those of some statuses if any are named."""
    query = _all()
    if campaign_id is not None:
        query = query.where(col(Run.campaign_id) == campaign_id)
    if block_id is not None:
        query = query.where(col(Run.block_id) == block_id)
    if statuses:
        query = query.where(col(Suggestion.status).in_(statuses))
    if newest_first:
        query = query.order_by(None).order_by(col(Suggestion.id).desc())
    return [SuggestionRecord(**row) for row in session.execute(query.limit(limit).offset(offset)).mappings()]


def count_results(session: Session, campaign_id: str) -> int:
    """Return how many results were told in a campaign."""
    query = select(func.count()).select_from(Suggestion).join(Run, col(Run.id) == col(Suggestion.run_id))
    told = (col(Run.campaign_id) == campaign_id, col(Suggestion.status).in_(("answered", "recorded")))
    return session.scalar(query.where(*told)) or 0


def get_suggestion(session: Session, suggestion_id: int) -> SuggestionRecord:
    """Return a suggestion.

    Raises:
        NotFoundError: there is none of this id.
    """
    row = session.execute(_all().where(col(Suggestion.id) == suggestion_id)).mappings().one_or_none()
    if row is None:
        raise NotFoundError(f"There is no suggestion {suggestion_id}: `organon lab pending` shows those that wait.")
    return SuggestionRecord(**row)


def count_suggestions(session: Session, block_id: int) -> int:
    """Return how many suggestions a block's runs have had, whatever became of them."""
    query = select(func.count()).select_from(Suggestion).join(Run, col(Run.id) == col(Suggestion.run_id))
    return session.scalar(query.where(col(Run.block_id) == block_id)) or 0


def last_failures(session: Session, block_id: int, most: int) -> int:
    """Return how many of the last experiments of a block, `most` at most, brought no outcome one after the other."""
    query = (
        select(col(Suggestion.failure))
        .join(Run, col(Run.id) == col(Suggestion.run_id))
        .where(col(Run.block_id) == block_id, col(Suggestion.status) == "recorded")
        .order_by(col(Suggestion.step).desc())
        .limit(most)
    )
    return len(list(takewhile(lambda failure: failure is not None, session.scalars(query))))


def take_suggestion(session: Session, campaign_id: str, by: str, now: datetime) -> int | None:
    """Give the oldest open suggestion that nobody has taken to `by`; None if there is none. No two get the same."""
    free = (
        select(col(Suggestion.id))
        .join(Run, col(Run.id) == col(Suggestion.run_id))
        .where(col(Run.campaign_id) == campaign_id, *_nobodys())
        .order_by(col(Suggestion.id))
        .limit(1)
    )
    while (found := session.scalar(free)) is not None:  # again where somebody was faster
        if take_open(session, found, by, now):
            return found
    return None


def take_open(session: Session, suggestion_id: int, by: str, now: datetime) -> bool:
    """Give a suggestion to `by` if it is open and nobody has taken it; return whether it was."""
    return _write(session, suggestion_id, _nobodys(), suggestion_log.TAKEN, {"taken_by": by, "taken_at": now})


def _nobodys() -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return col(Suggestion.status) == "open", col(Suggestion.taken_by).is_(None)


def move(session: Session, suggestion_id: int, of: Sequence[str], event: str, **values: Any) -> bool:
    """Change a suggestion if its status is one of `of`; return whether it was. event: the kind of its event."""
    return _write(session, suggestion_id, (col(Suggestion.status).in_(of),), event, values)


def change(session: Session, suggestion_id: int, event: str, **values: Any) -> None:
    """Change a suggestion whatever its status. event: the kind of its event."""
    _write(session, suggestion_id, (), event, values)


def _write(
    session: Session, suggestion_id: int, where: Sequence[ColumnElement[bool]], event: str, values: dict[str, Any]
) -> bool:
    """Change a suggestion where that holds of it, its block locked first; return whether it did."""
    place = (
        select(col(Block.campaign_id), col(Block.index), col(Suggestion.number))
        .join(Run, col(Run.block_id) == col(Block.id))
        .join(Suggestion, col(Suggestion.run_id) == col(Run.id))
        .where(col(Suggestion.id) == suggestion_id)
        .with_for_update(of=Block)
    )
    campaign_id, index, number = session.execute(place).one()
    mine = update(Suggestion).where(col(Suggestion.id) == suggestion_id, *where).values(**values)
    if session.scalars(mine.returning(col(Suggestion.id))).one_or_none() is None:
        return False
    append(session, campaign_id, event, suggestion_log.changed(number, values), block=index)
    return True


def wake_block(session: Session, block_id: int) -> None:
    """Note that something came in for a block: it waits no more. Locks its row."""
    wake = update(Block).where(col(Block.id) == block_id).values(waiting=False, wakes=col(Block.wakes) + 1)
    session.execute(wake)


def rest_block(session: Session, block_id: int, owner: str, wakes: int) -> bool:
    """Give back the lease of a block that has nothing to do until somebody answers; return whether it now waits.

    wakes: as counted before its worker last looked. Where something came in since, it does not wait.
    """
    block = session.get(Block, block_id, with_for_update=True, populate_existing=True)
    if block is None or block.lease_owner != owner:
        return False
    block.waiting = block.wakes == wakes
    block.lease_owner = block.lease_until = None
    block.attempts, block.retry_at = 0, None
    session.flush()
    return block.waiting


def is_settled(session: Session, block_id: int, wakes: int) -> bool:
    """Return whether nothing has come in for a block since `wakes` was counted; keeps its row locked."""
    block = session.get(Block, block_id, with_for_update=True, populate_existing=True)
    return block is not None and block.wakes == wakes


def counts(session: Session, campaign_id: str, now: datetime) -> dict[str, int]:
    """Return how many suggestions of a campaign wait for approval, for a result, and are overdue."""
    waiting = suggestions(session, campaign_id=campaign_id, statuses=("proposed", "open"))
    return {
        "proposed": sum(entry.status == "proposed" for entry in waiting),
        "open": sum(entry.status == "open" for entry in waiting),
        "overdue": sum(is_overdue(entry, now) for entry in waiting),
    }


def is_overdue(entry: SuggestionRecord, now: datetime) -> bool:
    """Return whether a result, or a decision on it, was due and has not come."""
    live = entry.status in ("proposed", "open") and entry.campaign_status in GOES_ON
    return live and entry.due_at is not None and entry.due_at < now


def waiting_campaigns(session: Session) -> list[str]:
    """Return the open campaigns that have suggestions outstanding."""
    query = (
        select(col(Campaign.id))
        .join(Run, col(Run.campaign_id) == col(Campaign.id))
        .join(Suggestion, col(Suggestion.run_id) == col(Run.id))
        .where(col(Suggestion.status).in_(OUTSTANDING), col(Campaign.status).in_(GOES_ON))
        .distinct()
        .order_by(col(Campaign.id))
    )
    return list(session.scalars(query))


def _all() -> Select[Any]:
    own = [column for name, column in Suggestion.metadata.tables["suggestion"].columns.items() if name != "run_id"]
    return (
        select(
            col(Run.campaign_id),
            col(Campaign.status).label("campaign_status"),
            col(Campaign.domain_identity),
            col(Campaign.laboratory),
            col(Run.block_id),
            col(Run.index).label("run_index"),
            *own,
        )
        .join(Run, col(Run.id) == col(Suggestion.run_id))
        .join(Campaign, col(Campaign.id) == col(Run.campaign_id))
        .order_by(col(Suggestion.id))
    )
