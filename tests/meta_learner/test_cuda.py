"""The GPU beside the CPU: from the same streams the same worlds and candidates; beliefs and designs agree."""

from collections.abc import Iterator

import pytest
import torch

from domains.loading import find
from domains.worlds import DomainModel
from meta_learner.belief import BeliefSettings
from meta_learner.evaluation.investigated import simulated_block
from meta_learner.policies import ExpectedInformationGain
from meta_learner.rollout import BlockState, BlockSteps
from meta_learner.summary import marginals

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU: torch sees no CUDA device here")
DOMAINS = (
    "source-location-unit", "death-process", "enzyme-inhibition", "prey-population", "hyperbolic-discounting",
)  # fmt: skip
GPU = "cuda"
RUNS, PARTICLES = 4, 1000


def begun(name: str) -> tuple[BlockSteps, BlockState]:
    steps, _ = simulated_block(
        DomainModel(find(name)), ExpectedInformationGain(), runs=RUNS, seed=5, settings=BeliefSettings(PARTICLES)
    )
    return steps, steps.begin(RUNS)


def decided(steps: BlockSteps, state: BlockState) -> BlockState:
    return steps.design(steps.hypothesise(state))


def after(steps: BlockSteps, state: BlockState, designs: torch.Tensor, outcomes: torch.Tensor) -> BlockState:
    """One experiment whose design and outcome are told."""
    belief = steps.absorb(state.belief, designs, outcomes)
    return BlockState(belief, state.spent, state.ended, state.performed)


@pytest.fixture
def on_gpu() -> Iterator[None]:
    with torch.device(GPU):
        yield


@pytest.mark.parametrize("name", DOMAINS)
def test_first_designs_agree(name: str, on_gpu: None) -> None:
    """Candidates are the same. Rounding may prefer another of two that promise the same: scores are compared, too."""
    there = decided(*begun(name))
    with torch.device("cpu"):
        here = decided(*begun(name))
    assert here.choice is not None
    assert there.choice is not None
    scores = here.choice.scores[:, 0], there.choice.scores[:, 0].cpu()
    assert torch.allclose(*scores, rtol=0.02, atol=0.02)
    same = (here.choice.designs - there.choice.designs.cpu()).abs().amax(-1) < 1e-3
    assert same.double().mean() >= 0.5


@pytest.mark.parametrize("name", DOMAINS)
def test_beliefs_after_three_experiments_agree(name: str, on_gpu: None) -> None:
    """Both are told the same. Rounding may flip a move, after which particles differ: each mean then has its Monte
    Carlo error, some 0.04 of a standard deviation, and an evidence 0.08 nats; about five times that is allowed."""
    there_steps, there = begun(name)
    with torch.device("cpu"):
        here_steps, here = begun(name)
        for step in range(3):
            designs = here_steps.model.space.uniform(RUNS, here_steps._stream(step, "check"))
            outcomes = here_steps.laboratory.perform(designs, here.belief.history)
            here = after(here_steps, here, designs, outcomes)
            with torch.device(GPU):
                there = after(there_steps, there, designs.to(GPU), outcomes.to(GPU))
        assert torch.allclose(here.belief.log_evidence, there.belief.log_evidence.cpu(), atol=0.4)
        law = int(here.belief.log_probability.mean(0).argmax())
        means = marginals(here_steps.model, here.belief, law)
    for parameter, found in marginals(there_steps.model, there.belief, law).items():
        known = means[parameter]
        away = (found.mean.cpu() - known.mean).abs() / known.sd.clamp_min(1e-12)
        assert away.max() < 0.2, parameter
