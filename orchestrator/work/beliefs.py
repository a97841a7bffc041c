"""The belief of a block after any number of its recorded experiments, as its worker had it: to the same bits."""

import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path

import torch

from domains.loading import load_text
from domains.worlds import DomainModel
from experiments_db import queries, revisions, run_reads
from experiments_db.queries import BlockRecord, CampaignRecord, StepRow
from meta_learner.policies import POLICIES
from meta_learner.rollout import BlockState, BlockSteps
from orchestrator.cache import BeliefCache
from orchestrator.job_work import Work
from orchestrator.laboratories.manual import ManualLaboratory
from orchestrator.opening import belief_settings, check_identity, open_steps
from orchestrator.recording import refold_step

_KEPT = 20  # blocks whose last belief is kept for who looks again


@dataclass(frozen=True)
class OpenedRun:
    """A run of a recorded campaign, ready to be folded; row: its place within its block."""

    campaign: CampaignRecord
    block: BlockRecord
    row: int
    model: DomainModel
    steps: BlockSteps
    history: Sequence[StepRow]
    revised: int


def open_run(work: Work, campaign_id: str, run_index: int) -> OpenedRun:
    """The run with its domain compiled and its results as they hold now. NotFoundError where there is none.

    Neither policy nor laboratory is asked for anything when a belief is folded: the simplest stand in for them.
    """
    with work.database.read() as session:
        campaign = queries.get_campaign(session, campaign_id)
        domain = queries.get_domain(session, campaign.domain_identity)
        block = queries.get_block(session, run_reads.get_run(session, campaign.id, run_index).block_id)
        history = revisions.effective_history(session, block.id)
        revised = len(revisions.revisions(session, block_id=block.id))
    model = DomainModel(load_text(domain.text, f"{domain.name}.yaml", domain.attachments))
    check_identity(model, domain.identity)
    steps = open_steps(campaign, block, model, policy=POLICIES["random"](), laboratory=ManualLaboratory(), given=None)
    return OpenedRun(campaign, block, run_index - block.first_run, model, steps, history, revised)


def folded(work: Work, run: OpenedRun, known: int) -> BlockState | None:
    """The state after ``known`` experiments a run; None where time was up: what is done is kept for the next slice."""
    cache = BeliefCache(_folder(work), run.block.id, _key(run))
    state = _nearest(cache, known) or run.steps.begin(run.block.runs)
    by_step: dict[int, list[StepRow]] = {}
    for experiment in run.history:
        by_step.setdefault(experiment.step, []).append(experiment)
    while state.step < known:
        work.tell(state.step / known, f"folding experiment {state.step + 1} of {known}")
        state = refold_step(run.steps, state, by_step.get(state.step, []))
        if work.time_is_up and state.step < known:
            cache.save(state)
            return None
    cache.save(state)
    _prune(_folder(work) / "cache" / "beliefs")
    return state


def _folder(work: Work) -> Path:
    """Beside the workers' own beliefs, which these must not replace."""
    return work.settings.folder / "cache" / "looked-at"


def _key(run: OpenedRun) -> str:
    belief = asdict(belief_settings(run.campaign))
    versions = [version("organon"), torch.__version__]
    return json.dumps([run.campaign.id, run.campaign.domain_identity, belief, *versions, run.revised])


def _nearest(cache: BeliefCache, known: int) -> BlockState | None:
    """What is kept, where it is of no later step."""
    return next((state for step in range(known, 0, -1) if (state := cache.load(step)) is not None), None)


def _prune(folder: Path) -> None:
    """Forget the beliefs that were not looked at for longest; losing one costs time, never a result."""
    with suppress(OSError):
        files = sorted(folder.glob("*.safetensors"), key=lambda file: file.stat().st_mtime, reverse=True)
        for old in files[_KEPT:]:
            old.unlink(missing_ok=True)
