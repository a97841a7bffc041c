"""What a normal outcome tells, by the grid: against quadrature, closed forms, draws, and finite differences."""

import math
from itertools import pairwise

import pytest
import torch
from torch import Tensor

from domains.loading import load_text
from domains.worlds import DomainModel
from meta_learner.belief import BeliefSettings, prior_belief
from meta_learner.densities import Drawn, Shifted, Ways, affordable, outcome_parts
from meta_learner.hypotheses import draw_hypotheses
from meta_learner.information import information_under, pose, stratified
from meta_learner.predictive_grid import WIDEST, information_on_grid
from meta_learner.streams import stream

NOISE = 0.5 * math.log(2 * math.pi * math.e)
LAW = """
format: 1
name: law
title: A law
designs: {x: {real: [-2, 2]}}
parameters: {a: {prior: {normal: [0, 1]}}, b: {prior: {normal: [0, 2]}}}
mechanisms: {line: {let: {mu: a + b * x}}}
outcomes: {y: OUTCOME}
budget: 8
goal: learn
"""


def grid(mean: Tensor, weight: Tensor, sd: float = 1.0) -> Tensor:
    least, most = mean.detach().aminmax(dim=-1, keepdim=True)
    return information_on_grid(mean, (least, most), torch.full_like(least, sd), weight.to(torch.float32))


def by_quadrature(mean: Tensor, weight: Tensor, sd: float = 1.0) -> Tensor:
    """I = H(mixture) − H(noise), nats, by the trapezoidal rule with 60 points a standard deviation."""
    y = torch.arange(mean.min().item() - 9 * sd, mean.max().item() + 9 * sd, sd / 60, dtype=torch.float64)
    each = torch.exp(-0.5 * ((y[:, None] - mean) / sd).square()) / (math.sqrt(2 * math.pi) * sd)
    mixture = (each * weight).sum(-1)
    return -torch.trapezoid(torch.xlogy(mixture, mixture), y) - math.log(sd) - NOISE


@pytest.mark.parametrize("spread", [0.0, 0.01, 0.3, 1.0, 5.0, 10.0])
@pytest.mark.parametrize("sd", [1.0, 1e-3])
def test_information_is_that_of_quadrature(spread: float, sd: float) -> None:
    """Weighted means of all spreads up to where the grid is exact: to three ten-thousandths of a nat."""
    generator = torch.Generator().manual_seed(1)
    mean = 300.0 + sd * spread * torch.randn(200, generator=generator, dtype=torch.float64)
    weight = torch.rand(200, generator=generator, dtype=torch.float64)
    weight = weight / weight.sum()
    assert (mean.max() - mean.min()) / sd < WIDEST
    assert abs(grid(mean, weight, sd).item() - by_quadrature(mean, weight, sd).item()) < 3e-4


def test_two_means_far_apart_tell_one_bit() -> None:
    mean = torch.tensor([0.0, 40.0], dtype=torch.float64)
    assert abs(grid(mean, torch.full((2,), 0.5)).item() - math.log(2)) < 1e-4


def test_means_too_far_apart_for_the_grid_give_a_lower_bound_that_rises() -> None:
    """Evenly spread over 100 to 10,000 standard deviations: less than the truth, but not less where more can be
    told."""
    weight = torch.full((512,), 1 / 512, dtype=torch.float64)
    found, exact = [], []
    for width in (50.0, 100.0, 300.0, 10_000.0):
        mean = torch.linspace(0, width, 512, dtype=torch.float64)
        found.append(grid(mean, weight).item())
        exact.append(by_quadrature(mean, weight).item())
    assert all(a <= b + 1e-4 for a, b in zip(found, exact, strict=True))
    assert all(b >= a - 1e-5 for a, b in pairwise(found))
    assert found[-1] > 2.0


def test_gradients_are_those_of_finite_differences() -> None:
    generator = torch.Generator().manual_seed(2)
    mean = (3.0 * torch.randn((4, 50), generator=generator, dtype=torch.float64)).requires_grad_()
    weight = torch.full((4, 50), 1 / 50, dtype=torch.float64)
    (slope,) = torch.autograd.grad(grid(mean, weight).sum(), mean)
    direction = torch.randn((4, 50), generator=generator, dtype=torch.float64)
    rise = [by_quadrature(mean[i].detach() + 1e-4 * direction[i], weight[i]) for i in range(4)]
    fall = [by_quadrature(mean[i].detach() - 1e-4 * direction[i], weight[i]) for i in range(4)]
    expected = (torch.stack(rise) - torch.stack(fall)) / 2e-4
    torch.testing.assert_close((slope * direction).sum(-1), expected, atol=2e-3, rtol=2e-2)


def asked(outcome: str) -> tuple[DomainModel, Tensor]:
    model = DomainModel(load_text(LAW.replace("OUTCOME", outcome)))
    return model, torch.tensor([[-2.0], [0.0], [0.5], [2.0]], dtype=torch.float64).expand(3, -1, -1)


@pytest.mark.statistical
@pytest.mark.parametrize("outcome", ["{normal: {mean: mu, sd: 0.5}}", "{lognormal: {mu: mu, sigma: 0.7 + 0.1 * x}}"])
def test_the_grid_and_draws_agree(outcome: str) -> None:
    """512 hypotheses, 512 draws of theirs with stratified noise: a standard error of about 0.02 nats; the bound of 0.12
    sees a change of variable or a unit of the noise gone wrong (0.69 nats or more)."""
    model, designs = asked(outcome)
    belief = prior_belief(model, 3, BeliefSettings(particles=1000), stream(1, 0, 0, "prior"))
    question = pose(model, draw_hypotheses(model, belief, 512, stream(1, 0, 0, "hypothesise")), 512)
    noise = stratified(512, 1, stream(1, 0, 0, "score"))
    gridded = outcome_parts(model, question.hypotheses, designs, noise, Ways(shifted=True))
    assert all(isinstance(part.found, Shifted) for part in gridded)
    found = information_under(noise, model, question, designs)
    uniforms = outcome_parts(model, question.hypotheses, designs, noise, Ways())
    drawn = [part.found.bits for part in uniforms if isinstance(part.found, Drawn)]
    told = torch.cat([-bits.exp2().mean(-1).log().mean(-1).flatten() for bits in drawn]).reshape(3, 4)
    assert (found - told).abs().max() < 0.12


@pytest.mark.parametrize(
    "outcome",
    [
        "{normal: {mean: mu, sd: 0.1 + 0.1 * a * a}}",
        "{normal: {mean: mu, sd: 0.5}, censor: [-1, 1]}",
        "{studentt: {df: 3, mean: mu, scale: 1}}",
        "{normal: {mean: mu, sd: 1e-4}}",
    ],
)
def test_other_outcomes_are_drawn(outcome: str) -> None:
    """The noise depends on the hypothesis; point masses; another family; further apart than the grid resolves."""
    model, designs = asked(outcome)
    belief = prior_belief(model, 3, BeliefSettings(particles=1000), stream(1, 0, 0, "prior"))
    hypotheses = draw_hypotheses(model, belief, 64, stream(1, 0, 0, "hypothesise"))
    parts = outcome_parts(model, hypotheses, designs, stratified(16, 1, stream(1, 0, 0, "score")), Ways(shifted=True))
    assert all(isinstance(part.found, Drawn) for part in parts)


def test_more_hypotheses_are_asked_where_they_cost_no_more() -> None:
    model, designs = asked("{normal: {mean: mu, sd: 0.5}}")
    belief = prior_belief(model, 3, BeliefSettings(particles=1000), stream(1, 0, 0, "prior"))
    few = draw_hypotheses(model, belief, 4, stream(1, 0, 0, "hypothesise"))
    assert affordable(model, few, designs, Ways(), pairs=4096) == 64
    assert affordable(model, few, designs, Ways(shifted=True), pairs=4096) > 128
