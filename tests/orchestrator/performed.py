"""Small campaigns that have been worked on."""

from typing import Any

from experiments_db.block_rows import campaign_blocks
from experiments_db.database import Database
from orchestrator import services
from orchestrator.advance import advance
from orchestrator.settings import Settings


def performed(settings: Settings, database: Database, *, to_the_end: bool = True, **request: Any) -> str:
    """Two runs of two random experiments, unless asked otherwise; their campaign."""
    values = {"domain": "enzyme-kinetics", "policy": "random", "particles": 60, "moves": 1, "runs": 2, "budget": 2}
    campaign = services.create_campaign(settings, database, services.campaign_request(**{**values, **request})).id
    with database.read() as session:
        blocks = campaign_blocks(session, campaign)
    for block in blocks[: None if to_the_end else 1]:
        assert advance(database, settings, block) == "finished"
    return campaign
