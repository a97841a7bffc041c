"""Importing an archive, perhaps a stranger's: all of it is checked, nothing that is here is changed, it never runs.

One transaction: whatever is wrong, nothing is written. The chain and the tables are checked before it is committed;
whether the numbers follow from their seeds is for ``organon verify`` to say.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from sqlalchemy import insert, select, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session
from sqlmodel import col

from domains.document import Domain
from domains.errors import DomainError
from domains.loading import load_text
from experiments_db import event_kinds, models, queries, record
from experiments_db.agreement import check_block, check_campaign
from experiments_db.block_rows import campaign_blocks
from experiments_db.database import Database
from experiments_db.errors import RecordError
from experiments_db.events import append, campaign_digest
from experiments_db.package import Reader, file_sha256, open_package
from experiments_db.retention import ENDED, bring_back
from meta_learner.agents.card import CLASSICAL
from orchestrator.archives import members
from orchestrator.archives.agent import take_agent
from orchestrator.domain_rows import domain_row
from orchestrator.people import Why, Words, words
from orchestrator.settings import Settings

_Model = TypeVar("_Model", bound=BaseModel)
_AT_ONCE = 500
_AGENT = {members.CARD, members.WEIGHTS}
_STOPPED = "it was under way where it was archived, and never runs here"
Told = Callable[[str, float], None]


@dataclass(frozen=True)
class Imported:
    """What was imported; digest: of its log where it came from."""

    campaign: str
    digest: str
    experiments: int
    agent: str | None


def import_archive(
    settings: Settings,
    database: Database,
    path: Path,
    why: Why | None = None,
    told: Told = lambda _what, _share: None,
) -> Imported:
    """Bring a campaign in from an archive.

    Raises:
        PackageError, RecordError: no sound archive, or the campaign is here already; nothing is written.
        DomainError: its document is none that this Organon reads.
    """
    with open_package(path, members.KIND, members.LIMITS) as package:
        missing = members.REQUIRED - package.names
        if missing:
            raise package.refused(f"it lacks {', '.join(sorted(missing))}")
        said = _checked(members.Manifest, package.manifest, package, "manifest.json")
        taken = _Import(settings, package, said, told)
        with database.write() as session:
            try:
                taken.write(session)
            except DBAPIError as error:
                raise package.refused(f"the record does not take it ({str(error.orig)[:200]})") from None
            taken.mark(session, file_sha256(path), words(why))
            agent = taken.agent()
    return Imported(said.campaign, said.digest, taken.experiments, agent)


class _Import:
    """One archive on its way into one transaction."""

    def __init__(self, settings: Settings, package: Reader, said: members.Manifest, told: Told) -> None:
        self.settings, self.package, self.said, self.told = settings, package, said, told
        self.experiments = 0
        self.raw: dict[str, Any] = package.json(members.CAMPAIGN)
        self.campaign = _checked(members.ArchivedCampaign, self.raw, package, members.CAMPAIGN)
        if self.campaign.id != said.campaign:
            raise package.refused(f"its manifest names the campaign {said.campaign}, and it holds {self.campaign.id}")
        asked = self.campaign.settings.agent
        wanted = set() if asked is None else _AGENT
        if (asked is None) != (self.campaign.policy in CLASSICAL) or package.names & _AGENT != wanted:
            raise package.refused("it holds an agent that its campaign does not name, or lacks the one that it names")
        self.domain = self._domain()

    def write(self, session: Session) -> None:
        """All rows, as they were; then the chains and the tables are checked against each other."""
        identity = self.campaign.id
        if session.get(models.Campaign, identity) is not None:
            raise RecordError(f"Campaign {identity} is here already: nothing is ever imported over it.")
        record.save_domain(session, domain_row(self.domain, self.tables))
        moments = ("created_at", "started_at", "finished_at", "start_at")
        session.add(models.Campaign(**{**self.raw, **{name: getattr(self.campaign, name) for name in moments}}))
        session.flush()
        runs = self._runs(session, self._blocks(session))
        self._experiments(session, runs)
        self._revisions(session, self._suggestions(session, runs))
        self._findings(session, runs)
        self._judgements(session, runs)
        self._measurements(session)
        self._events(session)
        self._check(session)

    def mark(self, session: Session, archive: str, by: Words) -> None:
        """That it came from elsewhere; what was under way there has ended here."""
        identity, ended = self.campaign.id, self.campaign.status in ENDED
        row = session.get_one(models.Campaign, identity)
        row.imported = {"digest": self.said.digest, "archive": archive}
        if not ended:
            row.status, row.message, row.finished_at = "cancelled", _STOPPED, datetime.now(UTC)
            for table in (models.Block, models.Run):
                under_way = (col(table.campaign_id) == identity, col(table.status).in_(models.UNFINISHED))
                session.execute(update(table).where(*under_way).values(status="cancelled"))
        session.flush()
        content = {**row.imported, "status": row.status, "message": row.message, **by}
        append(session, identity, event_kinds.IMPORTED, content)
        bring_back(session, identity, row.imported)

    def agent(self) -> str | None:
        """Keep the agent beside one's own, where the campaign was begun with one."""
        asked = self.campaign.settings.agent
        if asked is None:
            return None
        return take_agent(self.settings, self.package, self.campaign, asked.weights, self.domain)

    def _domain(self) -> Domain:
        found = _checked(members.ArchivedDomain, self.package.json(members.DOMAIN), self.package, members.DOMAIN)
        try:
            domain = load_text(found.text, members.DOMAIN, found.attachments)
        except DomainError as error:
            raise self.package.refused(f"its domain cannot be read here: {error}") from None
        if not found.identity == domain.identity == self.campaign.domain_identity:
            raise self.package.refused(
                "its domain is another than its campaign was created with (where the laws are Python, install the same "
                "version of their package)"
            )
        self.tables = dict(found.attachments)
        return domain

    def _blocks(self, session: Session) -> list[int]:
        particles = self.campaign.settings.belief.particles
        rows = []
        for _, block in self._lines(members.ArchivedBlock, members.BLOCKS):
            if block.runs * particles > members.MOST_PARTICLES:
                raise self.package.refused(
                    f"a block of {block.runs} runs with {particles} particles is more than a replay may hold "
                    f"({members.MOST_PARTICLES:,} in all)"
                )
            rows.append({**block.model_dump(), "campaign_id": self.campaign.id})
        if [row["index"] for row in rows] != list(range(len(rows))) or not rows:
            raise self.package.refused("its blocks are not numbered from 0")
        session.execute(insert(models.Block), rows)
        return campaign_blocks(session, self.campaign.id)

    def _runs(self, session: Session, blocks: list[int]) -> list[int]:
        def rows() -> Iterator[dict[str, Any]]:
            for place, (raw, run) in enumerate(self._lines(members.ArchivedRun, members.RUNS)):
                if run.index != place or run.block >= len(blocks) or place >= self.campaign.runs:
                    raise self.package.refused(f"its run {place} is out of order")
                values = {name: raw[name] for name in ("index", "status", "steps", "cost", "truth")}
                yield {**values, "campaign_id": self.campaign.id, "block_id": blocks[run.block]}

        self._insert(session, models.Run, rows(), members.RUNS)
        of_campaign = select(col(models.Run.id)).where(col(models.Run.campaign_id) == self.campaign.id)
        return [int(run or 0) for run in session.scalars(of_campaign.order_by(col(models.Run.index)))]

    def _experiments(self, session: Session, runs: list[int]) -> None:
        designs = {design.name for design in self.domain.designs}
        outcomes = set(self.domain.outcome_entries)

        def rows() -> Iterator[dict[str, Any]]:
            for raw, found in self._lines(members.ArchivedExperiment, members.EXPERIMENTS):
                if found.run >= len(runs) or found.design.keys() != designs or found.outcome.keys() != outcomes:
                    raise self.package.refused(
                        f"its experiment of run {found.run}, step {found.step} is none of its domain"
                    )
                self.experiments += 1
                values = {name: value for name, value in raw.items() if name != "run"}
                yield {**values, "run_id": runs[found.run], "created_at": found.created_at}

        self._insert(session, models.Experiment, rows(), members.EXPERIMENTS)

    def _suggestions(self, session: Session, runs: list[int]) -> dict[tuple[int, int], int]:
        """Keep the suggestions; returns (run, number) → the id that each has here."""

        def rows() -> Iterator[dict[str, Any]]:
            for raw, found in self._lines(members.ArchivedSuggestion, members.SUGGESTIONS):
                if found.run >= len(runs):
                    raise self.package.refused(f"it has a suggestion of a run {found.run}, which it does not have")
                yield {**_moments(raw, found), "run_id": runs[found.run]}

        self._insert(session, models.Suggestion, rows(), members.SUGGESTIONS)
        made = select(col(models.Run.index), col(models.Suggestion.number), col(models.Suggestion.id)).join(
            models.Suggestion, col(models.Suggestion.run_id) == col(models.Run.id)
        )
        of_campaign = session.execute(made.where(col(models.Run.campaign_id) == self.campaign.id))
        return {(run, number): int(suggestion or 0) for run, number, suggestion in of_campaign}

    def _revisions(self, session: Session, suggestions: dict[tuple[int, int], int]) -> None:
        def rows() -> Iterator[dict[str, Any]]:
            for raw, found in self._lines(members.ArchivedRevision, members.REVISIONS):
                if (found.run, found.number) not in suggestions:
                    raise self.package.refused(f"it has a revision of a suggestion {found.number}, which it has not")
                values = {name: value for name, value in _moments(raw, found).items() if name != "number"}
                yield {**values, "suggestion_id": suggestions[found.run, found.number]}

        self._insert(session, models.Revision, rows(), members.REVISIONS)

    def _findings(self, session: Session, runs: list[int]) -> None:
        def rows() -> Iterator[dict[str, Any]]:
            for raw, found in self._lines(members.ArchivedFinding, members.FINDINGS):
                if found.run is not None and found.run >= len(runs):
                    raise self.package.refused(f"it has a finding of a run {found.run}, which it does not have")
                values = {"content": raw["content"], "text": raw["text"], "created_at": found.created_at}
                run = None if found.run is None else runs[found.run]
                yield {**values, "campaign_id": self.campaign.id, "run_id": run}

        self._insert(session, models.Finding, rows(), members.FINDINGS)

    def _judgements(self, session: Session, runs: list[int]) -> None:
        def rows() -> Iterator[dict[str, Any]]:
            for _, found in self._lines(members.ArchivedJudgement, members.JUDGEMENTS):
                if found.run is not None and found.run >= len(runs):
                    raise self.package.refused(f"it has a judgement of a run {found.run}, which it does not have")
                values = found.model_dump(exclude={"run"})
                yield {**values, "campaign_id": self.campaign.id, "run_index": found.run}

        if members.JUDGEMENTS in self.package.names:
            self._insert(session, models.Judgement, rows(), members.JUDGEMENTS)

    def _measurements(self, session: Session) -> None:
        if members.MEASUREMENTS in self.package.names:
            raw = self.package.json(members.MEASUREMENTS)
            _checked(members.ArchivedMeasurements, raw, self.package, members.MEASUREMENTS)
            session.add(models.Measurements(campaign_id=self.campaign.id, **raw))
            session.flush()

    def _events(self, session: Session) -> None:
        def rows() -> Iterator[dict[str, Any]]:
            for _, event in self._lines(members.ArchivedEvent, members.EVENTS):
                if event.chain.split("/", 1)[0] != self.campaign.id:
                    raise self.package.refused(f"it has an event of another chain, {event.chain[:50]!r}")
                yield {**event.model_dump(), "campaign_id": self.campaign.id}

        self._insert(session, models.Event, rows(), members.EVENTS)

    def _check(self, session: Session) -> None:
        """The log follows, the tables hold what it says, and the digest is the manifest's."""
        session.expire_all()
        campaign = queries.get_campaign(session, self.campaign.id)
        own = check_campaign(session, campaign)
        found = own.differences
        for block in campaign_blocks(session, campaign.id):
            found += check_block(session, queries.get_block(session, block), own.logged.older).differences
        if found:
            raise self.package.refused(f"its log and its tables disagree: {found[0].in_words()}")
        if campaign_digest(session, campaign.id) != self.said.digest:
            raise self.package.refused("its log has another digest than its manifest says")

    def _lines(self, model: type[_Model], name: str) -> Iterator[tuple[dict[str, Any], _Model]]:
        for number, raw in enumerate(self.package.lines(name), 1):
            yield raw, _checked(model, raw, self.package, f"{name} line {number}")

    def _insert(self, session: Session, table: Any, rows: Iterator[dict[str, Any]], name: str) -> None:
        self.told(name, 0.5)
        batch = list[dict[str, Any]]()
        for row in rows:
            batch.append(row)
            if len(batch) == _AT_ONCE:
                session.execute(insert(table), batch)
                batch = []
        if batch:
            session.execute(insert(table), batch)


def _moments(raw: dict[str, Any], found: BaseModel) -> dict[str, Any]:
    """A row as it was written, but for its moments, and for its run."""
    named = {name: getattr(found, name) for name in raw if name.endswith("_at")}
    return {name: value for name, value in {**raw, **named}.items() if name != "run"}


def _checked(model: type[_Model], raw: Any, package: Reader, place: str) -> _Model:
    try:
        return model.model_validate(raw)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part)[:50] for part in first["loc"])
        raise package.refused(f"{place}: {field}: {first['msg']}") from None
