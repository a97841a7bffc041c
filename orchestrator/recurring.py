"""Campaigns that are repeated: looked after by every supervisor, each repetition created exactly once."""

from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from experiments_db import queries, recurrences
from experiments_db.database import Database
from orchestrator import services
from orchestrator.errors import BrokerError, RequestError
from orchestrator.settings import Settings


def begin_due(settings: Settings, database: Database) -> int:
    """Create and send the repetitions that are due; returns how many this call created."""
    now = datetime.now(UTC)
    with database.read() as session:
        due = recurrences.due(session, now)
    begun = 0
    for campaign_id in due:
        with database.write() as session:
            blocks = recurrences.begin(session, campaign_id, now, services.versions())
        if blocks is not None:
            begun += 1
            with suppress(BrokerError):  # the watchdog finds them in the record
                services.send_blocks(settings, database, blocks)
    return begun


def list_recurring(database: Database) -> list[dict[str, Any]]:
    """What is repeated, as plain data, the next first; what is no longer repeated comes last."""
    with database.read() as session:
        return [
            {
                "campaign": found.campaign_id,
                "every_seconds": found.every_seconds,
                "next_at": found.next_at.isoformat() if found.active else None,
                "made": found.made,
                "times": found.times,
                "active": found.active,
            }
            for found in recurrences.recurrences(session)
        ]


def stop_recurring(database: Database, id_or_prefix: str) -> str:
    """Let a campaign be repeated no more; returns its id. RequestError where it is not repeated."""
    with database.write() as session:
        campaign = queries.get_campaign(session, id_or_prefix)
        if not recurrences.stop(session, campaign.id):
            raise RequestError(
                f"campaign {campaign.id} is not repeated; organon campaign recurring shows which campaigns are"
            )
    return campaign.id
