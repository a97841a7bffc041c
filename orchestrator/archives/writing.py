"""Writing a campaign's archive: a snapshot of all that is recorded of it. Torch-free."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from sqlalchemy import Select, exists, select
from sqlalchemy.orm import Session
from sqlmodel import col

from experiments_db import queries, schema
from experiments_db.database import Database
from experiments_db.desk_models import Judgement
from experiments_db.events import campaign_digest
from experiments_db.models import Block, Campaign, Event, Experiment, Finding, Measurements, Revision, Run, Suggestion
from experiments_db.package import Writer
from experiments_db.queries import CampaignRecord
from experiments_db.writing import written_whole
from meta_learner.agents.store import Stored
from orchestrator.agents import agent_store
from orchestrator.archives import members
from orchestrator.opening_agents import imported_agents
from orchestrator.settings import Settings

Told = Callable[[str, float], None]
_AT_ONCE = 500


def archive(
    settings: Settings,
    database: Database,
    id_or_prefix: str,
    path: Path | None,
    told: Told = lambda _what, _share: None,
) -> tuple[str, Path, str]:
    """Write a campaign's archive, whole or not at all; its id, the file (by default in the home), and the log's digest.

    Raises:
        RecordError: no such campaign, or the file is there already or cannot be written.
        AgentError: the agent that it was begun with is not here.
    """
    with database.read() as session:
        campaign = queries.get_campaign(session, id_or_prefix)
        agent = _agent(settings, campaign)
        target = path or _default_path(settings, campaign.id)
        digest = campaign_digest(session, campaign.id)
        about = {"kind": members.KIND, "format": 1, "organon": version("organon"), "schema": schema.HEAD}
        with written_whole(target) as file:
            writer = Writer(file, {**about, "campaign": campaign.id, "digest": digest})
            _write(writer, session, campaign, told)
            if agent is not None:
                writer.data(members.CARD, [agent.card.model_dump_json().encode()])
                writer.data(members.WEIGHTS, [agent.weights()])
            writer.close()
    return campaign.id, target, digest


def _default_path(settings: Settings, campaign_id: str) -> Path:
    folder = settings.make_home() / "archives"
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder / f"{campaign_id}.organon"


def _agent(settings: Settings, campaign: CampaignRecord) -> Stored | None:
    agent = campaign.settings.get("agent")
    if agent is None:
        return None
    store = agent_store(settings) if campaign.imported is None else imported_agents(settings, campaign.id)
    return store.find(campaign.policy, agent["weights"])


def _write(writer: Writer, session: Session, campaign: CampaignRecord, told: Told) -> None:
    domain = queries.get_domain(session, campaign.domain_identity)
    fields = ("identity", "name", "text", "attachments")
    writer.json(members.DOMAIN, {name: getattr(domain, name) for name in fields})
    (row,) = _plain(session, select(*_campaign_columns()).where(col(Campaign.id) == campaign.id))
    writer.json(members.CAMPAIGN, row)
    given = session.get(Measurements, campaign.id)
    if given is not None:
        writer.json(members.MEASUREMENTS, {"file": given.file, "sha256": given.sha256, "rows": given.rows})
    if session.scalar(select(exists().where(col(Judgement.campaign_id) == campaign.id))):
        writer.lines(members.JUDGEMENTS, _plain(session, _judgements(campaign.id)))
    parts = _parts(campaign.id)
    for place, (name, query) in enumerate(parts.items()):
        told(name, place / len(parts))
        writer.lines(name, _plain(session, query))


def _parts(campaign: str) -> dict[str, Select[Any]]:
    """Member → its rows, with places (indexes within the campaign) where the tables have numbers of their own."""
    of_run: Select[Any] = select(col(Run.index).label("run"))
    of_block = ("index", "first_run", "runs", "step", "status", "finished_at")
    of_experiment = (
        "step", "design", "outcome", "cost", "information", "decision_ms", "belief", "candidates", "created_at",
        "given",
    )  # fmt: skip
    of_event = ("chain", "index", "kind", "content", "hash", "created_at")
    own_chains = (col(Event.campaign_id) == campaign, col(Event.chain).startswith(campaign, autoescape=True))
    return {
        members.BLOCKS: select(*_columns(Block, of_block))
        .where(col(Block.campaign_id) == campaign)
        .order_by(col(Block.index)),
        members.RUNS: select(
            col(Block.index).label("block"), *_columns(Run, ("index", "status", "steps", "cost", "truth"))
        )
        .join(Block, col(Block.id) == col(Run.block_id))
        .where(col(Run.campaign_id) == campaign)
        .order_by(col(Run.index)),
        members.EXPERIMENTS: of_run.add_columns(*_columns(Experiment, of_experiment))
        .join(Experiment, col(Experiment.run_id) == col(Run.id))
        .where(col(Run.campaign_id) == campaign)
        .order_by(col(Run.index), col(Experiment.step)),
        **_answered_later(campaign, of_run),
        members.FINDINGS: of_run.add_columns(*_columns(Finding, ("content", "text", "created_at")))
        .select_from(Finding)
        .outerjoin(Run, col(Run.id) == col(Finding.run_id))
        .where(col(Finding.campaign_id) == campaign)
        .order_by(col(Run.index)),
        members.EVENTS: select(*_columns(Event, of_event))
        .where(*own_chains)
        .order_by(col(Event.chain), col(Event.index)),
    }


def _judgements(campaign: str) -> Select[Any]:
    of_judgement = _columns(Judgement, ("verdict", "by", "reason", "created_at"))
    query = select(col(Judgement.run_index).label("run"), *of_judgement)
    return query.where(col(Judgement.campaign_id) == campaign).order_by(col(Judgement.id))


def _answered_later(campaign: str, of_run: Select[Any]) -> dict[str, Select[Any]]:
    """The members of campaigns whose experiments people or programs answer."""
    of_suggestion = tuple(name for name in members.ArchivedSuggestion.model_fields if name != "run")
    of_revision = tuple(name for name in members.ArchivedRevision.model_fields if name not in ("run", "number"))
    return {
        members.SUGGESTIONS: of_run.add_columns(*_columns(Suggestion, of_suggestion))
        .join(Suggestion, col(Suggestion.run_id) == col(Run.id))
        .where(col(Run.campaign_id) == campaign)
        .order_by(col(Run.index), col(Suggestion.number)),
        members.REVISIONS: of_run.add_columns(col(Suggestion.number), *_columns(Revision, of_revision))
        .join(Suggestion, col(Suggestion.run_id) == col(Run.id))
        .join(Revision, col(Revision.suggestion_id) == col(Suggestion.id))
        .where(col(Run.campaign_id) == campaign)
        .order_by(col(Revision.id)),
    }


def _campaign_columns() -> list[Any]:
    """All but how much of the workers' time it has had, which is of this installation."""
    return [column for name, column in Campaign.metadata.tables["campaign"].columns.items() if name != "served"]


def _columns(table: Any, names: Iterable[str]) -> list[Any]:
    return [col(getattr(table, name)) for name in names]


def _plain(session: Session, query: Select[Any]) -> Iterator[dict[str, Any]]:
    for row in session.execute(query.execution_options(yield_per=_AT_ONCE)).mappings():
        yield _moments(row)


def _moments(row: Mapping[Any, Any]) -> dict[str, Any]:
    return {str(name): value.isoformat() if isinstance(value, datetime) else value for name, value in row.items()}
