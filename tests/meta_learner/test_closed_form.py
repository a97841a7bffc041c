"""Beliefs against closed forms: means, covariances, evidence and mechanism probabilities of the linear-Gaussian domain.

Monte Carlo error of 2,000 particles and 5 moves, measured over four seeds × 64 runs: a posterior mean is off by 0.024
posterior standard deviations (root mean square, largest 0.095), the log evidence by 0.056 nats. Averages over 64 runs
have standard errors of 0.003 and 0.005. The bounds on averages below are 5 of those or more (false-alarm rate < 1e-5
for another seed), so a bias of the mean by 0.02 posterior standard deviations, of the standard deviation by 2 %, or of
the log evidence by 0.045 nats would be seen with a probability above 95 %.
"""

import pytest
import torch
from torch import Tensor

from domains.loading import load_text
from domains.worlds import DomainModel
from meta_learner.belief import Belief, BeliefSettings
from meta_learner.laboratory import Simulation
from meta_learner.policies.random import Random
from meta_learner.resampling import resample
from meta_learner.rollout import BlockSteps, rollout
from meta_learner.smc import effective_size
from tests.meta_learner import linear_gaussian as oracle

RUNS = 64


MODEL = oracle.model()


@pytest.fixture(scope="module")
def belief() -> Belief:
    laboratory = Simulation(MODEL, seed=11, block=0, runs=RUNS)
    steps = BlockSteps(MODEL, Random(), laboratory, budget=8, seed=11, block=0, settings=BeliefSettings())
    return list(rollout(steps, RUNS))[-1].belief


def moments(belief: Belief, which: int) -> tuple[Tensor, Tensor]:
    """Weighted means [runs, parameters] and covariances [runs, parameters, parameters] of one law's particles."""
    population = belief.populations[which]
    values = torch.stack(list(MODEL.mechanisms[which].parameters(population.z).values()), dim=-1)
    weight = population.log_weight.exp()[..., None]
    mean = (weight * values).sum(1)
    centred = values - mean[:, None]
    return mean, (weight * centred).transpose(1, 2) @ centred


@pytest.mark.statistical
@pytest.mark.parametrize(("which", "law"), [(0, "line"), (1, "constant")])
def test_means_and_covariances(belief: Belief, which: int, law: str) -> None:
    x, y = belief.history.designs[..., 0], belief.history.outcomes[..., 0]
    mean, covariance = moments(belief, which)
    exact = [oracle.posterior(law, x[run], y[run]) for run in range(RUNS)]
    exact_mean = torch.stack([m for m, _ in exact])
    exact_covariance = torch.stack([c for _, c in exact])
    sd = exact_covariance.diagonal(dim1=-2, dim2=-1).sqrt()
    error = (mean - exact_mean) / sd
    assert error.abs().max() < 0.15
    assert error.mean(0).abs().max() < 0.015
    ratio = covariance.diagonal(dim1=-2, dim2=-1).sqrt() / sd
    assert (ratio.mean(0) - 1).abs().max() < 0.015
    if law == "line":
        exact_correlation = exact_covariance[:, 0, 1] / sd.prod(-1)
        correlation = covariance[:, 0, 1] / covariance.diagonal(dim1=-2, dim2=-1).sqrt().prod(-1)
        assert (correlation - exact_correlation).mean().abs() < 0.03


@pytest.mark.statistical
def test_evidence_and_mechanism_probabilities(belief: Belief) -> None:
    x, y = belief.history.designs[..., 0], belief.history.outcomes[..., 0]
    exact = torch.stack(
        [torch.stack([oracle.log_evidence(law, x[r], y[r]) for law in ("line", "constant")]) for r in range(RUNS)]
    )
    found = torch.stack([population.log_evidence for population in belief.populations], dim=-1)
    plausible = (
        exact > exact.max(-1, keepdim=True).values - 10
    )  # evidence of hopeless laws is only as good as it needs be
    error = (found - exact)[plausible]
    assert error.abs().max() < 0.3
    assert error.mean().abs() < 0.035
    exact_probability = exact.softmax(-1)
    assert (belief.log_probability.exp() - exact_probability).abs().max() < 0.07
    assert (belief.log_probability.exp() - exact_probability).abs().mean() < 0.008


def test_a_missing_outcome_changes_nothing() -> None:
    steps = BlockSteps(MODEL, Random(), Simulation(MODEL, seed=1, block=0, runs=2), budget=8, seed=1, block=0)
    before = steps.begin(2).belief
    after = steps.absorb(before, torch.zeros((2, 1), dtype=torch.float64), torch.full((2, 1), torch.nan).double())
    for old, new in zip(before.populations, after.populations, strict=True):
        assert torch.equal(old.z, new.z)
        assert torch.equal(old.log_evidence, new.log_evidence)
    assert torch.equal(after.diagnostics.tail, torch.ones((2, 1)).double())


def test_effective_size_and_resampling() -> None:
    weight = torch.tensor([[0.5, 0.25, 0.25, 0.0]], dtype=torch.float64)
    assert effective_size(weight.log()).item() == pytest.approx(1 / (0.25 + 2 * 0.0625) / 4)
    ancestors = resample(weight.log(), torch.Generator().manual_seed(0), 400)
    assert torch.bincount(ancestors[0], minlength=4).tolist() == [200, 100, 100, 0]


def test_an_impossible_outcome_is_said_not_raised() -> None:
    text = oracle.TEXT.replace("{y: {normal: {mean: mu, sd: 0.5}}}", "{y: {bernoulli: {p: 0.5 + 0 * mu}}}")
    model = DomainModel(load_text(text))
    steps = BlockSteps(model, Random(), Simulation(model, seed=1, block=0, runs=2), budget=8, seed=1, block=0)
    design = torch.zeros((2, 1), dtype=torch.float64)
    belief = steps.absorb(steps.begin(2).belief, design, torch.tensor([[2.0], [1.0]], dtype=torch.float64))
    assert belief.explained.tolist() == [False, True]
    assert belief.trusted.tolist() == [False, True]
    assert belief.log_probability.exp().sum(-1).tolist() == pytest.approx([1.0, 1.0])
    later = steps.absorb(belief, design, torch.tensor([[1.0], [1.0]], dtype=torch.float64))
    assert later.explained.tolist() == [False, True]
    assert all(not population.log_weight.isnan().any() for population in later.populations)
