"""What is believed: weighted particles per mechanism, evidence per mechanism, and how far to trust them.

A belief holds a whole block of runs. It is a pure fold of ``smc.update`` over the recorded experiments.
"""

import math
from dataclasses import dataclass, replace
from functools import cached_property

import torch
from torch import Tensor

from domains.worlds import DomainModel


@dataclass(frozen=True)
class BeliefSettings:
    """How a belief is computed.

    particles: per mechanism and run. moves: MCMC moves after each resampling. threshold: resample when the effective
    sample size falls below this share of the particles.
    """

    particles: int = 2000
    moves: int = 5
    threshold: float = 0.5


@dataclass(frozen=True)
class Population:
    """One mechanism's particles for every run of a block.

    z [runs, particles, dims] unconstrained; log_weight [runs, particles], normalised; log_likelihood [runs, particles]
    of all experiments so far; log_evidence [runs]: log p(outcomes | mechanism), -inf once the mechanism is impossible;
    log_scale [runs, 2]: adapted size of the two kinds of moves.
    """

    z: Tensor
    log_weight: Tensor
    log_likelihood: Tensor
    log_evidence: Tensor
    log_scale: Tensor


@dataclass(frozen=True)
class History:
    """The experiments so far: designs [runs, steps, columns], outcomes [runs, steps, outcomes]; NaN: nothing came."""

    designs: Tensor
    outcomes: Tensor

    @property
    def steps(self) -> int:
        return self.designs.shape[1]

    def append(self, designs: Tensor, outcomes: Tensor) -> "History":
        """With one more experiment a run: designs [runs, columns], outcomes [runs, outcomes]."""
        return History(
            torch.cat([self.designs, designs[:, None]], dim=1), torch.cat([self.outcomes, outcomes[:, None]], dim=1)
        )


@dataclass(frozen=True)
class Diagnostics:
    """After the last update. All shares, per run and mechanism [runs, mechanisms] but for the last.

    effective: effective sample size ÷ particles; acceptance: of the last moves; distinct: share of particles that were
    not copies after them; tail [runs, outcomes]: two-sided posterior-predictive tail probability of the newest outcome.
    """

    effective: Tensor
    acceptance: Tensor
    distinct: Tensor
    tail: Tensor


@dataclass(frozen=True)
class Belief:
    """The belief over (mechanism, parameters) of every run of a block. log_prior [mechanisms]."""

    populations: tuple[Population, ...]
    log_prior: Tensor
    history: History
    diagnostics: Diagnostics

    @cached_property
    def log_probability(self) -> Tensor:
        """log P(mechanism | experiments) [runs, mechanisms].

        Where no mechanism can explain what came back, the prior probabilities, and ``explained`` is false.
        """
        joint = self.log_joint
        return torch.where(self.explained[:, None], joint, self.log_prior).log_softmax(-1)

    @property
    def log_joint(self) -> Tensor:
        """log P(mechanism) + log p(outcomes | mechanism) [runs, mechanisms]."""
        return self.log_prior + torch.stack([population.log_evidence for population in self.populations], dim=-1)

    @property
    def log_evidence(self) -> Tensor:
        """log p(outcomes) [runs] under the whole domain."""
        return self.log_joint.logsumexp(-1)

    @property
    def explained(self) -> Tensor:
        """Whether any mechanism can have produced what came back [runs]."""
        return self.log_joint.isfinite().any(-1)

    @property
    def trusted(self) -> Tensor:
        """Whether the particles of every mechanism that matters (P > 1 %) are in good order [runs]."""
        matters = self.log_probability.exp() > 0.01
        health = self.diagnostics
        sick = (health.effective < 0.05) | (health.distinct < 0.1) | (health.acceptance < 0.01)
        return self.explained & ~(matters & sick).any(-1)

    def with_history(self, history: History) -> "Belief":
        return replace(self, history=history)


def prior_belief(model: DomainModel, runs: int, settings: BeliefSettings, generator: torch.Generator) -> Belief:
    """The belief before any experiment: draws from each mechanism's prior."""
    shape = (runs, settings.particles)
    populations = tuple(
        Population(
            z=mechanism.sample_prior(shape, generator),
            log_weight=torch.full(shape, -math.log(settings.particles), dtype=torch.float64),
            log_likelihood=torch.zeros(shape, dtype=torch.float64),
            log_evidence=torch.zeros(runs, dtype=torch.float64),
            log_scale=torch.zeros((runs, 2), dtype=torch.float64),
        )
        for mechanism in model.mechanisms
    )
    ones = torch.ones((runs, len(populations)), dtype=torch.float64)
    columns, outcomes = len(model.space.names), len(model.outcome_names)
    history = History(
        torch.empty((runs, 0, columns), dtype=torch.float64), torch.empty((runs, 0, outcomes), dtype=torch.float64)
    )
    tail = torch.ones((runs, outcomes), dtype=torch.float64)
    return Belief(populations, model.log_weights, history, Diagnostics(ones, ones, ones, tail))
