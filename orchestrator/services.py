"""What the command line, the pages and scripts ask of Organon. Torch-free: work is handed to workers by task name."""

import platform
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from domains import catalogue
from domains.document import Domain
from domains.loading import find, load_text
from domains.measurements import data_columns
from experiments_db import models, queries, record, recurrences, scheduling
from experiments_db.database import Database, connect
from orchestrator import app, broker, export, findings, timetable
from orchestrator.agents import ChosenPolicy, check_recorded_policy, choose_policy, policy_names
from orchestrator.domain_rows import domain_row
from orchestrator.errors import BrokerError, RequestError
from orchestrator.given_data import GivenData, read_given, rows_left
from orchestrator.installed import torch_version
from orchestrator.owner import is_alive
from orchestrator.people import Why as Why
from orchestrator.people import words
from orchestrator.requests import BEST_POLICY as BEST_POLICY
from orchestrator.requests import POLICY_NAMES as POLICY_NAMES
from orchestrator.requests import CampaignRequest as CampaignRequest
from orchestrator.requests import campaign_request as campaign_request
from orchestrator.requests import check_policy as check_policy
from orchestrator.settings import Settings
from orchestrator.stopping import check_stop, conduct_in_words
from orchestrator.suggestion_rules import ANALYSIS as ANALYSIS
from orchestrator.suggestion_rules import check_laboratory, check_suggested, is_suggested, laboratories

_ORPHAN_GRACE_SECONDS = 3.0


@dataclass(frozen=True)
class Created:
    """A campaign just recorded and sent."""

    id: str
    expected_cost: float


@dataclass(frozen=True)
class CheckedCampaign:
    """A request that can be carried out: what it names, and what one run will spend and do at most.

    expected_experiments: the given ones among them; None where what an experiment costs depends on its design.
    """

    domain: Domain
    policy: ChosenPolicy
    budget: float
    given: GivenData | None
    expected_cost: float
    expected_experiments: int | None


def create_campaign(
    settings: Settings, database: Database, request: CampaignRequest, why: Why | None = None
) -> Created:
    """Check a request completely, record it in one transaction, and hand its blocks to the workers.

    why: by whom it was asked for, kept with its settings. DomainError, RequestError or BrokerError before anything is
    written.
    """
    checked = check_campaign(settings, request)
    domain, given = checked.domain, checked.given
    if not settings.embedded_broker:
        broker.check_reachable(settings)
    campaign = _campaign_row(request, checked, why)
    campaign_id = campaign.id
    with database.write() as session:
        record.save_domain(session, domain_row(domain))
        largest = 1 if is_suggested(request.laboratory, campaign.settings) else settings.block_runs
        blocks = record.create_campaign(session, campaign, block_sizes(request.runs, largest))
        if given is not None:
            record.save_measurements(session, given.record(campaign_id))
        if repeated := request.timetable.recurrence(campaign_id, datetime.now(UTC)):
            recurrences.repeat(session, repeated)
    if request.timetable.start is None:  # else the watchdog sends them when their time has come
        with suppress(BrokerError):  # it went away just now: the watchdog finds the blocks in the record
            send_blocks(settings, database, blocks)
    return Created(campaign_id, checked.expected_cost)


def _campaign_row(request: CampaignRequest, checked: CheckedCampaign, why: Why | None) -> models.Campaign:
    """What the record keeps of a campaign that was asked for."""
    return models.Campaign(
        domain_identity=checked.domain.identity,
        policy=checked.policy.name,
        laboratory=request.laboratory,
        runs=request.runs,
        budget=checked.budget,
        seed=request.seed,
        settings={
            "belief": {"particles": request.particles, "moves": request.moves},
            "expected_cost": checked.expected_cost,
            "expected_experiments": checked.expected_experiments,
            "stop": request.stop.model_dump() if request.stop.asks else None,
            "batch": request.batch,
            "agent": checked.policy.record,
            "approval": request.approval,
            "due_hours": request.due_hours,
            **({} if why is None else {"asked": {"by": why.by, "reason": why.reason}}),
        },
        versions=versions(),
        **request.timetable.columns(),
    )


def check_campaign(settings: Settings, request: CampaignRequest) -> CheckedCampaign:
    """The domain, the policy, the budget, the given experiments and what is expected; DomainError or RequestError if it
    cannot be run."""
    domain = find(request.domain) if isinstance(request.domain, str) else request.domain.load()
    by_information = request.stop.information is not None
    policy = choose_policy(settings, request.policy, domain, by_information=by_information)
    check_laboratory(settings, domain, request.laboratory)
    check_suggested(request.laboratory, runs=request.runs, approval=request.approval, due_hours=request.due_hours)
    check_stop(domain, policy.name, request.stop)
    given = None if request.data is None else read_given(domain, request.data)
    budget = domain.budget if request.budget is None else request.budget
    cost = _expected_cost(domain, request.laboratory, budget, given)
    experiments = (0 if given is None else given.count) + int(cost)
    countable = domain.cost is None or request.laboratory == ANALYSIS
    return CheckedCampaign(domain, policy, budget, given, cost, experiments if countable else None)


def block_sizes(runs: int, largest: int) -> list[int]:
    """Runs split into as few blocks as ``largest`` allows, as even as can be, the larger ones first."""
    count = -(-runs // largest)
    return [runs // count + (index < runs % count) for index in range(count)]


def open_database(settings: Settings) -> Database:
    """The record, brought to the newest schema; its folder is made for its owner alone."""
    settings.make_home()
    return connect(settings.database)


def conclude(session: Session, campaign_id: str) -> None:
    """End a campaign all of whose blocks have ended, with its finding; nothing happens to others."""
    if record.finish_campaign(session, campaign_id, datetime.now(UTC)):
        content, text = conclusion(session, campaign_id)
        record.save_finding(session, campaign_id, None, content, text, datetime.now(UTC))


def conclusion(session: Session, campaign_id: str) -> tuple[dict[str, Any], str]:
    """What a campaign concludes from its runs' findings, their truths and what they gained; and in words."""
    campaign = queries.get_campaign(session, campaign_id)
    stored = queries.get_domain(session, campaign.domain_identity)
    domain = load_text(stored.text, f"{stored.name}.yaml", stored.attachments)
    runs = [finding.content for finding in queries.findings(session, campaign_id)]
    truths = [run.truth for run in queries.campaign_runs(session, campaign_id)]
    gained = queries.information_by_run(session, campaign_id) if campaign.laboratory == "simulate" else []
    content = findings.campaign_finding(domain, runs, truths, gained)
    return content, findings.campaign_text(domain, content)


def conclude_ended(database: Database) -> None:
    """Conclude the campaigns that are open although all their blocks have ended: paused in their last step, say."""
    with database.read() as session:
        ended = queries.ended_campaigns(session)
    for campaign_id in ended:
        with database.write() as session:
            conclude(session, campaign_id)


def send_orphans(settings: Settings, database: Database) -> int:
    """Send again the blocks that should be at work and are not: their worker died, or the broker lost the message.

    Only while the queue is empty: before, the message may just be waiting its turn. Returns how many were sent.
    """
    with database.read() as session:
        waiting = scheduling.waiting_blocks(session, datetime.now(UTC), is_alive, _ORPHAN_GRACE_SECONDS)
    conclude_ended(database)
    if not waiting or broker.queue_length(settings) > 0:
        return 0
    send_blocks(settings, database, waiting)
    return len(waiting)


def campaign_status(database: Database, id_or_prefix: str) -> dict[str, Any]:
    """A campaign as plain data: what it is, its status, progress, and finding once there is one."""
    with database.read() as session:
        campaign = queries.get_campaign(session, id_or_prefix)
        domain = queries.get_domain(session, campaign.domain_identity)
        progress = queries.progress(session, campaign.id)
        finding = queries.campaign_finding(session, campaign.id)
        data = queries.data_source(session, campaign.id)
        scheduled = timetable.schedule(session, campaign)
    return {
        **campaign_line(campaign, domain.name, progress),
        "domain_identity": domain.identity,
        "title": domain.title,
        "message": campaign.message,
        **scheduled,
        "data": None if data is None else {"file": data.file, "sha256": data.sha256, "experiments": data.rows},
        "conduct": campaign_conduct(domain, campaign),
        "settings": campaign.settings,
        "versions": campaign.versions,
        "finding": None if finding is None else {"text": finding.text, **finding.content},
    }


def campaign_conduct(stored: queries.DomainRecord, campaign: queries.CampaignRecord) -> list[str]:
    """In words, what was asked of its runs: batches and stopping rules; empty if neither was."""
    predicts = "predict" in (stored.document.get("goal") or {})
    return conduct_in_words(campaign.settings, predicts=predicts)


def list_campaigns(database: Database, *, limit: int = 50, status: str | None = None) -> list[dict[str, Any]]:
    """Campaigns as plain data, newest first."""
    if status is not None and status not in models.CAMPAIGN_STATUSES:
        raise RequestError(f"--status {status!r} is not a status; they are {', '.join(models.CAMPAIGN_STATUSES)}")
    with database.read() as session:
        found = queries.list_campaigns(session, limit=limit, status=status)
    return [campaign_line(entry.campaign, entry.domain_name, entry.progress) for entry in found]


def campaign_progress(database: Database, campaign_id: str) -> dict[str, Any]:
    """Status, experiments done, and how many are expected in all (None where costs differ between designs)."""
    with database.read() as session:
        campaign = queries.get_campaign(session, campaign_id)
        progress = queries.progress(session, campaign_id)
    expected = campaign.settings.get("expected_experiments")
    total = None if expected is None else expected * campaign.runs
    return {
        "status": campaign.status,
        "message": campaign.message,
        "experiments": progress.experiments,
        "expected": total,
    }


def pause_campaign(database: Database, id_or_prefix: str, why: Why | None = None) -> str:
    """Stop a campaign after the step at hand; returns its id. RequestError where it is not under way."""
    return _steer(database, id_or_prefix, partial(record.pause_campaign, **words(why)), "paused")


def resume_campaign(settings: Settings, database: Database, id_or_prefix: str, why: Why | None = None) -> str:
    """Let a paused campaign go on; returns its id. RequestError where it is not paused, or the agent that it was begun
    with is not here."""
    with database.read() as session:
        campaign = queries.get_campaign(session, id_or_prefix)
    check_recorded_policy(settings, campaign.policy, campaign.settings)
    campaign_id = _steer(database, id_or_prefix, partial(record.resume_campaign, **words(why)), "resumed")
    with database.write() as session:
        scheduling.rejoin(session, campaign_id)
    conclude_ended(database)
    with database.read() as session:
        waiting = scheduling.waiting_blocks(session, datetime.now(UTC), is_alive, 0.0)
    send_blocks(settings, database, waiting)
    return campaign_id


def cancel_campaign(database: Database, id_or_prefix: str, why: Why | None = None) -> str:
    """End a campaign for good, keeping what is on record; returns its id. RequestError where it has ended."""
    cancel = partial(record.cancel_campaign, now=datetime.now(UTC), **words(why))
    return _steer(database, id_or_prefix, cancel, "cancelled")


def _steer(database: Database, id_or_prefix: str, change: Callable[[Session, str], bool], what: str) -> str:
    with database.write() as session:
        campaign = queries.get_campaign(session, id_or_prefix)
        if not change(session, campaign.id):
            raise RequestError(f"campaign {campaign.id} is {campaign.status}; it cannot be {what}")
    return campaign.id


def check_export(path: Path) -> None:
    """RequestError unless an export can be written there."""
    export.check_target(path)


def export_campaign(database: Database, id_or_prefix: str, path: Path) -> int:
    """Write a campaign's experiments to a .csv or .parquet file; returns the number of rows."""
    with database.read() as session:
        campaign = queries.get_campaign(session, id_or_prefix)
    return export.export(database, campaign.id, path)


def campaign_line(campaign: queries.CampaignRecord, domain_name: str, progress: queries.Progress) -> dict[str, Any]:
    """One campaign with its progress, as plain data."""
    return {
        "id": campaign.id,
        "status": campaign.status,
        "domain": domain_name,
        "policy": campaign.policy,
        "laboratory": campaign.laboratory,
        "runs": campaign.runs,
        "budget": campaign.budget,
        "seed": campaign.seed,
        "progress": {
            "share": 1.0 if campaign.status == "finished" else _share(campaign, progress),
            "runs_finished": progress.finished_runs,
            "experiments": progress.experiments,
            "cost": progress.cost,
        },
        "imported": campaign.imported is not None,
        "created_at": _time(campaign.created_at),
        "started_at": _time(campaign.started_at),
        "finished_at": _time(campaign.finished_at),
    }


def _share(campaign: queries.CampaignRecord, progress: queries.Progress) -> float:
    """How much is done, 0 to 1: in experiments where their number is known, else in what they cost.

    Both are what runs do at most; those that have finished with less are done all the same.
    """
    finished = progress.finished_runs / campaign.runs
    experiments = campaign.settings.get("expected_experiments")
    if experiments is not None:
        return min(1.0, max(finished, progress.experiments / (experiments * campaign.runs)))
    expected: float = campaign.settings.get("expected_cost", campaign.budget) * campaign.runs
    return min(1.0, max(finished, progress.cost / expected))


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()


def send_woken(settings: Settings, database: Database, block_id: int) -> None:
    """Send a block for which something came in; where the broker is away, the watchdog finds it in the record."""
    with suppress(BrokerError):
        send_blocks(settings, database, [block_id])


def send_blocks(settings: Settings, database: Database, blocks: list[int]) -> None:
    """Send blocks, if somebody listens; else the watchdog of the first worker to come finds them in the record."""
    if not settings.embedded_broker or broker.is_running(settings):
        app.send(settings, blocks)
        with database.write() as session:
            record.mark_sent(session, blocks, datetime.now(UTC))


@dataclass(frozen=True)
class Choices:
    """What a campaign of a domain may be made of: its laboratories, policies (the default first), its own budget, the
    columns of given data."""

    laboratories: list[str]
    policies: list[str]
    budget: float
    data_columns: list[str]


def domain_names() -> list[str]:
    """The domains of the catalogue."""
    return list(catalogue.names())


def campaign_choices(settings: Settings, domain_name: str) -> Choices:
    """What can be chosen for a campaign of this domain; DomainError where there is none such."""
    domain = find(domain_name)
    names = laboratories(settings, domain)
    return Choices(names, policy_names(settings, domain), domain.budget, data_columns(domain))


def _expected_cost(domain: Domain, laboratory: str, budget: float, given: GivenData | None) -> float:
    """What a run will spend at most; RequestError where it can do nothing."""
    kind, _, name = laboratory.partition(":")
    if kind == ANALYSIS:
        if given is None:
            raise RequestError(
                "--laboratory none runs no experiments and analyses those already made: give it some (--data FILE.csv)"
            )
        return 0.0
    rows = rows_left(domain, name, given) if kind == "replay" else None
    if rows == 0:
        raise RequestError(
            f"--laboratory {laboratory}: the given experiments hold every row of it, so that none is left to look up; "
            "analyse them alone by --laboratory none"
        )
    if domain.cost is not None:
        return budget
    if budget < 1:
        raise RequestError(f"a budget of {budget:g} pays for no experiment of {domain.name}: each costs 1")
    return float(int(budget) if rows is None else min(int(budget), rows))


def versions() -> dict[str, str]:
    """What a campaign is created with, for its record."""
    return {
        "organon": version("organon"),
        "torch": torch_version(),
        "python": platform.python_version(),
        "machine": platform.machine(),
    }
