"""Whether the tables hold what the log says: a campaign and, one at a time, its blocks."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session
from sqlmodel import col

from experiments_db import event_contents, event_kinds, queries
from experiments_db.block_rows import ExperimentRecord, block_experiments, block_findings, campaign_blocks
from experiments_db.canonical import digest
from experiments_db.chains import EventRecord, check_chain, read_chain, strange_chains
from experiments_db.differences import Difference
from experiments_db.events import chain_of, digest_of_heads, head
from experiments_db.judgements import check_judgements
from experiments_db.logged import Logged, folded
from experiments_db.models import Measurements
from experiments_db.queries import BlockRecord, CampaignRecord, RunRecord
from experiments_db.suggestion_log import check_suggestions


@dataclass(frozen=True)
class Checked:
    """A chain with what it says, and all that is wrong with it or with the tables."""

    events: list[EventRecord]
    logged: Logged
    differences: list[Difference]


def check_campaign(session: Session, campaign: CampaignRecord) -> Checked:
    """A campaign's own chain, and its rows but for those of its blocks."""
    chain = chain_of(campaign.id)
    events = read_chain(session, chain)
    logged = folded(events)
    found = [*check_chain(chain, events), *_strange(chain, logged)]
    blocks = [queries.get_block(session, block) for block in campaign_blocks(session, campaign.id)]
    found += strange_chains(session, campaign.id, len(blocks))
    found += _origin(session, events, blocks)
    found += _campaign_row(campaign, logged)
    found += _blocks(blocks, logged)
    found += _given(session, campaign, logged)
    finding = queries.campaign_finding(session, campaign.id)
    whole = None if finding is None else (finding.content, finding.text)
    found += _finding(None, whole, logged.findings.get(None), older=logged.older is not None)
    found += check_judgements(session, campaign.id, logged)
    return Checked(events, logged, found)


def check_block(session: Session, block: BlockRecord, older: dict[str, Any] | None) -> Checked:
    """A block's chain, and the rows of the block, its runs, experiments and findings; older: what is before the log."""
    steps, status = _before(older, block.index)
    chain = chain_of(block.campaign_id, block.index)
    events = read_chain(session, chain)
    logged = folded(events, first_step=steps)
    found = [*check_chain(chain, events), *_strange(chain, logged)]
    runs = queries.block_runs(session, block.id)
    experiments = block_experiments(session, block.id)
    found += _block_row(block, runs, logged, older=status)
    found += _experiments(block, experiments, logged)
    found += _runs(block, runs, experiments, logged)
    found += check_suggestions(session, block.id, logged, older=older is not None)
    recorded = block_findings(session, block.id)
    for run in range(block.first_run, block.first_run + block.runs):
        found += _finding(run, recorded.get(run), logged.findings.get(run), older=status == "finished")
    return Checked(events, logged, found)


def _before(older: dict[str, Any] | None, index: int) -> tuple[int, str]:
    """The steps of a block that are older than the log, and its status then."""
    blocks = [] if older is None else older["blocks"]
    return (int(blocks[index][0]), str(blocks[index][1])) if index < len(blocks) else (0, "")


def _strange(chain: str, logged: Logged) -> Iterator[Difference]:
    for what in logged.strange:
        yield Difference("chain", "order of events", what, None, place=f"chain {chain}")


def _differs(field: str, recorded: Any, wanted: Any, **where: Any) -> Iterator[Difference]:
    if recorded != wanted or isinstance(recorded, bool) != isinstance(wanted, bool):
        yield Difference("tables", field, recorded, wanted, **where)


def _campaign_row(campaign: CampaignRecord, logged: Logged) -> Iterator[Difference]:
    place = {"place": f"campaign {campaign.id}"}
    if logged.created is None and logged.older is None:
        yield Difference("chain", "campaign created", None, "an event", place=place["place"])
    for field in event_contents.OF_CAMPAIGN if logged.created else ():
        yield from _differs(field, getattr(campaign, field), (logged.created or {}).get(field), **place)
    yield from _differs("status", campaign.status, logged.status, **place)
    yield from _differs("message", campaign.message, logged.message, **place)
    origin = None if logged.imported is None else logged.imported.get("digest")
    yield from _differs("imported", (campaign.imported or {}).get("digest"), origin, **place)


def _origin(session: Session, events: Sequence[EventRecord], blocks: Sequence[BlockRecord]) -> Iterator[Difference]:
    """Of an imported campaign: whether what came is still what the archive's digest was of."""
    came = max((place for place, event in enumerate(events) if event.kind == event_kinds.IMPORTED), default=0)
    if came == 0:
        return
    chains = [chain_of(block.campaign_id, block.index) for block in blocks]
    found = digest_of_heads([events[came - 1].hash, *(head(session, chain)[1] for chain in chains)])
    wanted = events[came].said.get("digest")
    if found != wanted:
        yield Difference("chain", "digest it was imported with", found, wanted, place=f"chain {events[0].chain}")


def _blocks(blocks: Sequence[BlockRecord], logged: Logged) -> Iterator[Difference]:
    if logged.created is None:
        return
    sizes = logged.created.get("blocks", [])
    yield from _differs("blocks", len(blocks), len(sizes), place="campaign")
    for index, (block, size) in enumerate(zip(blocks, sizes, strict=False)):
        found = [block.index, block.first_run, block.runs]
        yield from _differs("runs", found, [index, sum(sizes[:index]), size], place=f"block {index}")


def _given(session: Session, campaign: CampaignRecord, logged: Logged) -> Iterator[Difference]:
    if logged.created is None:
        return
    row = session.scalars(select(Measurements).where(col(Measurements.campaign_id) == campaign.id)).one_or_none()
    wanted = logged.given or {}
    found = {} if row is None else event_contents.given(row)
    for field in ("file", "sha256", "rows"):
        yield from _differs(field, found.get(field), wanted.get(field), place="measurements given")


def _finding(
    run: int | None, found: tuple[dict[str, Any], str] | None, said: dict[str, Any] | None, *, older: bool
) -> Iterator[Difference]:
    if said is None and older:
        return
    place = {"run": run, "place": "finding"}
    recorded = None if found is None else event_contents.finding(run, *found)
    if recorded is None or said is None:
        yield from _differs("row", recorded and "a finding", said and "a finding", **place)
        return
    for field in ("content", "text"):
        yield from _differs(field, recorded[field], said.get(field), **place)


def _block_row(block: BlockRecord, runs: Sequence[RunRecord], logged: Logged, *, older: str) -> Iterator[Difference]:
    place = {"place": f"block {block.index}"}
    yield from _differs("step", block.step, logged.first_step + len(logged.steps), **place)
    ended = logged.ended is not None or older == "finished"
    yield from _differs("finished", block.status == "finished", ended, **place)
    wanted = list(range(block.first_run, block.first_run + block.runs))
    yield from _differs("runs", [run.index for run in runs], wanted, **place)
    if logged.truths is None and logged.first_step > 0:
        return
    for run, said in zip_longest(runs, logged.truths or []):
        if run is not None:
            yield from _differs("truth", None if run.truth is None else digest(run.truth), said, run=run.index)


def _experiments(block: BlockRecord, experiments: Sequence[ExperimentRecord], logged: Logged) -> Iterator[Difference]:
    said = {(step, entry["row"]): entry for step, content in logged.steps.items() for entry in content["experiments"]}
    found = {(entry.step, entry.row): entry for entry in experiments if entry.step >= logged.first_step}
    for step, row in sorted(said.keys() | found.keys()):
        place = {"run": block.first_run + row, "step": step}
        wanted, recorded = said.get((step, row)), found.get((step, row))
        if wanted is None or recorded is None:
            yield from _differs("experiment", recorded and "a row", wanted and "an event", **place)
            continue
        entry = event_contents.experiment(recorded)
        for field in (*event_contents.WHOLE, *event_contents.DIGESTED):
            yield from _differs(field, entry[field], wanted.get(field), **place)


def _runs(
    block: BlockRecord, runs: Sequence[RunRecord], experiments: Sequence[ExperimentRecord], logged: Logged
) -> Iterator[Difference]:
    """Steps and cost are what the log says at the block's end; before it, what its experiments add up to, from the last
    revision of a design on."""
    ended = {entry["run"]: entry for entry in (logged.ended or {}).get("runs", [])}
    known, cost = logged.revised_cost or (0, 0.0)
    for run in runs:
        own = [entry for entry in experiments if entry.row == run.index - block.first_run]
        since = sum((entry.cost for entry in own if entry.step >= known), cost)
        wanted = ended.get(run.index, {"steps": len(own), "cost": since})
        yield from _differs("steps", run.steps, wanted["steps"], run=run.index)
        yield from _differs("cost of the run", run.cost, wanted["cost"], run=run.index)
        finished = run.status == "finished"
        yield from _differs("finished", finished, block.status == "finished", run=run.index)
