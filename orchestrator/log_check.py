"""Whether the chains of a campaign's log hold: the part of ``organon verify`` that needs no replay. Torch-free."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from experiments_db import log_pages
from experiments_db.database import Database
from experiments_db.events import campaign_digest

_SHOWN = 20  # faults


def check_log(
    database: Database, campaign_id: str, told: Callable[[float], None] = lambda _share: None
) -> dict[str, Any]:
    """When, how many events hold in how many chains, the campaign's digest, and what is wrong, in words."""
    events, chains, faults = 0, -1, []
    with database.read() as session:
        expected = len(log_pages.chains_of(session, campaign_id))
        for count, found in log_pages.chain_faults(session, campaign_id):
            events, chains = events + count, chains + 1
            faults += [fault.in_words() for fault in found]
            told(min(1.0, (chains + 1) / expected))
        digest = campaign_digest(session, campaign_id)
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "events": events,
        "chains": chains,
        "digest": digest,
        "faults": faults[:_SHOWN],
        "faulty": len(faults),
    }
