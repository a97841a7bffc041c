"""Bounds on information against the closed form of a linear-Gaussian domain, with fixed designs."""

import math
from dataclasses import dataclass

import pytest
import torch
from scipy import stats
from torch import Tensor

from domains.loading import load_text
from domains.worlds import DomainModel
from meta_learner.belief import BeliefSettings, History, prior_belief
from meta_learner.evaluation.bounds import (
    Pair,
    adaptive,
    contrastive,
    histories,
    log_ratio,
    prior_sum,
    truth_terms,
)
from meta_learner.evaluation.likelihoods import Likelihoods
from meta_learner.evaluation.proposal import Proposal
from meta_learner.evaluation.truths import Truths, draw_truths
from meta_learner.smc import update
from meta_learner.streams import stream
from tests.meta_learner import linear_gaussian

LINE = linear_gaussian.TEXT.split("  constant:")[0] + linear_gaussian.TEXT[linear_gaussian.TEXT.index("outcomes:") :]
SHARP = LINE.replace("sd: 0.5", "sd: 0.002")


@dataclass(frozen=True)
class Runs:
    """Runs of one domain at the same designs. exact [runs]: log p(h | θ_0) − log p(h)."""

    model: DomainModel
    truths: Truths
    history: History
    likelihoods: Likelihoods
    truth: Tensor
    exact: Tensor


def investigated(text: str, runs: int, steps: int, noise: float = 0.5) -> Runs:
    model = DomainModel(load_text(text))
    truths = draw_truths(model, runs, stream(7, 0, 0, "world"))
    x = torch.linspace(-2, 2, steps, dtype=torch.float64)
    designs = x[:, None].expand(runs, steps, 1)
    noises = [stream(7, 0, step, "noise") for step in range(steps)]
    outcomes = [model.simulate(truths.worlds, designs[:, step], noises[step]) for step in range(steps)]
    history = History(designs, torch.stack(outcomes, dim=1))
    likelihoods = Likelihoods(model, history)
    truth = truth_terms(likelihoods, truths)
    phi = linear_gaussian.design_matrix("line", x)
    covariance = phi @ torch.diag(linear_gaussian.PRIOR_SD["line"] ** 2) @ phi.T
    covariance = covariance + noise**2 * torch.eye(steps, dtype=torch.float64)
    law = torch.distributions.MultivariateNormal(torch.zeros(steps, dtype=torch.float64), covariance)
    return Runs(model, truths, history, likelihoods, truth, truth - law.log_prob(history.outcomes[..., 0]))


def with_contrasts(runs: Runs, contrasts: int, seed: int) -> Pair:
    others = prior_sum(runs.model, runs.likelihoods, runs.truth, contrasts=contrasts, seed=seed, chunk=0)
    return contrastive(runs.truth, others, contrasts)


def test_worlds_are_those_of_campaigns() -> None:
    model = linear_gaussian.model()
    ours = draw_truths(model, 50, stream(1, 2, 0, "world"))
    theirs = model.draw_worlds(50, stream(1, 2, 0, "world"))
    assert torch.equal(ours.worlds.mechanism, theirs.mechanism)
    for index, (own, other) in enumerate(zip(ours.worlds.parameters, theirs.parameters, strict=True)):
        assert all(torch.equal(own[name], other[name]) for name in other)
        values = model.mechanisms[index].parameters(ours.z[index])
        assert all(torch.equal(values[name], other[name]) for name in other)
    assert torch.equal(torch.cat([ours.rows(0), ours.rows(1)]).sort().values, torch.arange(50))


@pytest.mark.statistical
def test_expected_bounds_enclose_the_information() -> None:
    """mean(sPCE − i) ≤ 0 ≤ mean(sNMC − i), i each run's exact information, over 60 sets of contrasts, L = 30: normal
    tests at α = 1e-4 together. Bounds without the +1 of L + 1, or with the truth left out of sPCE, differ from ours by
    the width of the two, some 0.3 nats: 10 standard errors and more."""
    runs = investigated(LINE, 200, 4)
    pairs = [with_contrasts(runs, 30, seed) for seed in range(60)]
    for which, sign in (("lower", -1.0), ("upper", 1.0)):
        off = torch.stack([(getattr(pair, which) - runs.exact).mean() for pair in pairs])
        error = off.std() / math.sqrt(len(off))
        assert sign * off.mean() > -stats.norm.isf(1e-4 / 2) * error
        assert sign * off.mean() > 10 * error  # the effect is there to be seen


def test_many_contrasts_give_the_information_itself() -> None:
    runs = investigated(LINE, 50, 4)
    pair = with_contrasts(runs, 60_000, 1)
    assert (pair.lower - runs.exact).abs().max() < 0.3
    assert (pair.lower - runs.exact).mean().abs() < 0.02
    assert 0 < (pair.upper - pair.lower).mean() < 0.02


def test_spce_is_capped_and_sace_is_not() -> None:
    """12 nats and more, with 300 contrasts (log 301 = 5.7) of each run."""
    steps, runs = 5, investigated(SHARP, 20, 5, noise=0.002)
    belief = prior_belief(runs.model, 20, BeliefSettings(particles=500), stream(7, 0, 0, "prior"))
    for step in range(steps):
        belief = update(
            runs.model,
            belief,
            runs.history.designs[:, step],
            runs.history.outcomes[:, step],
            settings=BeliefSettings(particles=500),
            generator=stream(7, 0, step, "update"),
        )
    pair = adaptive(runs.model, runs.truths, belief, contrasts=300, generator=stream(7, 0, 0, "proposal"))
    assert runs.exact.mean() > 12
    assert with_contrasts(runs, 300, 1).lower.max() <= math.log(301)
    assert (pair.lower - runs.exact).abs().max() < 0.5
    assert (pair.lower - runs.exact).mean().abs() < 0.05
    assert (pair.upper - runs.exact).mean().abs() < 0.05


@pytest.mark.statistical
def test_the_proposal_is_a_proper_density() -> None:
    """E_q[p/q] = 1 over mechanisms and z, for a belief of both laws: weights are at most 20. α = 1e-4 a run; with
    100,000 draws a density wrong by 5 % of its mass is found."""
    model, runs = linear_gaussian.model(), 3
    belief = prior_belief(model, runs, BeliefSettings(particles=400), stream(3, 0, 0, "prior"))
    designs, outcomes = torch.ones((runs, 1), dtype=torch.float64), torch.zeros((runs, 1), dtype=torch.float64)
    settings = BeliefSettings(particles=400)
    belief = update(model, belief, designs, outcomes, settings=settings, generator=stream(3, 0, 0, "update"))
    proposal = Proposal(model, belief, stream(3, 0, 0, "proposal"))
    for run in range(runs):
        drawn = proposal.draw(run, 100_000, stream(3, run, 1, "proposal"))
        weight = torch.cat([log_ratio(model, proposal, run, index, z).exp() for index, z in drawn])
        assert len(weight) == 100_000
        assert weight.max() <= 20.001
        error = weight.std() / math.sqrt(len(weight))
        assert error < 0.01
        assert (weight.mean() - 1).abs() < stats.norm.isf(0.5e-4) * error


def test_runs_that_ended_sooner_are_filled_up() -> None:
    runs = investigated(LINE, 3, 4)
    short = History(runs.history.designs[:, :2], runs.history.outcomes[:, :2])
    both = histories([runs.history, short])
    assert both.designs.shape == (6, 4, 1)
    points = runs.model.mechanisms[0].parameters(torch.zeros((1, 2), dtype=torch.float64))
    found = Likelihoods(runs.model, both).log_sum(0, points)
    torch.testing.assert_close(found[3:], Likelihoods(runs.model, short).log_sum(0, points))
