"""Caps: how many experiments, at what cost, a campaign, an agent, or all of them in a day may run."""

from datetime import UTC, datetime

from sqlalchemy.orm import Session

from experiments_db import accounts
from experiments_db.database import Database
from experiments_db.models import CAP_PERIODS, Cap
from experiments_db.queries import CampaignRecord
from orchestrator.errors import RequestError


def set_cap(database: Database, agent: str, period: str, experiments: int | None, cost: float | None) -> None:
    """Set the cap of an agent (empty: of all together) for a period, `day` or `total`; two Nones take it away.

    RequestError where a number is negative or the period is neither.
    """
    if period not in CAP_PERIODS:
        raise RequestError(f"a cap is for a {CAP_PERIODS[0]} or in {CAP_PERIODS[1]}; found {period!r}")
    if (experiments is not None and experiments < 0) or (cost is not None and not cost >= 0):
        raise RequestError(f"a cap is a number from 0; found {experiments} experiments, cost {cost}")
    with database.write() as session:
        accounts.set_cap(session, Cap(agent=agent, period=period, max_experiments=experiments, max_cost=cost))


def list_caps(database: Database) -> list[dict[str, object]]:
    """All caps as plain data, with what was run under each."""
    with database.read() as session:
        found = accounts.caps(session, datetime.now(UTC))
    return [
        {
            "agent": cap.agent or None,
            "period": cap.period,
            "max_experiments": cap.max_experiments,
            "max_cost": cap.max_cost,
            "experiments": cap.used.experiments,
            "cost": cap.used.cost,
            "reached": cap.reached,
        }
        for cap in found
    ]


def reached_by_agent(session: Session, campaign: CampaignRecord) -> str | None:
    """Which cap of its agent, or of all, keeps a campaign waiting, in words."""
    held_back = accounts.exhausted(session, datetime.now(UTC))
    return held_back.get("") or held_back.get(campaign.policy)


def has_caps(campaign: CampaignRecord) -> bool:
    """Whether a campaign has caps of its own."""
    return campaign.max_experiments is not None or campaign.max_cost is not None


def reached_by_campaign(campaign: CampaignRecord, used: accounts.Amount, runs: int, cost: float) -> str | None:
    """Which cap of the campaign leaves no room for one more step, in words; None where there is room.

    runs: how many experiments the step makes; cost: the least that they cost. So a cap on experiments is never passed,
    and one on the cost by no more than what a step costs above the least.
    """
    if campaign.max_experiments is not None and used.experiments + runs > campaign.max_experiments:
        return (
            f"{used.experiments} experiments are recorded and the next step makes {runs}: the campaign's cap is "
            f"{campaign.max_experiments} (organon campaign extend --max-experiments N)"
        )
    if campaign.max_cost is not None and used.cost + cost > campaign.max_cost:
        return (
            f"a cost of {used.cost:g} is recorded and the next step adds at least {cost:g}: the campaign's cap is "
            f"{campaign.max_cost:g} (organon campaign extend --max-cost C)"
        )
    return None
