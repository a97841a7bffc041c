"""What one drawing of a page shows, read in one consistent look at the record."""

from dataclasses import dataclass
from typing import Any

from experiments_db import queries
from experiments_db.database import Database
from orchestrator import services
from ui.wording import LIVE


@dataclass(frozen=True)
class CampaignView:
    """A campaign with its domain, the data it started from, how far it is, and what it concluded, if it has."""

    campaign: queries.CampaignRecord
    domain: queries.DomainRecord
    progress: queries.Progress
    finding: queries.FindingRecord | None
    data: queries.DataSource | None

    @property
    def live(self) -> bool:
        """Whether it may still go on."""
        return self.campaign.status in LIVE

    @property
    def share(self) -> float:
        """How much of it is done, 0 to 1, as the command line says it."""
        line = services.campaign_line(self.campaign, self.domain.name, self.progress)
        return float(line["progress"]["share"])


@dataclass(frozen=True)
class RunView:
    """The experiments of one run, and the belief after each."""

    steps: list[queries.StepRow]
    beliefs: list[queries.BeliefStep]


def read_campaign(database: Database, id_or_prefix: str) -> CampaignView:
    """A campaign; NotFoundError if there is none of this id."""
    with database.read() as session:
        campaign = queries.get_campaign(session, id_or_prefix)
        return CampaignView(
            campaign,
            queries.get_domain(session, campaign.domain_identity),
            queries.progress(session, campaign.id),
            queries.campaign_finding(session, campaign.id),
            queries.data_source(session, campaign.id),
        )


def read_run(database: Database, campaign_id: str, run_index: int) -> RunView:
    """One run of a campaign; ``run_index`` counts from 0."""
    with database.read() as session:
        beliefs = queries.belief_paths(session, campaign_id, run_index)
        if not beliefs:
            return RunView([], [])
        run = queries.campaign_runs(session, campaign_id)[run_index]
        first = queries.get_block(session, run.block_id).first_run
        history = queries.block_history(session, run.block_id)
    return RunView([row for row in history if row.row == run_index - first], beliefs)


def read_candidates(database: Database, campaign_id: str, run_index: int, step: int) -> list[dict[str, Any]]:
    """The designs that were considered for one experiment, best first: ``design`` and ``score``."""
    wanted = (run_index, step)
    with database.read() as session:
        for row in queries.experiments(session, campaign_id):
            if (row["run_index"], row["step"]) >= wanted:
                return list(row["candidates"]) if (row["run_index"], row["step"]) == wanted else []
    return []
