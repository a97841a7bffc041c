"""The reads. They return values that outlive the session, never rows bound to it."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from difflib import get_close_matches
from typing import Any, TypeVar

from sqlalchemy import Select, case, func, select
from sqlalchemy.orm import Session
from sqlmodel import col

from experiments_db.errors import NotFoundError
from experiments_db.models import (
    UNFINISHED,
    Block,
    Campaign,
    Domain,
    Experiment,
    Finding,
    Measurements,
    Run,
)

_View = TypeVar("_View")


@dataclass(frozen=True)
class DomainRecord:
    """A domain document as recorded."""

    identity: str
    name: str
    title: str
    field: str
    text: str
    document: dict[str, Any]
    source: str
    attachments: dict[str, str]
    created_at: datetime


@dataclass(frozen=True)
class CampaignRecord:
    """A campaign as recorded; `message` says why it failed, `imported` with which digest it came from elsewhere."""

    id: str
    domain_identity: str
    policy: str
    laboratory: str
    runs: int
    budget: float
    seed: int
    status: str
    message: str
    settings: dict[str, Any]
    versions: dict[str, Any]
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    priority: int
    start_at: datetime | None
    max_experiments: int | None
    max_cost: float | None
    imported: dict[str, Any] | None = None


@dataclass(frozen=True)
class BlockRecord:
    """A block as recorded; its runs are `first_run` … `first_run + runs - 1`.

    attempts: claims since its last progress; fault: what its last worker died of.
    """

    id: int
    campaign_id: str
    index: int
    first_run: int
    runs: int
    step: int
    status: str
    lease_owner: str | None
    lease_until: datetime | None
    sent_at: datetime | None
    finished_at: datetime | None
    waiting: bool
    wakes: int
    attempts: int
    retry_at: datetime | None
    fault: str


@dataclass(frozen=True)
class RunRecord:
    """A run as recorded; `id` is what a finding refers to, `index` counts within the campaign."""

    id: int
    index: int
    block_id: int
    status: str
    steps: int
    cost: float
    truth: dict[str, Any] | None


@dataclass(frozen=True)
class Progress:
    """How far a campaign is; `cost` is what all its runs have spent."""

    runs: int
    finished_runs: int
    experiments: int
    cost: float
    blocks: int
    finished_blocks: int


@dataclass(frozen=True)
class CampaignSummary:
    """One line of the list of campaigns."""

    campaign: CampaignRecord
    domain_name: str
    domain_title: str
    progress: Progress


@dataclass(frozen=True)
class StepRow:
    """One experiment of a block; `row` is the offset of its run within the block."""

    step: int
    row: int
    design: dict[str, Any]
    outcome: dict[str, Any]
    cost: float
    given: bool = False


@dataclass(frozen=True)
class DataSource:
    """Where the experiments given to a campaign came from: the table's file and its sha256, and how many they are."""

    file: str
    sha256: str
    rows: int


@dataclass(frozen=True)
class FindingRecord:
    """What a run concludes, or the whole campaign where `run_index` is None."""

    run_index: int | None
    content: dict[str, Any]
    text: str
    created_at: datetime


@dataclass(frozen=True)
class BeliefStep:
    """The belief of a run after one step."""

    step: int
    mechanism_probability: dict[str, float]
    parameters: dict[str, dict[str, float]]


def get_domain(session: Session, identity: str) -> DomainRecord:
    """Return a recorded domain.

    Raises:
        NotFoundError: no domain has this identity.
    """
    if (domain := session.get(Domain, identity)) is None:
        raise NotFoundError(
            f"No recorded domain has the identity '{identity}': a domain is recorded with its campaign."
        )
    return view(DomainRecord, domain)


def get_campaign(session: Session, id_or_unique_prefix: str) -> CampaignRecord:
    """Return a campaign by its id or by the beginning of it.

    Raises:
        NotFoundError: no campaign, or more than one, begins so.
    """
    prefix = id_or_unique_prefix.strip().lower()
    beginning = col(Campaign.id).startswith(prefix, autoescape=True)
    found = (
        session.scalars(select(Campaign).where(beginning).order_by(col(Campaign.id)).limit(3)).all() if prefix else []
    )
    if len(found) == 1:
        return view(CampaignRecord, found[0])
    if found:
        listed = ", ".join(campaign.id for campaign in found)
        raise NotFoundError(f"'{prefix}' is the beginning of more than one campaign ({listed}): write more of the id.")
    newest = session.scalars(select(col(Campaign.id)).order_by(col(Campaign.created_at).desc()).limit(1000)).all()
    near = get_close_matches(prefix, newest, n=1, cutoff=0.5)
    hint = f"the nearest is '{near[0]}'; " if near else ""
    raise NotFoundError(f"There is no campaign '{id_or_unique_prefix}': {hint}`organon campaign list` shows all.")


def progress(session: Session, campaign_id: str) -> Progress:
    """Return how far a campaign is.

    Raises:
        NotFoundError: no campaign has this id.
    """
    found = progress_of(session, [campaign_id]).get(campaign_id)
    if found is None:
        raise NotFoundError(f"There is no campaign '{campaign_id}': `organon campaign list` shows all.")
    return found


def list_campaigns(
    session: Session, *, limit: int = 50, offset: int = 0, status: str | None = None
) -> list[CampaignSummary]:
    """Return campaigns, newest first, those of one status if given, with their domain and progress."""
    query = select(Campaign, col(Domain.name), col(Domain.title)).join(Domain)
    if status is not None:
        query = query.where(col(Campaign.status) == status)
    query = query.order_by(col(Campaign.created_at).desc(), col(Campaign.id)).limit(limit).offset(offset)
    return summaries(session, query)


def summaries(session: Session, query: Select[*tuple[Any, ...]]) -> list[CampaignSummary]:
    """Return what a query finds of campaigns, the names of their domains and their titles."""
    rows = session.execute(query).all()
    reached = progress_of(session, [campaign.id for campaign, _, _ in rows])
    return [
        CampaignSummary(view(CampaignRecord, campaign), name, title, reached[campaign.id])
        for campaign, name, title in rows
    ]


def get_block(session: Session, block_id: int) -> BlockRecord:
    """Return a block.

    Raises:
        NotFoundError: there is no such block.
    """
    if (block := session.get(Block, block_id)) is None:
        raise NotFoundError(f"There is no block {block_id}: `organon campaign list` shows the campaigns on record.")
    return view(BlockRecord, block)


def unfinished_blocks(session: Session, campaign_id: str) -> list[int]:
    """Return the blocks of a campaign that have something left to do, in order."""
    mine = (col(Block.campaign_id) == campaign_id, col(Block.status).in_(UNFINISHED))
    return [int(block or 0) for block in session.scalars(select(col(Block.id)).where(*mine).order_by(col(Block.index)))]


def block_runs(session: Session, block_id: int) -> list[RunRecord]:
    """Return the runs of a block in run order: row r of the block is the r-th."""
    runs = session.scalars(select(Run).where(col(Run.block_id) == block_id).order_by(col(Run.index)))
    return [view(RunRecord, run) for run in runs]


def campaign_runs(session: Session, campaign_id: str) -> list[RunRecord]:
    """Return the runs of a campaign in run order."""
    runs = session.scalars(select(Run).where(col(Run.campaign_id) == campaign_id).order_by(col(Run.index)))
    return [view(RunRecord, run) for run in runs]


def block_history(session: Session, block_id: int) -> list[StepRow]:
    """Return the experiments of a block by (step, run)."""
    row = (col(Run.index) - col(Block.first_run)).label("row")
    query = (
        select(  # type: ignore[call-overload]
            Experiment.step, row, Experiment.design, Experiment.outcome, Experiment.cost, Experiment.given
        )
        .join(Run, col(Run.id) == col(Experiment.run_id))
        .join(Block, col(Block.id) == col(Run.block_id))
        .where(col(Run.block_id) == block_id)
        .order_by(col(Experiment.step), col(Run.index))
    )
    return _views(StepRow, session, query)


def data_source(session: Session, campaign_id: str) -> DataSource | None:
    """Return where the experiments given to a campaign came from, None if none were."""
    count = func.json_array_length(col(Measurements.rows)).label("rows")
    query = select(col(Measurements.file), col(Measurements.sha256), count)
    return next(iter(_views(DataSource, session, query.where(col(Measurements.campaign_id) == campaign_id))), None)


def given_measurements(session: Session, campaign_id: str) -> list[dict[str, Any]]:
    """Return the experiments given to a campaign, each its `design` and `outcome`, in the table's order."""
    query = select(col(Measurements.rows)).where(col(Measurements.campaign_id) == campaign_id)
    return list(session.scalars(query).one_or_none() or [])


def experiments(session: Session, campaign_id: str) -> Iterator[dict[str, Any]]:
    """Yield every experiment by (run, step): its columns, `run_index` and `truth`. Read it within the session."""
    columns = Experiment.metadata.tables["experiment"].columns
    query = (
        select(col(Run.index).label("run_index"), col(Run.truth), *columns)
        .join(Experiment, col(Experiment.run_id) == col(Run.id))
        .where(col(Run.campaign_id) == campaign_id)
        .order_by(col(Run.index), col(Experiment.step))
        .execution_options(yield_per=500)  # a few hundred rows in memory, whatever the campaign's size
    )
    for row in session.execute(query).mappings():
        yield dict(row)


def information_by_run(session: Session, campaign_id: str) -> list[float | None]:
    """Return the nats gained by each run of a campaign, in run order; None where a step's information is unknown.

    What was given beforehand is no gain of the campaign's. A run without experiments gained nothing: 0.
    """
    known = func.count(col(Experiment.information))
    own = func.sum(case((col(Experiment.given).is_(False), 1), else_=0))
    query = (
        select(func.sum(col(Experiment.information)), known, own)
        .select_from(Run)
        .outerjoin(Experiment, col(Run.id) == col(Experiment.run_id))
        .where(col(Run.campaign_id) == campaign_id)
        .group_by(col(Run.index))
        .order_by(col(Run.index))
    )
    return [float(total or 0.0) if count == steps else None for total, count, steps in session.execute(query)]


def ended_campaigns(session: Session) -> list[str]:
    """Return the campaigns that are still open although every block of theirs is finished."""
    unfinished = select(col(Block.id)).where(
        col(Block.campaign_id) == col(Campaign.id), col(Block.status) != "finished"
    )
    query = select(col(Campaign.id)).where(col(Campaign.status).in_(UNFINISHED), ~unfinished.exists())
    return [str(campaign_id) for campaign_id in session.scalars(query)]


def findings(session: Session, campaign_id: str) -> list[FindingRecord]:
    """Return what the single runs of a campaign conclude, by run."""
    query = _findings(campaign_id).join(Run, col(Run.id) == col(Finding.run_id)).order_by(col(Run.index))
    return _views(FindingRecord, session, query)


def campaign_finding(session: Session, campaign_id: str) -> FindingRecord | None:
    """Return what the campaign as a whole concludes, None if it has not concluded."""
    query = _findings(campaign_id).outerjoin(Run, col(Run.id) == col(Finding.run_id))
    return next(iter(_views(FindingRecord, session, query.where(col(Finding.run_id).is_(None)))), None)


def belief_paths(session: Session, campaign_id: str, run_index: int) -> list[BeliefStep]:
    """Return the belief of one run after each of its steps."""
    query = (
        select(col(Experiment.step), col(Experiment.belief))
        .join(Run, col(Run.id) == col(Experiment.run_id))
        .where(col(Run.campaign_id) == campaign_id, col(Run.index) == run_index)
        .order_by(col(Experiment.step))
    )
    return [
        BeliefStep(step, belief.get("mechanism_probability", {}), belief.get("parameters", {}))
        for step, belief in session.execute(query)
    ]


def view(kind: type[_View], row: object) -> _View:
    """A row as a value that outlives its session."""
    return kind(**{field.name: getattr(row, field.name) for field in fields(kind)})  # type: ignore[arg-type]


def _views(kind: type[_View], session: Session, query: Select[Any]) -> list[_View]:
    return [view(kind, row) for row in session.execute(query)]


def _findings(campaign_id: str) -> Select[Any]:
    return (
        select(col(Run.index).label("run_index"), col(Finding.content), col(Finding.text), col(Finding.created_at))
        .select_from(Finding)
        .where(col(Finding.campaign_id) == campaign_id)
    )


def progress_of(session: Session, campaign_ids: Sequence[str]) -> dict[str, Progress]:
    """Return the progress of each campaign: two grouped queries, however many campaigns."""
    runs = _grouped(session, Run, campaign_ids, [func.sum(col(Run.steps)), func.coalesce(func.sum(col(Run.cost)), 0.0)])
    blocks = _grouped(session, Block, campaign_ids, [])
    return {
        campaign_id: Progress(count, finished, int(steps), float(cost), *blocks[campaign_id])
        for campaign_id, (count, finished, steps, cost) in runs.items()
    }


def _grouped(
    session: Session, table: type[Run] | type[Block], campaign_ids: Sequence[str], sums: Iterable[Any]
) -> dict[str, tuple[Any, ...]]:
    finished = func.sum(case((col(table.status) == "finished", 1), else_=0))
    query = (
        select(col(table.campaign_id), func.count(), finished, *sums)
        .where(col(table.campaign_id).in_(campaign_ids))
        .group_by(col(table.campaign_id))
    )
    return {row[0]: tuple(row[1:]) for row in session.execute(query)}
