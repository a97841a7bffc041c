"""How findings are named in addresses and commands: ``CAMPAIGN`` is the campaign's own, ``CAMPAIGN.RUN`` a run's."""

import re

from experiments_db import queries
from experiments_db.database import Database
from orchestrator.errors import RequestError

_NAME = re.compile(r"([0-9a-fA-F]+)(?:\.(\d{1,9}))?")


def finding_name(campaign_id: str, run_index: int | None) -> str:
    """``a1b2c3d4e5f6`` or ``a1b2c3d4e5f6.0``."""
    return campaign_id if run_index is None else f"{campaign_id}.{run_index}"


def read_name(database: Database, name: str) -> tuple[str, int | None]:
    """The campaign and the run's index of a finding's name, whose campaign may be shortened to a unique beginning.

    Raises:
        RequestError: no such name.
        NotFoundError: no campaign begins so, or several do.
    """
    found = _NAME.fullmatch(name.strip())
    if found is None:
        raise RequestError(f"{name[:50]!r} names no finding: a campaign's id does, and ID.RUN (from 0) that of a run")
    with database.read() as session:
        campaign = queries.get_campaign(session, found[1])
    return campaign.id, None if found[2] is None else int(found[2])
