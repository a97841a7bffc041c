"""Campaigns taken up again after they failed, and made larger: for the command line and the pages."""

from contextlib import suppress
from dataclasses import dataclass

from experiments_db import queries, scheduling, steering
from experiments_db.database import Database
from orchestrator import services
from orchestrator.agents import check_recorded_policy
from orchestrator.errors import BrokerError, RequestError
from orchestrator.people import Why, words
from orchestrator.settings import Settings
from orchestrator.suggestion_rules import MOST_RUNS, is_suggested

_MOST_RUNS = 1_000_000


@dataclass(frozen=True)
class Extended:
    """A campaign that was made larger: how many runs it has now, and its caps."""

    id: str
    status: str
    runs: int
    max_experiments: int | None
    max_cost: float | None


def retry_campaign(settings: Settings, database: Database, id_or_prefix: str, why: Why | None = None) -> str:
    """Let a failed campaign go on from what is recorded; returns its id. RequestError where it has not failed, or the
    agent that it was begun with is not here."""
    with database.read() as session:
        campaign = queries.get_campaign(session, id_or_prefix)
    _check_ours(campaign)
    check_recorded_policy(settings, campaign.policy, campaign.settings)
    with database.write() as session:
        if not steering.retry_campaign(session, campaign.id, **words(why)):
            raise RequestError(
                f"campaign {campaign.id} is {campaign.status}; only one that has failed can be tried again"
            )
        scheduling.rejoin(session, campaign.id)
    _send_waiting(settings, database, campaign.id)
    return campaign.id


def extend_campaign(
    settings: Settings,
    database: Database,
    id_or_prefix: str,
    *,
    runs: int = 0,
    max_experiments: int | None = None,
    max_cost: float | None = None,
    why: Why | None = None,
) -> Extended:
    """Give a campaign more runs, or other caps; RequestError where nothing is asked, or it has failed or was cancelled.

    One that stood at its cap goes on, and so does a finished one that gets runs.
    """
    _check_extension(runs, max_experiments, max_cost)
    with database.read() as session:
        campaign = queries.get_campaign(session, id_or_prefix)
    _check_ours(campaign)
    suggested = is_suggested(campaign.laboratory, campaign.settings)
    most = MOST_RUNS if suggested else _MOST_RUNS
    if campaign.runs + runs > most:
        raise RequestError(f"--runs {runs}: such a campaign has at most {most:,} runs; this has {campaign.runs:,}")
    if runs:
        check_recorded_policy(settings, campaign.policy, campaign.settings)
    sizes = services.block_sizes(runs, 1 if suggested else settings.block_runs)
    with database.write() as session:
        extension = steering.Extension(sizes, max_experiments, max_cost)
        if steering.extend_campaign(session, campaign.id, extension, **words(why)) is None:
            raise RequestError(f"campaign {campaign.id} is {campaign.status}; it cannot be extended")
        scheduling.rejoin(session, campaign.id)
        now = queries.get_campaign(session, campaign.id)
    _send_waiting(settings, database, campaign.id)
    return Extended(now.id, now.status, now.runs, now.max_experiments, now.max_cost)


def _check_ours(campaign: queries.CampaignRecord) -> None:
    if campaign.imported is not None:
        raise RequestError(f"campaign {campaign.id} was imported from another installation and never runs here")


def _check_extension(runs: int, max_experiments: int | None, max_cost: float | None) -> None:
    if not runs and max_experiments is None and max_cost is None:
        raise RequestError("nothing to extend by: give --runs, --max-experiments or --max-cost")
    if runs < 0:
        raise RequestError(f"--runs {runs}: so many runs are added; a number from 1")
    if max_experiments is not None and not 1 <= max_experiments < 2**31:
        raise RequestError(f"--max-experiments {max_experiments}: a number from 1")
    if max_cost is not None and not 0 < max_cost < float("inf"):
        raise RequestError(f"--max-cost {max_cost}: a number above 0")


def _send_waiting(settings: Settings, database: Database, campaign_id: str) -> None:
    with database.read() as session:
        blocks = queries.unfinished_blocks(session, campaign_id)
    with suppress(BrokerError):  # the watchdog finds them in the record
        services.send_blocks(settings, database, blocks)
