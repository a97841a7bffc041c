"""Suggestions and revisions as plain data, for people, programs and pages."""

from datetime import UTC, datetime
from typing import Any

from experiments_db import queries, revisions, suggestions
from experiments_db.database import Database
from experiments_db.models import GOES_ON, OUTSTANDING
from experiments_db.suggestions import SuggestionRecord


def pending(database: Database, id_or_prefix: str | None = None, *, every: bool = False) -> list[dict[str, Any]]:
    """Suggestions that wait, of one campaign or of all that go on; ``every``: those that are done, too."""
    statuses = () if every else OUTSTANDING
    with database.read() as session:
        if id_or_prefix is None:
            campaigns = suggestions.waiting_campaigns(session)
        else:
            campaigns = [queries.get_campaign(session, id_or_prefix).id]
        found = [suggestions.suggestions(session, campaign_id=id_, statuses=statuses) for id_ in campaigns]
    now = datetime.now(UTC)
    return [suggestion_line(entry, now) for of in found for entry in of if every or entry.campaign_status in GOES_ON]


def waiting(database: Database, campaign_id: str) -> dict[str, int]:
    """How many suggestions of a campaign wait for approval (proposed), for a result (open), and are overdue."""
    with database.read() as session:
        return suggestions.counts(session, campaign_id, datetime.now(UTC))


def show(database: Database, suggestion_id: int) -> dict[str, Any]:
    """A suggestion with the candidates that it was chosen from, and what was said of its result later."""
    with database.read() as session:
        entry = suggestions.get_suggestion(session, suggestion_id)
        revised = revisions.revisions(session, campaign_id=entry.campaign_id)
    lines = [revision_line(revision) for revision in revised if revision.suggestion_id == suggestion_id]
    return {**suggestion_line(entry, datetime.now(UTC)), "candidates": entry.candidates, "revisions": lines}


def suggestion_line(entry: SuggestionRecord, now: datetime) -> dict[str, Any]:
    """A suggestion as plain data. ``design``: what to set, or what was set; ``suggested``: what was planned."""
    return {
        "id": entry.id,
        "campaign": entry.campaign_id,
        "run": entry.run_index,
        "number": entry.number,
        "status": entry.status,
        "design": entry.used or entry.design,
        "suggested": entry.design,
        "asked_at": entry.created_at.isoformat(),
        "due_at": _time(entry.due_at),
        "overdue": suggestions.is_overdue(entry, now),
        "taken_by": entry.taken_by,
        "taken_at": _time(entry.taken_at),
        "decided_by": entry.decided_by,
        "decided_at": _time(entry.decided_at),
        "reason": entry.reason,
        "outcome": entry.outcome,
        "failure": entry.failure,
        "answered_by": entry.answered_by,
        "answered_at": _time(entry.answered_at),
        "step": entry.step if entry.status == "recorded" else None,
    }


def revision_line(entry: revisions.RevisionRecord) -> dict[str, Any]:
    """A revision as plain data: what held before, what holds since, who says so, why and when."""
    return {
        "id": entry.id,
        "kind": entry.kind,
        "before": entry.before,
        "after": {"design": entry.design, "outcome": entry.outcome},
        "by": entry.by,
        "reason": entry.reason,
        "at": entry.created_at.isoformat(),
        "applied_at": _time(entry.applied_at),
    }


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()
