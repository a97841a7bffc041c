"""The writes. Each takes the session first and commits nothing: a caller composes several into one transaction.

Each adds its event to the log (`experiments_db.events`) in that transaction.

Rows are locked in the order block, campaign; on PostgreSQL by FOR UPDATE, on SQLite by the write session as a whole.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, bindparam, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session
from sqlmodel import col

from experiments_db import accounts, event_contents, event_kinds
from experiments_db.errors import ConflictError, NotFoundError, RecordError
from experiments_db.events import append
from experiments_db.models import (
    GOES_ON,
    UNFINISHED,
    Block,
    Campaign,
    Domain,
    Experiment,
    Finding,
    Measurements,
    Run,
    Table,
)

_PROGRESS: dict[str, Any] = {"attempts": 0, "retry_at": None}  # whoever claims a block next begins anew


@dataclass(frozen=True)
class NewExperiment:
    """One experiment of a step; `row` is the offset of its run within the block, `given`: made before the campaign."""

    row: int
    design: dict[str, Any]
    outcome: dict[str, Any]
    cost: float
    information: float | None
    decision_ms: float
    belief: dict[str, Any]
    candidates: list[Any]
    given: bool = False


def save_domain(session: Session, domain: Domain) -> None:
    """Record a domain document, unless it is there already; a recorded one never changes."""
    _insert_if_absent(session, domain, "identity")


def save_measurements(session: Session, measurements: Measurements) -> None:
    """Record the experiments that a campaign just created starts from."""
    session.add(measurements)
    session.flush()
    append(session, measurements.campaign_id, event_kinds.GIVEN, event_contents.given(measurements))


def create_campaign(session: Session, campaign: Campaign, block_sizes: Sequence[int]) -> list[int]:
    """Record a campaign with its blocks and runs, run indexes consecutive; return the block ids in order.

    Raises:
        RecordError: the blocks do not hold exactly the campaign's runs.
    """
    if sum(block_sizes) != campaign.runs or min(block_sizes, default=0) < 1:
        raise RecordError(
            f"The blocks of a campaign hold all its runs, each at least one: {campaign.runs} runs, "
            f"blocks of {list(block_sizes)}."
        )
    session.add(campaign)
    session.flush()
    firsts = [sum(block_sizes[:index]) for index in range(len(block_sizes))]
    session.execute(
        insert(Block),
        [
            {"campaign_id": campaign.id, "index": index, "first_run": first, "runs": size}
            for index, (first, size) in enumerate(zip(firsts, block_sizes, strict=True))
        ],
    )
    of_campaign = select(col(Block.id)).where(col(Block.campaign_id) == campaign.id)
    ids = [int(block_id or 0) for block_id in session.scalars(of_campaign.order_by(col(Block.index)))]
    session.execute(
        insert(Run),
        [
            {"campaign_id": campaign.id, "block_id": block_id, "index": index}
            for block_id, first, size in zip(ids, firsts, block_sizes, strict=True)
            for index in range(first, first + size)
        ],
    )
    append(session, campaign.id, event_kinds.CREATED, event_contents.created(campaign, block_sizes))
    return ids


def lease_is_live(owner: str | None, until: datetime | None, now: datetime, alive: Callable[[str], bool]) -> bool:
    """Return whether a lease still keeps others away: it has an owner, has not expired, and its owner lives."""
    return owner is not None and until is not None and until > now and alive(owner)


def claim_block(
    session: Session,
    block_id: int,
    *,
    owner: str,
    now: datetime,
    lease_seconds: float,
    owner_is_alive: Callable[[str], bool],
) -> Block | None:
    """Take the lease of a block, and start it and its campaign; None if it is finished, stopped, held by another, or
    came from another installation.

    It counts as an attempt until the block is released or a step is recorded.
    """
    block = session.get(Block, block_id, with_for_update=True, populate_existing=True)
    if block is None or block.status not in UNFINISHED:
        return None
    if block.lease_owner != owner and lease_is_live(block.lease_owner, block.lease_until, now, owner_is_alive):
        return None
    campaign = _lock_campaign(session, block.campaign_id)
    if campaign.status not in UNFINISHED or campaign.imported is not None:
        return None
    block.status = campaign.status = "running"
    if campaign.started_at is None:
        campaign.started_at = now
        append(session, campaign.id, event_kinds.STARTED, {})
    block.lease_owner, block.lease_until = owner, now + timedelta(seconds=lease_seconds)
    block.attempts += 1
    session.flush()
    return block


def record_truths(session: Session, block_id: int, truths: Sequence[dict[str, Any]]) -> None:
    """Record the world of each run of a block, in run order, where none is recorded yet.

    Raises:
        RecordError: not one truth for each run.
    """
    run_ids = _run_ids(session, block_id)
    if len(truths) != len(run_ids):
        raise RecordError(f"Block {block_id} has {len(run_ids)} runs, each with one truth; found {len(truths)} truths.")
    unknown = select(col(Run.id)).where(col(Run.block_id) == block_id, col(Run.truth).is_(None))
    if session.scalars(unknown.limit(1)).one_or_none() is None:
        return
    table = Run.metadata.tables["run"]
    session.connection().execute(
        update(table)
        .where(table.c.id == bindparam("run_id"), table.c.truth.is_(None))
        .values(truth=bindparam("world")),
        [{"run_id": run_id, "world": truth} for run_id, truth in zip(run_ids, truths, strict=True)],
    )
    recorded = session.scalars(select(col(Run.truth)).where(col(Run.block_id) == block_id).order_by(col(Run.index)))
    campaign_id, index = _place(session, block_id)
    append(session, campaign_id, event_kinds.TRUTHS, event_contents.truths(list(recorded)), block=index)


def record_step(
    session: Session,
    block_id: int,
    *,
    owner: str,
    step: int,
    experiments: Sequence[NewExperiment],
    now: datetime,
    lease_seconds: float,
    made: Mapping[str, Any] | None = None,
) -> None:
    """Record one step of a block: an experiment for each run that still goes on. Renews the lease.

    made: of what its numbers are, for the log: the streams' name, versions and kind of machine.

    Raises:
        ConflictError: the step is recorded already, or the block is not (or no longer) `owner`'s to advance.
        RecordError: an experiment of a run that the block does not have, or two of one run.
    """
    # Compare and set in one statement: of two that try the same step, the later waits here and then finds no row.
    mine = (col(Block.id) == block_id, col(Block.step) == step, *_held_by(owner))
    values = {"step": step + 1, "lease_until": now + timedelta(seconds=lease_seconds), **_PROGRESS}
    advance = update(Block).where(*mine).values(**values).returning(col(Block.campaign_id), col(Block.index))
    place = session.execute(advance).one_or_none()
    if place is None:
        raise _conflict(session, block_id, f"step {step} by '{owner}'")
    content = event_contents.step(step, experiments, made or {})
    append(session, place[0], event_kinds.STEP, content, block=place[1])
    if not experiments:
        return
    run_ids = _run_ids(session, block_id)
    rows = [experiment.row for experiment in experiments]
    if len(set(rows)) < len(rows) or min(rows) < 0 or max(rows) >= len(run_ids):
        raise RecordError(
            f"Block {block_id} takes one experiment a step for rows 0 to {len(run_ids) - 1}; found {rows}."
        )
    made_now = [_experiment_values(entry, run_ids[entry.row], step, now) for entry in experiments]
    session.execute(insert(Experiment), made_now)
    _count_experiments(session, made_now)
    accounts.charge(session, block_id, accounts.total([(entry.cost, entry.given) for entry in experiments]), now)


def release_block(session: Session, block_id: int, owner: str) -> None:
    """Give back the lease, if `owner` holds it."""
    held = (col(Block.id) == block_id, col(Block.lease_owner) == owner)
    session.execute(update(Block).where(*held).values(lease_owner=None, lease_until=None, **_PROGRESS))


def finish_block(session: Session, block_id: int, owner: str, now: datetime) -> None:
    """Mark a block and its runs finished and give back the lease; nothing happens if it is finished already.

    Raises:
        ConflictError: the block is not (or no longer) `owner`'s.
    """
    finish = (
        update(Block)
        .where(col(Block.id) == block_id, *_held_by(owner))
        .values(status="finished", lease_owner=None, lease_until=None, finished_at=now)
        .returning(col(Block.campaign_id), col(Block.index))
    )
    place = session.execute(finish).one_or_none()
    if place is not None:
        _end_runs(session, "finished", col(Run.block_id) == block_id)
        spent = select(col(Run.index), col(Run.steps), col(Run.cost)).where(col(Run.block_id) == block_id)
        runs = session.execute(spent.order_by(col(Run.index))).all()
        append(session, place[0], event_kinds.BLOCK_ENDED, event_contents.block_ended(runs), block=place[1])
    elif session.scalar(select(col(Block.status)).where(col(Block.id) == block_id)) != "finished":
        raise _conflict(session, block_id, f"its end by '{owner}'")


def finish_campaign(session: Session, campaign_id: str, now: datetime) -> bool:
    """Mark a campaign finished if every block is; return whether this call did it."""
    campaign = _lock_campaign(session, campaign_id)  # before counting: then one of two last finishers sees both blocks
    others = (col(Block.campaign_id) == campaign_id, col(Block.status) != "finished")
    if campaign.status not in UNFINISHED or session.scalar(select(func.count()).select_from(Block).where(*others)):
        return False
    return _end_campaign(session, campaign, "finished", now=now)


def fail_campaign(session: Session, campaign_id: str, message: str, now: datetime) -> bool:
    """Mark a campaign and all its unfinished work failed, with the reason; return whether it was still open."""
    return _stop_campaign(session, campaign_id, "failed", message=message, now=now)


def cancel_campaign(session: Session, campaign_id: str, now: datetime, *, by: str = "", reason: str = "") -> bool:
    """Mark a campaign and all its unfinished work cancelled; return whether it was still open. by: who asked for it."""
    return _stop_campaign(session, campaign_id, "cancelled", message="", now=now, why={"by": by, "reason": reason})


def pause_campaign(session: Session, campaign_id: str, *, by: str = "", reason: str = "") -> bool:
    """Let no block be claimed until resumed; return whether the campaign was scheduled or running."""
    campaign = _lock_campaign(session, campaign_id)
    if campaign.status not in UNFINISHED:
        return False
    campaign.status = "paused"
    session.flush()
    append(session, campaign_id, event_kinds.PAUSED, {"by": by, "reason": reason})
    return True


def resume_campaign(session: Session, campaign_id: str, *, by: str = "", reason: str = "") -> bool:
    """Let a paused campaign go on; return whether it was paused."""
    campaign = _lock_campaign(session, campaign_id)
    if campaign.status != "paused":
        return False
    campaign.status, campaign.message = "running" if campaign.started_at else "scheduled", ""
    session.flush()
    append(session, campaign_id, event_kinds.RESUMED, {"by": by, "reason": reason})
    return True


def save_finding(  # noqa: PLR0917  (the order of the table's columns)
    session: Session, campaign_id: str, run_id: int | None, content: dict[str, Any], text: str, now: datetime
) -> None:
    """Record what a run concludes, or the campaign where `run_id` is None; a recorded finding stays as it is."""
    finding = Finding(campaign_id=campaign_id, run_id=run_id, content=content, text=text, created_at=now)
    if not _insert_if_absent(session, finding):
        return
    run = block = None
    if run_id is not None:
        of_run = select(col(Run.index), col(Block.index)).join(Block, col(Block.id) == col(Run.block_id))
        run, block = session.execute(of_run.where(col(Run.id) == run_id)).one()
    append(session, campaign_id, event_kinds.FINDING, event_contents.finding(run, content, text), block=block)


def mark_sent(session: Session, block_ids: Iterable[int], now: datetime) -> None:
    """Note that these blocks were sent to the workers."""
    if sent := [{"id": block_id, "sent_at": now} for block_id in block_ids]:
        session.execute(update(Block), sent)


def _insert_if_absent(session: Session, row: Table, *keys: str) -> bool:
    """Return whether it was absent."""
    dialect_insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    values = {name: getattr(row, name) for name in type(row).model_fields if name != "id"}
    statement = dialect_insert(type(row)).values(values).on_conflict_do_nothing(index_elements=keys or None)
    primary = row.metadata.tables[str(row.__tablename__)].primary_key.columns.values()
    return session.execute(statement.returning(*primary)).one_or_none() is not None


def _place(session: Session, block_id: int) -> tuple[str, int]:
    """The campaign of a block, and its index there."""
    row = session.execute(select(col(Block.campaign_id), col(Block.index)).where(col(Block.id) == block_id)).one()
    return str(row[0]), int(row[1])


def _run_ids(session: Session, block_id: int) -> list[int]:
    """Return the ids of a block's runs in run order, so that row r is run `first_run + r`."""
    return [
        int(run_id or 0)
        for run_id in session.scalars(select(col(Run.id)).where(col(Run.block_id) == block_id).order_by(col(Run.index)))
    ]


def _held_by(owner: str) -> tuple[Any, ...]:
    return (col(Block.status) == "running", col(Block.lease_owner) == owner)


def _conflict(session: Session, block_id: int, wanted: str) -> ConflictError:
    found = select(col(Block.step), col(Block.status), col(Block.lease_owner)).where(col(Block.id) == block_id)
    row = session.execute(found).one_or_none()
    if row is None:
        return ConflictError(f"There is no block {block_id} to record {wanted}.")
    holder = f"held by '{row.lease_owner}'" if row.lease_owner else "held by nobody"
    return ConflictError(
        f"Block {block_id} cannot record {wanted}: it is {row.status}, {holder}, and its next step is {row.step}. "
        "Nothing was written; claim the block again and go on from what is recorded."
    )


def _experiment_values(experiment: NewExperiment, run_id: int, step: int, now: datetime) -> dict[str, Any]:
    values = {name: getattr(experiment, name) for name in experiment.__dataclass_fields__ if name != "row"}
    return {**values, "run_id": run_id, "step": step, "created_at": now}


def _count_experiments(session: Session, values: Sequence[dict[str, Any]]) -> None:
    table = Run.metadata.tables["run"]
    session.connection().execute(
        update(table)
        .where(table.c.id == bindparam("of_run"))
        .values(status="running", steps=table.c.steps + 1, cost=table.c.cost + bindparam("spent")),
        [{"of_run": value["run_id"], "spent": value["cost"]} for value in values],
    )


def _lock_campaign(session: Session, campaign_id: str) -> Campaign:
    lock = {"key_share": True}  # FOR NO KEY UPDATE: findings that refer to the campaign need not wait
    campaign = session.get(Campaign, campaign_id, with_for_update=lock, populate_existing=True)
    if campaign is None:
        raise NotFoundError(f"There is no campaign '{campaign_id}': `organon campaign list` shows all.")
    return campaign


def _end_runs(session: Session, status: str, of: ColumnElement[bool]) -> None:
    session.execute(update(Run).where(of, col(Run.status).in_(UNFINISHED)).values(status=status))


def _stop_campaign(
    session: Session,
    campaign_id: str,
    status: str,
    *,
    message: str,
    now: datetime,
    why: Mapping[str, str] | None = None,
) -> bool:
    mine = (col(Block.campaign_id) == campaign_id, col(Block.status).in_(UNFINISHED))
    session.execute(select(col(Block.id)).where(*mine).order_by(col(Block.id)).with_for_update()).all()
    campaign = _lock_campaign(session, campaign_id)
    if campaign.status not in GOES_ON:
        return False
    ended = {"status": status, "lease_owner": None, "lease_until": None, "finished_at": now}
    session.execute(update(Block).where(*mine).values(ended))
    _end_runs(session, status, col(Run.campaign_id) == campaign_id)
    return _end_campaign(session, campaign, status, message=message, now=now, why=why)


def _end_campaign(
    session: Session,
    campaign: Campaign,
    status: str,
    *,
    now: datetime,
    message: str = "",
    why: Mapping[str, str] | None = None,
) -> bool:
    campaign.status, campaign.message, campaign.finished_at = status, message, now
    session.flush()
    append(session, campaign.id, f"campaign {status}", {"message": message} if why is None else why)
    return True
