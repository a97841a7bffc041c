"""A recorded campaign as the request that would make it again. Torch-free."""

import csv
import io
from collections.abc import Sequence
from typing import Any

from experiments_db import queries
from experiments_db.database import Database
from orchestrator.given_data import Table
from orchestrator.requests import CampaignRequest, Document, campaign_request

_SEEDS = 2**63


def request_of(database: Database, id_or_prefix: str) -> CampaignRequest:
    """What a campaign was asked for, with the domain as it was then; but for the times at which it was to run."""
    with database.read() as session:
        campaign = queries.get_campaign(session, id_or_prefix)
        domain = queries.get_domain(session, campaign.domain_identity)
        given = queries.given_measurements(session, campaign.id)
        source = queries.data_source(session, campaign.id)
    kept = campaign.settings
    return campaign_request(
        domain=Document(text=domain.text, attachments=domain.attachments),
        policy=campaign.policy,
        laboratory=campaign.laboratory,
        runs=campaign.runs,
        budget=campaign.budget,
        seed=campaign.seed,
        **kept.get("belief", {}),
        data=None if source is None else _table(source.file, given),
        stop=kept.get("stop") or {},
        batch=kept.get("batch", 1),
        approval=bool(kept.get("approval")),
        due_hours=kept.get("due_hours"),
        timetable={
            "priority": campaign.priority,
            "max_experiments": campaign.max_experiments,
            "max_cost": campaign.max_cost,
        },
    )


def with_next_seed(request: CampaignRequest) -> CampaignRequest:
    """The same on other worlds."""
    return request.model_copy(update={"seed": (request.seed + 1) % _SEEDS})


def _table(file: str, rows: Sequence[dict[str, Any]]) -> Table:
    """Experiments as the table that they were read from: numbers come back exactly."""
    names = [*(f"design.{name}" for name in rows[0]["design"]), *(f"outcome.{name}" for name in rows[0]["outcome"])]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(names)
    for row in rows:
        writer.writerow([*row["design"].values(), *("" if v is None else v for v in row["outcome"].values())])
    return Table(file=file, text=text.getvalue())
