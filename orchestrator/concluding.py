"""What the runs of a block conclude once it has ended: for the worker that ends it, and for who checks it."""

from collections.abc import Sequence
from typing import Any

from experiments_db.queries import BlockRecord, CampaignRecord, RunRecord
from meta_learner.rollout import BlockState, BlockSteps
from meta_learner.stopping import Ended
from orchestrator import findings
from orchestrator.recording import answer_rows, belief_rows


def run_conclusions(
    steps: BlockSteps, state: BlockState, campaign: CampaignRecord, block: BlockRecord, runs: Sequence[RunRecord]
) -> list[tuple[RunRecord, dict[str, Any], str]]:
    """Each run with its finding and the words for it."""
    domain = steps.model.domain
    beliefs = belief_rows(steps.model, state.belief)
    answers = answer_rows(steps.model, steps.laboratory, steps.answer(state), len(beliefs))
    found = []
    for run in runs:
        row = run.index - block.first_run
        content = findings.run_finding(
            domain,
            {**beliefs[row], **answers[row]},
            experiments=run.steps,
            cost=run.cost,
            given=steps.given_rows,
            ended=Ended(int(state.ended[row])).name.lower(),
            stop=campaign.settings.get("stop"),
        )
        found.append((run, content, findings.run_text(domain, content)))
    return found
