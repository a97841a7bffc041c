"""Beliefs against posteriors on a grid: discrete and truncated priors, censored outcomes.

Two thousand particles put a posterior mean off by about 0.025 posterior standard deviations and the log evidence by
0.06 nats (measured, see test_closed_form). Over the average of 32 runs the bounds below are five standard errors or
more (false-alarm rate < 1e-5); a shift of the mean by 0.05 standard deviations or of the evidence by 0.1 nats is seen.
"""

import math

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy import special, stats

from domains.loading import load_text
from domains.worlds import DomainModel
from meta_learner.belief import BeliefSettings
from meta_learner.laboratory import Simulation
from meta_learner.policies.random import Random
from meta_learner.rollout import BlockSteps, rollout

RUNS = 32
TEXT = """\
format: 1
name: grid
title: A truncated level, a number of sources, a meter with a range
designs: {x: {real: [0, 2]}}
parameters:
  level: {prior: {normal: [0, 1], low: 0.5}}
  sources: {prior: PRIOR}
mechanisms: {only: {let: {mu: level + sources * x}}}
outcomes: {y: {normal: {mean: mu, sd: 1}, censor: [1, 4]}}
budget: 6
goal: learn
"""
PRIORS = {
    "{categorical: {3: 0.2, 0: 0.5, 1: 0.3}}": {0: 0.5, 1: 0.3, 3: 0.2},
    "{poisson: [1.2], low: 1}": {k: stats.poisson.pmf(k, 1.2) / stats.poisson.sf(0, 1.2) for k in range(1, 16)},
}
LEVEL = np.linspace(0.5, 7.5, 3001)


def _grid(prior: dict[int, float], x: NDArray[np.float64], y: NDArray[np.float64]) -> tuple[float, ...]:
    """Exact posterior means and standard deviations of level and sources, and the log evidence."""
    sources = np.array(list(prior))[:, None]
    log_weight = np.log(list(prior.values()))[:, None] + stats.norm.logpdf(LEVEL) - stats.norm.logsf(0.5)
    for at, read in zip(x, y, strict=True):
        mean = LEVEL + sources * at
        if read <= 1:
            log_weight = log_weight + stats.norm.logcdf(1 - mean)
        elif read >= 4:
            log_weight = log_weight + stats.norm.logsf(4 - mean)
        else:
            log_weight = log_weight + stats.norm.logpdf(read - mean)
    cell = np.full_like(LEVEL, LEVEL[1] - LEVEL[0])
    cell[[0, -1]] /= 2
    log_weight = log_weight + np.log(cell)
    evidence = float(special.logsumexp(log_weight))
    weight = np.exp(log_weight - evidence)
    moments = []
    for value in (LEVEL[None], sources):
        first = float((weight * value).sum())
        moments += [first, math.sqrt(float((weight * (value - first) ** 2).sum()))]
    return *moments, evidence


@pytest.mark.statistical
@pytest.mark.parametrize("prior", list(PRIORS))
def test_beliefs_agree_with_the_grid(prior: str) -> None:
    model = DomainModel(load_text(TEXT.replace("PRIOR", prior)))
    laboratory = Simulation(model, seed=7, block=0, runs=RUNS)
    steps = BlockSteps(model, Random(), laboratory, budget=6, seed=7, block=0, settings=BeliefSettings())
    belief = list(rollout(steps, RUNS))[-1].belief
    (population,) = belief.populations
    values, weight = model.mechanisms[0].parameters(population.z), population.log_weight.exp()
    outcomes = belief.history.outcomes[..., 0].numpy()
    assert (outcomes == 1).any()
    assert (outcomes == 4).any()
    exact = np.array([_grid(PRIORS[prior], belief.history.designs[r, :, 0].numpy(), outcomes[r]) for r in range(RUNS)])
    for index, name in enumerate(("level", "sources")):
        mean, sd = exact[:, 2 * index], np.maximum(exact[:, 2 * index + 1], 0.02)
        found = (weight * values[name]).sum(-1).numpy()
        error = (found - mean) / sd
        assert np.abs(error).max() < 0.3
        assert abs(error.mean()) < 0.05
        spread = (weight * (values[name] - torch.tensor(mean)[:, None]).square()).sum(-1).sqrt().numpy()
        assert abs((spread / sd)[exact[:, 2 * index + 1] > 0.05].mean() - 1) < 0.05
    evidence = population.log_evidence.numpy() - exact[:, 4]
    assert np.abs(evidence).max() < 0.4
    assert abs(evidence.mean()) < 0.06
