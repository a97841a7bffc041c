"""Results corrected and withdrawn: what was recorded stays, what holds since is beside it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session
from sqlmodel import col

from experiments_db import suggestion_log
from experiments_db.events import append
from experiments_db.models import Block, Campaign, Finding, Revision, Run, Suggestion
from experiments_db.queries import StepRow, block_history, view


@dataclass(frozen=True)
class RevisionRecord:
    """A revision; `step`: of the experiment that it is about, None while that is not recorded yet."""

    id: int
    suggestion_id: int
    run_index: int
    step: int | None
    kind: str
    before: dict[str, Any]
    design: dict[str, Any]
    outcome: dict[str, Any]
    by: str
    reason: str
    created_at: datetime
    superseded: list[Any]
    applied_at: datetime | None
    known: int | None
    belief: dict[str, Any] | None


def add_revision(session: Session, new: Revision) -> int:
    """Record a revision, to be applied by a worker; return its id."""
    session.add(new)
    session.flush()
    number, (campaign_id, block) = _of_suggestion(session, new.suggestion_id)
    event, said = suggestion_log.revised(number, new)
    append(session, campaign_id, event, said, block=block)
    return int(new.id or 0)


def revisions(session: Session, *, campaign_id: str | None = None, block_id: int | None = None) -> list[RevisionRecord]:
    """Return revisions in the order in which they were made."""
    columns = Revision.metadata.tables["revision"].columns
    query = (
        select(col(Run.index).label("run_index"), col(Suggestion.step), *columns)
        .join(Suggestion, col(Suggestion.id) == col(Revision.suggestion_id))
        .join(Run, col(Run.id) == col(Suggestion.run_id))
        .order_by(col(Revision.id))
    )
    if campaign_id is not None:
        query = query.where(col(Run.campaign_id) == campaign_id)
    if block_id is not None:
        query = query.where(col(Run.block_id) == block_id)
    return [view(RevisionRecord, row) for row in session.execute(query)]


def applied_revisions(session: Session, block_id: int) -> int:
    """Return how many revisions the belief of a block rests on."""
    query = (
        select(func.count())
        .select_from(Revision)
        .join(Suggestion, col(Suggestion.id) == col(Revision.suggestion_id))
        .join(Run, col(Run.id) == col(Suggestion.run_id))
        .where(col(Run.block_id) == block_id, col(Revision.applied_at).is_not(None))
    )
    return session.scalar(query) or 0


def effective_history(session: Session, block_id: int, last_revision: int | None = None) -> list[StepRow]:
    """Return the experiments of a block as they hold after its revisions, by (step, run).

    Only blocks of one run have revisions. last_revision: leave out those that were not applied, but for this one.
    """
    rows = {(row.step, row.row): row for row in block_history(session, block_id)}
    for revision in revisions(session, block_id=block_id):
        place = (revision.step, 0)
        if revision.step is not None and place in rows and _holds(revision, last_revision):
            rows[place] = replace(rows[place], design=revision.design, outcome=revision.outcome)
    return [rows[place] for place in sorted(rows)]


def _holds(revision: RevisionRecord, last: int | None) -> bool:
    return last is None or revision.applied_at is not None or revision.id == last


def standing_results(session: Session, campaign_id: str) -> dict[tuple[int, int], dict[str, Any]]:
    """Return how the results of a campaign stand now, by run index and step.

    Each has its `result`: told, failed, corrected or withdrawn; where it was revised the `design` and `outcome` that
    hold; and where the belief after it was computed anew, that `belief`.
    """
    made = (
        select(col(Run.index), col(Suggestion.step), col(Suggestion.failure))
        .join(Run, col(Run.id) == col(Suggestion.run_id))
        .where(col(Run.campaign_id) == campaign_id, col(Suggestion.status) == "recorded")
    )
    standing: dict[tuple[int, int], dict[str, Any]] = {
        (run, step): {"result": "told" if failure is None else "failed"}
        for run, step, failure in session.execute(made)
        if step is not None
    }
    for revision in revisions(session, campaign_id=campaign_id):
        if revision.step is not None:
            now = {"result": revision.kind, "design": revision.design, "outcome": revision.outcome}
            standing.setdefault((revision.run_index, revision.step), {}).update(now)
        if revision.known is not None:
            standing.setdefault((revision.run_index, revision.known - 1), {})["belief"] = revision.belief
    return standing


def mark_applied(
    session: Session,
    block_id: int,
    revision_id: int,
    *,
    known: int,
    belief: dict[str, Any],
    cost: float,
    now: datetime,
    made: Mapping[str, Any] | None = None,
) -> None:
    """Note that the belief after `known` experiments of the one run of a block was folded anew.

    cost: what the run has spent, where a design was corrected. made: of what the numbers are, for the log.
    """
    values = {"applied_at": now, "known": known, "belief": belief}
    session.execute(update(Revision).where(col(Revision.id) == revision_id).values(**values))
    session.execute(update(Run).where(col(Run.block_id) == block_id).values(cost=cost))
    place = [entry.id for entry in revisions(session, block_id=block_id)].index(revision_id)
    campaign_id, block = _place(session, block_id)
    said = suggestion_log.applied(place, known=known, belief=belief, cost=cost, made=made or {})
    append(session, campaign_id, suggestion_log.REVISED, said, block=block)


def reopen(session: Session, block_id: int) -> list[dict[str, Any]]:
    """Let a block of one run, and its campaign, go on although they may be finished.

    Returns the findings that no longer hold, the run's and the campaign's: they are taken out of the table, to be kept
    with the revision that superseded them.
    """
    block = session.get(Block, block_id, with_for_update=True, populate_existing=True)
    assert block is not None
    campaign = session.get(Campaign, block.campaign_id, with_for_update={"key_share": True}, populate_existing=True)
    assert campaign is not None
    if block.status == "finished":
        append(session, campaign.id, suggestion_log.REOPENED, {}, block=block.index)
        block.status, block.finished_at = "running", None
        session.execute(update(Run).where(col(Run.block_id) == block_id).values(status="running"))
    if campaign.status == "finished":
        append(session, campaign.id, suggestion_log.CAMPAIGN_REOPENED, {})
        campaign.status, campaign.finished_at = "running", None
    session.flush()
    ids = session.scalars(select(col(Run.id)).where(col(Run.block_id) == block_id)).all()
    return _take_findings(session, block.campaign_id, [int(run_id or 0) for run_id in ids])


def _take_findings(session: Session, campaign_id: str, run_ids: Sequence[int]) -> list[dict[str, Any]]:
    about = (
        col(Finding.campaign_id) == campaign_id,
        col(Finding.run_id).is_(None) | col(Finding.run_id).in_(run_ids),
    )
    query = select(Finding, col(Run.index)).outerjoin(Run, col(Run.id) == col(Finding.run_id)).where(*about)
    taken = [
        {"run": run, "content": finding.content, "text": finding.text, "at": finding.created_at.isoformat()}
        for finding, run in session.execute(query.order_by(col(Finding.id)))
    ]
    session.execute(delete(Finding).where(*about))
    return taken


def _of_suggestion(session: Session, suggestion_id: int) -> tuple[int, tuple[str, int]]:
    """The number of a suggestion within its run, and the place of its block."""
    query = select(col(Suggestion.number), col(Run.block_id)).join(Run, col(Run.id) == col(Suggestion.run_id))
    number, block_id = session.execute(query.where(col(Suggestion.id) == suggestion_id)).one()
    return int(number), _place(session, block_id)


def _place(session: Session, block_id: int) -> tuple[str, int]:
    """The campaign of a block, and its index there."""
    row = session.execute(select(col(Block.campaign_id), col(Block.index)).where(col(Block.id) == block_id)).one()
    return str(row[0]), int(row[1])
