"""Tail probabilities of outcomes under the belief before them: exact where laws have distribution functions."""

import math

import pytest
import torch

from domains.loading import load_text
from domains.worlds import DomainModel
from meta_learner.belief import Belief, BeliefSettings, prior_belief
from meta_learner.transforms import predictive_transforms, two_sided
from tests.meta_learner import linear_gaussian as oracle

MANY = """
format: 1
name: many
designs: {x: {real: [0, 1]}}
parameters: {a: {prior: {normal: [0, 1]}}}
mechanisms: {one: {let: {m: a + x}}}
outcomes:
  plain: {normal: {mean: m, sd: 1}}
  cut: {normal: {mean: m, sd: 1}, censor: [-0.5, 1]}
  nearly: {normal: {mean: m, sd: 0.1}, censor: [5, 6]}
  heavy: {studentt: {df: 3, mean: m, scale: 1}}
  yes: {bernoulli: {p: sigmoid(m)}}
  kind: {categorical: {p: [0.5, 0.4 * sigmoid(m), 0.5 - 0.4 * sigmoid(m)]}}
  share: {binomial: {n: 6, p: sigmoid(m)}}
  count: {poisson: {rate: exp(m)}}
  wild: {negative_binomial: {mean: exp(m), dispersion: 2}}
  wait: {exponential: {rate: exp(m)}}
  size: {gamma: {mean: exp(m), shape: 2}}
  part: {beta: {mean: sigmoid(m), concentration: 5}}
  odds: {logitnormal: {mean: m, sd: 1}}
  ratio: {lognormal: {mu: m, sigma: 0.5}}
budget: 1
goal: learn
"""
DISCRETE = {"yes", "kind", "share", "count", "wild", "cut", "nearly"}
RUNS = 1500


def predictive_tail(
    model: DomainModel, belief: Belief, designs: torch.Tensor, outcomes: torch.Tensor, generator: torch.Generator
) -> torch.Tensor:
    """Two-sided tails [runs, outcomes]."""
    return two_sided(predictive_transforms(model, belief, designs, outcomes, generator), belief.log_probability)


@pytest.fixture(scope="module")
def tails() -> dict[str, torch.Tensor]:
    """Of outcomes from 1,500 worlds, each under its own prior belief of 200 particles."""
    model = DomainModel(load_text(MANY))
    generator = torch.Generator().manual_seed(1)
    worlds, designs = model.draw_worlds(RUNS, generator), model.space.uniform(RUNS, generator)
    outcomes = model.simulate(worlds, designs, generator)
    belief = prior_belief(model, RUNS, BeliefSettings(particles=200), generator)
    found = predictive_tail(model, belief, designs, outcomes, generator)
    return dict(zip(model.outcome_names, found.unbind(-1), strict=True))


@pytest.mark.statistical
@pytest.mark.parametrize("share", [0.01, 0.05, 0.2])
def test_a_true_law_is_seldom_far_out(tails: dict[str, torch.Tensor], share: float) -> None:
    """P(tail ≤ α) is α for continuous outcomes and at most α for others, within 5 standard errors and the 5 % by which
    200 particles make tails noisy; an alarm rate of 1.9 α at α = 5 % would be seen with a probability above 95 %."""
    slack = 5 * math.sqrt(share * (1 - share) / RUNS) + 0.05 * share
    for name, tail in tails.items():
        found = (tail <= share).to(torch.float64).mean().item()
        assert found <= share + slack, name
        if name == "nearly":
            assert (tail == 1).to(torch.float64).mean() > 0.9  # at a bound that holds nearly all: no surprise
        if name not in DISCRETE:
            assert found >= share - slack, name


def test_far_tails_are_exact_not_zero() -> None:
    """Eight standard deviations out, where no draw comes: the tail of the prior predictive, to Monte Carlo error."""
    model = oracle.model()
    belief = prior_belief(model, 1, BeliefSettings(particles=200_000), torch.Generator().manual_seed(3))
    design = torch.zeros((1, 1), dtype=torch.float64)  # at x = 0 both laws predict N(0, 1 + 0.25)
    for y, slack in ((2.0, 0.03), (4.0, 0.2)):
        outcome = torch.tensor([[y]], dtype=torch.float64)
        found = predictive_tail(model, belief, design, outcome, torch.Generator().manual_seed(4)).item()
        exact = math.erfc(y / math.sqrt(2 * 1.25))
        assert found == pytest.approx(exact, rel=slack)
    outcome = torch.tensor([[12.0]], dtype=torch.float64)
    found = predictive_tail(model, belief, design, outcome, torch.Generator().manual_seed(4)).item()
    assert 0 < found < 1e-20


def test_a_missing_outcome_is_no_surprise() -> None:
    model = oracle.model()
    belief = prior_belief(model, 2, BeliefSettings(particles=100), torch.Generator().manual_seed(3))
    outcome = torch.tensor([[math.nan], [9.0]], dtype=torch.float64)
    found = predictive_tail(model, belief, torch.zeros((2, 1)), outcome, torch.Generator().manual_seed(4))[:, 0]
    assert found[0] == 1.0
    assert found[1] < 1e-6
