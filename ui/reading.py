"""What one drawing of a page shows, read in one consistent look at the record; of a run, only what is new since."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import streamlit as st

from experiments_db import queries, revisions, run_reads, suggestions
from experiments_db.database import Database
from experiments_db.models import GOES_ON, OUTSTANDING
from experiments_db.queries import BeliefStep
from experiments_db.run_reads import RunStep
from orchestrator import services
from orchestrator.suggestion_rules import is_measured

_Made = TypeVar("_Made")
_KEPT = "reading.kept"


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
        return self.campaign.status in GOES_ON

    @property
    def share(self) -> float:
        """How much of it is done, 0 to 1, as the command line says it."""
        line = services.campaign_line(self.campaign, self.domain.name, self.progress)
        return float(line["progress"]["share"])


@dataclass(frozen=True)
class RunView:
    """The experiments of one run with the belief after each; ``standing``: of measured ones, how each stands now.

    revised: how many results of its block were corrected or withdrawn.
    """

    run: queries.RunRecord
    steps: list[RunStep]
    standing: dict[int, dict[str, Any]]
    revised: int

    @property
    def beliefs(self) -> list[BeliefStep]:
        """As figures show them."""
        return [
            BeliefStep(step.step, step.belief.get("mechanism_probability", {}), step.belief.get("parameters", {}))
            for step in self.steps
        ]


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


def read_run(database: Database, view: CampaignView, run_index: int) -> RunView:
    """One run of a campaign; ``run_index`` counts from 0. What was read before is kept for as long as one looks."""
    campaign = view.campaign
    known: list[RunStep] = _shelf().get(("run", campaign.id, run_index), [])
    with database.read() as session:
        run = run_reads.get_run(session, campaign.id, run_index)
        steps = [*known, *run_reads.run_steps(session, run.id, since=len(known))] if run.steps else []
        revised = revisions.revisions(session, block_id=run.block_id) if is_measured(campaign.laboratory) else []
    _shelf()["run", campaign.id, run_index] = steps
    standing = {
        entry.step: {"result": entry.kind, "design": entry.design, "outcome": entry.outcome}
        for entry in revised
        if entry.step is not None and entry.run_index == run_index
    }
    anew = {entry.known - 1: entry.belief for entry in revised if entry.known and entry.run_index == run_index}
    held = [replace(step, belief=anew.get(step.step) or step.belief) for step in steps]
    return RunView(run, held, standing, len(revised))


def read_candidates(database: Database, run: queries.RunRecord, step: int) -> list[dict[str, Any]]:
    """The designs that were considered for one experiment, best first: ``design`` and ``score``."""
    with database.read() as session:
        return run_reads.recorded_candidates(session, run.id, step)


def read_outstanding(database: Database, campaign_id: str) -> tuple[tuple[int, str, str | None], ...]:
    """What waits in a campaign: id, status and who has taken it; by which a page sees that it is another list now."""
    with database.read() as session:
        found = suggestions.suggestions(session, campaign_id=campaign_id, statuses=OUTSTANDING)
    return tuple((entry.id, entry.status, entry.taken_by) for entry in found)


def kept(name: str, signature: object, make: Callable[[], _Made]) -> _Made:
    """What was made for this signature, made anew only where that changed: a refresh draws no figure twice."""
    found = _shelf().get(name)
    if found is None or found[0] != signature:
        found = _shelf()[name] = (signature, make())
    made: _Made = found[1]
    return made


def _shelf() -> dict[Any, Any]:
    """Of one viewer, emptied when it has grown large."""
    shelf: dict[Any, Any] = st.session_state.setdefault(_KEPT, {})
    if len(shelf) > 200:
        shelf.clear()
    return shelf
