"""What people say of findings: accepted, rejected, noted. Only ever added, each with its event."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session
from sqlmodel import col

from experiments_db import event_kinds
from experiments_db.canonical import digest
from experiments_db.differences import Difference
from experiments_db.errors import NotFoundError
from experiments_db.events import append
from experiments_db.logged import Logged, folds
from experiments_db.models import Finding, Judgement, Run
from experiments_db.queries import FindingRecord, campaign_finding, view

JUDGED = event_kinds.kind("finding judged", "accepted, rejected or noted: which finding (its digest), by whom, and why")
DECIDING = ("accepted", "rejected")
_SAID = ("run", "verdict", "by", "reason")


@dataclass(frozen=True)
class JudgementRecord:
    """A judgement as recorded; of the campaign's own finding where `run_index` is None."""

    run_index: int | None
    verdict: str
    by: str
    reason: str
    created_at: datetime


def finding_of(session: Session, campaign_id: str, run_index: int | None) -> FindingRecord:
    """What a run, or the campaign as a whole, concludes; NotFoundError where it has not concluded."""
    if run_index is None:
        found = campaign_finding(session, campaign_id)
    else:
        query = (
            select(col(Run.index).label("run_index"), col(Finding.content), col(Finding.text), col(Finding.created_at))
            .join(Finding, col(Finding.run_id) == col(Run.id))
            .where(col(Run.campaign_id) == campaign_id, col(Run.index) == run_index)
        )
        row = session.execute(query).one_or_none()
        found = None if row is None else view(FindingRecord, row)
    if found is None:
        what = f"campaign {campaign_id}" if run_index is None else f"run {run_index} of campaign {campaign_id}"
        raise NotFoundError(
            f"There is no finding of {what}: it is written when that has ended, and taken back where it goes on."
        )
    return found


def judge(session: Session, judgement: Judgement) -> None:
    """Record a judgement; NotFoundError where there is no such finding."""
    finding = finding_of(session, judgement.campaign_id, judgement.run_index)
    # The event first: it takes the campaign's lock, so that rows get their ids in the order of the chain.
    append(session, judgement.campaign_id, JUDGED, {**_said(judgement), "finding": digest(finding.content)})
    session.add(judgement)
    session.flush()


def judgements(session: Session, campaign_id: str) -> list[JudgementRecord]:
    """Everything said of a campaign's findings, in order."""
    query = select(Judgement).where(col(Judgement.campaign_id) == campaign_id).order_by(col(Judgement.id))
    return [view(JudgementRecord, row) for row in session.scalars(query)]


def standing(said: Sequence[JudgementRecord], finding: FindingRecord) -> JudgementRecord | None:
    """The judgement that holds of a finding: the newest that accepts or rejects it as it is now.

    What was said before the finding was drawn anew was of another.
    """
    deciding = (
        judgement
        for judgement in reversed(said)
        if judgement.run_index == finding.run_index
        and judgement.verdict in DECIDING
        and judgement.created_at >= finding.created_at
    )
    return next(deciding, None)


def check_judgements(session: Session, campaign_id: str, logged: Logged) -> Iterator[Difference]:
    """Whether the table holds the judgements that the log says, in their order."""
    query = select(Judgement).where(col(Judgement.campaign_id) == campaign_id).order_by(col(Judgement.id))
    found = [_said(row) for row in session.scalars(query)]
    wanted = [{name: said[name] for name in _SAID} for said in logged.judged]
    if len(found) != len(wanted):
        yield Difference("tables", "judgements", len(found), len(wanted), place="judgements")
    for place, (one, other) in enumerate(zip(found, wanted, strict=False)):
        for name in _SAID:
            if one[name] != other[name]:
                yield Difference("tables", name, one[name], other[name], place=f"judgement {place}")


def _said(judgement: Judgement) -> dict[str, Any]:
    return {
        "run": judgement.run_index,
        "verdict": judgement.verdict,
        "by": judgement.by,
        "reason": judgement.reason,
    }


@folds(JUDGED)
def _judged(logged: Logged, said: dict[str, Any]) -> None:
    if said["run"] is not None and type(said["run"]) is not int:
        raise ValueError(f"{str(said['run'])[:50]} where a run's index was due")
    if not all(type(said[name]) is str for name in ("verdict", "by", "reason", "finding")):
        raise ValueError("words were due")
    logged.judged.append(said)
